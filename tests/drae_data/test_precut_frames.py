"""Frames that come already cut by vial and region give the patches that the whole frames would."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drae_data.errors import OptionError, QuarantineError
from drae_data.intake import AlignOptions
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.path_template import PathTemplate
from drae_data.publication import CommittedDataset
from drae_data.rank_images import Pixels
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import LAYOUT, build_dataset, files_of, small_frame, small_options, write_line

STRIPS, VIALS, REGIONS, FRAMES = "ABC", range(2), ("R0", "R1"), range(3)
# A file shows its vial and region and nothing else: boxes are the whole file, which may have any size.
WHOLE = StripLayouts.single(
    StripLayout("fractions", None, dict.fromkeys(REGIONS, ((0, 0, 1, 1),) * 2), allow_overlap=True)
)
# Files of one vial: the two regions lie one above the other.
HALVES = StripLayouts.single(
    StripLayout("fractions", None, {"R0": ((0, 0, 1, 0.5),) * 2, "R1": ((0, 0.5, 1, 0.5),) * 2}, allow_overlap=True)
)
NONE = SplitOptions("none", Fraction(0), 1)


def cut(strip: str, frame: int, vial: int, region: str) -> Pixels:
    """The part of a frame that the small line's layout has for a vial and region, sliced by hand."""
    left, top, width, height = (int(value) for value in LAYOUT.boxes[region][vial])
    return small_frame(strip, 0, frame)[top : top + height, left : left + width]


def write_cut(root: Path, name: Callable[[str, int, int, str], str]) -> Path:
    for strip in STRIPS:
        for vial in VIALS:
            for region in REGIONS:
                for frame in FRAMES:
                    path = root / name(strip, frame, vial, region)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    assert cv2.imwrite(str(path), cut(strip, frame, vial, region))
    return root


def cut_options(template: str, **changes: Any) -> DatasetOptions:
    return small_options(**{"template": PathTemplate(template), "layouts": WHOLE, "split": NONE, **changes})


def in_folders(strip: str, frame: int, vial: int, region: str) -> str:
    return f"{strip}/vial_{vial}/{region}_{frame:02d}.png"


FOLDERS = "{strip}/vial_{vial}/{region}_{frame}.png"


def digests(version: Path) -> dict[str, str]:
    """SHA-256 of each encoded patch by its key, from the index."""
    return {
        row["key"]: row["sha256"]
        for part in (version / "patches").iterdir()
        for row in read_table("patches", part.read_bytes()).to_pylist()
    }


@pytest.mark.parametrize(
    ("template", "name", "first_vial"),
    [
        (FOLDERS, in_folders, 0),
        ("{strip}/{region}/v{vial}/{frame}.png", lambda s, f, v, r: f"{s}/{r}/v{v + 1}/{f}.png", 1),
        ("{region}_ID{strip}_FRAME{frame}_VIAL{vial}.png", lambda s, f, v, r: f"{r}_ID{s}_FRAME{f}_VIAL{v + 1}.png", 1),
        ("vial{vial}/{strip}_{region}_{frame}.png", lambda s, f, v, r: f"vial{v}/{s}_{r}_{f}.png", 0),
    ],
)
def test_cut_files_give_the_patches_of_whole_frames(
    tmp_path: Path, template: str, name: Callable[[str, int, int, str], str], first_vial: int
) -> None:
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    build_dataset(write_line(tmp_path / "frames", STRIPS, runs=1), whole, small_options(split=NONE))
    options = cut_options(template, first_vial=first_vial)
    build_dataset(write_cut(tmp_path / "cut", name), pieces, options)
    assert digests(whole) == digests(pieces)
    assert len(digests(pieces)) == len(STRIPS) * 2 * 2 * 5
    assert verify_dataset(files_of(pieces), 1).faults == ()


def build_pieces(tmp_path: Path, **changes: Any) -> CommittedDataset:
    return build_dataset(write_cut(tmp_path / "cut", in_folders), tmp_path / "out", cut_options(FOLDERS, **changes))


def test_each_view_has_its_own_rank_images_and_files(tmp_path: Path) -> None:
    # Without resizing a patch is its file's pixels.
    build_pieces(tmp_path, patch=replace(small_options().patch, size=16), images=small_options().images[-2:])
    for vial in VIALS:
        stack = np.stack([cut("B", frame, vial, "R1") for frame in FRAMES])
        for image, expected in (("min", np.sort(stack, 0)[0]), ("max", np.sort(stack, 0)[-1])):
            found = find_patch(files_of(tmp_path / "out"), f"B/r0/{image}/v{vial}/R1")
            assert np.array_equal(found.pixels(), expected)
            assert [frame.file for frame in found.frames] == [f"vial_{vial}/R1_{frame:02d}.png" for frame in FRAMES]
            assert compare_with_frames(found, files_of(tmp_path / "cut")).agrees


