"""Perlin noise blended into patches: equation 1 of the paper, X*, M = P_q(X), in the TensorFlow graph.

The network sees the perturbed patch X* and must give back the patch X; the noise N tells the noise loss what was added.
"""

from typing import Any

import tensorflow as tf

from drae_model.draws import Purpose, fork, uniform
from drae_model.perlin import perlin_fields
from drae_model.perturbation_options import PerturbationOptions

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any


def perturb(images: Tensor, seeds: Tensor, options: PerturbationOptions) -> tuple[Tensor, Tensor, Tensor]:
    """Perturbs each patch with probability q; what comes of a patch depends on it and on its own seed alone.

        M  = 1 where a Perlin field exceeds the threshold, 0 elsewhere and in the patches that are left as they are
        N  = M g
        X* = (1 - M) X + (1 - beta) M X + beta M N

    with beta drawn for each patch. The grey values g are the field itself (`field`), or those of a second field F
    stretched to the whole range, (F - min F) / (max F - min F) over the patch (`texture`).

    Args:
        images: X, float32 [n, size, size, 1], 0 to 1; size is known when the graph is built.
        seeds: int32 [n, 2].
        options: probability, cells, threshold, weight and grey values.

    Returns:
        X*, N and M, float32 [n, size, size, 1], 0 to 1; M is 0 or 1. Where M is 0, X* is X to the last bit.
    """
    size = images.shape[1]
    field = perlin_fields(fork(seeds, Purpose.MASK_FIELD), size, options.octaves)
    perturbed = uniform(seeds, Purpose.PERTURBED) < options.q
    mask = tf.cast((field > options.threshold) & perturbed[:, None, None], tf.float32)[..., None]
    noise = mask * _grey_values(field, seeds, options)[..., None]
    low, high = options.beta
    beta = (low + (high - low) * uniform(seeds, Purpose.BETA))[:, None, None, None]
    # The equation with its terms in X gathered; M N is N.
    blended = images + beta * (noise - mask * images)
    # A sum of parts of two numbers up to 1 can round to a little more.
    return tf.clip_by_value(blended, 0.0, 1.0), noise, mask


def _grey_values(field: Tensor, seeds: Tensor, options: PerturbationOptions) -> Tensor:
    """The grey values g of the noise, float32 [n, size, size], 0 to 1 (those of `field` where the field is above 0)."""
    if options.source == "field":
        return tf.clip_by_value(field, 0.0, 1.0)
    texture = perlin_fields(fork(seeds, Purpose.TEXTURE_FIELD), field.shape[1], options.octaves)
    lowest = tf.reduce_min(texture, axis=(1, 2), keepdims=True)
    highest = tf.reduce_max(texture, axis=(1, 2), keepdims=True)
    return (texture - lowest) / (highest - lowest)
