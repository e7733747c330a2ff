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
from benchmarks.build import main, may_run
from benchmarks.measure import BenchmarkError, run_measured
from benchmarks.pixels import compare_pixels
from benchmarks.sides import OURS, Rates
from benchmarks.tables import memory_ratios, ratios
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


@pytest.mark.slow
@pytest.mark.beam
@pytest.mark.parametrize(
    ("format", "peers", "counts"), [("png", "bare", "2,3"), ("bmp", "bare,naive,tfds", "2")], ids=["png", "bmp"]
)
def test_a_tiny_run_ends_with_a_line_of_json(
    format: str, peers: str, counts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--formats", format, "--peers", peers, "--acquisitions", counts, "--rounds", "1"]
    arguments += ["--size", "320x256", "--frames", "3", "--workers", "2", "--workdir", str(tmp_path)]

    assert main(arguments) == 0

    table = capsys.readouterr().out
    result = json.loads(table.splitlines()[-1])
    # 3 frames and 2 rank images of 5 vials with 4 regions, of each acquisition.
    assert "pixels of all 200 patches are equal after decoding" in table
    assert set(result["patches_per_s"][format]["2"]) == {OURS, *peers.split(",")}
    peak_mb = result["peak_mb" if format == "png" else "peak_mb_bmp"]
    for peer in peers.split(","):
        assert result[f"{peer}_{format}"] > 0
        assert result[f"{peer}_{format}_whole_command"] > 0
        assert set(peak_mb[peer]) == set(peak_mb[OURS]) == set(counts.split(","))


def test_ratios_are_medians_of_neighbours_and_not_ratios_of_medians() -> None:
    # A slow second round for both: by hand 4 / 2, 1 / 1 and 9 / 3; own clock first, whole command at half of it.
    runs = {
        side: [Rates(own, own / 2 if side == OURS else own, 0) for own in rates]
        for side, rates in {OURS: (4.0, 1.0, 9.0), "bare": (2.0, 1.0, 3.0)}.items()
    }
    assert ratios("png", runs) == {"bare_png": 2.0, "bare_png_whole_command": 1.0}


def test_memory_ratios_compare_equal_numbers_of_acquisitions() -> None:
    peaks = {OURS: {"20": 200, "8": 100, "80": 200}, "naive": {"20": 1000, "80": 4000}, "tfds": {"8": 700}}
    assert memory_ratios("", {"naive": "20", "tfds": "8"}, peaks) == {
        "naive_memory": 5.0, "naive_memory_80": 20.0, "tfds_memory": 7.0,
    }  # fmt: skip


def test_a_peer_that_would_fill_the_memory_is_not_run() -> None:
    terabyte = 1_000_000
    assert may_run({"20": 1}, 80)
    assert not may_run({"20": 1}, 200)  # of ours alone
    assert not may_run({"20": terabyte}, 80)


def test_equal_pixels_in_another_encoding_and_order_pass(tmp_path: Path) -> None:
    patches = {f"S/r0/f0{number}/v0/R0": np.full((8, 8), number, np.uint8) for number in range(3)}
    write_shard(tmp_path / "ours" / "a.tfrecord-00000-of-00001", patches, level=1)
    write_shard(tmp_path / "bare" / "b.tfrecord", dict(reversed(patches.items())), level=9)

    assert compare_pixels(tmp_path / "ours", tmp_path / "bare") == 3


def test_a_raw_patch_equals_its_png_and_one_changed_byte_of_it_is_found(tmp_path: Path) -> None:
    patch = np.arange(64, dtype=np.uint8).reshape(8, 8)
    write_shard(tmp_path / "ours" / "a.tfrecord", {"one": patch}, level=1)
    for name, raw in (("same", patch), ("changed", np.where(patch == 63, 0, patch).astype(np.uint8))):
        (tmp_path / name).mkdir()
        example = encode_example({"key": b"one", "image": raw.tobytes()})
        (tmp_path / name / "b.tfrecord").write_bytes(frame_record(example))

    assert compare_pixels(tmp_path / "ours", tmp_path / "same") == 1
    with pytest.raises(BenchmarkError, match="patch one: its pixels differ"):
        compare_pixels(tmp_path / "ours", tmp_path / "changed")


def test_a_patch_that_stands_twice_is_found_on_either_side(tmp_path: Path) -> None:
    patch = np.zeros((8, 8), np.uint8)
    for folder, files in (("once", "a"), ("twice", "ab")):
        for name in files:
            write_shard(tmp_path / folder / f"{name}.tfrecord", {"one": patch}, level=1)

    for ours, theirs in (("once", "twice"), ("twice", "once")):
        with pytest.raises(BenchmarkError, match="patch one"):
            compare_pixels(tmp_path / ours, tmp_path / theirs)


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


def test_a_command_that_says_more_than_a_pipe_holds_ends(tmp_path: Path) -> None:
    big = run_measured(
        [sys.executable, "-c", "import sys; sys.stderr.write('e' * 10**6); print('o' * 10**6)"], tmp_path
    )
    assert len(big.output) == 10**6 + 1


def test_compiled_modules_are_kept_where_the_benchmark_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "told.py").write_text("")
    run_measured([sys.executable, "-c", "import told"], tmp_path, tmp_path / "bytecode")
    assert list((tmp_path / "bytecode").rglob("told.*.pyc"))


def test_boxes_lie_inside_the_frame_and_apart() -> None:
    boxes = [box for row in FrameSet(1600, 1280, 16, "png", 1).boxes.values() for box in row]
    covered = np.zeros((1280, 1600), np.uint8)
    for left, top, width, height in boxes:
        covered[top : top + height, left : left + width] += 1
    assert len(boxes) == 20
    assert covered.max() == 1
    assert covered.sum() == sum(width * height for _, _, width, height in boxes)
