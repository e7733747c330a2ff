"""Patches against block means, exact copies, Pillow and kernels written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest

from drae_data.errors import OptionError
from drae_data.patches import PatchOptions, cut_patch, resize
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)


NOISE = noise(128, 96)


def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks() -> None:
    blocks = NOISE.reshape(32, 4, 24, 4).mean(axis=(1, 3))
    assert np.abs(resize(NOISE, 32, 24, "linear") - blocks).max() <= 0.5 + 1e-6


def test_shrinking_is_anti_aliased() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert set(np.unique(resize(stripes, 32, 32, "nearest"))) <= {127, 128}


def test_a_box_of_the_patch_size_is_copied() -> None:
    patch = cut_patch(NOISE, Box(10, 20, 64, 64), PatchOptions(64, "stretch", "cubic", 0, "png"))
    assert np.array_equal(patch, NOISE[20:84, 10:74])


@pytest.mark.parametrize(("grow", "oracle"), [("nearest", "NEAREST"), ("linear", "BILINEAR")])
def test_growing_agrees_with_pillow(grow: str, oracle: str) -> None:
    expected = np.asarray(PIL.Image.fromarray(NOISE).resize((192, 256), PIL.Image.Resampling[oracle]), np.int16)
    assert np.abs(resize(NOISE, 256, 192, grow).astype(np.int16) - expected).max() <= 1


def cubic(distance: Any) -> Any:
    """The bicubic convolution kernel of four taps, a = -0.75."""
    a, d = -0.75, np.abs(distance)
    return np.where(d <= 1, (a + 2) * d**3 - (a + 3) * d**2 + 1, a * (d**3 - 5 * d**2 + 8 * d - 4))


def lanczos(distance: Any) -> Any:
    """The Lanczos kernel of eight taps."""
    return np.sinc(distance) * np.sinc(distance / 4)


def weights(before: int, after: int, kernel: Callable[[Any], Any], reach: int) -> Any:
    """float64 [after, before]: what each old pixel gives to each new one; half-pixel centres, replicated borders."""
    centres = (np.arange(after) + 0.5) * before / after - 0.5
    taps = np.floor(centres).astype(int)[:, None] + np.arange(1 - reach, 1 + reach)
    values = kernel(centres[:, None] - taps)
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after)[:, None], taps.clip(0, before - 1)), values / values.sum(axis=1, keepdims=True))
    return matrix


@pytest.mark.parametrize(("height", "width"), [(84, 72), (250, 248)])
@pytest.mark.parametrize(("grow", "kernel", "reach"), [("cubic", cubic, 2), ("lanczos", lanczos, 4)])
def test_growing_agrees_with_the_kernel_written_out(
    height: int, width: int, grow: str, kernel: Callable[[Any], Any], reach: int
) -> None:
    pixels = noise(height, width)
    rows, columns = weights(height, 256, kernel, reach), weights(width, 256, kernel, reach)
    expected = (rows @ pixels @ columns.T).clip(0, 255)
    assert np.abs(resize(pixels, 256, 256, grow) - expected).max() <= 1


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
    patch = cut_patch(white, Box(0, 0, 20, 40), PatchOptions(64, "letterbox", "linear", 7, "png"))
    assert (patch[:, 16:48] == 255).all()
    assert (patch[:, :16] == 7).all()
    assert (patch[:, 48:] == 7).all()


@pytest.mark.parametrize(
    ("values", "key"),
    [((4, "stretch", "linear", 0, "png"), "size"), ((64, "crop", "linear", 0, "png"), "fit"),
     ((64, "stretch", "area", 0, "png"), "grow"), ((64, "stretch", "linear", 256, "png"), "fill"),
     ((64, "stretch", "linear", 0, "jpeg"), "encoding")],
)  # fmt: skip
def test_options_name_the_key_that_is_wrong(values: tuple[int, str, str, int, str], key: str) -> None:
    with pytest.raises(OptionError, match=f"patch.{key}: expected .* got"):
        PatchOptions(*values)
