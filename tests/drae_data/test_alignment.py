"""A strip that lies a few pixels off gives the patches that it would give in its place; further off it is refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_data.alignment import find_shift, shift_boxes
from drae_data.errors import AcquisitionError, OptionError
from drae_data.intake import AlignOptions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.patch_lookup import compare_with_frames, find_patch
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box, PlacedBox, StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_data.synthetic.acquisitions import render_acquisition
from drae_data.synthetic.rendering import make_appearance, make_rig
from drae_data.synthetic.strips import list_strips
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from pipelines.params import load_params
from tests.small_line import build_dataset, files_of, small_options

HEIGHT, WIDTH, MARGIN = 96, 128, 24
# Two vials with a margin of 12 pixels to every edge of the frame.
LAYOUT = StripLayout("pixels", (HEIGHT, WIDTH), {"R0": ((12, 12, 40, 60), (60, 12, 56, 72))}, allow_overlap=False)
SHIFTS = st.integers(-6, 6)


def scene(seed: int) -> Pixels:
    """Smooth textured strip on a larger ground, so that a window may be moved over it: uint8."""
    noise = np.random.default_rng(seed).normal(size=(HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 250 * smooth, 0, 255).astype(np.uint8)


def window(pixels: Pixels, x: int, y: int) -> Pixels:
    """A frame in which the strip lies x pixels to the right and y down: every pixel is taken, none interpolated."""
    return pixels[MARGIN - y : MARGIN - y + HEIGHT, MARGIN - x : MARGIN - x + WIDTH]


def png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def align(reference: Pixels, max_shift: int = 8) -> AlignOptions:
    return AlignOptions(png(reference), "reference.png", max_shift)


def options(**changes: object) -> DatasetOptions:
    values = {
        "layouts": StripLayouts.single(LAYOUT), "frames": (0,), "images": small_options().images[:1],
        "split": SplitOptions("none", Fraction(0), 1), "align": align(window(scene(1), 0, 0)),
        "pixels": replace(small_options().pixels, max_pixels=2_000_000),
    }  # fmt: skip
    return small_options(**{**values, **changes})


def write(root: Path, strip: str, pixels: Pixels) -> None:
    folder = root / strip / "run_0"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "frame_0.png"), pixels)


@settings(max_examples=40)
@given(SHIFTS, SHIFTS, st.integers(0, 5), st.floats(0, 12))
def test_a_shift_is_found_whatever_the_noise(x: int, y: int, seed: int, noise: float) -> None:
    ground = scene(seed)
    moved = window(ground, x, y) + np.random.default_rng(seed).normal(0, noise, (HEIGHT, WIDTH))
    frame = np.clip(moved, 0, 255).astype(np.uint8)
    assert find_shift(frame, align(window(ground, 0, 0)), options().pixels) == (x, y)


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.2])
def test_a_darker_or_brighter_lamp_moves_nothing(gain: float) -> None:
    frame = np.clip(window(scene(2), 4, -3) * gain, 0, 255).astype(np.uint8)
    assert find_shift(frame, align(window(scene(2), 0, 0)), options().pixels) == (4, -3)


def test_moved_copies_give_the_patches_of_the_unmoved(tmp_path: Path) -> None:
    shifts = {"A": (0, 0), "B": (5, -3), "C": (-8, 8)}
    for strip, (x, y) in shifts.items():
        write(tmp_path / "frames", strip, window(scene(1), x, y))
    out = tmp_path / "out"
    built = build_dataset(tmp_path / "frames", out, options())
    assert {row.strip: (row.shift_x, row.shift_y) for row in built.acquisitions} == shifts
    for vial in range(2):
        found = {strip: find_patch(files_of(out), f"{strip}/r0/f00/v{vial}/R0") for strip in shifts}
        expected = found["A"].pixels()
        left, top = (int(value) for value in LAYOUT.boxes["R0"][vial][:2])
        for strip, (x, y) in shifts.items():
            assert np.array_equal(found[strip].pixels(), expected)
            assert (found[strip].box.left, found[strip].box.top) == (left + x, top + y)
            assert compare_with_frames(found[strip], LocalFiles(str(tmp_path / "frames"))).agrees
    assert verify_dataset(files_of(out), 1).faults == ()


def test_what_lies_too_far_off_or_leaves_the_frame_is_refused_with_numbers(tmp_path: Path) -> None:
    root = tmp_path / "frames"
    for strip, (x, y) in {"A": (0, 0), "B": (9, 0), "C": (0, -10), "D": (0, 15)}.items():
        write(root, strip, window(scene(1), x, y))
    built = build_dataset(root, tmp_path / "out", options(max_quarantined=3))
    details = {row.strip: row.detail for row in built.quarantine if row.reason == "misaligned"}
    assert sorted(details) == ["B", "C", "D"]
    assert "at most 8 pixels" in details["B"]
    assert "9 to the right, 0 down" in details["B"]
    assert "0 to the right, -10 down" in details["C"]
    wide = options(max_quarantined=3, align=align(window(scene(1), 0, 0), 20))
    leaves = build_dataset(root, tmp_path / "wide", wide)
    # The second vial's box ends 12 pixels above the frame's lower edge.
    assert [(row.strip, row.reason) for row in leaves.quarantine] == [("D", "misaligned")]
    assert "vial 1 R0" in leaves.quarantine[0].detail
    assert "leaves the frame of 128 x 96" in leaves.quarantine[0].detail


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_a_box_that_leaves_by_one_pixel_is_refused(x: int, y: int) -> None:
    placed = (PlacedBox(0, "R0", Box(5, 7, 10, 20)),)
    inside = -5 <= x <= 30 - 15 and -7 <= y <= 40 - 27
    try:
        moved = shift_boxes(placed, (x, y), 40, 30)
    except AcquisitionError as error:
        assert error.reason == "misaligned"
        assert not inside
    else:
        assert inside
        assert moved[0].box == Box(5 + x, 7 + y, 10, 20)


def test_a_frame_of_another_size_than_the_reference_is_refused() -> None:
    with pytest.raises(AcquisitionError, match=r"reference\.png") as caught:
        find_shift(window(scene(1), 0, 0)[1:], align(window(scene(1), 0, 0)), options().pixels)
    assert caught.value.reason == "wrong_size"


def test_a_reference_that_is_no_image_is_an_error_of_the_parameters() -> None:
    with pytest.raises(OptionError, match=r"align\.reference.*reference\.png"):
        find_shift(window(scene(1), 0, 0), AlignOptions(b"no image", "reference.png", 3), options().pixels)


def test_without_alignment_every_shift_is_zero(tmp_path: Path) -> None:
    write(tmp_path / "frames", "A", window(scene(1), 5, 5))
    build_dataset(tmp_path / "frames", tmp_path / "out", options(align=None))
    rows = read_table("acquisitions", (tmp_path / "out" / "acquisitions.parquet").read_bytes()).to_pylist()
    assert [(row["shift_x"], row["shift_y"]) for row in rows] == [(0, 0)]


def test_other_strips_of_the_synthetic_line_are_found_six_pixels_off() -> None:
    """Other resin, liquid, drops, noise and defects than the reference's; but for the shift it lies in its place."""
    line = load_params(Path(__file__).resolve().parents[2] / "params.yaml").synthesize
    assert line is not None
    whole = line.options()
    still = replace(whole.variation, pose_pixels=0.0, pose_degrees=0.0, regrip_pixels=0.0)
    # Half the size, so that the test is short: shifts of six pixels are twelve of the full size.
    small = replace(whole, variation=still, frame=replace(whole.frame, height=550, width=700))
    rig = make_rig(small)
    strips = list_strips(small, "calibration")
    frames = [
        next(pixels for _, pixels in render_acquisition(rig, make_appearance(rig, strip), run, [index]))
        for strip, run, index in ((strips[0], 0, 0), (strips[1], 1, 15), (strips[-1], 2, 7), (strips[-5], 0, 0))
    ]
    frame_options = replace(options().pixels, max_pixels=700 * 550)
    reference = align(frames[0][10:-10, 10:-10], 10)
    for pixels in frames[1:]:
        for x, y in ((0, 0), (6, -6), (-6, 6), (6, 6), (-5, -6), (1, 0)):
            moved = np.ascontiguousarray(pixels[10 - y : 540 - y, 10 - x : 690 - x])
            assert find_shift(moved, reference, frame_options) == (x, y)
