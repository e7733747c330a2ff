"""The demo layout's boxes: counts, sizes, inside the frame, apart, and around the strip."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_data.synthetic import geometry as drawing
from drae_data.synthetic.geometry import demo_boxes
from drae_data.synthetic.rendering import make_rig
from tests.drae_data.synthetic.line_options import make_options


@settings(derandomize=True, deadline=None, max_examples=60)
@given(height=st.integers(160, 2200), width=st.integers(400, 2800), vials=st.integers(1, 10))
def test_boxes_lie_in_the_frame_and_apart(height, width, vials):
    boxes = demo_boxes(height, width, vials)
    assert [len(boxes[region]) for region in ("R0", "R1", "R2", "R3")] == [vials] * 4
    every = [box for region in boxes.values() for box in region]
    for left, top, wide, high in every:
        assert left >= 0 and top >= 0 and wide > 0 and high > 0
        assert left + wide <= width and top + high <= height
    for (l1, t1, w1, h1), (l2, t2, w2, h2) in itertools.combinations(every, 2):
        assert l1 + w1 <= l2 or l2 + w2 <= l1 or t1 + h1 <= t2 or t2 + h2 <= t1


def test_the_demo_boxes_are_as_large_as_a_patch():
    boxes = demo_boxes(1100, 1400, 5)
    # By hand: a pitch of 256 pixels, the middle vial in the middle of 1400 columns, 128 to each side.
    assert boxes["R0"][2] == (572, 37, 256, 256)
    assert boxes["R3"][0] == (60, 805, 256, 256)


@pytest.mark.parametrize("vials", [5, 3])
def test_the_boxes_hold_the_strip_with_a_margin(vials):
    options = make_options(550, 700, vials)
    material = make_rig(options).mould.material
    rows, columns = np.nonzero(material > 0.5)
    boxes = demo_boxes(550, 700, vials)
    margin = 3
    assert rows.min() >= boxes["R0"][0][1] + margin
    assert rows.max() < boxes["R3"][0][1] + boxes["R3"][0][3] - margin
    assert columns.min() >= boxes["R0"][0][0] + margin
    assert columns.max() < boxes["R0"][-1][0] + boxes["R0"][-1][2] - margin


def test_the_cavity_lies_inside_the_wall():
    rows = np.arange(0, 1100.0)
    outer, inner = drawing.outer_half_width(rows), drawing.inner_half_width(rows)
    assert np.all(inner <= outer)
    assert outer[700] == pytest.approx(103) and inner[700] == pytest.approx(95)
    assert inner[200] == outer[200] == outer[1060] == 0
