"""Running an autoencoder, whether or not it wants to know the regions of patches."""

from typing import Any

import keras
from keras import ops

# Keras is published without types; `Any` stands for its tensors.
Tensor = Any


def takes_regions(autoencoder: keras.Model) -> bool:
    """Whether an autoencoder wants to know the region of each patch."""
    return len(autoencoder.inputs) > 1


def rebuild(autoencoder: keras.Model, images: Tensor, regions: Tensor, *, training: bool) -> dict[str, Tensor]:
    """What an autoencoder makes of patches.

    Args:
        autoencoder: of `networks.build_autoencoder`.
        images: float32 [n, size, size, 1], 0 to 1.
        regions: the numbers of the patches' regions, int32 [n], from 0, in the order of the version that it was
            trained on. An autoencoder that does not take them leaves them aside; None will do.
        training: rather than inference.

    Returns:
        See `networks.build_autoencoder`.
    """
    inputs = [ops.convert_to_tensor(images), ops.convert_to_tensor(regions)] if takes_regions(autoencoder) else images
    found: dict[str, Tensor] = autoencoder(inputs, training=training)
    return found
