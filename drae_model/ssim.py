"""Structural similarity, the one definition for loss and score: that of `tf.image.ssim(max_val=1.0)`.

Wang, Bovik, Sheikh and Simoncelli 2004, Image Quality Assessment: From Error Visibility to Structural Similarity,
DOI 10.1109/TIP.2003.819861.
"""

import functools
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

# A tensor of Keras' backend, which has no type of its own.
Tensor = Any

# The values of section III.B and of its authors' program.
WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
BORDER = WINDOW - 1
DEFINITION = f"SSIM, Gaussian window {WINDOW} x {WINDOW} of sigma {SIGMA}, k1 {K1}, k2 {K2}, range 1, no padding"

# A variance is the small difference of two large means. In float32 a bright, nearly flat patch is wrong by 1e-3, and
# GPUs that round the factors of float32 products to 11 bits (TF32, the default of most libraries) would give an SSIM
# of several hundred there. JAX knows float64 only where `jax_enable_x64` is set.
_PRECISE = "float64"


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """SSIM around every pixel whose window lies inside the patch (equation 13 of the article).

    SSIM = (2 m_a m_b + c1) (2 s_ab + c2) / ((m_a^2 + m_b^2 + c1) (s_a^2 + s_b^2 + c2)), c1 = (k1 L)^2,
    c2 = (k2 L)^2, L = 1; m, s^2 and s_ab are Gaussian-weighted means, variances and the covariance of a window.

    Args:
        first: [n, h, w, 1] of any float dtype, 0 to 1; h and w are known and at least 11.
        second: the same.

    Returns:
        float32 [n, h - 10, w - 10, 1], -1 to 1. Equal patches give 1 within 1e-6; the order does not matter.

    Raises:
        ValueError: the window does not fit into a patch, or height and width are not known.
    """
    a, b = ops.cast(first, _PRECISE), ops.cast(second, _PRECISE)
    height, width = a.shape[1], a.shape[2]
    for name, side in (("height", height), ("width", width)):
        if side is None or side < WINDOW:
            raise ValueError(f"SSIM needs patches of a known {name}, at least {WINDOW} pixels; got {tuple(a.shape)}")
    # Variances occur only as their sum, so four means do.
    maps = ops.concatenate([a, b, a * a + b * b, a * b], axis=0)[..., 0]
    # Products with band matrices. Measured on a CPU in float32, convolutions take 3 times as long at 64 pixels, once to
    # twice at 256, and under XLA 10 to 50 times.
    rows, columns = _band(height), _band(width)
    means = ops.matmul(ops.matmul(rows.T, maps), columns)[..., None]
    mean_a, mean_b, mean_squares, mean_product = ops.split(means, 4, axis=0)
    product, squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    c1, c2 = K1**2, K2**2
    luminance = (2.0 * product + c1) / (squares + c1)
    structure = (2.0 * (mean_product - product) + c2) / (mean_squares - squares + c2)
    return ops.cast(luminance * structure, "float32")


@functools.cache
def _band(side: int) -> NDArray[np.float64]:
    """[side, side - 10]: column i holds the window's weights from row i on, so that rows times it are their means."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2.0 * SIGMA**2))
    band = np.zeros((side, side - BORDER), _PRECISE)
    for start in range(side - BORDER):
        band[start : start + WINDOW, start] = weights / weights.sum()
    band.setflags(write=False)
    return band
