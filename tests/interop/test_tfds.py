"""TFDS reads the published folder, and agrees record for record with plain tf.data and the frames."""

from pathlib import Path

import numpy as np
import pytest

from tests.interop.plain_records import plain_records
from tests.interop.sample import SIZE, digest_of, expected_digest, patch_by_hand, patches_of_a_strip

tfds = pytest.importorskip("tensorflow_datasets")


def test_tfds_reads_every_patch(version: Path) -> None:
    builder = tfds.builder_from_directory(str(version))
    records = tfds.as_numpy(builder.as_dataset(split="train+validation"))
    assert digest_of((record["key"].decode(), record["image"]) for record in records) == expected_digest()


def test_tfds_and_tf_data_agree_with_each_other_and_with_the_frames(version: Path) -> None:
    builder = tfds.builder_from_directory(str(version))
    assert (builder.info.name, str(builder.info.version)) == ("bottle_strips", "1.0.0")
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": patches_of_a_strip(), "validation": patches_of_a_strip(),
    }  # fmt: skip
    for split in ("train", "validation"):
        plain = plain_records(version, split)
        seen = set()
        for record in tfds.as_numpy(builder.as_dataset(split=split)):
            key = record["key"].decode()
            other = plain[key]
            assert record.keys() == other.keys()
            for name, value in record.items():
                assert np.array_equal(value, other[name]), (key, name)
            assert record["image"].shape == (SIZE, SIZE, 1)
            assert np.array_equal(record["image"][..., 0], patch_by_hand(key)), key
            parts = (record["strip"].decode(), record["run"], record["vial"], record["region"].decode())
            strip, run, image, vial, region = key.split("/")
            assert parts == (strip, int(run[1:]), int(vial[1:]), region)
            assert image == (record["rank"].decode() or f"f{record['frame']:02d}")
            seen.add(key)
        assert seen == set(plain)
        assert len(seen) == patches_of_a_strip()


def test_tfds_reads_sub_splits(version: Path) -> None:
    half = tfds.builder_from_directory(str(version)).as_dataset(split="train[:50%]")
    assert abs(len(list(half)) - patches_of_a_strip() / 2) <= 1


def test_tfds_reads_any_patch_of_the_array_records_by_its_number(array_records: Path, version: Path) -> None:
    builder = tfds.builder_from_directory(str(array_records))
    sources = [builder.as_data_source(split=split) for split in ("train", "validation")]
    records = [source[number] for source in sources for number in reversed(range(len(source)))]
    assert digest_of((record["key"].decode(), record["image"]) for record in records) == expected_digest()
    in_order = [record["key"].decode() for record in tfds.as_numpy(
        tfds.builder_from_directory(str(version)).as_dataset(split="train")
    )]  # fmt: skip
    assert [sources[0][number]["key"].decode() for number in range(len(sources[0]))] == in_order
