"""Every defect changes its own box in every frame of every run, and little else; good strips do not change.

Each defective strip is compared with its good twin: the same strip, liquid and noise without the defect.
"""

import dataclasses

import cv2
import numpy as np
import pytest

from drae_data.synthetic.acquisitions import render_acquisition
from drae_data.synthetic.defects import REGISTRY
from drae_data.synthetic.geometry import demo_boxes
from drae_data.synthetic.options import DEFECT_TYPES
from drae_data.synthetic.rendering import make_appearance, make_rig
from drae_data.synthetic.strips import list_strips
from tests.drae_data.synthetic.line_options import make_options

NOISE = 1.5
FRAMES = (0, 7, 15)
OPTIONS = make_options(1100, 1400, drift=0.0, regrip=0.0, noise=NOISE)
DEFECTIVE = [spec for spec in list_strips(OPTIONS, "kit") if spec.defects]
BOXES = demo_boxes(1100, 1400, 5)


@pytest.fixture(scope="module")
def rig():
    return make_rig(OPTIONS)


def render(rig, spec, runs):
    appearance = make_appearance(rig, spec)
    return np.stack([f for run in runs for _, f in render_acquisition(rig, appearance, run, FRAMES)])


def test_every_type_is_drawn():
    assert set(REGISTRY) == set(DEFECT_TYPES) == {spec.defects[0].kind for spec in DEFECTIVE}


@pytest.mark.parametrize("spec", DEFECTIVE, ids=lambda spec: f"{spec.name}-{spec.defects[0].kind}")
def test_a_defect_persists_in_its_box_and_leaves_the_rest(rig, spec):
    defect = spec.defects[0]
    good = render(rig, dataclasses.replace(spec, defects=()), (0, 4)).astype(int)
    change = np.abs(render(rig, spec, (0, 4)).astype(int) - good)
    left, top, wide, high = BOXES[defect.region][defect.vial]
    box = change[:, top : top + high, left : left + wide]
    # Twins share their noise, so every difference is the defect's; it also has to stand out from noise.
    assert min((one > 5 * NOISE).sum() for one in box) >= 20
    # Squares weigh what is plain to see.
    assert (box**2).sum() / (change**2).sum() > 0.9


@pytest.mark.parametrize("kind", ["black_spot", "burn", "neck_bump"])
def test_only_a_defect_is_dark_in_all_runs(rig, kind):
    spec = next(one for one in reversed(DEFECTIVE) if one.defects[0].kind == kind)
    twin = dataclasses.replace(spec, defects=())
    typical = np.median(render(rig, twin, (0, 1, 2)), axis=0)

    def lasting(one):
        """Darkest lasting change of each box against the good strip's other runs, grey levels."""
        change = typical - render(rig, one, (3, 4)).max(axis=0)
        smooth = cv2.blur(change.astype(np.float32), (3, 3))
        return {
            (region, vial): smooth[top : top + high, left : left + wide].max()
            for region in BOXES
            for vial, (left, top, wide, high) in enumerate(BOXES[region])
        }

    place = (spec.defects[0].region, spec.defects[0].vial)
    # The meniscus crosses R2 in each frame a little elsewhere; there the lasting change may be larger.
    assert max(change for (region, _), change in lasting(twin).items() if region != "R2") < 6 * NOISE
    assert lasting(spec)[place] > 12 * NOISE
