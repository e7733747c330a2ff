"""Other products have other boxes: the layout goes by recipe or station, and what has none is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError, OptionError
from drae_data.options import DatasetOptions
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.path_template import PathTemplate
from drae_data.strip_layout import Box, StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_data.verification.dataset import verify_dataset
from tests.small_line import HEIGHT, LAYOUT, WIDTH, build_dataset, files_of, small_frame, small_options

# Boxes of the patch's size, so that a patch is the frame's pixels.
BOXES = {"eye": ((0, 0, 16, 16), (16, 8, 16, 16)), "ear": ((40, 30, 16, 16), (3, 5, 16, 16))}


def layout(name: str, height: int = HEIGHT, width: int = WIDTH) -> StripLayout:
    return StripLayout("pixels", (height, width), {"R0": BOXES[name]}, allow_overlap=False)


def options(by: str) -> DatasetOptions:
    return small_options(
        template=PathTemplate(f"{{{by}}}/{{strip}}/{{frame}}.png"), max_quarantined=1,
        layouts=StripLayouts(by, {name: layout(name) for name in BOXES}),
    )  # fmt: skip


@pytest.mark.parametrize("by", ["recipe", "station"])
def test_each_recipe_or_station_has_its_own_boxes(tmp_path: Path, by: str) -> None:
    frames = tmp_path / "frames"
    for name in ("eye", "ear", "nose"):
        for strip in "AB" if name != "nose" else "A":
            (frames / name / strip).mkdir(parents=True)
            for frame in range(3):
                cv2.imwrite(str(frames / name / strip / f"{frame}.png"), small_frame(name + strip, 0, frame))
    out = tmp_path / "out"
    built = build_dataset(frames, out, options(by))
    assert [(row.folder, row.reason, row.file) for row in built.quarantine] == [("nose/A", "no_layout", "")]
    assert f"{by}s ['ear', 'eye']" in built.quarantine[0].detail
    assert "'nose'" in built.quarantine[0].detail
    for name, boxes in BOXES.items():
        for strip in "AB":
            stack = np.stack([small_frame(name + strip, 0, frame) for frame in range(3)])
            for vial, (left, top, width, height) in enumerate(boxes):
                inside = np.s_[top : top + height, left : left + width]
                for image, pixels in (("f01", stack[1]), ("min", stack.min(0)), ("max", stack.max(0))):
                    found = find_patch(files_of(out), f"{by}={name}/{strip}/r0/{image}/v{vial}/R0")
                    assert np.array_equal(found.pixels(), pixels[inside])
                    assert found.box == Box(left, top, width, height)
                    assert compare_with_frames(found, files_of(frames)).agrees
    assert verify_dataset(files_of(out), 1).faults == ()
    assert build_dataset(frames, out, options(by)).reused == built.shards


def test_frames_may_differ_in_size_from_recipe_to_recipe() -> None:
    layouts = StripLayouts("recipe", {"eye": layout("eye"), "ear": layout("ear", 100, 100)})
    sizes = [layouts.of(AcquisitionKey("A", 0, recipe=name)).frame_size for name in ("eye", "ear")]
    assert sizes == [(HEIGHT, WIDTH), (100, 100)]


def test_an_unknown_recipe_is_refused_with_those_that_are_known() -> None:
    layouts = StripLayouts("recipe", {"eye": layout("eye")})
    for recipe in ("Eye", "", "nose"):
        with pytest.raises(AcquisitionError, match=r"recipes \['eye'\]") as caught:
            layouts.of(AcquisitionKey("A", 0, recipe=recipe))
        assert caught.value.reason == "no_layout"


def test_layouts_that_cannot_be_meant_are_refused() -> None:
    other = StripLayout("pixels", (HEIGHT, WIDTH), {"R0": ((0, 0, 9, 9),)}, allow_overlap=False)
    for by, layouts in (
        ("batch", {"eye": layout("eye")}), ("recipe", {}), ("", {"eye": layout("eye")}),
        ("recipe", {"eye": layout("eye"), "ear": other}), ("recipe", {"eye": layout("eye"), "ear": LAYOUT}),
    ):  # fmt: skip
        with pytest.raises(OptionError, match="strip_layout"):
            StripLayouts(by, layouts)
    with pytest.raises(OptionError, match=r"the field \{recipe\}, which strip_layout\.by needs"):
        small_options(layouts=StripLayouts("recipe", {"eye": layout("eye")}))
