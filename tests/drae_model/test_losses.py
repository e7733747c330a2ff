"""Each loss against numbers computed by hand; equation 6 at the places where it must be zero, and where not."""

import math
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from keras import ops

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.loss_options import LossOptions
from drae_model.losses import (
    adversarial_loss,
    contextual_loss,
    discriminator_loss,
    encoder_loss,
    generator_loss,
    huber_loss,
    noise_loss,
)

# Weights that no sum of two others equals, so that a part with another's weight is seen.
OPTIONS = LossOptions(
    adversarial=3.0, contextual=5.0, huber=2.0, ssim=7.0, encoder=11.0, noise=17.0, noise_target="blend",
    huber_delta=0.25,
)  # fmt: skip
RANDOM = np.random.default_rng(3)


def flat(*greys: float) -> np.ndarray:
    """A patch of one grey for each: float32 [n, 12, 12, 1]."""
    return np.ones((len(greys), 12, 12, 1), np.float32) * np.array(greys, np.float32)[:, None, None, None]


def floats(values: Any) -> Any:
    return np.array(values, np.float32)


def value(loss: Any) -> float:
    assert loss.dtype == tf.float32
    assert loss.shape == ()
    return float(ops.convert_to_numpy(loss))


def test_adversarial_is_the_mean_square() -> None:
    real = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    fake = np.array([[1.0, 0.0], [0.0, 5.0]], np.float32)
    # Squares: 0, 4, 9 and 1.
    assert value(adversarial_loss(real, fake)) == 3.5


def test_encoder_is_the_mean_absolute_difference() -> None:
    # Differences: 1, 2, 3 and 0.
    assert value(encoder_loss(floats([[1, -1], [0, 4]]), floats([[0, 1], [3, 4]]))) == 1.5


def test_huber_is_a_square_then_a_line() -> None:
    # Delta 0.25: 0.1^2 / 2 = 0.005; at 0.25 both forms give 0.03125; then 0.25 (0.5 - 0.125) = 0.09375 and
    # 0.25 (1 - 0.125) = 0.21875.
    for difference, expected in ((0.0, 0.0), (0.1, 0.005), (0.25, 0.03125), (0.5, 0.09375), (1.0, 0.21875)):
        for first, second in ((0.0, difference), (difference, 0.0)):
            found = value(huber_loss(flat(first), flat(second), 0.25))
            assert found == pytest.approx(expected, rel=1e-6), difference
    assert value(huber_loss(flat(0, 0), flat(0.1, 1.0), 0.25)) == pytest.approx((0.005 + 0.21875) / 2, rel=1e-6)


def test_huber_slope_has_no_jump() -> None:
    rebuilt = tf.constant(flat(0.0, 0.1, 0.25, 0.9))
    with tf.GradientTape() as tape:
        tape.watch(rebuilt)
        loss = huber_loss(np.zeros_like(rebuilt), rebuilt, 0.25)
    # d up to delta, then delta; over the number of pixels of all patches.
    slopes = tape.gradient(loss, rebuilt).numpy()[:, 0, 0, 0] * rebuilt.numpy().size
    np.testing.assert_allclose(slopes, [0.0, 0.1, 0.25, 0.25], rtol=1e-6)


def test_contextual_by_hand_on_flat_patches() -> None:
    # Huber 0.09375 as above; SSIM of 0.25 and 0.75 is 0.3751 / 0.6251.
    expected = 2.0 * 0.09375 + 7.0 * (1 - 0.3751 / 0.6251)
    assert value(contextual_loss(flat(0.25), flat(0.75), OPTIONS)) == pytest.approx(expected, rel=1e-6)


def test_contextual_is_a_mean_over_patches() -> None:
    both = value(contextual_loss(flat(0.25, 0.5), flat(0.75, 0.5), OPTIONS))
    assert both == pytest.approx(value(contextual_loss(flat(0.25), flat(0.75), OPTIONS)) / 2, rel=1e-6)


