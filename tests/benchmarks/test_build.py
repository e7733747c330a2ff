"""The benchmark at a size that takes seconds: the JSON line has its keys, and a planted difference of pixels is found.

What is measured is not judged here: times on a test machine say nothing.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.bench_frames import FrameSet
from benchmarks.build import FORMATS, SIDES, main
from benchmarks.measure import BenchmarkError, run_measured
from benchmarks.pixels import compare_pixels
from drae_data.records import encode_example, frame_record


def write_shard(path: Path, patches: Mapping[str, npt.NDArray[np.uint8]], level: int) -> None:
    path.parent.mkdir(exist_ok=True)
    examples = (
        encode_example({
            "key": key.encode(),
            "image": cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])[1].tobytes(),
        })
        for key, pixels in patches.items()
    )  # fmt: skip
    path.write_bytes(b"".join(frame_record(example) for example in examples))


def test_a_tiny_run_ends_with_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--acquisitions", "2", "--rounds", "1", "--size", "320x256", "--frames", "3", "--workers", "2"]

    assert main([*arguments, "--workdir", str(tmp_path)]) == 0

    table = capsys.readouterr().out
    result = json.loads(table.splitlines()[-1])
    # 3 frames and 2 rank images of 5 vials with 4 regions, twice.
    assert table.count("pixels of all 200 patches are equal after decoding") == len(FORMATS)
    for format in FORMATS:
        assert result[f"bare_{format}"] > 0
        assert result[f"bare_{format}_whole_command"] > 0
        assert set(result["patches_per_s"][format]) == set(SIDES)
    assert all(result["peak_mb"][side]["2"] > 0 for side in SIDES)


def test_equal_pixels_in_another_encoding_and_order_pass(tmp_path: Path) -> None:
    patches = {f"S/r0/f0{number}/v0/R0": np.full((8, 8), number, np.uint8) for number in range(3)}
    write_shard(tmp_path / "ours" / "a.tfrecord-00000-of-00001", patches, level=1)
    write_shard(tmp_path / "bare" / "b.tfrecord", dict(reversed(patches.items())), level=9)

    assert compare_pixels(tmp_path / "ours", tmp_path / "bare") == 3


def test_one_differing_pixel_is_found(tmp_path: Path) -> None:
    patch = np.zeros((8, 8), np.uint8)
    planted = patch.copy()
    planted[3, 4] = 1
    write_shard(tmp_path / "ours" / "a.tfrecord-00000-of-00001", {"one": patch, "two": patch}, level=1)
    write_shard(tmp_path / "bare" / "b.tfrecord", {"one": patch, "two": planted}, level=1)

    with pytest.raises(BenchmarkError, match="patch two: its pixels differ"):
        compare_pixels(tmp_path / "ours", tmp_path / "bare")


@pytest.mark.parametrize("side", ["ours", "bare"])
def test_a_patch_on_one_side_only_is_found(tmp_path: Path, side: str) -> None:
    patch = np.zeros((8, 8), np.uint8)
    for name in ("ours", "bare"):
        write_shard(
            tmp_path / name / "a.tfrecord", {"one": patch} | ({"extra": patch} if name == side else {}), level=1
        )

    with pytest.raises(BenchmarkError, match="extra"):
        compare_pixels(tmp_path / "ours", tmp_path / "bare")


def test_two_empty_folders_are_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError):
        compare_pixels(tmp_path, tmp_path)


def test_a_failing_command_is_an_error_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"status 3:\nno such set"):
        run_measured([sys.executable, "-c", "import sys; print('no such set'); sys.exit(3)"], tmp_path)


def test_boxes_lie_inside_the_frame_and_apart() -> None:
    boxes = [box for row in FrameSet(1600, 1280, 16, "png", 1).boxes.values() for box in row]
    covered = np.zeros((1280, 1600), np.uint8)
    for left, top, width, height in boxes:
        covered[top : top + height, left : left + width] += 1
    assert len(boxes) == 20
    assert covered.max() == 1
    assert covered.sum() == sum(width * height for _, _, width, height in boxes)
