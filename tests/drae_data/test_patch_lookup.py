"""A patch found by its key, against the frame's pixels cut and resized here with cv2 alone."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.content import content, published_content
from drae_data.errors import DatasetError, DraeError, KeyFormatError, RecordError
from drae_data.frames.options import FrameOptions
from drae_data.options import SplitOptions
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.patches import PatchOptions
from drae_data.strip_layout import Box, StripLayout
from drae_data.strip_layouts import StripLayouts
from tests.small_line import build_dataset, files_of, small_frame, small_options, write_line


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The frames' root and a version built from them; strip B run 1 lacks a frame. Not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    root = write_line(folder / "frames")
    (root / "B/run_01/frame_01.png").unlink()
    build_dataset(root, folder / "version", small_options(max_quarantined=1))
    return root, folder / "version"


@pytest.fixture
def copied(built: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """The same, to be changed."""
    for source, name in zip(built, ("frames", "version"), strict=True):
        shutil.copytree(source, tmp_path / name)
    return tmp_path / "frames", tmp_path / "version"


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """Vial 1, region R0 of the small line: columns 32 to 61, rows 0 to 19; shrunk by area."""
    return cv2.resize(pixels[0:20, 32:62], (16, 16), interpolation=cv2.INTER_AREA)


def test_the_patch_of_a_frame(built: tuple[Path, Path]) -> None:
    found = find_patch(files_of(built[1]), "C/r1/f02/v1/R0")
    expected = shrunk(small_frame("C", 1, 2))
    assert np.array_equal(found.pixels(), expected)
    assert found.key == PatchKey(AcquisitionKey("C", 1), Image.of_frame(2), 1, "R0")
    assert found.box == Box(32, 0, 30, 20)
    assert [frame.file for frame in found.frames] == ["frame_02.png"]
    assert found.acquisition.folder == "C/run_01"
    assert (found.row.minimum, found.row.maximum) == (expected.min(), expected.max())
    assert found.row.mean == pytest.approx(expected.mean(), abs=1e-4)
    provenance = json.loads((built[1] / "provenance.json").read_bytes())
    assert (found.content.digest, found.content.code_version) == (provenance["digest"], provenance["code_version"])


@pytest.mark.parametrize(("rank", "position"), [("min", 0), ("max", -1)])
def test_the_patch_of_a_rank_image(built: tuple[Path, Path], rank: str, position: int) -> None:
    found = find_patch(files_of(built[1]), f"E/r0/{rank}/v1/R0")
    frames = np.stack([small_frame("E", 0, index) for index in range(3)])
    assert np.array_equal(found.pixels(), shrunk(np.sort(frames, axis=0)[position]))
    assert [frame.frame for frame in found.frames] == [0, 1, 2]


def test_every_key_of_an_acquisition_is_found(built: tuple[Path, Path]) -> None:
    keys = [f"A/r0/{image}/v{vial}/{region}" for image in ("f00", "f01", "f02", "min", "max")
            for vial in (0, 1) for region in ("R0", "R1")]  # fmt: skip
    found = [find_patch(files_of(built[1]), key) for key in keys]
    assert [str(item.key) for item in found] == keys
    assert len({(item.shard, item.row.offset) for item in found}) == len(keys) == 20


def test_a_patch_split_over_two_shards_is_found_in_its_own(tmp_path: Path) -> None:
    options = small_options(split=SplitOptions("patch", Fraction(1, 4), 3))
    build_dataset(write_line(tmp_path / "frames", strips="AB", runs=1), tmp_path / "version", options)
    keys = [f"A/r0/f00/v{vial}/{region}" for vial in (0, 1) for region in ("R0", "R1")]
    keys += [key.replace("f00", "max") for key in keys] + [key.replace("f00", "f02") for key in keys]
    assert {find_patch(files_of(tmp_path / "version"), key).row.split for key in keys} == {"train", "validation"}


FRACTIONS = StripLayout("fractions", None, {"top": ((0.1, 0, 0.35, 0.5),), "low": ((0.1, 0.5, 0.3, 0.5),)}, True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layouts": StripLayouts.single(FRACTIONS)},
        {
            "patch": PatchOptions(8, "letterbox", "cubic", 7, "raw"),
            "pixels": FrameOptions(9999, 12, "left", ("alpha",)),
        },
    ],
    ids=["small", "fractions", "raw"],
)
def test_what_leads_back_to_the_frames_comes_back_from_provenance(tmp_path: Path, changes: dict[str, object]) -> None:
    options = small_options(**changes)
    build_dataset(write_line(tmp_path / "frames", strips="AB", runs=1), tmp_path / "out", options)
    values = json.loads((tmp_path / "out/provenance.json").read_bytes())
    assert {name: values["parameters"][name] for name in values["content_parameters"]} == content(options)
    read = published_content(values)
    assert (read.name, read.version, read.frames, read.images) == ("small", "1.0.0", options.frames, options.images)
    assert (read.patch, read.pixels) == (options.patch, options.pixels)
    key = AcquisitionKey("A", 0)
    assert read.layouts.of(key).place(48, 64) == options.layouts.of(key).place(48, 64)
    assert find_patch(files_of(tmp_path / "out"), f"A/r0/f01/v0/{options.layouts.regions[1]}").pixels().size > 0


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        ("C/r1/f02/v1", KeyFormatError, "expected 'STRIP/rRUN/IMAGE/vVIAL/REGION'"),
        ("C/r1/frame/v1/R0", KeyFormatError, "expected 'f00'"),
        ("C/r4/f02/v1/R0", DatasetError, "strip C has the runs 0, 1, not 4"),
        ("c/r0/f02/v1/R0", DatasetError, "expected one of 5 strips, such as A, B, C, D, E; got 'c'"),
        ("C/r0/f03/v1/R0", DatasetError, "image: expected one of f00, f01, f02, min, max; got 'f03'"),
        ("C/r0/f02/v2/R0", DatasetError, "vial: expected one of v0, v1; got 'v2'"),
        ("C/r0/f02/v1/R2", DatasetError, "region: expected one of R0, R1; got 'R2'"),
        (
            "B/r1/f00/v0/R0",
            DatasetError,
            r"acquisition B/r1 is in quarantine.*B/run_01: missing_frame:.*missing frame 1",
        ),
    ],
)
def test_a_key_that_the_dataset_has_not(built: tuple[Path, Path], key: str, error: type[DraeError], words: str) -> None:
    with pytest.raises(error, match=words):
        find_patch(files_of(built[1]), key)


def test_near_strips_are_named(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames", strips=["S0001", "S0010", "T7"], runs=1), tmp_path / "version")
    with pytest.raises(DatasetError, match=r"such as S00[01]{2}, S00[01]{2}; got 'S001'"):
        find_patch(files_of(tmp_path / "version"), "S001/r0/f00/v0/R0")


def test_a_folder_that_is_no_committed_version(copied: tuple[Path, Path]) -> None:
    (copied[1] / "dataset_info.json").unlink()
    with pytest.raises(DatasetError, match=r"dataset_info\.json: absent: .*run the build to its end"):
        find_patch(files_of(copied[1]), "C/r1/f02/v1/R0")


def test_damage_is_named(copied: tuple[Path, Path]) -> None:
    files = files_of(copied[1])
    found = find_patch(files, "C/r1/f02/v1/R0")
    row, shard = found.row, copied[1] / found.shard
    good = shard.read_bytes()
    for place in (row.offset - 12, row.offset - 1, row.offset + row.length // 2, row.offset + row.length + 3):
        shard.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(RecordError, match=rf"C/r1/f02/v1/R0: shard {found.shard} record {row.index}.*checksum"):
            find_patch(files, "C/r1/f02/v1/R0")
    shard.write_bytes(good[: row.offset + 5])
    with pytest.raises(RecordError, match="checksum"):
        find_patch(files, "C/r1/f02/v1/R0")
    shard.unlink()
    with pytest.raises(DatasetError, match="the shard cannot be read"):
        find_patch(files, "C/r1/f02/v1/R0")
    (copied[1] / "acquisitions.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(DatasetError, match=r"acquisitions\.parquet: expected the table"):
        find_patch(files, "C/r1/f02/v1/R0")


def test_another_record_at_the_offset_is_named(copied: tuple[Path, Path]) -> None:
    files = files_of(copied[1])
    found = find_patch(files, "C/r1/f02/v1/R0")
    end = found.row.offset + found.row.length
    shards = sorted(copied[1].glob("small-*.tfrecord*"))
    other = next(path for path in shards if path.name != found.shard and path.stat().st_size > end)
    shutil.copy(other, copied[1] / found.shard)
    with pytest.raises(RecordError):
        find_patch(files, "C/r1/f02/v1/R0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 99}, "expected format_version 3, got 99"),
        ({"frames": 3}, "expected the parameters of a build"),
    ],
)
def test_a_provenance_of_another_format(copied: tuple[Path, Path], change: dict[str, object], words: str) -> None:
    path = copied[1] / "provenance.json"
    values = json.loads(path.read_bytes())
    values["parameters"].update(change)
    path.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=words):
        find_patch(files_of(copied[1]), "C/r1/f02/v1/R0")


def test_frames_that_are_as_they_were(built: tuple[Path, Path]) -> None:
    for key in ("C/r1/f02/v1/R0", "C/r1/min/v0/R1", "C/r1/max/v0/R1"):
        comparison = compare_with_frames(find_patch(files_of(built[1]), key), files_of(built[0]))
        assert comparison.agrees
        assert (comparison.changed, comparison.same_pixels, comparison.problem) == ((), True, "")


def test_frames_that_changed(copied: tuple[Path, Path]) -> None:
    root, version = copied
    path = root / "C/run_01/frame_02.png"
    frame_patch, rank_patch = (find_patch(files_of(version), f"C/r1/{image}/v1/R0") for image in ("f02", "max"))
    pixels = small_frame("C", 1, 2)
    # The same pixels in another file: the digest tells, the patch is the same.
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    for found in (frame_patch, rank_patch):
        comparison = compare_with_frames(found, files_of(root))
        assert (comparison.changed, comparison.same_pixels, comparison.agrees) == (("frame_02.png",), True, False)
    # A change outside the box leaves the patch, one inside changes it.
    pixels[40, 0] ^= 255
    cv2.imwrite(str(path), pixels)
    assert compare_with_frames(frame_patch, files_of(root)).same_pixels is True
    pixels[0:20, 32:62] = 255
    cv2.imwrite(str(path), pixels)
    assert compare_with_frames(frame_patch, files_of(root)).same_pixels is False
    assert compare_with_frames(rank_patch, files_of(root)).same_pixels is False
    other = find_patch(files_of(version), "C/r1/f01/v1/R0")
    assert compare_with_frames(other, files_of(root)).agrees


def test_frames_that_cannot_be_cut(copied: tuple[Path, Path]) -> None:
    root, version = copied
    found = find_patch(files_of(version), "C/r1/max/v1/R0")
    cv2.imwrite(str(root / "C/run_01/frame_01.png"), np.zeros((10, 10), np.uint8))
    comparison = compare_with_frames(found, files_of(root))
    assert comparison.same_pixels is None
    assert "unequal_sizes" in comparison.problem
    for index in range(3):
        cv2.imwrite(str(root / f"C/run_01/frame_{index:02d}.png"), np.zeros((10, 10), np.uint8))
    assert compare_with_frames(found, files_of(root)).problem == "the frames are 10 x 10 pixels now"
    (root / "C/run_01/frame_01.png").unlink()
    comparison = compare_with_frames(found, files_of(root))
    assert "C/run_01/frame_01.png: cannot be read" in comparison.problem
    assert not comparison.agrees
