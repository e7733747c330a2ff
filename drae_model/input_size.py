"""Patches to the size that the networks see; the same in training and in the exported model."""

from typing import Any

import tensorflow as tf

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any


def shrink(images: Tensor, size: int) -> Tensor:
    """Averages square patches down, float32 [n, side, side, 1] to [n, size, size, 1]; `size` divides the side."""
    factor = images.shape[1] // size
    return images if factor == 1 else tf.nn.avg_pool2d(images, factor, factor, "VALID")
