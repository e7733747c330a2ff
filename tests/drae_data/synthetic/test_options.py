"""Options refuse what cannot be rendered, and the error names the key in params.yaml."""

import dataclasses

import pytest

from drae_data.errors import OptionError
from drae_data.synthetic.options import FrameOptions, SetOptions
from tests.drae_data.synthetic.line_options import SIZES, make_options


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (lambda: FrameOptions(100, 1400, 5), "synthesize.line.frame.height"),
        (lambda: FrameOptions(1100, 1400.0, 5), "synthesize.line.frame.width"),  # type: ignore[arg-type]
        (lambda: FrameOptions(1100, 350, 10), "synthesize.line.frame.vials"),
        (lambda: SetOptions(0, 0, 1, (0,)), "synthesize.sets.good"),
        (lambda: SetOptions(1, 0, 1, (7, 0)), "synthesize.sets.frames"),
        (lambda: SetOptions(1, 0, 1, (-1, 0)), "synthesize.sets.frames"),
        (lambda: make_options(noise=11.0), "synthesize.line.camera.noise_sigma"),
        (lambda: make_options(noise=float("nan")), "synthesize.line.camera.noise_sigma"),
        (lambda: make_options(image_format="jpg"), "synthesize.line.image_format"),
        (lambda: make_options(kit_frames=(0, 16)), "synthesize.sets.kit.frames"),
        (lambda: make_options(sizes={"burn": (20.0, 64.0)}), "synthesize.line.defect_sizes"),
        (lambda: make_options(sizes={**SIZES, "burn": (64.0, 20.0)}), "synthesize.line.defect_sizes.burn"),
        (lambda: dataclasses.replace(make_options(), lot=""), "synthesize.line.lot"),
    ],
)
def test_an_option_that_is_not_allowed_is_named(build, key):
    with pytest.raises(OptionError) as caught:
        build()
    assert caught.value.key == key


def test_options_cannot_be_changed_after_birth():
    options = make_options()
    with pytest.raises(TypeError):
        options.defect_sizes["burn"] = (1.0, 2.0)
