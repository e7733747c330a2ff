"""Shards against brute force; the same bytes whatever threads, order and file format."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.options import SplitOptions
from drae_data.patches import PatchOptions
from drae_data.path_template import PathTemplate
from drae_data.rank_images import Pixels
from drae_data.records import decode_example, read_records
from drae_data.tables import read_table
from tests.small_line import LAYOUT, build_dataset, small_frame, small_options, tree_bytes, write_line


def expected_patch(strip: str, run: int, image: str, vial: int, region: str) -> Pixels:
    """Brute force: the frame or the sort of all frames, cut by slicing, resized by OpenCV in one call."""
    frames = np.stack([small_frame(strip, run, frame) for frame in range(3)])
    ranked = np.sort(frames, axis=0)
    pixels = {"min": ranked[0], "max": ranked[-1]}.get(image)
    if pixels is None:
        pixels = frames[int(image[1:])]
    left, top, width, height = (int(value) for value in LAYOUT.boxes[region][vial])
    # Both boxes are at least 16 pixels wide and high, so every side shrinks or stays.
    cut = pixels[top : top + height, left : left + width]
    patch: Pixels = cv2.resize(cut, (16, 16), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return patch


@pytest.mark.parametrize("encoding", ["png", "raw"])
def test_every_patch_is_the_one_that_brute_force_cuts(tmp_path: Path, encoding: str) -> None:
    options = small_options(patch=PatchOptions(16, "stretch", "linear", 0, encoding))
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    assert committed.records == {"train": 160, "validation": 40}
    keys = set()
    for shard in sorted((tmp_path / "out").glob("small-*")):
        for _, data in read_records(shard.read_bytes()):
            example = decode_example(data)
            encoded, name = example["image"], example["key"]
            assert isinstance(encoded, bytes)
            assert isinstance(name, bytes)
            key = name.decode()
            strip, run, image, vial, region = key.split("/")
            values = np.frombuffer(encoded, np.uint8)
            pixels = values.reshape(16, 16) if encoding == "raw" else cv2.imdecode(values, cv2.IMREAD_UNCHANGED)
            assert pixels is not None
            assert np.array_equal(pixels, expected_patch(strip, int(run[1:]), image, int(vial[1:]), region)), key
            keys.add(key)
    # 5 strips x 2 runs x (3 frames + 2 rank images) x 2 vials x 2 regions
    assert len(keys) == 200


@pytest.mark.parametrize("threads", [1, 5])
def test_bytes_do_not_depend_on_threads_or_on_where_the_folders_are(tmp_path: Path, threads: int) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", threads=2)
    moved = write_line(tmp_path / "elsewhere" / "deeper", strips="EDCBA")
    build_dataset(moved, tmp_path / "again", threads=threads)
    assert tree_bytes(tmp_path / "again") == tree_bytes(tmp_path / "out")


def test_the_records_of_a_shard_are_shuffled(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    part = next((tmp_path / "out" / "patches").glob("*train*"))
    keys = read_table("patches", part.read_bytes()).column("key").to_pylist()
    assert keys != sorted(keys)


def test_split_by_patch_puts_each_patch_in_one_shard(tmp_path: Path) -> None:
    options = small_options(split=SplitOptions("patch", Fraction(1, 10), 7))
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    assert committed.records == {"train": 180, "validation": 20}
    keys = [
        key
        for part in (tmp_path / "out" / "patches").iterdir()
        for key in read_table("patches", part.read_bytes()).column("key").to_pylist()
    ]
    assert len(keys) == len(set(keys)) == 200


def test_fewer_frames_than_the_acquisition_has_may_become_patches(tmp_path: Path) -> None:
    """Frames that nobody needs are not read: a broken one does no harm."""
    root = write_line(tmp_path / "frames")
    (root / "A/run_00/frame_01.png").write_bytes(b"not read")
    images = small_options().images
    committed = build_dataset(root, tmp_path / "out", small_options(images=(images[0], images[2])))
    assert sum(committed.records.values()) == 10 * 2 * 4


@pytest.mark.parametrize("suffix", ["bmp", "tiff"])
def test_other_formats_give_the_same_patches(tmp_path: Path, suffix: str) -> None:
    build_dataset(write_line(tmp_path / "png"), tmp_path / "a")
    template = PathTemplate(f"{{strip}}/run_{{run}}/frame_{{frame}}.{suffix}")
    build_dataset(write_line(tmp_path / "other", suffix=suffix), tmp_path / "b", small_options(template=template))
    shards = {name: content for name, content in tree_bytes(tmp_path / "a").items() if name.startswith("small-")}
    assert shards == {name: tree_bytes(tmp_path / "b")[name] for name in shards}
