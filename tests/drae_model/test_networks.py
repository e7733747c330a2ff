"""The networks: shapes, types, seeds, gradients, files, and the paper's parameter counts derived by hand."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from drae_data.errors import OptionError
from drae_model.linear_path import start_from
from drae_model.network_options import LinearPath, NetworkOptions, Normalization
from drae_model.networks import (
    build_autoencoder,
    build_decoder,
    build_discriminator,
    build_encoder,
    build_networks,
)
from drae_model.operations import without_weights
from drae_model.reconstruction import rebuild, takes_regions
from tests.small_training import NETWORK

SMALL = replace(NETWORK, widths=(4, 6), discriminator_widths=(2, 8), bottleneck=5)
LINEAR = replace(SMALL, linear_path=LinearPath(3, True, 10, "sum"))
PAPER = NetworkOptions(
    input_size=256,
    widths=(128, 256, 512, 1024),
    discriminator_widths=(128, 256, 512, 1024),
    blocks=3,
    bottleneck=64,
    merge="add",
    activation="pre",
    normalization=Normalization("batch", 0.99, 32),
    linear_path=None,
    lateral=False,
)
IMAGES = np.random.default_rng(0).random((3, 16, 16, 1), dtype=np.float32)
REGIONS = np.array([0, 1, 1], np.int32)
SHAPES = [
    SMALL,
    replace(SMALL, blocks=4, widths=(4,), normalization=Normalization("batch", 0.9, 2)),
    replace(SMALL, merge="concat", activation="post", normalization=Normalization("group", 0.9, 2)),
    replace(SMALL, activation="post", normalization=Normalization("batch", 0.9, 2)),
    replace(LINEAR, input_size=32, widths=(2, 4, 2), merge="concat"),
]


def values(model: keras.Model) -> dict[str, Any]:
    return {weight.path: weight.numpy() for weight in model.weights}


def same(one: keras.Model, other: keras.Model) -> bool:
    pairs = list(zip(values(one).values(), values(other).values(), strict=True))
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("options", SHAPES)
def test_what_goes_in_and_what_comes_out(options: NetworkOptions) -> None:
    size = options.input_size
    images = np.random.default_rng(0).random((3, size, size, 1), dtype=np.float32)
    autoencoder = build_autoencoder(options, 2, 1, "float32")
    assert takes_regions(autoencoder) == (options.linear_path is not None)
    found = rebuild(autoencoder, images, REGIONS, training=False)
    assert {name: value.shape for name, value in found.items()} == {
        "image": (3, size, size, 1),
        "latent": (3, options.bottleneck),
    }
    assert 0 <= np.min(found["image"]) <= np.max(found["image"]) <= 1
    np.testing.assert_array_equal(found["latent"], autoencoder.get_layer("encoder")(images))
    assert build_encoder(options, 1, "float32", "second_encoder")(images).shape == (3, options.bottleneck)

    judged = build_discriminator(options, 1, "float32")(images)
    side = size // 2 ** len(options.discriminator_widths)
    assert judged["features"].shape == (3, side, side, options.discriminator_widths[-1])
    assert np.min(judged["features"]) == 0
    assert judged["logit"].shape == (3, 1)


def test_the_image_is_the_decoders_where_there_is_no_linear_path() -> None:
    autoencoder = build_autoencoder(SMALL, 1, 1, "float32")
    found = autoencoder(IMAGES)
    np.testing.assert_array_equal(found["image"], autoencoder.get_layer("decoder")(found["latent"]))


def test_the_gate_of_the_linear_path_starts_closed_and_lets_the_network_correct() -> None:
    autoencoder = build_autoencoder(LINEAR, 2, 1, "float32")
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(2, 256, 3)))[0].astype(np.float32)
    start_from(autoencoder.get_layer("linear_path"), np.repeat(np.array([[0.2], [0.6]], np.float32), 256, axis=1), axes)
    linear = autoencoder.get_layer("linear_path")([IMAGES, REGIONS]).numpy()
    np.testing.assert_allclose(autoencoder([IMAGES, REGIONS])["image"], linear.clip(0, 1), atol=1e-6)

    autoencoder.get_layer("gated_sum").gate.assign(-0.8)
    found = autoencoder([IMAGES, REGIONS])
    correction = autoencoder.get_layer("decoder")(found["latent"]).numpy() - 0.5
    np.testing.assert_allclose(found["image"], (linear - 0.8 * correction).clip(0, 1), atol=1e-6)


def test_more_components_than_pixels_are_refused() -> None:
    with pytest.raises(OptionError, match=r"network\.linear_path\.components: .* input_size\^2 = 256, got 257"):
        replace(SMALL, linear_path=LinearPath(257, False, 300, "sum"))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("activation", ["pre", "post"])
def test_outputs_are_float32_at_every_precision(precision: str, activation: str) -> None:
    options = replace(LINEAR, activation=activation, normalization=Normalization("batch", 0.9, 2))
    autoencoder, discriminator = build_autoencoder(options, 2, 1, precision), build_discriminator(options, 1, precision)
    outputs = {**autoencoder([IMAGES, REGIONS]), **discriminator(IMAGES)}
    assert {name: value.dtype.name for name, value in outputs.items()} == dict.fromkeys(
        ("image", "latent", "features", "logit"), "float32"
    )
    # Same weights as in float32, and outputs that agree as far as 16 bits reach.
    exact = build_autoencoder(options, 2, 1, "float32")
    assert same(autoencoder, exact)
    assert autoencoder.get_layer("encoder").get_layer("stage1_a").get_layer("conv1").compute_dtype == precision[6:]
    np.testing.assert_allclose(outputs["latent"], exact([IMAGES, REGIONS])["latent"], atol=0.1)


def test_weights_depend_on_seed_and_name_alone() -> None:
    keras.utils.set_random_seed(1)
    expected = build_autoencoder(LINEAR, 2, 7, "float32")
    keras.utils.set_random_seed(2)
    build_discriminator(LINEAR, 7, "float32")
    assert same(build_autoencoder(LINEAR, 2, 7, "float32"), expected)

    encoder = expected.get_layer("encoder")
    assert same(build_encoder(SMALL, 7, "float32", "encoder"), encoder)
    assert same(build_decoder(SMALL, 7, "float32"), expected.get_layer("decoder"))
    for other in (build_encoder(SMALL, 8, "float32", "encoder"), build_encoder(SMALL, 7, "float32", "second_encoder")):
        kernels = [(a, b) for a, b in zip(encoder.weights, other.weights, strict=True) if len(a.shape) > 1]
        assert len(kernels) == 15
        assert not any(np.any(a.numpy() == b.numpy()) for a, b in kernels)


@pytest.mark.parametrize("options", SHAPES[:4])
def test_gradients_reach_every_weight(options: NetworkOptions) -> None:
    images = tf.constant(np.random.default_rng(0).random((16, 16, 16, 1), dtype=np.float32))
    autoencoder, discriminator = build_autoencoder(options, 1, 1, "float32"), build_discriminator(options, 1, "float32")
    assert not takes_regions(autoencoder)
    with tf.GradientTape(persistent=True) as tape:
        error = tf.reduce_mean(tf.square(autoencoder(images, training=True)["image"] - images))
        logit = tf.reduce_mean(tf.square(discriminator(images, training=True)["logit"] - 1))
    for model, loss in ((autoencoder, error), (discriminator, logit)):
        gradients = tape.gradient(loss, model.trainable_variables)
        dead = [
            weight.path
            for weight, gradient in zip(model.trainable_variables, gradients, strict=True)
            if gradient is None or not np.any(gradient)
        ]
        assert dead == []


@pytest.mark.parametrize("options", [LINEAR, SHAPES[2]])
def test_a_saved_network_gives_the_same_outputs(options: NetworkOptions, tmp_path: Path) -> None:
    for model in (build_autoencoder(options, 2, 1, "float32"), build_discriminator(options, 1, "float32")):
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        inputs = [IMAGES, REGIONS] if takes_regions(model) else IMAGES
        expected, found = model(inputs), loaded(inputs)
        assert set(expected) == set(found)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


def test_the_papers_parameter_counts() -> None:
    # A stage from v to w channels, batch normalisation, no biases:
    #   A: 9vw + 9ww + 9ww, shortcut vw; norms of 4 weights a channel: 4v + 4w + 4w
    #   B and C: 27ww each; norms 12w each
    #   = 10vw + 72ww + 4v + 32w
    # w = 128, 256, 512, 1024: the sum of ww is 1,392,640, of w 1,920.
    #
    # Encoder: vw = 1*128 + 128*256 + 256*512 + 512*1024 = 688,256; the first stage has no norm on its image, so the
    # sum of v is 128 + 256 + 512 = 896; the last norm has 4*1024.
    #   6,882,560 + 100,270,080 + 3,584 + 61,440 + 4,096     = 107,221,760
    #   dense to 64: 16*16*1024*64 + 64                      =  16,777,280
    # Discriminator: the same stages, and 16*16*1024 + 1      =     262,145
    # Decoder: vw = 1024*1024 + 1024*512 + 512*256 + 256*128 = 1,736,704; the sum of v is 2,816; last norm 4*128.
    #   17,367,040 + 100,270,080 + 11,264 + 61,440 + 512     = 117,710,336
    #   dense from 64: 64*262,144 + 262,144                  =  17,039,360
    #   3 x 3 convolution to one grey value: 9*128 + 1       =       1,153
    encoder, decoder, second, discriminator, autoencoder = without_weights(
        lambda: (
            build_encoder(PAPER, 1, "float32", "encoder"),
            build_decoder(PAPER, 1, "float32"),
            build_encoder(PAPER, 1, "float32", "second_encoder"),
            build_discriminator(PAPER, 1, "float32"),
            build_autoencoder(PAPER, 1, 1, "float32"),
        )
    )
    assert encoder.count_params() == second.count_params() == 107_221_760 + 16_777_280 == 123_999_040
    assert decoder.count_params() == 117_710_336 + 17_039_360 + 1_153 == 134_750_849
    assert discriminator.count_params() == 107_221_760 + 262_145 == 107_483_905
    assert autoencoder.count_params() == 123_999_040 + 134_750_849
    assert discriminator.output["features"].shape == (None, 16, 16, 1024)
    assert autoencoder.output["image"].shape == (None, 256, 256, 1)


def test_lateral_paths_add_a_convolution_per_stage_and_reach_the_decoder() -> None:
    options = replace(NETWORK, lateral=True)
    plain, lateral = (build_autoencoder(one, 1, 3, "float32") for one in (NETWORK, options))
    # Stages of 4 and 8 filters on 16 x 16: 3 x 3 from 8 + 4 to 8, and from 4 + the image's 1 to 4, with biases.
    assert lateral.count_params() - plain.count_params() == (9 * 12 * 8 + 8) + (9 * 5 * 4 + 4)
    images = tf.constant(np.random.default_rng(1).random((3, 16, 16, 1), np.float32))
    found = lateral(images)
    assert found["image"].shape == (3, 16, 16, 1)
    assert found["latent"].shape == (3, NETWORK.bottleneck)
    # With the latent vector of another patch the decoder still sees this one.
    encoder, decoder = lateral.get_layer("encoder"), lateral.get_layer("decoder")
    latent, *stages = encoder(images)
    assert np.allclose(decoder([latent, images, *stages]), found["image"])
    other = decoder([latent[::-1], images, *stages])
    assert not np.allclose(decoder([latent, images[::-1], *stages]), found["image"])
    assert not np.allclose(other, found["image"])


KEPT = replace(NETWORK, lateral=True, linear_path=LinearPath(5, True, 60, "keep"))


def test_a_kept_residual_is_what_the_linear_path_misses_times_what_the_decoder_says() -> None:
    autoencoder = build_autoencoder(KEPT, 2, 3, "float32")
    images = tf.constant(np.random.default_rng(1).random((3, 16, 16, 1), np.float32))
    linear = autoencoder.get_layer("linear_path")([images, tf.constant(REGIONS)]).numpy()
    seen = tf.constant(np.concatenate([images, 4 * (images - linear)], axis=3))
    latent, *stages = autoencoder.get_layer("encoder")(seen)
    decoded = autoencoder.get_layer("decoder")([latent, seen, *stages]).numpy()
    found = rebuild(autoencoder, images, REGIONS, training=False)
    np.testing.assert_allclose(found["latent"], latent, atol=1e-5)
    expected = np.clip(linear + 4 * (decoded - 0.5) * (images - linear), 0, 1)
    np.testing.assert_allclose(found["image"], expected, atol=1e-5)
    assert not np.allclose(expected, linear, atol=1e-2)


def test_a_kept_residual_adds_a_channel_to_what_encoder_and_decoder_see() -> None:
    plain, kept = (build_networks(one, 1, 3, "float32") for one in (replace(NETWORK, lateral=True), KEPT))
    subspace = 256 + 2 * 5 * 256
    # First convolution and 1 x 1 shortcut of the encoder, and the decoder's last lateral convolution, to 4 filters.
    assert kept.autoencoder.count_params() - plain.autoencoder.count_params() == subspace + (9 + 1) * 4 + 9 * 4
    assert kept.second_encoder.count_params() == plain.second_encoder.count_params()


def test_a_kept_residual_needs_lateral_paths() -> None:
    with pytest.raises(OptionError, match=r"network.lateral.*true where linear_path.join is keep"):
        replace(KEPT, lateral=False)


def test_lateral_paths_are_no_part_of_the_second_encoder() -> None:
    one, other = (build_networks(replace(NETWORK, lateral=lateral), 1, 3, "float32") for lateral in (True, False))
    assert one.second_encoder.count_params() == other.second_encoder.count_params()
