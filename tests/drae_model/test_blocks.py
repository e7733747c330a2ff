"""Blocks against the same equations written with TensorFlow's own convolutions, and the variance that they pass on."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from drae_model.blocks import Builder, layer_seed, residual_block
from drae_model.group_normalization import GroupNormalization
from drae_model.network_options import NetworkOptions, Normalization
from tests.small_training import NETWORK

OPTIONS = replace(NETWORK, widths=(6,), discriminator_widths=(6,), blocks=3, bottleneck=4)
CHANNELS = {"A": 4, "B": 6, "C": 6}


def builder(options: NetworkOptions = OPTIONS, blocks: int = 3, precision: str = "float32") -> Builder:
    return Builder("net", options, blocks, 5, precision)


def some_maps(channels: int) -> Any:
    return np.random.default_rng(1).normal(size=(2, 8, 8, channels)).astype(np.float32)


def parts(block: keras.Model, up: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The 3 x 3 and the 1 x 1 convolutions of a block by name, as TensorFlow computes them; biases 0.1, 0.2 ..."""
    for layer in block.layers:
        if layer.weights:
            layer.bias.assign(np.arange(1, layer.bias.shape[0] + 1) / 10)

    def plain(name: str, maps: Any, stride: int = 1) -> Any:
        layer = block.get_layer(name)
        return tf.nn.conv2d(maps, layer.kernel.value, stride, "SAME") + layer.bias.value

    def transposed(name: str, maps: Any, stride: int = 1) -> Any:
        layer = block.get_layer(name)
        count, height, width, _ = maps.shape
        shape = (count, height * stride, width * stride, layer.filters)
        return tf.nn.conv2d_transpose(maps, layer.kernel.value, shape, stride, "SAME") + layer.bias.value

    return (transposed if up else plain), plain


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("merge", ["add", "concat"])
@pytest.mark.parametrize("activation", ["pre", "post"])
@pytest.mark.parametrize("kind", ["A", "B", "C"])
def test_a_block_computes_its_equation(kind: str, activation: str, merge: str, up: bool) -> None:
    options = replace(OPTIONS, merge=merge, activation=activation)
    x = some_maps(CHANNELS[kind])
    block = residual_block(builder(options), kind, x.shape[1:], 6, "block", up=up)
    convolution, plain = parts(block, up)
    stride = 2 if kind == "C" else 1

    first = tf.nn.relu(x) if activation == "pre" else x
    branch = tf.nn.relu(convolution("conv1", first))
    branch = tf.nn.relu(convolution("conv2", branch, stride))
    branch = convolution("conv3", branch)
    if kind == "A":
        shortcut = plain("shortcut", first)
    elif kind == "B":
        shortcut = x
    elif up:
        shortcut = x.repeat(2, axis=1).repeat(2, axis=2)
    else:
        shortcut = x.reshape(2, 4, 2, 4, 2, 6).mean(axis=(2, 4))
    expected = shortcut + branch if merge == "add" else plain("join", tf.concat([shortcut, branch], axis=-1))
    expected = expected if activation == "pre" else tf.nn.relu(expected)

    side = {False: 4, True: 16}[up] if kind == "C" else 8
    assert expected.shape == (2, side, side, 6)
    np.testing.assert_allclose(block(x), expected, atol=1e-5)


def test_the_first_convolution_of_a_network_sees_the_raw_image() -> None:
    x = -np.abs(some_maps(1))
    block = residual_block(builder(), "A", x.shape[1:], 6, "block", up=False, raw=True)
    convolution, plain = parts(block, up=False)
    branch = convolution("conv3", tf.nn.relu(convolution("conv2", tf.nn.relu(convolution("conv1", x)))))
    np.testing.assert_allclose(block(x), plain("shortcut", x) + branch, atol=1e-5)


@pytest.mark.parametrize("activation", ["pre", "post"])
def test_batch_normalisation_learns_with_the_momentum_of_the_options(activation: str) -> None:
    options = replace(OPTIONS, activation=activation, normalization=Normalization("batch", 0.75, 2))
    x = some_maps(6) + 3
    block = residual_block(builder(options), "B", x.shape[1:], 6, "block", up=False)
    block(x, training=True)
    first = block.get_layer("norm1")
    seen = x if activation == "pre" else tf.nn.conv2d(x, block.get_layer("conv1").kernel.value, 1, "SAME").numpy()
    # From 0, a quarter of the way to the batch's mean.
    np.testing.assert_allclose(first.moving_mean, 0.25 * seen.mean(axis=(0, 1, 2)), rtol=1e-4)
    assert len([layer for layer in block.layers if layer.name.startswith("norm")]) == 3