def blended(beta: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, X* and N as DESIGN.md blends them: X* = (1 - M) X + (1 - beta) M X + beta M N, here with N zero outside M."""
    image = RANDOM.random((2, 12, 12, 1), np.float32)
    mask = RANDOM.random(image.shape) < 0.5
    noise = (RANDOM.random(image.shape, np.float32) * mask).astype(np.float32)
    return image, (image + beta * mask * (noise - image)).astype(np.float32), noise


def test_noise_loss_blend_is_zero_at_a_perfect_reconstruction() -> None:
    image, perturbed, noise = blended(beta=0.7)
    assert value(noise_loss(perturbed, image, image, noise, "blend")) == 0


def test_noise_loss_literal_is_not_zero_there() -> None:
    image, perturbed, noise = blended(beta=0.7)
    # | |X* - X| - N | by plain numpy.
    expected = np.mean(np.abs(np.abs(perturbed - image) - noise))
    assert expected > 0.1
    assert value(noise_loss(perturbed, image, image, noise, "literal")) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("target", ["blend", "literal"])
def test_noise_loss_without_noise_is_zero_at_a_perfect_reconstruction(target: str) -> None:
    image, _, _ = blended(beta=0.7)
    assert value(noise_loss(image, image, image, np.zeros_like(image), target)) == 0


@pytest.mark.parametrize("target", ["blend", "literal"])
def test_noise_loss_by_hand(target: str) -> None:
    # X = 0.5, N = 0.9, beta 0.75: X* = 0.8, X^ = 0.6. | |0.8 - 0.6| - T |, T = 0.3 blended and 0.9 literally.
    found = value(noise_loss(flat(0.8), flat(0.6), flat(0.5), flat(0.9), target))
    assert found == pytest.approx({"blend": 0.1, "literal": 0.7}[target], rel=1e-5)


def test_noise_loss_sees_no_sign() -> None:
    # As equation 6 has it: |X* - X^| alone counts, so 0.8 + 0.3 is as good as 0.8 - 0.3.
    assert value(noise_loss(flat(0.8), flat(1.1), flat(0.5), flat(0.9), "blend")) == pytest.approx(0, abs=1e-6)


def test_discriminator_by_hand() -> None:
    assert value(discriminator_loss(np.zeros((2, 1)), np.zeros((2, 1)))) == pytest.approx(math.log(2), rel=1e-6)
    # p = sigmoid(log 3) = 3/4 for the patch, sigmoid(-log 4) = 1/5 for the reconstruction.
    found = value(discriminator_loss(floats([[math.log(3)]]), floats([[-math.log(4)]])))
    assert found == pytest.approx((math.log(4 / 3) + math.log(5 / 4)) / 2, rel=1e-6)


def test_discriminator_bears_any_logit() -> None:
    assert value(discriminator_loss(floats([[-1e4]]), floats([[1e4]]))) == pytest.approx(1e4)
    assert value(discriminator_loss(floats([[1e4]]), floats([[-1e4]]))) == 0
    # log(1 + e^-20) = 2.0611536e-9 is not rounded away.
    assert value(discriminator_loss(floats([[20]]), floats([[-20]]))) == pytest.approx(2.0611536e-9, rel=1e-4)


def batch() -> dict[str, np.ndarray]:
    """By hand with the constants above: adversarial 4, contextual as on flat patches, encoder 0.5, noise 0.1."""
    return {
        "image": flat(0.25),
        # |X* - X^| = |0.9 - 0.75| = 0.15, |X* - X| = 0.65, so noise is 0.5 blended, and | 0.15 - 0.2 | literally.
        "perturbed": flat(0.9),
        "noise": flat(0.2),
        "rebuilt": flat(0.75),
        "latent": floats([[0.0, 1.0]]),
        "latent_again": floats([[0.5, 0.5]]),
        "features": np.zeros((1, 2, 2, 1), np.float32),
        "features_rebuilt": np.full((1, 2, 2, 1), 2, np.float32),
    }


@pytest.mark.parametrize(("target", "noise"), [("blend", 0.5), ("literal", 0.05)])
def test_generator_weighs_each_part_once(target: str, noise: float) -> None:
    found = {
        key: value(part)
        for key, part in generator_loss(**batch(), options=replace(OPTIONS, noise_target=target)).items()
    }

    contextual = 2.0 * 0.09375 + 7.0 * (1 - 0.3751 / 0.6251)
    expected = {"adversarial": 4.0, "contextual": contextual, "encoder": 0.5, "noise": noise}
    assert found == pytest.approx(
        {**expected, "total": 3.0 * 4.0 + 5.0 * contextual + 11.0 * 0.5 + 17.0 * noise}, rel=1e-5
    )


def test_half_precision_gives_float32() -> None:
    half = {key: tf.cast(part, tf.float16) for key, part in batch().items()}
    whole = generator_loss(**{key: tf.cast(part, tf.float32) for key, part in half.items()}, options=OPTIONS)
    for key, part in generator_loss(**half, options=OPTIONS).items():
        assert value(part) == value(whole[key])
    logits = tf.constant([[3.0]], tf.bfloat16)
    assert value(discriminator_loss(logits, logits)) > 0
