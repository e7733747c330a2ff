"""SSIM against TensorFlow, scikit-image and hand calculation.

scikit-image computes in float64 as ours does inside: 2e-7 leaves room for one rounding to float32. TensorFlow computes
in float32, where c2 = 0.0009 stands against variances with an error near 1e-7: on noise it agrees within 2e-5.
"""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops
from skimage.metrics import structural_similarity

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.ssim import ssim_map

RANDOM = np.random.default_rng(7)
GREYS = arrays(np.float32, (1, 13, 13, 1), elements=st.floats(0, 1, width=32, allow_subnormal=False))


def computed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(ssim_map(first, second)))


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Noise, a bright ramp with faint noise, and a step: float32 [3, 24, 24, 1] each."""
    noise = RANDOM.random((3, 24, 24, 1))
    ramp = np.broadcast_to(np.linspace(0.85, 0.95, 24)[None, :, None, None], noise.shape)
    step = np.where(np.arange(24) < 12, 0.1, 0.9)[None, None, :, None] * np.ones((3, 24, 1, 1))
    return {
        name: (first.astype(np.float32), np.clip(first + grain * noise[::-1], 0, 1).astype(np.float32))
        for name, first, grain in (("noise", noise, 0.3), ("ramp", ramp, 0.01), ("step", step, 0.05))
    }


@pytest.mark.parametrize("kind", ["noise", "ramp", "step"])
def test_map_is_that_of_scikit_image(kind: str) -> None:
    first, second = pairs()[kind]

    found = computed(first, second)

    assert found.shape == (3, 14, 14, 1)
    assert found.dtype == np.float32
    for index in range(3):
        _, full = structural_similarity(
            first[index, ..., 0].astype(float), second[index, ..., 0].astype(float), gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, data_range=1, full=True,
        )  # fmt: skip
        # Its window is 11 wide too; what lies nearer than 5 pixels to the border uses reflected pixels.
        np.testing.assert_allclose(found[index, ..., 0], full[5:-5, 5:-5], rtol=0, atol=2e-7)


def test_mean_and_map_are_those_of_tensorflow() -> None:
    first, second = pairs()["noise"]

    found = computed(first, second)

    theirs = tf.image.ssim(first, second, max_val=1.0, return_index_map=True).numpy()
    np.testing.assert_allclose(found[..., 0], theirs, rtol=0, atol=2e-5)
    np.testing.assert_allclose(found.mean((1, 2, 3)), tf.image.ssim(first, second, 1.0).numpy(), rtol=0, atol=1e-6)


def test_patches_need_not_be_square() -> None:
    first, second = (grey[:, :, :13] for grey in pairs()["noise"])

    theirs = tf.image.ssim(first, second, max_val=1.0, return_index_map=True).numpy()

    np.testing.assert_allclose(computed(first, second)[..., 0], theirs, rtol=0, atol=2e-5)


def test_flat_patches_by_hand() -> None:
    # No variance: (2 m_a m_b + c1) / (m_a^2 + m_b^2 + c1), c1 = 0.0001, at 0.25 and 0.75: 0.3751 / 0.6251.
    found = computed(np.full((1, 11, 11, 1), 0.25, np.float32), np.full((1, 11, 11, 1), 0.75, np.float32))

    assert found.shape == (1, 1, 1, 1)
    assert found.item() == pytest.approx(0.3751 / 0.6251, abs=1e-7)


def test_black_against_white_by_hand() -> None:
    # c1 / (1 + c1) = 0.0001 / 1.0001.
    found = computed(np.zeros((1, 12, 12, 1), np.float32), np.ones((1, 12, 12, 1), np.float32))

    np.testing.assert_allclose(found, 0.0001 / 1.0001, rtol=1e-6)


@given(grey=GREYS)
@settings(max_examples=30, deadline=None)
def test_a_patch_is_like_itself(grey: np.ndarray) -> None:
    np.testing.assert_allclose(computed(grey, grey), 1.0, rtol=0, atol=1e-6)


@given(first=GREYS, second=GREYS)
@settings(max_examples=30, deadline=None)
def test_order_does_not_matter_and_one_is_the_most(first: np.ndarray, second: np.ndarray) -> None:
    found = computed(first, second)

    np.testing.assert_allclose(found, computed(second, first), rtol=0, atol=1e-6)
    assert found.max() <= 1 + 1e-6
    assert found.min() >= -1 - 1e-6


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_rounds_the_input_and_nothing_else(dtype: str) -> None:
    first, second = (tf.cast(grey, dtype) for grey in pairs()["ramp"])

    found = ssim_map(first, second)

    assert found.dtype == tf.float32
    whole = computed(tf.cast(first, tf.float32).numpy(), tf.cast(second, tf.float32).numpy())
    np.testing.assert_allclose(found.numpy(), whole, rtol=0, atol=1e-7)


def test_xla_gives_the_same_map_and_gradient() -> None:
    first, second = (tf.constant(grey) for grey in pairs()["ramp"])

    def gradient() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(second)
            found = ssim_map(first, second)
        return found, tape.gradient(found, second)

    (plain, slope), (compiled, compiled_slope) = gradient(), tf.function(gradient, jit_compile=True)()
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=1e-7)
    np.testing.assert_allclose(compiled_slope, slope, rtol=1e-5, atol=1e-5)


def test_gradient_is_the_slope() -> None:
    first, second = pairs()["noise"]
    direction = RANDOM.standard_normal(second.shape)
    with tf.GradientTape() as tape:
        watched = tf.constant(second, tf.float64)
        tape.watch(watched)
        mean = tf.reduce_mean(ssim_map(first.astype(float), watched))
    along = float(np.sum(tape.gradient(mean, watched) * direction))

    step = 1e-3
    ahead, behind = (computed(first, second + sign * step * direction).astype(float).mean() for sign in (1, -1))
    assert along == pytest.approx((ahead - behind) / (2 * step), rel=1e-3)


@pytest.mark.parametrize(("height", "width", "name"), [(10, 11, "height"), (11, 10, "width"), (1, 1, "height")])
def test_a_patch_smaller_than_the_window_is_refused(height: int, width: int, name: str) -> None:
    grey = np.zeros((2, height, width, 1), np.float32)
    with pytest.raises(ValueError, match=f"known {name}, at least 11 pixels; got \\(2, {height}, {width}, 1\\)"):
        ssim_map(grey, grey)


def test_a_patch_of_unknown_size_is_refused() -> None:
    unknown = tf.function(ssim_map, input_signature=[tf.TensorSpec((None, None, None, 1))] * 2)
    with pytest.raises(ValueError, match="known height"):
        unknown(np.zeros((2, 16, 16, 1), np.float32), np.zeros((2, 16, 16, 1), np.float32))
