"""Costs of small networks against calculations by hand."""

import os
from dataclasses import replace

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from drae_model.linear_path import SubspaceProjection
from drae_model.networks import build_discriminator, build_encoder
from drae_model.operations import Cost, layer_costs, total, training_multiply_adds, without_weights
from tests.small_training import NETWORK

TINY = replace(NETWORK, widths=(2,), discriminator_widths=(2,), bottleneck=3)


def test_every_layer_of_a_tiny_encoder() -> None:
    # 16 x 16 x 1 to 2 channels; blocks A and C. Multiply-adds: pixels of the output x kernel.
    rows = layer_costs(build_encoder(TINY, 1, "float32", "encoder"))
    found = {row.layer: (row.shape, row.parameters, row.multiply_adds) for row in rows if row.parameters}
    assert found == {
        "stage1_a/conv1": ((16, 16, 2), 9 * 2 + 2, 256 * 9 * 2),
        "stage1_a/conv2": ((16, 16, 2), 9 * 4 + 2, 256 * 9 * 4),
        "stage1_a/conv3": ((16, 16, 2), 9 * 4 + 2, 256 * 9 * 4),
        "stage1_a/shortcut": ((16, 16, 2), 2 + 2, 256 * 2),
        "stage1_c/conv1": ((16, 16, 2), 9 * 4 + 2, 256 * 9 * 4),
        "stage1_c/conv2": ((8, 8, 2), 9 * 4 + 2, 64 * 9 * 4),
        "stage1_c/conv3": ((8, 8, 2), 9 * 4 + 2, 64 * 9 * 4),
        "latent": ((3,), 128 * 3 + 3, 128 * 3),
    }
    # Parameters 20 + 5 * 38 + 4 + 387; multiply-adds 4,608 + 3 * 9,216 + 512 + 2 * 2,304 + 384; outputs of
    # convolutions 5 * 512 + 2 * 128; layers: 8 of those above, 5 ReLUs inside and one behind, 2 sums, the pooling
    # and the flattening.
    assert total(rows) == Cost(layers=18, parameters=601, multiply_adds=37_760, convolution_outputs=2_816)
    assert {row.network for row in rows} == {"encoder"}


def test_layers_whose_kernels_are_used_in_another_way() -> None:
    inputs = keras.Input((8, 8, 4))
    maps = keras.layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="transposed")(inputs)
    maps = keras.layers.Conv2D(6, 1, groups=3, use_bias=False, name="grouped")(maps)
    maps = keras.layers.BatchNormalization(name="norm")(maps)
    regions = keras.Input((), dtype="int32")
    model = keras.Model([inputs, regions], SubspaceProjection(2, 7, 1, name="linear")([maps, regions]))
    found = {row.layer: (row.parameters, row.multiply_adds) for row in layer_costs(model)}
    assert found == {
        # Each of the 64 pixels of the input meets 9 weights for each pair of 4 and 3 channels.
        "transposed": (9 * 4 * 3 + 3, 64 * 9 * 4 * 3),
        # Two filters for each of three channels.
        "grouped": (6, 256 * 6),
        "norm": (4 * 6, 0),
        # Two subspaces; 1,536 numbers to 7 and back.
        "linear": (2 * (1536 + 2 * 1536 * 7), 2 * 2 * 1536 * 7),
    }


def test_a_training_step() -> None:
    # Forward 100 + 10 + 2 * 1; backward of the generator 2 * (100 + 10), of the discriminator's own loss 2 * 2 * 1,
    # and from the generator's loss through it 1.
    assert training_multiply_adds(100, 10, 1) == 112 + 220 + 4 + 1


def test_networks_without_weights_cost_what_real_ones_cost() -> None:
    hollow = without_weights(lambda: build_discriminator(TINY, 1, "float32"))
    real = build_discriminator(TINY, 1, "float32")
    assert layer_costs(hollow) == layer_costs(real)
    # What is built next has values.
    assert real.get_layer("logit").kernel.numpy().any()


def test_an_error_while_building_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        without_weights(lambda: 1 // 0)
