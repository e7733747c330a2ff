"""Batches for training and validation: patches averaged down, augmented, perturbed; in TensorFlow's graph, on tf.data.

A batch depends on the version, the options and its step alone. So a training that stopped goes on with the very batches
that it would have had.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from drae_data.errors import OptionError
from drae_model.augmentation import augment
from drae_model.errors import TrainingError
from drae_model.input_size import shrink
from drae_model.patch_dataset import patch_batches
from drae_model.patch_selection import Selection, select_patches, version_content
from drae_model.perturbation import perturb
from drae_model.read_options import ReadOptions, Shuffle
from drae_model.training_options import TrainingOptions

# `Any` stands for tf.Tensor and tf.data.Dataset: TensorFlow is published without types.
Tensor = Any
Dataset = Any

# Shards that are read at the same time; never changes the order.
_PARALLEL_READS = 2
# Shards from which the patches of a linear path are drawn in turn, so that they come from many acquisitions.
_SPREAD_SHARDS = 64
_INT31 = 2**31 - 1


def training_selection(folder: Path, options: TrainingOptions) -> Selection:
    """What one pass over the split `train` reads; raises like `check_dataset` and `select_patches`."""
    check_dataset(folder, options)
    return select_patches(folder, _reading("train", options, shuffle=options.shuffle))


def check_dataset(folder: Path, options: TrainingOptions) -> None:
    """Checks that a version can train this network.

    Raises:
        TrainingError: a split is absent or holds nothing.
        OptionError: its patches cannot be averaged down to `input_size`, or validation has fewer than devices.
        DatasetError: see `select_patches`.
    """
    _, validation = (_split(folder, split, options) for split in ("train", "validation"))
    judged = _at_most(options.validation_patches, validation.patches)
    if judged < options.devices:
        raise OptionError("devices", options.devices, f"at most the {judged} patches that validation takes")


def training_batches(folder: Path, options: TrainingOptions, first: int, last: int) -> Dataset:
    """The batches of the training steps from `first` to before `last`.

    Passes over the split follow one another; each leaves out what does not fill a batch.

    Args:
        folder: of a published version.
        options: of the training.
        first: number of the first step, counted from the beginning of the training.
        last: number after the last step.

    Returns:
        A `tf.data.Dataset` of known length. Its elements are dictionaries of float32 [batch, s, s, 1], 0 to 1, s being
        `input_size`: `image`, augmented; `perturbed`, the same with noise; `noise`, the noise on black; and of
        `region`, the number of the patch's region, int32 [batch].

    Raises:
        TrainingError, OptionError, DatasetError: see `check_dataset`.
    """
    steps = training_selection(folder, options).batches
    passes = range(first // steps, -(-last // steps))
    reading = _reading("train", options, options.shuffle)
    patches = patch_batches(folder, reading, passes, first - passes.start * steps).take(last - first)
    regions = version_content(folder).layouts.regions

    def prepare(step: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        seeds = patch_seeds(batch["key"], options.seed, tf.cast(step // steps, tf.int32))
        image = augment(shrink(batch["image"], options.network.input_size), seeds, options.augmentation)
        perturbed, noise, _ = perturb(image, seeds, options.perturbation)
        region = _region_numbers(batch["region"], regions)
        return {"image": image, "perturbed": perturbed, "noise": noise, "region": region}

    batches = patches.enumerate(start=first).map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def validation_batches(folder: Path, options: TrainingOptions, count: int | None) -> Dataset:
    """Patches of the split `validation`, spread evenly over it, as they are.

    Args:
        folder: of a published version.
        options: of the training.
        count: of patches, at most; None is all.

    Returns:
        A `tf.data.Dataset` of dictionaries: `image`, float32 [batch, s, s, 1], `region`, the number of the patch's
        region, int32 [batch], and `key`, string [batch]; the last batch may be smaller. With several devices all are
        whole, and some patches fewer are taken.
    """
    reading = _reading("validation", options, None)
    regions = version_content(folder).layouts.regions
    total = select_patches(folder, reading).patches
    taken = _at_most(count, total)
    # Keras asks that batches can be shared out evenly: several devices judge whole batches only.
    size = min(options.batch_size, taken) // options.devices * options.devices
    if options.devices > 1:
        taken -= taken % size
    batches = patch_batches(folder, replace(reading, batch_size=size))
    if taken < total:
        # Patch i is taken where i * count / total passes a whole number.
        chosen = batches.unbatch().enumerate().filter(lambda i, _: (i + 1) * taken // total > i * taken // total)
        batches = chosen.map(lambda _, patch: patch).batch(size)
        batches = batches.apply(tf.data.experimental.assert_cardinality(-(-taken // size)))

    def prepare(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        image = shrink(batch["image"], options.network.input_size)
        return {"image": image, "region": _region_numbers(batch["region"], regions), "key": batch["key"]}

    return batches.map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def region_patches(folder: Path, options: TrainingOptions, region: str | None, count: int) -> Dataset:
    """Some patches of the split `train`, drawn from many of its shards: images, float32 [batch, s, s, 1].

    Args:
        folder: of a published version.
        options: of the training.
        region: None takes all.
        count: of patches, at most.
    """
    reading = ReadOptions(
        "train", min(count, options.batch_size), False, _PARALLEL_READS, Shuffle(options.seed, 1, _SPREAD_SHARDS),
        regions=(region,) if region else (),
    )  # fmt: skip
    images = patch_batches(folder, reading).map(
        lambda batch: shrink(batch["image"], options.network.input_size),
        num_parallel_calls=tf.data.AUTOTUNE, deterministic=True,
    )  # fmt: skip
    return images.unbatch().take(count).batch(options.batch_size)


def _region_numbers(names: Tensor, regions: Sequence[str]) -> Tensor:
    """Places of names, string [n], among those of a version: int32 [n]."""
    same = names[:, None] == tf.constant(regions)
    tf.debugging.Assert(tf.reduce_all(tf.reduce_any(same, axis=1)), ["expected regions", *regions, "got", names])
    return tf.argmax(same, axis=1, output_type=tf.int32)


def patch_seeds(keys: Tensor, seed: int, epoch: Tensor) -> Tensor:
    """The seeds of patches, int32 [n, 2]: one number for the key, one for the training's seed and the pass.

    Args:
        keys: string [n].
        seed: of the training.
        epoch: number of the pass over the split, int32.
    """
    name = tf.strings.to_hash_bucket_fast(keys, _INT31)
    turn = tf.strings.to_hash_bucket_fast(tf.strings.format("{}/{}", (seed, epoch)), _INT31)
    return tf.stack([tf.cast(name, tf.int32), tf.fill(tf.shape(name), tf.cast(turn, tf.int32))], axis=1)


def _split(folder: Path, split: str, options: TrainingOptions) -> Selection:
    """What a split holds; raises like `check_dataset`."""
    try:
        selection = select_patches(folder, _reading(split, options, None))
    except OptionError as error:
        if error.key not in ("split", "regions, vials"):
            raise
        raise TrainingError(
            f"{folder}: a training needs patches in the splits train and validation: {error}; "
            "build the set with a split that is not none and a validation_fraction above 0"
        ) from error
    if selection.size % options.network.input_size:
        raise OptionError(
            "network.input_size", options.network.input_size,
            f"a divisor of {selection.size}, the side of the patches in {folder}",
        )  # fmt: skip
    return selection


def _at_most(count: int | None, total: int) -> int:
    """How many of all patches are taken; None takes all."""
    return total if count is None else min(count, total)


def _reading(split: str, options: TrainingOptions, shuffle: Shuffle | None) -> ReadOptions:
    return ReadOptions(split, options.batch_size, split == "train", _PARALLEL_READS, shuffle)
