"""Rank images over some of an acquisition's frames, against numpy over the same frames."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from drae_data.content import content, published_content
from drae_data.errors import OptionError
from drae_data.options import select_images
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from tests.small_line import build_dataset, files_of, small_frame, small_options, write_line

IMAGES = select_images([1], ["min", "max"])


def patch_of(pixels: np.ndarray) -> np.ndarray:
    """Vial 1, region R0 of the small line: columns 32 to 61, rows 0 to 19; shrunk by area."""
    return cv2.resize(pixels[0:20, 32:62], (16, 16), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The frames' root, and a version with frame 1 and rank images over frames 0 and 2. Not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    root = write_line(folder / "frames")
    build_dataset(root, folder / "version", small_options(images=IMAGES, rank_over=(0, 2)))
    return root, folder / "version"


@pytest.mark.parametrize(("rank", "extreme"), [("min", np.minimum), ("max", np.maximum)])
def test_only_the_chosen_frames_reach_a_rank_image(built: tuple[Path, Path], rank: str, extreme) -> None:
    root, version = built
    found = find_patch(files_of(version), f"C/r1/{rank}/v1/R0")
    frames = [small_frame("C", 1, index) for index in range(3)]
    expected = extreme(frames[0], frames[2])
    assert not np.array_equal(patch_of(expected), patch_of(extreme(expected, frames[1])))
    assert np.array_equal(found.pixels(), patch_of(expected))
    assert [frame.file for frame in found.frames] == ["frame_00.png", "frame_02.png"]
    comparison = compare_with_frames(found, files_of(root))
    assert (comparison.changed, comparison.same_pixels, comparison.problem) == ((), True, "")


def test_a_frame_beside_them_is_cut_as_it_is(built: tuple[Path, Path]) -> None:
    found = find_patch(files_of(built[1]), "C/r1/f01/v1/R0")
    assert np.array_equal(found.pixels(), patch_of(small_frame("C", 1, 1)))
    assert [frame.file for frame in found.frames] == ["frame_01.png"]


def test_frames_that_no_image_needs_are_not_read(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    options = small_options(images=select_images([], ["max"]), rank_over=(0, 2))
    assert options.needed_frames == (0, 2)
    build_dataset(root, tmp_path / "version", options)
    rows = pq.read_table(tmp_path / "version/acquisitions.parquet").to_pylist()
    assert rows
    assert {tuple(frame["file"] for frame in row["frames"]) for row in rows} == {("frame_00.png", "frame_02.png")}


@pytest.mark.parametrize("other", [0, 1, 2])
def test_a_frame_of_another_size_is_found_whether_ranked_or_not(tmp_path: Path, other: int) -> None:
    root = write_line(tmp_path / "frames")
    path = root / f"B/run_01/frame_{other:02d}.png"
    cv2.imwrite(str(path), np.zeros((10, 10), np.uint8))
    # Of fractions, so that the layout asks for no size.
    layouts = StripLayouts.single(StripLayout("fractions", None, {"R0": ((0.0, 0.0, 0.5, 1.0),)}, allow_overlap=False))
    options = small_options(images=IMAGES, rank_over=(0, 2), layouts=layouts, max_quarantined=1)
    build_dataset(root, tmp_path / "version", options)
    rows = pq.read_table(tmp_path / "version/quarantine.parquet").to_pylist()
    assert [(row["strip"], row["run"], row["reason"]) for row in rows] == [("B", 1, "unequal_sizes")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rank_over": (0, 3)}, r"images.rank_over.*ascending indices among frames \[0, 1, 2\]"),
        ({"rank_over": (2, 0)}, "images.rank_over.*ascending"),
        ({"rank_over": (0, 0)}, "images.rank_over.*ascending"),
        ({"rank_over": (0,), "images": select_images([0], [])}, "images.rank_over.*images.rank is empty"),
    ],
)
def test_frames_that_cannot_be_ranked_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        small_options(**changes)


def test_the_choice_is_part_of_the_content_and_absent_from_versions_without_one(built: tuple[Path, Path]) -> None:
    chosen, all_frames = small_options(images=IMAGES, rank_over=(0, 2)), small_options(images=IMAGES)
    assert content(chosen) == {**content(all_frames), "rank_over": [0, 2]}
    assert "rank_over" not in content(all_frames)
    assert find_patch(files_of(built[1]), "C/r1/max/v1/R0").content.rank_frames == (0, 2)
    provenance = {
        "dataset": "d",
        "version": "1.0.0",
        "digest": "",
        "code_version": "",
        "parameters": content(all_frames),
    }
    assert published_content(provenance).rank_frames == (0, 1, 2)
