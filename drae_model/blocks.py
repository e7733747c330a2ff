"""Residual blocks of encoder and decoder (paper, section 7.2, figures 2 and 3), each a Keras model of its own.

A block adds three 3 x 3 convolutions to a shortcut: A, a 1 x 1 convolution; B, the input itself; C, which changes the
size at its middle convolution, the input halved by averaging or doubled by repetition.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import keras

from drae_model.group_normalization import GroupNormalization
from drae_model.network_options import NetworkOptions

# Keras is published without types; `Any` stands for its tensors.
Tensor = Any

# The variance after a ReLU stays what it was (He et al. 2015, arXiv:1502.01852).
HE_SCALE = 2.0


def layer_seed(seed: int, name: str) -> int:
    """A seed from 0 to 2^31 - 1 for one layer, whatever was built before it.

    Args:
        seed: of the whole training.
        name: the layer's place, such as `encoder/stage1_a/conv1`.
    """
    # Torch knows no unsigned 32-bit numbers.
    return zlib.crc32(f"{seed} {name}".encode()) >> 1


@dataclass(frozen=True)
class Builder:
    """Makes the layers of one network.

    With normalisation no convolution has a bias, since the shift of the next normalisation takes its place; without,
    each has one. Without normalisation the variance would also double at each of the network's blocks; so the last
    convolution of a block starts with 1 / blocks of its variance, and all blocks together multiply it by e at most. It
    is the idea of Fixup (Zhang et al. 2019, arXiv:1901.09321) and SkipInit (De and Smith 2020, arXiv:2002.10444), but
    not their start at zero, which would leave the convolutions before it without a gradient in the first step.

    Attributes:
        network: the network's name, a part of every layer's seed.
        options: the shape.
        blocks: residual blocks in the network.
        seed: of the training.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
    """

    network: str
    options: NetworkOptions
    blocks: int
    seed: int
    precision: str

    def inputs(self, shape: tuple[int, ...]) -> Tensor:
        """A block's input, in the type that convolutions compute in: Keras casts to it between models."""
        return keras.Input(shape, dtype=keras.DTypePolicy(self.precision).compute_dtype, name="inputs")

    def weights(self, name: str, scale: float) -> keras.initializers.Initializer:
        """Truncated normal weights of variance scale / fan-in, of this layer's own seed."""
        seed = layer_seed(self.seed, f"{self.network}/{name}")
        return keras.initializers.VarianceScaling(scale, mode="fan_in", distribution="truncated_normal", seed=seed)

    def branch_end(self) -> float:
        """What the last convolution of a block multiplies its variance by."""
        return 1.0 if self.options.normalization.kind != "none" else 1.0 / self.blocks

    def convolution(
        self, inputs: Tensor, name: str, filters: int, kernel: int = 3, stride: int = 1, scale: float = HE_SCALE
    ) -> Tensor:
        """A convolution over [n, h, w, c] to [n, h / stride, w / stride, filters]."""
        layer = keras.layers.Conv2D(filters, kernel, strides=stride, **self._settings(name, scale))
        return layer(inputs)

    def transposed(
        self, inputs: Tensor, name: str, filters: int, kernel: int = 3, stride: int = 1, scale: float = HE_SCALE
    ) -> Tensor:
        """A transposed convolution over [n, h, w, c] to [n, h * stride, w * stride, filters]."""
        # Keras takes `filters` for the fan-in of a transposed kernel; an output pixel meets c channels of
        # kernel^2 / stride^2 input pixels.
        scale *= filters * stride**2 / inputs.shape[-1]
        layer = keras.layers.Conv2DTranspose(filters, kernel, strides=stride, **self._settings(name, scale))
        return layer(inputs)

    def _settings(self, name: str, scale: float) -> dict[str, Any]:
        """What convolutions of both directions share."""
        return {
            "padding": "same",
            "use_bias": self.options.normalization.kind == "none",
            "kernel_initializer": self.weights(name, scale),
            "dtype": self.precision,
            "name": name.rpartition("/")[2],
        }

    def normalized(self, inputs: Tensor, name: str) -> Tensor:
        """The feature maps, normalised as `network.normalization` says."""
        normalization = self.options.normalization
        match normalization.kind:
            case "batch":
                layer = keras.layers.BatchNormalization(
                    momentum=normalization.momentum, dtype=self.precision, name=name
                )
            case "group":
                layer = GroupNormalization(normalization.groups, dtype=self.precision, name=name)
            case _:
                return inputs
        return layer(inputs)

    def rectified(self, inputs: Tensor, name: str) -> Tensor:
        """ReLU."""
        return keras.layers.ReLU(dtype=self.precision, name=name)(inputs)

    def activated(self, inputs: Tensor, suffix: str) -> Tensor:
        """Normalisation, then ReLU."""
        return self.rectified(self.normalized(inputs, f"norm{suffix}"), f"relu{suffix}")


