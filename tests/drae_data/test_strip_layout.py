"""Boxes land where a ruler says; layouts that cannot be meant are refused with the box's name."""

import math
from typing import Any

import pytest

from drae_data.errors import AcquisitionError, OptionError
from drae_data.strip_layout import Box, StripLayout


def layout(**changes: Any) -> StripLayout:
    values: dict[str, Any] = {
        "units": "pixels",
        "frame_size": (100, 200),
        "boxes": {"R0": ((0, 0, 100, 50), (100, 0, 100, 50)), "R1": ((0, 50, 100, 50), (100, 50, 100, 50))},
        "allow_overlap": False,
    }
    return StripLayout(**{**values, **changes})


def test_boxes_come_vial_by_vial_regions_in_order() -> None:
    placed = layout().place(100, 200)
    assert [(item.vial, item.region) for item in placed] == [(0, "R0"), (0, "R1"), (1, "R0"), (1, "R1")]
    assert placed[3].box == Box(100, 50, 100, 50)


def test_fractions_that_touch_give_pixels_that_touch() -> None:
    thirds = {"R0": ((0, 0, 1 / 3, 1), (1 / 3, 0, 1 / 3, 1), (2 / 3, 0, 1 / 3, 1))}
    boxes = [item.box for item in layout(units="fractions", frame_size=None, boxes=thirds).place(10, 100)]
    # Edges at 33.33 and 66.67 columns round to 33 and 67.
    assert boxes == [Box(0, 0, 33, 10), Box(33, 0, 34, 10), Box(67, 0, 33, 10)]


def test_fractions_that_touch_but_for_rounding_are_no_overlap() -> None:
    # 0.1 + 0.2 is 0.30000000000000004.
    assert layout(units="fractions", frame_size=None, boxes={"R0": ((0.1, 0, 0.2, 1), (0.3, 0, 0.2, 1))}).vials == 2


def test_a_frame_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(AcquisitionError, match=r"200 x 100.*got 201 x 100") as caught:
        layout().place(100, 201)
    assert caught.value.reason == "wrong_size"


def test_a_fraction_below_one_pixel_is_refused() -> None:
    tiny = layout(units="fractions", frame_size=None, boxes={"R0": ((0.5, 0.5, 0.001, 0.5),)})
    with pytest.raises(AcquisitionError, match="no pixel"):
        tiny.place(100, 100)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"units": "metres"}, "units"),
        ({"frame_size": None}, "frame_size"),
        ({"boxes": {}}, "at least one region"),
        ({"boxes": {"R0": ((0, 0, 9, 9),), "R1": ()}}, "same number of vials"),
        ({"boxes": {"R0": ((0, 0, 201, 50),)}}, r"R0\[0\].*inside"),
        ({"boxes": {"R0": ((-1, 0, 20, 50),)}}, r"R0\[0\].*inside"),
        ({"boxes": {"R0": ((0, 0, 0, 50),)}}, "positive size"),
        ({"boxes": {"R0": ((0, 0, 10.5, 50),)}}, "whole numbers"),
        ({"boxes": {"R/0": ((0, 0, 10, 50),)}}, "slash"),
        ({"boxes": {"R0": ((0, 0, 101, 50), (100, 0, 100, 50))}}, "vial 0 R0 and vial 1 R0"),
        ({"units": "fractions", "frame_size": None, "boxes": {"R0": ((0.5, 0, 0.51, 1),)}}, "inside"),
        (
            {"units": "fractions", "frame_size": None, "boxes": {"R0": ((0, 0, 0.5, 1), (0.499, 0, 0.5, 1))}},
            "vial 0 R0 and vial 1 R0",
        ),
        ({"units": "fractions", "boxes": {"R0": ((0.5, 0.5, 0.001, 0.5),)}}, "a pixel or more.*no pixel"),
        ({"boxes": {"R0": ((0, 0, math.inf, 50),)}}, r"R0\[0\].*finite"),
        ({"boxes": {"R0": ((math.nan, 0, 10, 50),)}}, r"R0\[0\].*finite"),
        ({"boxes": {"R\n0": ((0, 0, 10, 50),)}}, "printable"),
        ({"boxes": {"R\udcff": ((0, 0, 10, 50),)}}, "printable"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        layout(**changes)


def test_overlap_is_taken_where_it_is_meant() -> None:
    boxes = {"R0": ((0, 0, 101, 50), (100, 0, 100, 50))}
    assert layout(boxes=boxes, allow_overlap=True).vials == 2
    # Boxes that share an edge share no pixel.
    assert not Box(0, 0, 10, 10).overlaps(Box(10, 0, 10, 10))
    assert Box(0, 0, 11, 10).overlaps(Box(10, 0, 10, 10))
