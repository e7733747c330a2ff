"""Both encodings give the patch back to the bit, and every reader of the published folder agrees."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.encodings import decode_patch_image, encode_patch_image
from drae_data.errors import OptionError, RecordError
from drae_data.options import DatasetOptions
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.rank_images import Pixels
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, files_of, small_frame, small_options, write_line

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SIZE = 16
PATCHES = st.binary(min_size=SIZE * SIZE, max_size=SIZE * SIZE).map(
    lambda data: np.frombuffer(data, np.uint8).reshape(SIZE, SIZE)
)


def options(encoding: str) -> DatasetOptions:
    return small_options(patch=replace(small_options().patch, encoding=encoding))


@given(PATCHES, st.sampled_from(["png", "raw"]))
def test_a_patch_comes_back_to_the_bit(patch: Pixels, encoding: str) -> None:
    assert np.array_equal(decode_patch_image(encode_patch_image(patch, encoding), SIZE, encoding), patch)
    # A view that is not contiguous is no other patch.
    turned = patch.T
    assert np.array_equal(decode_patch_image(encode_patch_image(turned, encoding), SIZE, encoding), turned)


def test_raw_is_the_rows_one_after_the_other() -> None:
    assert encode_patch_image(np.arange(4, dtype=np.uint8).reshape(2, 2), "raw") == bytes([0, 1, 2, 3])


@pytest.mark.parametrize("encoding", ["png", "raw"])
@pytest.mark.parametrize("data", [b"", b"x", b"\x89PNG\r\n\x1a\n", bytes(SIZE * SIZE - 1), bytes(SIZE * SIZE + 1)])
def test_bytes_that_are_no_patch_are_refused(encoding: str, data: bytes) -> None:
    with pytest.raises(RecordError, match="16 x 16"):
        decode_patch_image(data, SIZE, encoding)


def test_a_png_of_another_kind_is_refused() -> None:
    for image in (np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint16), np.zeros((9, 9), np.uint8)):
        with pytest.raises(RecordError, match="grey PNG"):
            decode_patch_image(cv2.imencode(".png", image)[1].tobytes(), SIZE, "png")


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(OptionError, match=r"patch\.encoding.*png, raw"):
        options("jpeg")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same line in both encodings, beside its frames."""
    folder = tmp_path_factory.mktemp("line")
    root = write_line(folder / "frames", "ABC", runs=1)
    for encoding in ("png", "raw"):
        build_dataset(root, folder / encoding, options(encoding))
    return {"frames": root, "png": folder / "png", "raw": folder / "raw"}


@pytest.mark.parametrize("encoding", ["png", "raw"])
def test_verify_and_show_read_it(versions: dict[str, Path], encoding: str) -> None:
    assert verify_dataset(files_of(versions[encoding]), 1).faults == ()
    found = find_patch(files_of(versions[encoding]), "B/r0/f01/v1/R1")
    # This box has the patch's size, so the patch is the frame's pixels.
    assert np.array_equal(found.pixels(), small_frame("B", 0, 1)[20:36, 32:48])
    assert compare_with_frames(found, files_of(versions["frames"])).agrees


def test_a_raw_patch_that_was_tampered_with_is_found(versions: dict[str, Path], tmp_path: Path) -> None:
    version = shutil.copytree(versions["raw"], tmp_path / "raw")
    shard = min(version.glob("*.tfrecord-*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert verify_dataset(files_of(version), 1).faults


def test_another_encoding_makes_every_shard_new(versions: dict[str, Path]) -> None:
    out = versions["png"].parent / "again"
    build_dataset(versions["frames"], out, options("png"))
    assert build_dataset(versions["frames"], out, options("raw")).reused == 0


def plain_records(version: Path, encoding: str) -> dict[str, Any]:
    """Patches by key, read with tf.data and tf.io alone."""
    tf = pytest.importorskip("tensorflow")
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "key")}
    found = {}
    for data in tf.data.TFRecordDataset([str(path) for path in sorted(version.glob("*.tfrecord-*"))]):
        record = tf.io.parse_single_example(data, features)
        image = record["image"]
        pixels = tf.io.decode_png(image) if encoding == "png" else tf.reshape(tf.io.decode_raw(image, tf.uint8), (
            SIZE, SIZE, 1,
        ))  # fmt: skip
        found[record["key"].numpy().decode()] = pixels.numpy()
    return found


@pytest.mark.parametrize("encoding", ["png", "raw"])
def test_tfds_and_tf_data_agree(versions: dict[str, Path], encoding: str) -> None:
    tfds = pytest.importorskip("tensorflow_datasets")
    plain = plain_records(versions[encoding], encoding)
    builder = tfds.builder_from_directory(str(versions[encoding]))
    seen = {}
    for split in builder.info.splits:
        for record in tfds.as_numpy(builder.as_dataset(split=split)):
            seen[record["key"].decode()] = record["image"]
    assert seen.keys() == plain.keys()
    assert len(seen) == 60
    for key, image in seen.items():
        assert (image.shape, image.dtype) == ((SIZE, SIZE, 1), np.uint8)
        assert np.array_equal(image, plain[key])
        assert np.array_equal(image[..., 0], find_patch(files_of(versions[encoding]), key).pixels())


def test_both_encodings_hold_the_same_pixels(versions: dict[str, Path]) -> None:
    png, raw = (plain_records(versions[encoding], encoding) for encoding in ("png", "raw"))
    assert png.keys() == raw.keys()
    assert all(np.array_equal(png[key], raw[key]) for key in png)
