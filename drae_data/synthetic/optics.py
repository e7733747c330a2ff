"""How light passes: smooth steps, relief seen as small lenses, and stamps of bubbles and drops.

All factors are transmittances relative to what lies behind: 1 changes nothing, below 1 darkens, a little
above 1 is light gathered from the neighbourhood.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from drae_data.synthetic.options import Float32

# A stamp covers this many radii to each side, so that its outermost pixels are 1 and blend in.
STAMP_REACH = 1.35
STAMP_SIDES = (12, 24, 48, 96)


def smooth_step(low: float, high: float, value: npt.ArrayLike) -> Float32:
    """Rise from 0 at `low` to 1 at `high` with level ends (3 t^2 - 2 t^3); falls where high < low."""
    t = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def blur(image: Float32, sigma_x: float, sigma_y: float) -> Float32:
    """Blur a plane with a Gaussian: float32 [h, w], sigmas in pixels."""
    result = cv2.GaussianBlur(image, (0, 0), max(sigma_x, 0.05), sigmaY=max(sigma_y, 0.05))
    return np.asarray(result, np.float32)


def relief_factor(height: Float32, focus: float, spread: float) -> Float32:
    """Give what a clear relief does to the back light.

    A bump gathers light where it is curved and sends it out of the telecentric aperture where it is steep:
    (1 - focus * laplacian) / (1 + spread * |gradient|^2).

    Args:
        height: float32 [h, w], height of the relief, pixels.
        focus: weight of the curvature.
        spread: weight of the squared slope.

    Returns:
        float32 [h, w], 0.15 to 1.4.
    """
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
    curvature = cv2.Laplacian(height, cv2.CV_32F)
    factor = (1.0 - focus * curvature) / (1.0 + spread * (slope_x**2 + slope_y**2))
    return np.asarray(np.clip(factor, 0.15, 1.4), np.float32)


def _bubble(side: int, ring: float, core: float, tilt: float) -> Float32:
    """Draw an air bubble in liquid: total reflection darkens its rim, its centre passes the light."""
    axis = np.linspace(-STAMP_REACH, STAMP_REACH, side, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    rim = smooth_step(core, 0.86, radius) * smooth_step(1.08, 0.92, radius)
    factor = 1.0 - (1.0 - ring) * rim
    factor += 0.06 * smooth_step(core, core * 0.3, radius)
    factor += 0.05 * np.exp(-(((radius - 1.14) / 0.07) ** 2))
    factor += tilt * rim * y
    return np.asarray(factor, np.float32)


def _drop(side: int, rim: float, wobble: npt.NDArray[np.float64], sag: float) -> Float32:
    """Draw a drop on the wall: a flat lens of uneven outline, dark at its lower edge, bright in the middle."""
    axis = np.linspace(-STAMP_REACH, STAMP_REACH, side, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    angle = np.arctan2(y, x)
    edge = 1.0 + sum(a * np.cos((k + 2) * angle + p) for k, (a, p) in enumerate(wobble))
    radius = np.hypot(x, y) / edge
    inside = smooth_step(1.04, 0.9, radius)
    dark = smooth_step(0.34, 0.9, radius) ** 2 * inside
    factor = 1.0 - (1.0 - rim) * dark * (1.0 + sag * y)
    factor += 0.07 * smooth_step(0.55, 0.1, np.hypot(x, y + 0.12)) * inside
    factor += 0.03 * np.exp(-(((radius - 1.15) / 0.07) ** 2))
    return np.asarray(factor, np.float32)


@dataclass(frozen=True)
class Stamps:
    """Drawn lenses in several sizes.

    Attributes:
        bubbles: for each side of STAMP_SIDES the bubble variants, float32 [side, side].
        drops: the same for drops.
    """

    bubbles: tuple[tuple[Float32, ...], ...]
    drops: tuple[tuple[Float32, ...], ...]


def make_stamps(random: np.random.Generator) -> Stamps:
    """Draw the bank of stamps: 4 kinds of bubbles, 8 outlines of drops."""
    kinds = ((0.22, 0.42, 0.0), (0.3, 0.5, 0.08), (0.38, 0.36, 0.06), (0.5, 0.55, 0.1))
    # Surface tension rounds short waves off: the amplitude falls with their number.
    fall = np.array([[0.060], [0.034], [0.018], [0.010]])
    wobbles = [np.hstack([random.normal(0, 1, (4, 1)) * fall, random.uniform(0, 6.28, (4, 1))]) for _ in range(8)]
    rims = random.uniform(0.42, 0.66, 8)
    return Stamps(
        tuple(tuple(_bubble(side, *kind) for kind in kinds) for side in STAMP_SIDES),
        tuple(
            tuple(_drop(side, float(rim), wobble, 0.3) for rim, wobble in zip(rims, wobbles, strict=True))
            for side in STAMP_SIDES
        ),
    )


def stamp(
    canvas: Float32,
    bank: Sequence[Sequence[Float32]],
    variant: int,
    place: tuple[float, float, float, float],
    strength: float,
) -> None:
    """Multiply a stamp into a canvas, in place, at sub-pixel position.

    Args:
        canvas: float32 [h, w]; what reaches over its border is cut off.
        bank: stamps by size and variant.
        variant: which drawing, taken modulo their number.
        place: centre column, centre row, radius across, radius along, pixels.
        strength: 0 leaves the canvas as it is, 1 multiplies the stamp as drawn.
    """
    x, y, radius_x, radius_y = place
    reach_x, reach_y = radius_x * STAMP_REACH, radius_y * STAMP_REACH
    left, right = max(int(x - reach_x), 0), min(int(x + reach_x) + 2, canvas.shape[1])
    top, bottom = max(int(y - reach_y), 0), min(int(y + reach_y) + 2, canvas.shape[0])
    if left >= right or top >= bottom or min(radius_x, radius_y) <= 0:
        return
    level = sum(side < 2 * max(reach_x, reach_y) for side in STAMP_SIDES[:-1])
    source = bank[level][variant % len(bank[level])]
    half = (source.shape[0] - 1) / 2
    matrix = np.array(
        [
            [half / reach_x, 0, half + (left + 0.5 - x) * half / reach_x],
            [0, half / reach_y, half + (top + 0.5 - y) * half / reach_y],
        ]
    )
    factor = cv2.warpAffine(
        source,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=1.0,
    )
    if strength != 1.0:
        factor = 1.0 + strength * (factor - 1.0)
    canvas[top:bottom, left:right] *= factor