def test_the_table_has_every_view_and_file(tmp_path: Path) -> None:
    build_pieces(tmp_path)
    row = read_table("acquisitions", (tmp_path / "out" / "acquisitions.parquet").read_bytes()).to_pylist()[0]
    sizes = {(view["vial"], view["region"]): (view["width"], view["height"]) for view in row["views"]}
    assert sizes == {(0, "R0"): (30, 20), (0, "R1"): (16, 16), (1, "R0"): (30, 20), (1, "R1"): (16, 16)}
    assert {(file["vial"], file["region"], file["frame"]) for file in row["frames"]} == {
        (vial, region, frame) for vial in VIALS for region in REGIONS for frame in FRAMES
    }


def test_files_of_one_vial_are_cut_into_its_regions(tmp_path: Path) -> None:
    root = tmp_path / "cut"
    for strip in STRIPS:
        for vial in VIALS:
            (root / strip).mkdir(parents=True, exist_ok=True)
            for frame in FRAMES:
                cv2.imwrite(str(root / strip / f"{vial}_{frame}.png"), small_frame(strip, vial, frame)[:32, :16])
    options = cut_options("{strip}/{vial}_{frame}.png", layouts=HALVES)
    build_dataset(root, tmp_path / "out", options)
    for vial in VIALS:
        for place, region in enumerate(REGIONS):
            found = find_patch(files_of(tmp_path / "out"), f"A/r0/f02/v{vial}/{region}").pixels()
            assert np.array_equal(found, small_frame("A", vial, 2)[16 * place : 16 * place + 16, :16])
    assert verify_dataset(files_of(tmp_path / "out"), 1).faults == ()


@pytest.mark.parametrize(
    ("damage", "reason", "said"),
    [
        ("vial", "missing_frame", "vial 1 R0 frame 0"),
        ("frame", "missing_frame", "vial 1 R1 frame 2"),
        ("third vial", "extra_frame", "vials 0 to 1 and regions R0, R1"),
        ("region", "extra_frame", "vials 0 to 1 and regions R0, R1"),
        ("twice", "duplicate_frame", "vial 0 R0 frame 1"),
        ("size", "unequal_sizes", ""),
    ],
)
def test_what_is_wrong_with_one_view_is_named(tmp_path: Path, damage: str, reason: str, said: str) -> None:
    root = write_cut(tmp_path / "cut", in_folders)
    strip = root / "B"
    if damage == "vial":
        (strip / "vial_1").rename(tmp_path / "aside")
    elif damage == "frame":
        (strip / "vial_1" / "R1_02.png").unlink()
    elif damage == "third vial":
        (strip / "vial_2").mkdir()
        (strip / "vial_2" / "R0_01.png").write_bytes((strip / "vial_0" / "R0_01.png").read_bytes())
    elif damage == "region":
        (strip / "vial_0" / "R7_01.png").write_bytes((strip / "vial_0" / "R0_01.png").read_bytes())
    elif damage == "twice":
        (strip / "vial_0" / "R0_1.png").write_bytes((strip / "vial_0" / "R0_01.png").read_bytes())
    else:
        cv2.imwrite(str(strip / "vial_0" / "R0_01.png"), np.zeros((9, 9), np.uint8))
    built = build_dataset(root, tmp_path / "out", cut_options(FOLDERS, max_quarantined=1))
    assert [(row.strip, row.reason) for row in built.quarantine] == [("B", reason)]
    assert said in built.quarantine[0].detail


def test_a_vial_below_the_first_is_one_too_many(tmp_path: Path) -> None:
    """Vials counted from 0 where the parameters say from 1: vial 0 is extra, the last is missing."""
    root = write_cut(tmp_path / "cut", in_folders)
    with pytest.raises(QuarantineError, match="missing_frame"):
        build_dataset(root, tmp_path / "out", cut_options(FOLDERS, first_vial=1))


def test_options_that_do_not_go_with_cut_frames_are_refused() -> None:
    with pytest.raises(OptionError, match="since frames come already cut"):
        cut_options(FOLDERS, align=AlignOptions(b"", "reference.png", 3))
    with pytest.raises(OptionError, match="first_vial"):
        cut_options("{strip}/{region}_{frame}.png", first_vial=1)
