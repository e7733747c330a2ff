"""Acquisitions: the same bytes in any order, a still strip, moving liquid, files as named."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from drae_data.synthetic.acquisitions import render_acquisition, write_acquisition, write_strip
from drae_data.synthetic.geometry import demo_boxes
from drae_data.synthetic.rendering import make_appearance, make_rig
from drae_data.synthetic.strips import list_strips
from tests.drae_data.synthetic.line_options import make_options

# SHA-256 of the pixels of frame 7, run 1, strip P0001 at 350 x 275. It changes when the picture changes:
# then look at a whole contact sheet before blessing the new value. The filters of OpenCV may round
# differently on a processor without AVX2.
GOLDEN = "d06b1816a825c2d838c48980c5934340ac2303a05150aa37313b3e85e71a2f29"


@pytest.fixture(scope="module")
def small():
    options = make_options()
    return make_rig(options), list_strips(options, "production")


@pytest.fixture(scope="module")
def still():
    """Half size, without drift and without a new grip for each run: what differs is liquid and noise."""
    options = make_options(550, 700, drift=0.0, regrip=0.0)
    rig = make_rig(options)
    appearance = make_appearance(rig, list_strips(options, "production")[0])
    runs = [np.stack([f for _, f in render_acquisition(rig, appearance, run, range(16))]) for run in range(2)]
    return rig, appearance, runs


def test_a_frame_has_the_pinned_pixels(small):
    rig, strips = small
    ((index, frame),) = render_acquisition(rig, make_appearance(rig, strips[0]), 1, [7])
    assert index == 7 and frame.dtype == np.uint8 and frame.shape == (275, 350)
    assert hashlib.sha256(frame.tobytes()).hexdigest() == GOLDEN


def test_frames_do_not_depend_on_order_company_or_thread(small):
    rig, strips = small
    whole = {
        (spec.name, run): dict(render_acquisition(rig, make_appearance(rig, spec), run, range(16)))
        for spec in strips[:2]
        for run in range(2)
    }
    fresh = make_rig(make_options())

    def render(job):
        spec, run = job
        return spec.name, run, dict(render_acquisition(fresh, make_appearance(fresh, spec), run, (15, 0, 7)))

    jobs = [(spec, run) for run in (1, 0) for spec in reversed(strips[:2])]
    with ThreadPoolExecutor(4) as pool:
        for name, run, frames in pool.map(render, jobs):
            for index, frame in frames.items():
                np.testing.assert_array_equal(frame, whole[name, run][index])


def test_strips_runs_and_frames_differ(small):
    rig, strips = small
    seen = set()
    for spec in strips[:2]:
        for run in range(2):
            for _, frame in render_acquisition(rig, make_appearance(rig, spec), run, (0, 1)):
                seen.add(frame.tobytes())
    assert len(seen) == 8


def test_the_panel_is_bright_and_the_noise_has_its_deviation(still):
    _, _, runs = still
    # Columns left of the strip: panel only.
    panel = runs[0][:, 100:450, 4:24].astype(float)
    assert 215 < panel.mean() < 240
    assert panel.std(axis=0, ddof=1).mean() == pytest.approx(1.5, rel=0.1)
    # Averaging 32 frames leaves 1.5 / sqrt(32) = 0.27: no pattern of the noise bank stays.
    every = np.concatenate(runs)[:, 100:450, 4:24].mean(axis=0)
    assert (every - cv2.blur(every, (9, 9))).std() < 0.36


def test_the_strip_stands_still_while_the_liquid_moves(still):
    rig, _, runs = still
    spread = runs[0].max(0).astype(int) - runs[0].min(0)
    # Noise alone spreads 16 values by 3.5 sigma; 8 sigma is out of its reach.
    moving = spread > 8 * 1.5
    cavity = rig.mould.filled.copy()
    boxes = demo_boxes(550, 700, 5)
    for left, top, wide, high in boxes["R0"]:
        assert not moving[top : top + high, left : left + wide].any()
    assert not moving[:, :30].any()
    assert not moving[rig.mould.material < 0.01].any()
    assert cavity.min() < 0.7
    for region in ("R1", "R2"):
        moved = [moving[top : top + high, left : left + wide].sum() for left, top, wide, high in boxes[region]]
        assert min(moved) > 40


def test_what_moved_shows_in_the_darkest_image_and_hardly_in_the_lightest(still):
    _, _, runs = still
    boxes = demo_boxes(550, 700, 5)
    left, top, wide, high = boxes["R1"][2]
    lightest, darkest = (
        [extreme(run, axis=0)[top : top + high, left : left + wide].astype(float) for run in runs]
        for extreme in (np.max, np.min)
    )
    # Two runs of one strip: the drops are elsewhere, so the darkest images differ and the lightest do not.
    assert (np.abs(lightest[0] - lightest[1]) > 25).mean() < 0.001
    assert (np.abs(darkest[0] - darkest[1]) > 25).mean() > 0.02


def test_a_new_grip_shifts_the_strip_by_little():
    options = make_options(550, 700, drift=0.0)
    rig = make_rig(options)
    appearance = make_appearance(rig, list_strips(options, "production")[3])
    flags = [next(render_acquisition(rig, appearance, run, [0]))[1][20:150].astype(np.float32) for run in range(3)]
    for flag in flags[1:]:
        (across, along), _ = cv2.phaseCorrelate(flags[0], flag)
        # Each grip is off by at most 0.6 pixels of 1400, 0.3 here: two of them differ by at most 0.6.
        assert 0.005 < np.hypot(across, along) < 0.9


def test_files_are_named_by_run_and_frame_and_hold_the_frames(tmp_path, small):
    rig, _ = small
    spec = list_strips(rig.options, "kit")[20]
    written = write_strip(tmp_path, rig, spec)
    files = sorted(one for one in tmp_path.rglob("*") if one.is_file())
    names = [one.relative_to(tmp_path).as_posix() for one in files]
    assert names == [f"kit/K0021/run_{r:02d}/frame_{f:02d}.png" for r in range(10) for f in (0, 7, 15)]
    assert written == sum(one.stat().st_size for one in files)
    for index, frame in render_acquisition(rig, make_appearance(rig, spec), 3, (0, 7, 15)):
        stored = cv2.imread(str(tmp_path / f"kit/K0021/run_03/frame_{index:02d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(stored, frame)


@pytest.mark.parametrize("vials", [3, 8])
def test_another_product_and_format(tmp_path, vials):
    options = make_options(vials=vials, image_format="bmp", width=400)
    rig = make_rig(options)
    appearance = make_appearance(rig, list_strips(options, "production")[0])
    assert write_acquisition(tmp_path, rig, appearance, 0, (0,)) > 275 * 400
    stored = cv2.imread(str(tmp_path / "frame_00.bmp"), cv2.IMREAD_UNCHANGED)
    assert stored.shape == (275, 400)
