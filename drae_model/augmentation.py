"""Changes that keep a good patch good: small rotations and flips (paper, section 6.2), shifts; in the graph."""

from typing import Any

import numpy as np
import tensorflow as tf

from drae_model.draws import Purpose, uniform
from drae_model.perturbation_options import AugmentationOptions

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any

# Angles are drawn from so many steps: their cosines and sines then come from a table, the same in every batch, where
# TensorFlow's own differ in the last bit between the places of a batch.
_STEPS = 4097


def augment(images: Tensor, seeds: Tensor, options: AugmentationOptions) -> Tensor:
    """Rotates, shifts and flips each patch; what comes of a patch depends on it and on its own seed alone.

    Args:
        images: float32 [n, size, size, 1], 0 to 1; size is known when the graph is built.
        seeds: int32 [n, 2].
        options: how far, which flips, and what is seen beyond a patch's edge.

    Returns:
        float32 [n, size, size, 1], 0 to 1. With `rotation_degrees` and `shift` 0 nothing is resampled: grey values
        stay as they are to the last bit.
    """
    if options.rotation_degrees > 0 or options.shift > 0:
        shifts = _shifts(seeds, options.shift * images.shape[1])
        images = move(images, _directions(seeds, options.rotation_degrees), shifts, options.border)
    if options.vertical_flip:
        images = tf.where(_half(seeds, Purpose.VERTICAL_FLIP), images[:, ::-1], images)
    if options.horizontal_flip:
        images = tf.where(_half(seeds, Purpose.HORIZONTAL_FLIP), images[:, :, ::-1], images)
    return images


def move(images: Tensor, directions: Tensor, shifts: Tensor, border: str) -> Tensor:
    """Rotates each patch anticlockwise about its centre, then shifts it, with bilinear interpolation.

    Args:
        images: float32 [n, size, size, 1], 0 to 1.
        directions: float32 [n, 2], cosine and sine of the angles.
        shifts: float32 [n, 2], to the right and downwards, in pixels.
        border: `reflect`, the mirror image beyond a patch's edge, its last pixel twice, or `nearest`, its last pixel.

    Returns:
        float32 [n, size, size, 1], 0 to 1.
    """
    size = images.shape[1]
    centre = (size - 1) / 2.0
    cosine, sine = directions[:, 0], directions[:, 1]
    right, down = shifts[:, 0], shifts[:, 1]
    zero = tf.zeros_like(cosine)
    # Pixel (x, y) of the result takes what lies at (a0 x + a1 y + a2, b0 x + b1 y + b2): the rows of the matrix, and
    # two zeros for no perspective.
    transforms = tf.stack(
        [
            cosine, -sine, centre * (1.0 - cosine + sine) - (cosine * right - sine * down),
            sine, cosine, centre * (1.0 - cosine - sine) - (sine * right + cosine * down),
            zero, zero,
        ],
        axis=1,
    )  # fmt: skip
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=transforms, output_shape=(size, size), fill_value=0.0, interpolation="BILINEAR",
        fill_mode=border.upper(),
    )  # fmt: skip
    # A mean of grey values of 1 can round to a little more.
    return tf.clip_by_value(moved, 0.0, 1.0)


def _directions(seeds: Tensor, degrees: float) -> Tensor:
    """Cosine and sine of an angle drawn for each element within +-degrees, float32 [n, 2]."""
    angles = np.radians(np.linspace(-degrees, degrees, _STEPS))
    table = tf.constant(np.stack([np.cos(angles), np.sin(angles)], axis=1), tf.float32)
    return tf.gather(table, tf.cast(uniform(seeds, Purpose.ROTATION) * _STEPS, tf.int32))


def _shifts(seeds: Tensor, pixels: float) -> Tensor:
    """Shifts drawn for each element within +-pixels in both directions, float32 [n, 2]."""
    drawn = [uniform(seeds, purpose) for purpose in (Purpose.SHIFT_COLUMNS, Purpose.SHIFT_ROWS)]
    return (2.0 * tf.stack(drawn, axis=1) - 1.0) * pixels


def _half(seeds: Tensor, purpose: int) -> Tensor:
    """True for half of the elements, bool [n, 1, 1, 1]."""
    return (uniform(seeds, purpose) < 0.5)[:, None, None, None]
