"""Patches against block means, exact copies and Pillow."""

import numpy as np
import PIL.Image
import pytest

from drae_data.errors import OptionError
from drae_data.patches import PatchOptions, cut_patch, resize
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box

NOISE: Pixels = np.random.default_rng(3).integers(0, 256, (128, 96), dtype=np.uint8)


def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks() -> None:
    blocks = NOISE.reshape(32, 4, 24, 4).mean(axis=(1, 3))
    assert np.abs(resize(NOISE, 32, 24, "linear") - blocks).max() <= 0.5 + 1e-6


def test_shrinking_is_anti_aliased() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert set(np.unique(resize(stripes, 32, 32, "nearest"))) <= {127, 128}


def test_a_box_of_the_patch_size_is_copied() -> None:
    patch = cut_patch(NOISE, Box(10, 20, 64, 64), PatchOptions(64, "stretch", "cubic", 0))
    assert np.array_equal(patch, NOISE[20:84, 10:74])


@pytest.mark.parametrize(("grow", "oracle"), [("nearest", "NEAREST"), ("linear", "BILINEAR")])
def test_growing_agrees_with_pillow(grow: str, oracle: str) -> None:
    expected = np.asarray(PIL.Image.fromarray(NOISE).resize((192, 256), PIL.Image.Resampling[oracle]), np.int16)
    assert np.abs(resize(NOISE, 256, 192, grow).astype(np.int16) - expected).max() <= 1


def test_cubic_and_lanczos_grow_a_ramp_smoothly() -> None:
    ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    for grow in ("cubic", "lanczos"):
        steps = np.diff(resize(ramp, 32, 128, grow)[16, 16:-16].astype(int))
        assert steps.min() >= 0
        assert steps.max() <= 4


def test_one_side_shrinks_by_area_while_the_other_grows() -> None:
    tall = np.repeat(np.array([[0], [100]], np.uint8), 32, axis=0).repeat(8, axis=1)  # 64 rows, 8 columns
    patch = resize(tall, 16, 16, "nearest")
    assert np.array_equal(patch, np.repeat(np.array([[0], [100]], np.uint8), 8, axis=0).repeat(16, axis=1))


def test_letterbox_keeps_proportions_and_centres() -> None:
    white = np.full((40, 20), 255, np.uint8)
    patch = cut_patch(white, Box(0, 0, 20, 40), PatchOptions(64, "letterbox", "linear", 7))
    assert (patch[:, 16:48] == 255).all()
    assert (patch[:, :16] == 7).all()
    assert (patch[:, 48:] == 7).all()


@pytest.mark.parametrize(
    ("values", "key"),
    [((4, "stretch", "linear", 0), "size"), ((64, "crop", "linear", 0), "fit"),
     ((64, "stretch", "area", 0), "grow"), ((64, "stretch", "linear", 256), "fill")],
)  # fmt: skip
def test_options_name_the_key_that_is_wrong(values: tuple[int, str, str, int], key: str) -> None:
    with pytest.raises(OptionError, match=f"patch.{key}: expected .* got"):
        PatchOptions(*values)
