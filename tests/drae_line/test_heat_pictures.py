"""The pictures of a rejected strip, read back with OpenCV and the json module alone."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.path_template import FramePlace, PathTemplate
from drae_data.rank_images import Pixels
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_line import heat_pictures
from drae_line.inspection import Engine, Inspection
from drae_line.pictures_index import pictures_folder
from drae_line.slot_verdict import LoggedVerdict
from tests.drae_line.fake_judge import LIMITS, FakeJudge, Scoring, frames_of, good, one_bad, raising
from tests.small_line import LAYOUT, small_frame, small_options, tree_bytes

KEY = AcquisitionKey("A", 0)
OPTIONS = small_options(images=select_images([0, 2], ["max"]))


def inspection(
    scoring: Scoring, options: DatasetOptions = OPTIONS, limits: Mapping[str, float] = LIMITS,
    frames: Mapping[FramePlace, Pixels] | None = None, slot_ms: float = 60_000,
) -> Inspection:  # fmt: skip
    engine = Engine(FakeJudge(scoring, limits), options, slot_ms)
    try:
        return engine.inspect(KEY, frames or frames_of(KEY))
    finally:
        engine.close()


def write_pictures(folder: Path, found: Inspection, options: DatasetOptions) -> int:
    return heat_pictures.write_pictures(folder, LoggedVerdict(7, "", found.slot), found, options)


def two_bad(patches: np.ndarray) -> list[float]:
    """Of the twelve patches, both regions of vial 1 in frame 2, and R1 of vial 0 in the rank image."""
    scores = [0.1] * len(patches)
    scores[6], scores[7], scores[9] = 0.75, 0.5, 0.375
    return scores


def index(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "index.json").read_bytes())["pictures"]
    return found


def read(folder: Path, name: str) -> Any:
    pixels = cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def test_each_vial_with_rejected_patches_has_a_picture_and_each_of_these_a_heatmap(tmp_path: Path) -> None:
    found = inspection(two_bad)
    assert write_pictures(tmp_path, found, OPTIONS) == 3
    told = [
        (one["vial"], one["image"], [(heat["region"], heat["score"], heat["threshold"]) for heat in one["heatmaps"]])
        for one in index(tmp_path)
    ]
    assert told == [(1, "f02", [("R0", 0.75, 0.5), ("R1", 0.5, 0.25)]), (0, "max", [("R1", 0.375, 0.25)])]
    files = [one["file"] for one in index(tmp_path)] + [
        heat["file"] for one in index(tmp_path) for heat in one["heatmaps"]
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*files, "index.json"})
    assert len(set(files)) == 5


def test_only_the_rejected_patches_are_drawn(tmp_path: Path) -> None:
    found = inspection(two_bad)
    write_pictures(tmp_path, found, OPTIONS)
    assert isinstance(found.judge, FakeJudge)
    assert found.judge.drawn == [[6, 7, 9]]
    assert found.slot.rejected == (("f02", 1, "R0"), ("f02", 1, "R1"), ("max", 0, "R1"))


def test_a_picture_shows_the_vial_and_the_box_where_the_patch_lies(tmp_path: Path) -> None:
    write_pictures(tmp_path, inspection(two_bad), OPTIONS)
    picture = index(tmp_path)[0]
    pixels = read(tmp_path, picture["file"])
    # Both regions of vial 1: columns 32 to 61, rows 0 to 35 of the frame.
    assert picture["size"] == [30, 36]
    assert pixels.shape == (36, 30)
    boxes = {heat["region"]: heat["box"] for heat in picture["heatmaps"]}
    assert boxes == {"R0": [0, 0, 30, 20], "R1": [0, 20, 16, 16]}
    # R1 has the patch's size, so that the frame's own pixels come back; beside it lies no patch.
    assert np.array_equal(pixels[20:36, :16], small_frame("A", 0, 2)[20:36, 32:48])
    assert (pixels[20:36, 16:] == 255).all()


def test_a_heatmap_is_that_of_its_patch_transparent_where_cold(tmp_path: Path) -> None:
    found = inspection(two_bad)
    write_pictures(tmp_path, found, OPTIONS)
    assert found.examined is not None
    names = [heat["file"] for one in index(tmp_path) for heat in one["heatmaps"]]
    for name, row in zip(names, (6, 7, 9), strict=True):
        pixels = read(tmp_path, name)
        assert pixels.shape == (16, 16, 4)
        difference = np.abs(found.examined.images[row] - found.examined.rebuilt[row])[..., 0].astype(float)
        assert np.abs(pixels[..., 3] - 255 * 0.85 * difference).max() <= 0.5001


def test_nothing_is_written_for_what_was_accepted_or_not_inspected(tmp_path: Path) -> None:
    for found in (
        inspection(good), inspection(raising(RuntimeError())), inspection(one_bad(0), slot_ms=1e-6),
        inspection(two_bad, frames={FramePlace(-1, "", 0): small_frame("A", 0, 0)}),
    ):  # fmt: skip
        assert write_pictures(tmp_path / "pictures", found, OPTIONS) == 0
    assert not (tmp_path / "pictures").exists()


def test_the_index_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = LocalFiles.write

    def spy(files: LocalFiles, path: str, parts: Any) -> None:
        write(files, path, parts)
        written.append(path)

    monkeypatch.setattr(LocalFiles, "write", spy)
    write_pictures(tmp_path, inspection(two_bad), OPTIONS)
    assert written[-1] == "index.json"
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("room", range(5))
def test_without_all_its_pictures_there_is_no_index(tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write, left = LocalFiles.write, room

    def full(files: LocalFiles, path: str, parts: Any) -> None:
        nonlocal left
        if not left:
            raise OSError("no space")
        left -= 1
        write(files, path, parts)

    found = inspection(two_bad)
    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "write", full)
        with pytest.raises(OSError, match="no space"):
            write_pictures(tmp_path, found, OPTIONS)
    assert not (tmp_path / "index.json").exists()
    assert write_pictures(tmp_path, found, OPTIONS) == 3  # Once there is room again.


HOSTILE = ("..", "a\\b", 'q"<b>', "CON", "R1.png", "ä 漢", "-rf", "$(id)")


def test_names_of_regions_do_not_reach_names_of_files(tmp_path: Path) -> None:
    boxes = {name: ((3 * at, 0, 16, 16), (3 * at, 20, 16, 16)) for at, name in enumerate(HOSTILE)}
    options = replace(OPTIONS, layouts=StripLayouts.single(replace(LAYOUT, boxes=boxes, allow_overlap=True)))
    found = inspection(lambda patches: [1.0] * len(patches), options, dict.fromkeys(HOSTILE, 0.5))
    assert write_pictures(tmp_path / "inside", found, options) == len(HOSTILE) * 2 * 3
    files = tree_bytes(tmp_path)
    assert all(re.fullmatch(r"inside/(v[01]_(f00|f02|max)(_[0-7])?\.png|index\.json)", name) for name in files)
    assert len(files) == 2 * 3 * (len(HOSTILE) + 1) + 1
    assert {heat["region"] for one in index(tmp_path / "inside") for heat in one["heatmaps"]} == set(HOSTILE)


def test_boxes_lie_inside_the_picture_of_a_vial_that_is_shrunk(tmp_path: Path) -> None:
    boxes = {"R0": ((10, 0, 200, 900),), "R1": ((10, 905, 300, 295),)}
    options = replace(
        OPTIONS, layouts=StripLayouts.single(StripLayout("pixels", (1200, 400), boxes, allow_overlap=False))
    )
    frames = {FramePlace(-1, "", frame): np.resize(small_frame("A", 0, frame), (1200, 400)) for frame in range(3)}
    found = inspection(lambda patches: [1.0] * len(patches), options, frames=frames)
    assert write_pictures(tmp_path, found, options) == 6
    for one in index(tmp_path):
        assert max(one["size"]) == 480
        assert read(tmp_path, one["file"]).shape == (one["size"][1], one["size"][0])
        for heat in one["heatmaps"]:
            left, top, width, height = heat["box"]
            assert 0 <= left <= left + width <= one["size"][0]
            assert 0 <= top <= top + height <= one["size"][1]
    # 300 x 1200 pixels at 480 / 1200.
    assert index(tmp_path)[0]["size"] == [120, 480]


def test_regions_that_come_in_files_of_their_own_lie_below_each_other(tmp_path: Path) -> None:
    layout = StripLayout("fractions", None, dict.fromkeys(("R0", "R1"), ((0, 0, 1, 1),) * 2), allow_overlap=True)
    options = small_options(
        template=PathTemplate("{strip}/{vial}_{region}_{frame}.png"), layouts=StripLayouts.single(layout),
        images=select_images([0], []), split=SplitOptions("none", Fraction(0), 1),
    )  # fmt: skip
    frames = {
        FramePlace(vial, region, 0): np.full((16, 16), 10 * vial + len(region) * number, np.uint8)
        for vial in range(2) for number, region in enumerate(("R0", "R1"))
    }  # fmt: skip
    # Views in order: vial 0 R0, vial 0 R1, vial 1 R0, vial 1 R1.
    assert write_pictures(tmp_path, inspection(one_bad(3), options, frames=frames), options) == 1
    (picture,) = index(tmp_path)
    assert (picture["vial"], picture["size"], picture["heatmaps"][0]["box"]) == (1, [16, 32], [0, 16, 16, 16])
    pixels = read(tmp_path, picture["file"])
    assert np.unique(pixels[:16]).tolist() == [10]
    assert np.unique(pixels[16:]).tolist() == [12]


def test_each_verdict_has_a_folder_of_its_own() -> None:
    assert pictures_folder(Path("line"), 7) == Path("line/pictures/000007")
    assert pictures_folder(Path("line"), 12_345_678).name == "12345678"
