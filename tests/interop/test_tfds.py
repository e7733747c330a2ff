"""TFDS and plain tf.data read the published folder and agree, record for record, with each other and the frames."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from ruamel.yaml import YAML

from drae_data.strip_layout import StripLayout
from drae_data.tables import read_table
from pipelines.build import main as build
from pipelines.params import load_params

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")
tfds = pytest.importorskip("tensorflow_datasets")

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests/data/bottle_strips"
PARAMS = ROOT / "examples/bottle_strips/params.yaml"


@pytest.fixture(scope="module", params=["png", "raw"])
def version(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The real sample built by the command that a user types; split by strip, so that its two strips have two sides."""
    folder = tmp_path_factory.mktemp("datasets")
    values = YAML(typ="safe", pure=True).load(PARAMS)
    values["patch"]["encoding"] = request.param
    values["build"]["bottle_strips"]["split"] = {"by": "strip", "validation_fraction": 0.1, "seed": 1}
    YAML(typ="safe", pure=True).dump(values, folder / "params.yaml")
    out = folder / "bottle_strips" / "1.0.0"
    sample = ["--root", str(SAMPLE), "--tables", str(SAMPLE)]
    arguments = ["--set", "bottle_strips", "--params", str(folder / "params.yaml"), *sample, "--out", str(out)]
    assert build(arguments) == 0
    return out


def layout() -> StripLayout:
    return load_params(PARAMS).dataset_options("bottle_strips").layouts.layouts[""]


def patch_by_hand(key: str) -> Any:
    """Frame or sorted stack, sliced at the box, resized by one call of OpenCV (all boxes grow: cubic).

    OpenCV on both sides, since the patches must be equal to the bit here: the question is whether each record holds the
    pixels of its key. That OpenCV's cubic is the bicubic kernel, tests/drae_data/test_patches.py shows without it.
    """
    cv2.ipp.setUseIPP(False)  # As the build has it, see drae_data/opencv.py.
    strip, _, image, vial, region = key.split("/")
    frames: list[Any] = [
        cv2.imread(str(SAMPLE / strip / f"frame_{index:02d}.png"), cv2.IMREAD_GRAYSCALE) for index in range(16)
    ]
    stack = np.sort(np.stack(frames), axis=0)
    pixels: Any = {"min": stack[0], "max": stack[-1]}.get(image)
    if pixels is None:
        pixels = frames[int(image[1:])]
    left, top, width, height = (int(value) for value in layout().boxes[region][int(vial[1:])])
    assert max(width, height) < 256
    return cv2.resize(pixels[top : top + height, left : left + width], (256, 256), interpolation=cv2.INTER_CUBIC)


def plain_records(version: Path, split: str) -> dict[str, dict[str, Any]]:
    """Read with tf.data and tf.io alone."""
    features = {
        "image": tf.io.FixedLenFeature([], tf.string), "key": tf.io.FixedLenFeature([], tf.string),
        "strip": tf.io.FixedLenFeature([], tf.string), "run": tf.io.FixedLenFeature([], tf.int64),
        "frame": tf.io.FixedLenFeature([], tf.int64), "rank": tf.io.FixedLenFeature([], tf.string),
        "vial": tf.io.FixedLenFeature([], tf.int64), "region": tf.io.FixedLenFeature([], tf.string),
        "batch": tf.io.FixedLenFeature([], tf.string), "recipe": tf.io.FixedLenFeature([], tf.string),
        "station": tf.io.FixedLenFeature([], tf.string),
    }  # fmt: skip
    found = {}
    for data in tf.data.TFRecordDataset([str(path) for path in sorted(version.glob(f"*-{split}.tfrecord-*"))]):
        record = {name: value.numpy() for name, value in tf.io.parse_single_example(data, features).items()}
        record["image"] = (
            np.frombuffer(record["image"], np.uint8).reshape(256, 256, 1)
            if len(record["image"]) == 256 * 256
            else tf.io.decode_png(record["image"]).numpy()
        )
        assert record["key"].decode() not in found
        found[record["key"].decode()] = record
    return found


def test_tfds_and_tf_data_agree_with_each_other_and_with_the_frames(version: Path) -> None:
    builder = tfds.builder_from_directory(str(version))
    assert (builder.info.name, str(builder.info.version)) == ("bottle_strips", "1.0.0")
    patches = 18 * 3 * len(layout().regions)
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": patches, "validation": patches,
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
            assert record["image"].shape == (256, 256, 1)
            assert np.array_equal(record["image"][..., 0], patch_by_hand(key)), key
            parts = (record["strip"].decode(), record["run"], record["vial"], record["region"].decode())
            strip, run, image, vial, region = key.split("/")
            assert parts == (strip, int(run[1:]), int(vial[1:]), region)
            assert image == (record["rank"].decode() or f"f{record['frame']:02d}")
            seen.add(key)
        assert seen == set(plain)
        assert len(seen) == patches


def test_tfds_reads_sub_splits(version: Path) -> None:
    half = tfds.builder_from_directory(str(version)).as_dataset(split="train[:50%]")
    assert abs(len(list(half)) - 18 * 3 * len(layout().regions) / 2) <= 1


def test_the_index_finds_each_record_by_offset(version: Path) -> None:
    for part in (version / "patches").iterdir():
        for row in read_table("patches", part.read_bytes()).to_pylist()[::50]:
            data = (version / part.stem).read_bytes()[row["offset"] : row["offset"] + row["length"]]
            assert tf.train.Example.FromString(data).features.feature["key"].bytes_list.value[0] == row["key"].encode()
