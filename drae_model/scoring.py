"""From a patch and its reconstruction to the score and the heatmap (paper, section 6.2.2)."""

import math
from typing import Any

from keras import ops

from drae_model.loss_options import ScoreOptions
from drae_model.ssim import ssim_map

# A tensor of Keras' backend, which has no type of its own.
Tensor = Any


def scores(image: Tensor, rebuilt: Tensor, options: ScoreOptions) -> Tensor:
    """How unlike its reconstruction each patch is; with the aggregate `mean` phi = 1 - SSIM(X, X^), equation 9.

    Args:
        image: X, float [n, s, s, 1], 0 to 1, s at least 11.
        rebuilt: X^, the same.
        options: how the map sums up.

    Returns:
        float32 [n], 0 (within 1e-6) for a perfect reconstruction, at most 2.

    Raises:
        ValueError: a patch is smaller than SSIM's window, or the map of s - 10 is smaller than `options.window`.
    """
    dissimilarity = score_map(image, rebuilt)
    match options.aggregate:
        case "percentile":
            return _percentile(dissimilarity, options.percentile)
        case "window_max":
            return _window_max(dissimilarity, options.window)
        case _:
            return ops.mean(dissimilarity, axis=(1, 2, 3))


def score_map(image: Tensor, rebuilt: Tensor) -> Tensor:
    """1 - SSIM around each pixel.

    Args:
        image: X, float [n, s, s, 1], 0 to 1, s at least 11.
        rebuilt: X^, the same.

    Returns:
        float32 [n, s - 10, s - 10, 1], 0 to 2; its pixel (y, x) belongs to (y + 5, x + 5) of the patch.
    """
    return 1.0 - ssim_map(image, rebuilt)


def heatmaps(image: Tensor, rebuilt: Tensor) -> Tensor:
    """H = (|X - X^| - min |X - X^|) / (max |X - X^| - min |X - X^|), by patch: equations 10 and 11.

    Args:
        image: X, float [n, s, s, 1], 0 to 1.
        rebuilt: X^, the same.

    Returns:
        float32 [n, s, s, 1], 0 to 1; 0 everywhere in a patch whose differences are all equal.
    """
    difference = ops.abs(ops.cast(image, "float32") - ops.cast(rebuilt, "float32"))
    least = ops.min(difference, axis=(1, 2, 3), keepdims=True)
    span = ops.max(difference, axis=(1, 2, 3), keepdims=True) - least
    return (difference - least) / ops.where(span > 0.0, span, 1.0)


def _percentile(maps: Tensor, percentile: float) -> Tensor:
    """Percentile of each map, between two pixels on the straight line from one to the other: [n, h, w, 1] to [n]."""
    count = maps.shape[1] * maps.shape[2]
    place = (count - 1) * percentile / 100.0
    below = math.floor(place)
    # Descending, so that the last is the pixel below. For high percentiles 7 times as fast as sorting all.
    top, _ = ops.top_k(ops.reshape(maps, (-1, count)), count - below)
    low, high = top[:, -1], top[:, max(count - below - 2, 0)]
    return low + (place - below) * (high - low)


def _window_max(maps: Tensor, window: int) -> Tensor:
    """Largest mean of a square of `window` x `window` pixels in each map: [n, h, w, 1] to [n]."""
    if window > min(maps.shape[1], maps.shape[2]):
        raise ValueError(f"score.window: expected at most {min(maps.shape[1], maps.shape[2])}, got {window}")
    # By rows, then by columns: 2 to 4 times as fast as squares.
    columns = ops.average_pool(maps, (window, 1), strides=1, padding="valid")
    means = ops.average_pool(columns, (1, window), strides=1, padding="valid")
    return ops.max(means, axis=(1, 2, 3))