def residual_block(
    build: Builder, kind: str, shape: tuple[int, int, int], filters: int, name: str, *, up: bool, raw: bool = False
) -> keras.Model:
    """A block as a model from [n, *shape] to [n, h, w, filters], in the builder's compute type.

    With `activation: pre` (He et al. 2016, arXiv:1603.05027) normalisation and ReLU stand before each convolution, and
    A's shortcut shares the first of them. With `post` (He et al. 2015, arXiv:1512.03385) they stand after each, the
    last ReLU after the merge. With `merge: concat` a 1 x 1 convolution brings both halves back to `filters`.

    Args:
        build: makes the layers.
        kind: `A`, `B` or `C`.
        shape: height, width and channels of the input; B and C want `filters` channels.
        filters: channels of the output.
        name: of the block in its network, such as `stage1_a`.
        up: transposed convolutions, and C doubles height and width; else C halves them.
        raw: the input is an image: with `pre`, nothing stands before the first convolution.
    """
    convolution = build.transposed if up else build.convolution
    stride = 2 if kind == "C" else 1
    pre = build.options.activation == "pre"
    inputs = build.inputs(shape)
    first = build.activated(inputs, "1") if pre and not raw else inputs

    branch = convolution(first, f"{name}/conv1", filters)
    # `pre` counts the norms from the block's input on, `post` from the first convolution on: each by its convolution.
    branch = build.activated(branch, "2" if pre else "1")
    branch = convolution(branch, f"{name}/conv2", filters, stride=stride)
    branch = build.activated(branch, "3" if pre else "2")
    branch = convolution(branch, f"{name}/conv3", filters, scale=HE_SCALE * build.branch_end())
    if not pre:
        branch = build.normalized(branch, "norm3")

    outputs = _merged(build, name, _shortcut(build, kind, inputs, first, filters, name, up), branch)
    if not pre:
        outputs = build.rectified(outputs, "relu3")
    return keras.Model(inputs, outputs, name=name)


def _shortcut(build: Builder, kind: str, inputs: Tensor, first: Tensor, filters: int, name: str, up: bool) -> Tensor:
    """What a block's convolutions are added to."""
    if kind == "A":
        shortcut = build.convolution(first, f"{name}/shortcut", filters, kernel=1)
        return shortcut if build.options.activation == "pre" else build.normalized(shortcut, "norm_shortcut")
    if kind == "B":
        return inputs
    if up:
        return keras.layers.UpSampling2D(2, interpolation="nearest", dtype=build.precision, name="shortcut")(inputs)
    return keras.layers.AveragePooling2D(2, dtype=build.precision, name="shortcut")(inputs)


def _merged(build: Builder, name: str, shortcut: Tensor, branch: Tensor) -> Tensor:
    if build.options.merge == "add":
        return keras.layers.Add(dtype=build.precision, name="merge")([shortcut, branch])
    both = keras.layers.Concatenate(dtype=build.precision, name="merge")([shortcut, branch])
    # Weights of variance 2 / fan-in add the two halves' variances, as `add` does; with `post` a ReLU halves the sum.
    scale = HE_SCALE if build.options.activation == "pre" else 2 * HE_SCALE
    joined = build.convolution(both, f"{name}/join", branch.shape[-1], kernel=1, scale=scale)
    return joined if build.options.activation == "pre" else build.normalized(joined, "norm_join")
