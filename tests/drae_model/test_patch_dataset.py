"""Batches against the records themselves, read without TensorFlow; and what happens where a shard is not whole."""

import gc
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_data.errors import DatasetError, OptionError
from drae_data.records import decode_example, encode_example, frame_record, read_records
from drae_model.patch_dataset import patch_batches, reading_errors
from drae_model.patch_selection import patches_per_epoch
from drae_model.read_options import ReadOptions, Shuffle
from tests.small_line import build_dataset, small_options, write_line

STORED = ReadOptions("train", 7, False, 2, None)
SHUFFLED = replace(STORED, shuffle=Shuffle(3, 20, 4))
SHARDS = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_line(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def version(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 patches in 4 shards of train, 40 in validation, as PNG."""
    folder = tmp_path_factory.mktemp("png") / "1.0.0"
    build_dataset(root, folder)
    return folder


@pytest.fixture(scope="module")
def raw_version(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw") / "1.0.0"
    options = small_options()
    build_dataset(root, folder, replace(options, patch=replace(options.patch, encoding="raw")))
    return folder


@pytest.fixture
def copy(version: Path, tmp_path: Path) -> Path:
    """A version to damage."""
    return Path(shutil.copytree(version, tmp_path / "1.0.0"))


def shards_of(folder: Path, split: str = "train") -> list[Path]:
    return sorted(folder.glob(f"*-{split}.tfrecord-*"))


def records_of(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    """The records in stored order, images decoded by OpenCV."""
    found = []
    for shard in shards_of(folder, split):
        for _, data in read_records(shard.read_bytes()):
            record: dict[str, Any] = decode_example(data)
            record["image"] = cv2.imdecode(np.frombuffer(record["image"], np.uint8), cv2.IMREAD_UNCHANGED)
            found.append({"shard": shard.name, **record})
    return found


def keys_of(folder: Path, options: ReadOptions, epochs: Sequence[int] = (0,)) -> list[bytes]:
    return [key for batch in patch_batches(folder, options, epochs) for key in batch["key"].numpy()]


@pytest.mark.parametrize("encoding", ["png", "raw"])
def test_without_shuffle_batches_hold_the_records_in_stored_order(
    version: Path, raw_version: Path, encoding: str
) -> None:
    expected = records_of(version)
    batches = list(patch_batches({"png": version, "raw": raw_version}[encoding], STORED))

    assert [len(batch["key"]) for batch in batches] == [7] * 22 + [6]
    seen = set()
    names = ("key", "strip", "run", "frame", "rank", "vial", "region")
    for record, batch, row in zip(expected, np.repeat(batches, 7), [*range(7)] * 23, strict=False):
        assert {name: batch[name][row].numpy() for name in names} == {name: record[name] for name in names}
        image = batch["image"][row].numpy()
        assert (image.shape, image.dtype) == ((16, 16, 1), np.float32)
        # Equal to the last bit.
        assert np.array_equal(image[..., 0], record["image"].astype(np.float32) / 255)
        seen.update(record["image"].flat)
    assert len(seen) == 256


def test_a_shuffled_epoch_holds_every_patch_once_in_an_order_of_its_own(version: Path) -> None:
    stored, first, second = keys_of(version, STORED), keys_of(version, SHUFFLED), keys_of(version, SHUFFLED, [1])
    other_seed = keys_of(version, replace(SHUFFLED, shuffle=Shuffle(4, 20, 4)))

    orders = [stored, first, second, other_seed]
    assert all(sorted(order) == sorted(stored) for order in orders)
    assert len(set(map(tuple, orders))) == len(orders)
    assert len(set(stored)) == 160


def test_the_order_depends_on_neither_parallel_reads_nor_tensorflows_global_seed(version: Path) -> None:
    expected = keys_of(version, SHUFFLED)

    for reads in (1, 9):
        tf.random.set_seed(reads)
        assert keys_of(version, replace(SHUFFLED, parallel_reads=reads)) == expected


def test_reading_leaves_tensorflows_global_seed_alone(version: Path) -> None:
    tf.random.set_seed(5)
    expected = tf.random.uniform([3]).numpy()
    tf.random.set_seed(5)
    keys_of(version, SHUFFLED)

    assert np.array_equal(tf.random.uniform([3]).numpy(), expected)


def test_going_on_at_an_epoch_gives_the_order_of_that_epoch(version: Path) -> None:
    whole = keys_of(version, SHUFFLED, range(4))

    assert keys_of(version, SHUFFLED, range(2, 4)) == whole[2 * 160 :]
    assert len(patch_batches(version, SHUFFLED, range(4))) == 4 * 23


def test_shards_are_mixed(version: Path) -> None:
    shard = {record["key"]: record["shard"] for record in records_of(version)}

    unbuffered = keys_of(version, replace(STORED, shuffle=Shuffle(3, 1, 4)))

    # With no buffer to draw from, four shards of 40 give a record each in turn.
    for start in range(0, 160, 4):
        assert len({shard[key] for key in unbuffered[start : start + 4]}) == SHARDS


@pytest.mark.parametrize(
    ("options", "regions", "vials"),
    [(STORED, ("R1",), ()), (STORED, (), (1,)), (SHUFFLED, ("R1", "R0"), (0,)), (SHUFFLED, ("R0",), (1, 0))],
)
def test_filters_take_what_a_look_at_every_record_takes(
    version: Path, options: ReadOptions, regions: tuple[str, ...], vials: tuple[int, ...]
) -> None:
    expected = [
        record["key"]
        for record in records_of(version)
        if (not regions or record["region"].decode() in regions) and (not vials or record["vial"] in vials)
    ]
    options = replace(options, regions=regions, vials=vials)

    found = keys_of(version, options)

    assert (sorted(found) if options.shuffle else found) == (sorted(expected) if options.shuffle else expected)
    assert patches_per_epoch(version, options) == len(expected) < 160


def test_a_dropped_remainder_is_not_counted(version: Path) -> None:
    options = replace(SHUFFLED, drop_remainder=True)

    batches = patch_batches(version, options)

    assert batches.element_spec["image"].shape == (7, 16, 16, 1)
    assert [len(batch["key"]) for batch in batches] == [7] * 22
    assert (len(batches), patches_per_epoch(version, options)) == (22, 154)


def test_another_split_is_read_by_its_name(version: Path) -> None:
    assert keys_of(version, replace(STORED, split="validation")) == [
        record["key"] for record in records_of(version, "validation")
    ]


def cut_between_records(content: bytes) -> bytes:
    return content[: list(read_records(content))[20][0] - 12]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "cut between two records": cut_between_records,
    "cut in a record": lambda content: content[:-5],
    "changed byte": lambda content: content[:-200] + b"?" + content[-199:],
    "empty": lambda content: b"",
    "absent": lambda content: None,
}


def damage(shard: Path, change: Callable[[bytes], bytes | None]) -> None:
    content = change(shard.read_bytes())
    shard.unlink()
    if content is not None:
        shard.write_bytes(content)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_shard_damaged_after_the_check_ends_the_epoch_with_its_name(copy: Path, name: str) -> None:
    batches = patch_batches(copy, STORED if name == "changed byte" else SHUFFLED)
    shard = shards_of(copy)[2]
    damage(shard, DAMAGES[name])

    with pytest.raises(DatasetError) as caught, reading_errors():
        list(batches)

    assert re.fullmatch(
        rf"{shard}: record \d+ of 40: cannot be read: .*; run `python -m pipelines.verify {copy}` .*", str(caught.value)
    )
    assert isinstance(caught.value.__cause__, tf.errors.InvalidArgumentError)
    assert str(caught.value) in caught.value.__cause__.message


def test_training_on_a_damaged_shard_ends_with_its_name(copy: Path) -> None:
    keras = tf.keras
    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = patch_batches(copy, SHUFFLED, range(2)).map(lambda batch: (batch["image"], batch["vial"]))
    model.fit(batches, epochs=2, steps_per_epoch=23, shuffle=False, verbose=0)
    damage(shards_of(copy)[1], cut_between_records)

    with pytest.raises(DatasetError, match=f"{shards_of(copy)[1].name}: record"), reading_errors():
        model.fit(batches, epochs=2, steps_per_epoch=23, shuffle=False, verbose=0)


def test_another_error_passes_reading_errors_unchanged() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="of another kind"), reading_errors():
        raise tf.errors.InvalidArgumentError(None, None, "of another kind")


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda content: content[:-1], r"got [\d,]+ bytes"),
        (lambda content: content + b"\0", r"got [\d,]+ bytes"),
        (lambda content: None, "got no such file"),
    ],
    ids=["cut", "longer", "absent"],
)
def test_a_shard_that_is_not_whole_is_found_before_anything_is_read(
    copy: Path, change: Callable[[bytes], bytes | None], got: str
) -> None:
    shard = shards_of(copy)[3]
    size = shard.stat().st_size
    damage(shard, change)

    with pytest.raises(DatasetError, match=rf"{shard}: expected a shard of {size:,} bytes, {got}.*pipelines.verify"):
        patch_batches(copy, SHUFFLED)
    # The other split is whole.
    assert patches_per_epoch(copy, replace(SHUFFLED, split="validation")) == 40


def test_a_record_that_contradicts_the_index_ends_a_filtered_reading(copy: Path) -> None:
    shard = shards_of(copy)[0]
    records = [decode_example(data) for _, data in read_records(shard.read_bytes())]
    for record in records:
        record["region"] = b"R1"
    shard.write_bytes(b"".join(frame_record(encode_example(record)) for record in records))

    with pytest.raises(DatasetError, match=rf"{shard.name}: record \d+ of 40: its region"), reading_errors():
        keys_of(copy, replace(STORED, regions=("R0",)))


def test_a_changed_patch_index_is_refused_where_a_filter_needs_it(copy: Path) -> None:
    part = copy / "patches" / f"{shards_of(copy)[0].name}.parquet"
    part.write_bytes(part.read_bytes()[:-1])

    assert patches_per_epoch(copy, STORED) == 160
    with pytest.raises(DatasetError, match=f"{part.name}: expected SHA-256"):
        patch_batches(copy, replace(STORED, regions=("R0",)))
    part.unlink()
    with pytest.raises(DatasetError, match=f"{part.name}: the patch index cannot be read"):
        patch_batches(copy, replace(STORED, regions=("R0",)))


def test_records_that_are_not_encoded_as_stated_are_an_error(copy: Path) -> None:
    path = copy / "provenance.json"
    values = json.loads(path.read_bytes())
    assert values["parameters"]["encoding"] == "png"
    values["parameters"]["encoding"] = "raw"
    path.write_text(json.dumps(values))

    with pytest.raises(DatasetError, match="record 0 of 40: its image is not 16 x 16 bytes"), reading_errors():
        keys_of(copy, STORED)


def test_a_folder_without_a_committed_version_is_refused(copy: Path) -> None:
    (copy / "dataset_info.json").unlink()

    with pytest.raises(DatasetError, match="no committed dataset version"):
        patch_batches(copy, STORED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "test"}, "split: expected a split of small 1.0.0: train, validation, got 'test'"),
        ({"regions": ("R9",)}, r"regions: expected among R0, R1.*got \['R9'\]"),
        ({"vials": (0, 5)}, r"vials: expected among 0, 1.*got \[5\]"),
        ({"shards": ("small-train.tfrecord-00001-of-00004", "x")},
         r"^shards: expected among (small-train\.tfrecord-\d+-of-00004, ){3}\.\.\., as split train has .* got \['x'\]"),
        ({"split": "validation", "shards": ("small-train.tfrecord-00001-of-00004",)},
         r"^shards: expected among small-validation\.tfrecord-.* as split validation has them, got \['small-train"),
        ({"batch_size": 161, "drop_remainder": True}, "batch_size: expected at most the 160"),
    ],
)  # fmt: skip
def test_what_the_version_does_not_hold_is_refused(version: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        patch_batches(version, replace(STORED, **changes))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"split": "all"}, "split"),
        ({"batch_size": 0}, "batch_size"),
        ({"parallel_reads": 0}, "parallel_reads"),
        ({"regions": "R0"}, "regions"),
        ({"regions": ("R0", "R0")}, "regions"),
        ({"vials": [1]}, "vials"),
    ],
)
def test_options_check_themselves(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(OptionError, match=f"^{key}: expected"):
        replace(STORED, **changes)


@pytest.mark.parametrize("values", [(-1, 1, 1), (0, 0, 1), (0, 1, 0), (0, 1.5, 1)])
def test_a_shuffle_checks_itself(values: tuple[int, int, int]) -> None:
    with pytest.raises(OptionError, match=r"^shuffle"):
        Shuffle(*values)


def test_the_shuffled_order_is_the_one_of_earlier_versions_of_the_code(version: Path) -> None:
    """Pinned: an order that changes breaks the resuming of a training; a new TensorFlow may be the cause."""
    order = keys_of(version, SHUFFLED)
    places = {key: place for place, key in enumerate(keys_of(version, STORED))}

    assert hashlib.sha256(repr([places[key] for key in order]).encode()).hexdigest()[:16] == "9092c8b0cab6bd26"


def test_a_version_that_takes_the_place_of_another_is_never_mixed_into_it(
    version: Path, copy: Path, tmp_path: Path
) -> None:
    """As a rebuild does it: the new folder is renamed into the old one's place, which is then removed."""
    other = Path(shutil.copytree(version, tmp_path / "other"))
    iterator = iter(patch_batches(copy, replace(STORED, parallel_reads=1)))
    first = next(iterator)["key"].numpy().tolist()
    copy.rename(tmp_path / "aside")
    other.rename(copy)
    for shard in shards_of(copy):
        shard.write_bytes(b"".join(frame_record(b"of another version") for _ in read_records(shard.read_bytes())))
    rest = [key for batch in iterator for key in batch["key"].numpy().tolist()]
    assert [*first, *rest] == [record["key"] for record in records_of(version)]


def test_a_version_that_is_gone_in_the_middle_of_an_epoch_ends_it_in_words(copy: Path, tmp_path: Path) -> None:
    batches = patch_batches(copy, STORED)
    shutil.rmtree(copy)
    with pytest.raises(DatasetError, match="replaced or taken away"), reading_errors():
        list(batches)


def test_handles_of_folders_are_given_back(version: Path) -> None:
    def handles() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    sum(1 for _ in patch_batches(version, STORED))
    before = handles()
    for _ in range(5):
        sum(1 for _ in patch_batches(version, STORED))
    gc.collect()
    assert handles() <= before + 1