def test_group_normalisation_takes_each_group_of_each_patch_to_mean_0_and_variance_1() -> None:
    options = replace(OPTIONS, normalization=Normalization("group", 0.9, 2))
    x = some_maps(6) * np.arange(1, 7, dtype=np.float32) + 3
    block = residual_block(builder(options), "B", x.shape[1:], 6, "block", up=False)
    normal = block.get_layer("norm1")(x).numpy().reshape(2, 64, 2, 3)
    np.testing.assert_allclose(normal.mean(axis=(1, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(normal.var(axis=(1, 3)), 1, atol=1e-3)


@pytest.mark.parametrize(("channels", "groups"), [(6, 1), (6, 2), (6, 6), (8, 4)])
def test_group_normalisation_and_its_gradients_are_those_of_keras(channels: int, groups: int) -> None:
    random = np.random.default_rng(channels * groups)
    ours, theirs = GroupNormalization(groups, name="norm"), keras.layers.GroupNormalization(groups, name="norm")
    x = tf.constant(random.normal(3, 2, (3, 7, 5, channels)) * random.uniform(0.1, 4, channels), tf.float32)
    weights = random.normal(size=(2, channels)).astype(np.float32)
    wanted = tf.constant(random.normal(size=x.shape), tf.float32)
    results = []
    for layer in (ours, theirs):
        layer.build(x.shape)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y * wanted)
        results.append([y, *tape.gradient(loss, [x, *layer.trainable_variables])])
    for mine, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_group_normalisation_takes_moments_of_16_bit_maps_in_float32(dtype: str) -> None:
    # Squares of 300 overflow float16.
    x = np.random.default_rng(1).normal(300, 60, (2, 8, 8, 4)).astype(np.float32)
    y = GroupNormalization(2, dtype=dtype)(keras.ops.cast(x, keras.DTypePolicy(dtype).compute_dtype))
    assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
    groups = tf.cast(y, tf.float32).numpy().reshape(2, 64, 2, 2)
    np.testing.assert_allclose(groups.mean(axis=(1, 3)), 0, atol=0.01)
    np.testing.assert_allclose(groups.var(axis=(1, 3)), 1, atol=0.02)


@pytest.mark.parametrize("kind", ["batch", "group"])
def test_with_normalisation_no_convolution_has_a_bias(kind: str) -> None:
    options = replace(OPTIONS, merge="concat", normalization=Normalization(kind, 0.9, 2))
    block = residual_block(builder(options), "A", (8, 8, 4), 6, "block", up=False)
    kernels = [layer for layer in block.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [len(layer.weights) for layer in kernels] == [1] * 5


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("merge", ["add", "concat"])
@pytest.mark.parametrize("activation", ["pre", "post"])
def test_without_normalisation_twelve_blocks_keep_the_size_of_their_input(
    activation: str, merge: str, up: bool
) -> None:
    options = replace(OPTIONS, activation=activation, merge=merge)
    widths = [32, 32, 16, 8] if up else [8, 16, 32, 32]
    maps = np.random.default_rng(1).normal(size=(4, *((4, 4) if up else (32, 32)), widths[0])).astype(np.float32)
    blocks = [(kind, width, f"{stage}{kind}") for stage, width in enumerate(widths) for kind in "ABC"]
    sizes = []
    for kind, width, name in blocks:
        maps = residual_block(builder(options, blocks=12), kind, maps.shape[1:], width, name, up=up)(maps).numpy()
        sizes.append(float(np.sqrt(np.square(maps).mean())))
    # He et al.'s weights alone would double the square of it at each block: 64 times after twelve.
    assert all(0.2 < size < 5 for size in sizes), sizes


def test_a_block_of_mixed_precision_passes_on_16_bits() -> None:
    block = residual_block(builder(precision="mixed_bfloat16"), "C", (8, 8, 6), 6, "block", up=False)
    assert block(some_maps(6)).dtype == "bfloat16"
    assert {weight.dtype for weight in block.weights} == {"float32"}


def test_seeds_differ_by_name_and_by_seed() -> None:
    names = [f"encoder/stage{stage}_{block}/conv{number}" for stage in range(4) for block in "abc" for number in (1, 2)]
    seeds = {layer_seed(seed, name) for seed in range(50) for name in names}
    assert len(seeds) == 50 * len(names)
    assert 0 <= min(seeds) <= max(seeds) < 2**31
