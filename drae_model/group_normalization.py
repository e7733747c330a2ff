"""Group normalisation (Wu and He 2018, arXiv:1803.08494) as Keras has it, in a form that takes a quarter of the time.

Keras reduces over axes that are not neighbours in memory, [n, h, w, groups, c / groups], and this was two thirds of
a network's time. Moments of single channels are cheap, and those of a group follow from them exactly.
"""

from typing import Any

import keras
from keras import ops

# Keras is published without types; `Any` stands for its tensors.
Tensor = Any


@keras.saving.register_keras_serializable(package="drae_model")
class GroupNormalization(keras.layers.GroupNormalization):  # type: ignore[misc]  # Keras has no types
    """Each group of channels of each image to mean 0 and variance 1, then gamma x + beta for each channel.

    The variance of a group is the mean of its channels' variances plus the variance of their means. Settings, weights
    and result are those of `keras.layers.GroupNormalization`, for channels last and with gamma and beta.
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Feature maps [n, h, w, c] to the same shape in the compute type; moments are taken in float32."""
        features = ops.cast(inputs, "float32")
        means, variances = ops.moments(features, axes=(1, 2))
        group_means = self._over_groups(means)
        group_variances = self._over_groups(variances + ops.square(means - group_means))
        scale = ops.rsqrt(group_variances + self.epsilon) * self.gamma
        shift = self.beta - group_means * scale
        return ops.cast(features * scale[:, None, None, :] + shift[:, None, None, :], self.compute_dtype)

    def _over_groups(self, values: Tensor) -> Tensor:
        """The mean of each group's channels, for every channel: [n, c] to [n, c]."""
        channels = values.shape[1] // self.groups
        means = ops.mean(ops.reshape(values, (-1, self.groups, channels)), axis=2)
        return ops.repeat(means, channels, axis=1)
