"""Shards of a published version to batches for training and scoring: uint8 in the file, float32 in 0 to 1 out.

A damaged shard must never make an epoch shorter. TensorFlow's own reader ends without a word where a file was cut
between two records, and its error elsewhere does not name the file. So each shard gives exactly as many elements as the
version states: what cannot be read comes out blank, and the first blank record of a batch ends the iteration with an
error that names shard, record and what to do, in a plain loop as in `model.fit`.
"""

import os
import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from drae_data.errors import DatasetError
from drae_data.patch_index import verify_advice
from drae_data.records import FEATURES, IMAGE
from drae_data.shard_plan import hash_order
from drae_model.patch_selection import Selection, select_patches
from drae_model.read_options import ReadOptions

_SEED_BITS = 31
_BLANK = b""
# The words around every message of this module inside an error of TensorFlow; `reading_errors` finds it by them.
_OPENS, _CLOSES = "<patches: ", " :patches>"

# `Any` stands for tf.Tensor and tf.data.Dataset: TensorFlow is published without types.
Tensor = Any
Dataset = Any


def patch_batches(folder: Path, options: ReadOptions, epochs: Sequence[int] = (0,), skip: int = 0) -> Dataset:
    """The batches of one epoch, or of several one after the other.

    The same version, options and epoch give the same patches in the same batches, on any number of cores, with any
    `parallel_reads`, whatever TensorFlow's global seed, and whether the epoch is read alone or after others: training
    that stopped in epoch 3 goes on with `range(3, 10)`, and `skip` leaves out the batches of it that were trained
    already, without decoding them. Batches never hold patches of two epochs.

    Args:
        folder: of a published version, such as `datasets/production/1.0.0`.
        options: what to read, and in which order.
        epochs: numbers of the epochs, each with an order of its own where `options.shuffle` is given.
        skip: how many batches to leave out at the beginning.

    Returns:
        A `tf.data.Dataset` of known length whose elements are dictionaries: `image`, float32 [batch, size, size, 1],
        grey values divided by 255; `key`, `strip`, `rank`, `region`, string [batch]; `run`, `frame`, `vial`, int64
        [batch]. Reading it raises `tf.errors.InvalidArgumentError` where a shard has become unreadable since this
        call; `reading_errors` makes it a `DatasetError`.

    Raises:
        DatasetError: see `select_patches`; nothing has been read then.
        OptionError: see `select_patches`.
    """
    # All shards are opened by this handle: a version that takes this one's place meanwhile is never mixed into it.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if folder.is_dir() else None
    selection = select_patches(folder, options)
    if handle is None or not os.path.samestat(os.fstat(handle), folder.stat()):
        raise DatasetError(f"{folder}: it was replaced by another version just now; open it again")
    orders, seeds = _epoch_orders(selection, options, epochs)

    def epoch(order: Tensor, seed: Tensor) -> Dataset:
        # Sets the seed of this function's graph only. Without it the order would depend on the program's global seed.
        tf.random.set_seed(1)
        return _records(selection, handle, options, order, seed).batch(options.batch_size, options.drop_remainder)

    batches = (
        tf.data.Dataset.from_tensor_slices((orders, seeds))
        .flat_map(epoch)
        .skip(skip)
        .map(_decoder(selection, options), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .apply(tf.data.experimental.assert_cardinality(max(selection.batches * len(epochs) - skip, 0)))
        .prefetch(tf.data.AUTOTUNE)
    )
    settings = tf.data.Options()
    settings.deterministic = True
    # TensorFlow else begins with one decoder and takes thousands of patches to find that there are more cores.
    settings.autotune.initial_parallelism = os.cpu_count() or 1
    batches = batches.with_options(settings)
    weakref.finalize(batches, os.close, handle)
    return batches


@contextmanager
def reading_errors() -> Iterator[None]:
    """Inside it, TensorFlow's error about an unreadable record is a `DatasetError` that says only what matters.

    with reading_errors():
        model.fit(batches)
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(re.escape(_OPENS) + "(.*?)" + re.escape(_CLOSES), error.message, re.DOTALL)
        if found is None:
            raise
        raise DatasetError(found[1]) from error


def _epoch_orders(
    selection: Selection, options: ReadOptions, epochs: Sequence[int]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Per epoch the order of shards, int64 [epochs, shards], and the seed of the buffer's draws, int64 [epochs]."""
    numbers = range(len(selection.shards))
    orders, seeds = [], []
    for epoch in epochs:
        order, drawn = list(numbers), 0
        if options.shuffle is not None:
            purpose = f"read {epoch}"
            seed = options.shuffle.seed
            order.sort(key=lambda number: hash_order(seed, purpose, selection.shards[number].name))
            drawn = int.from_bytes(hash_order(seed, purpose, "buffer")) >> (128 - _SEED_BITS)
        orders.append(order)
        seeds.append(drawn)
    return np.array(orders, np.int64).reshape(len(epochs), len(numbers)), np.array(seeds, np.int64)


def _records(selection: Selection, handle: int, options: ReadOptions, order: Tensor, seed: Tensor) -> Dataset:
    """The wanted records of one epoch: (shard number, record number), serialized example or blank.

    Args:
        selection: what to read.
        handle: of the version's folder.
        options: in which order.
        order: of the shards, int64 [shards].
        seed: of the buffer's draws, int64.
    """
    paths = tf.constant([f"/proc/self/fd/{handle}/{shard.name}" for shard in selection.shards])
    lengths = tf.constant([len(shard.keep) for shard in selection.shards], tf.int64)
    starts = tf.cumsum(lengths, exclusive=True)
    keep = tf.constant(np.concatenate([shard.keep for shard in selection.shards]))
    filtered = not all(shard.keep.all() for shard in selection.shards)
    blank = tf.data.Dataset.from_tensors((tf.constant(0, tf.int64), _BLANK)).repeat()

    def read(shard: Tensor) -> Dataset:
        numbers = tf.data.Dataset.range(lengths[shard])
        # An unreadable record ends the file's reading. A file that cannot be opened fails again at every attempt: the
        # numbers, of which each attempt takes one, put an end to that.
        readable = tf.data.Dataset.zip((numbers, tf.data.TFRecordDataset(paths[shard]))).ignore_errors()
        records = readable.concatenate(blank).map(lambda _, data: data)
        place = tf.data.Dataset.zip((tf.data.Dataset.from_tensors(shard).repeat(), numbers))
        if not filtered:
            return tf.data.Dataset.zip((place, records))
        kept = tf.data.Dataset.from_tensor_slices(keep[starts[shard] : starts[shard] + lengths[shard]])
        wanted = tf.data.Dataset.zip((place, records, kept)).filter(lambda place, data, kept: kept)
        return wanted.map(lambda place, data, kept: (place, data))

    mixed = min(options.shuffle.mixed_shards, len(selection.shards)) if options.shuffle else 1
    records = tf.data.Dataset.from_tensor_slices(order).interleave(
        read, cycle_length=mixed, block_length=1, num_parallel_calls=min(options.parallel_reads, mixed),
        deterministic=True,
    )  # fmt: skip
    if options.shuffle:
        records = records.shuffle(options.shuffle.buffer, seed=seed, reshuffle_each_iteration=False)
    return records


def _decoder(selection: Selection, options: ReadOptions) -> Any:
    """A function from a batch of what `_records` gives to what `patch_batches` gives."""
    size = selection.size
    kinds = {"image": tf.string, "text": tf.string, "int64": tf.int64}
    names = ("key", "strip", "run", "frame", "rank", "vial", "region")
    parsed = {name: tf.io.FixedLenFeature([], kinds[FEATURES[name]]) for name in (IMAGE, *names)}
    shards = tf.constant([str(selection.folder / shard.name) for shard in selection.shards])
    totals = tf.constant([len(shard.keep) for shard in selection.shards])
    advice = verify_advice(str(selection.folder))

    def check(good: Tensor, shard: Tensor, number: Tensor, fault: str) -> Any:
        """Ends the iteration with the first record of the batch that is not good."""
        first = tf.argmin(tf.cast(good, tf.int32))
        place, total = shards[shard[first]], tf.strings.as_string(totals[shard[first]])
        record = tf.strings.as_string(number[first])
        words = [_OPENS, place, ": record ", record, " of ", total, ": ", fault, "; ", advice, _CLOSES]
        text = tf.strings.join(words)
        return tf.debugging.Assert(tf.reduce_all(good), [text])

    def decode(place: tuple[Tensor, Tensor], data: Tensor) -> dict[str, Tensor]:
        shard, number = place
        unread = "cannot be read: the shard was cut, changed, replaced or taken away since the build"
        with tf.control_dependencies([check(tf.strings.length(data) > 0, shard, number, unread)]):
            features = tf.io.parse_example(data, parsed)
        checks = []
        for name, wanted in (("region", options.regions), ("vial", options.vials)):
            if wanted:
                known = tf.reduce_any(features[name][:, None] == tf.constant(wanted, features[name].dtype), axis=1)
                checks.append(check(known, shard, number, f"its {name} is not the one that the patch index states"))
        image = features.pop(IMAGE)
        if selection.encoding == "raw":
            whole = tf.strings.length(image) == size * size
            checks.append(check(whole, shard, number, f"its image is not {size} x {size} bytes"))
        with tf.control_dependencies(checks):
            pixels = _decode_raw(image, size) if selection.encoding == "raw" else _decode_png(image, size)
        # A true division: a product with 1 / 255 differs in the last bit for 126 of the 256 grey values.
        return {IMAGE: tf.cast(pixels, tf.float32) / 255.0, **features}

    return decode


def _decode_png(image: Tensor, size: int) -> Tensor:
    """PNG files, string [batch], to uint8 [batch, size, size, 1]."""
    return tf.map_fn(
        lambda file: tf.ensure_shape(tf.io.decode_png(file, channels=1), (size, size, 1)),
        image,
        fn_output_signature=tf.TensorSpec((size, size, 1), tf.uint8),
    )


def _decode_raw(image: Tensor, size: int) -> Tensor:
    """Rows of bytes, string [batch], to uint8 [batch, size, size, 1]."""
    return tf.reshape(tf.io.decode_raw(image, tf.uint8), (-1, size, size, 1))
