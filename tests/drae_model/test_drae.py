"""A training step: whose weights it moves and by what; that it can learn; that validation infers."""

import os
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.drae import DRAE, TRAINED
from drae_model.network_options import NetworkOptions, Normalization
from drae_model.networks import build_networks
from drae_model.reconstruction import rebuild
from drae_model.scoring import scores
from tests.small_training import LINEAR, NETWORK, small_training, smooth_images

BATCH_NORM = replace(NETWORK, normalization=Normalization("batch", 0.9, 2))


def new_drae(network: NetworkOptions = NETWORK, rate: float = 1e-3, seed: int = 1) -> DRAE:
    options = small_training(network=network)
    drae = DRAE(build_networks(network, 2, seed, "float32"), options.losses, options.score)
    drae.compile(keras.optimizers.Adam(rate), keras.optimizers.Adam(rate), xla=False)
    return drae


def batch_of(count: int = 8, noisy: bool = True) -> dict[str, tf.Tensor]:
    images = smooth_images(count, 16)
    noise = np.zeros_like(images)
    if noisy:
        noise[:, 4:9, 5:11] = 0.9
    perturbed = np.where(noise > 0, 0.3 * images + 0.7 * noise, images).astype(np.float32)
    regions = np.arange(count, dtype=np.int32) % 2
    batch = {"image": images, "perturbed": perturbed, "noise": noise, "region": regions}
    return {name: tf.constant(value) for name, value in batch.items()}


def open_gate(drae: DRAE) -> None:
    """At its start the gate lets no gradient through to the decoder."""
    for layer in drae.autoencoder.layers:
        if layer.name == "gated_sum":
            layer.gate.assign(0.7)


@pytest.mark.parametrize("network", [NETWORK, BATCH_NORM, LINEAR], ids=["plain", "batch_norm", "linear_path"])
def test_gradients_reach_every_weight_of_both_sides(network: NetworkOptions) -> None:
    drae = new_drae(network)
    open_gate(drae)

    generator, discriminator, _ = drae.gradients(batch_of())

    for weights, gradients in (
        (drae.generator_weights, generator),
        (drae.discriminator.trainable_variables, discriminator),
    ):
        assert len(weights) == len(gradients)
        dead = [w.path for w, g in zip(weights, gradients, strict=True) if g is None or not np.any(g.numpy())]
        assert dead == []
    # And the subspace of each region.
    for weight, gradient in zip(drae.generator_weights, generator, strict=True):
        if "linear_path" in weight.path:
            assert all(np.any(part) for part in gradient.numpy()), weight.path


def test_the_generators_step_leaves_the_discriminator_alone_and_the_reverse() -> None:
    drae, batch = new_drae(), batch_of()
    generator, discriminator, _ = drae.gradients(batch)

    def moved(weights: list[keras.Variable], before: list[Any]) -> list[bool]:
        return [not np.array_equal(w.numpy(), b) for w, b in zip(weights, before, strict=True)]

    ours = [w.numpy() for w in drae.generator_weights]
    theirs = [w.numpy() for w in drae.discriminator.trainable_variables]
    drae.generator_optimizer.apply(generator, drae.generator_weights)
    assert all(moved(drae.generator_weights, ours))
    assert not any(moved(drae.discriminator.trainable_variables, theirs))
    ours = [w.numpy() for w in drae.generator_weights]
    drae.discriminator_optimizer.apply(discriminator, drae.discriminator.trainable_variables)
    assert all(moved(drae.discriminator.trainable_variables, theirs))
    assert not any(moved(drae.generator_weights, ours))


def test_the_generators_gradient_is_that_of_its_loss_alone() -> None:
    """Against a difference quotient of the total loss, with the discriminator held."""
    drae, batch = new_drae(), batch_of()
    generator, _, _ = drae.gradients(batch)
    index = next(i for i, w in enumerate(drae.generator_weights) if "grey" in w.path and w.path.endswith("bias"))
    weight, gradient = drae.generator_weights[index], float(generator[index].numpy()[0])
    start = weight.numpy()
    totals = []
    for step in (1e-2, -1e-2):
        weight.assign(start + step)
        totals.append(float(drae.gradients(batch)[2]["loss"]))
    assert gradient == pytest.approx((totals[0] - totals[1]) / 2e-2, rel=0.05)


def test_one_batch_is_learnt_by_heart() -> None:
    drae, batch = new_drae(rate=3e-3), batch_of(noisy=False)
    step = tf.function(drae.train_step)
    values = []
    for _ in range(150):
        drae.reset_metrics()
        values.append({name: float(value) for name, value in step(batch).items()})
    assert set(values[0]) == set(TRAINED)
    assert values[-1]["contextual"] < 0.35 * values[0]["contextual"]


def test_validation_infers_and_changes_nothing() -> None:
    drae, batch = new_drae(BATCH_NORM), batch_of()
    for _ in range(3):
        drae.train_step(batch)
    weights = [w.numpy() for w in drae.weights]

    judged = {name: batch[name] for name in ("image", "region")}
    first = {name: float(value) for name, value in drae.test_step(judged).items()}
    drae.reset_metrics()
    # In inference mode a patch's score does not depend on its neighbours in the batch.
    for half in (slice(2), slice(2, None)):
        drae.test_step({name: value[half] for name, value in judged.items()})

    assert all(np.array_equal(w.numpy(), before) for w, before in zip(drae.weights, weights, strict=True))
    again = {name: float(tracker.result()) for name, tracker in drae.validation_trackers.items()}
    assert again == pytest.approx(first, rel=1e-4)
    assert not np.isclose(first["score"], 0)


def test_validation_judges_each_patch_as_one_of_its_region() -> None:
    drae, batch = new_drae(LINEAR), batch_of()

    def score(regions: tf.Tensor) -> float:
        drae.reset_metrics()
        return float(drae.test_step({"image": batch["image"], "region": regions})["score"])

    by_region = [
        scores(batch["image"], rebuild(drae.autoencoder, batch["image"], tf.fill(8, region), training=False)["image"],
               drae.score_options).numpy()
        for region in (0, 1)
    ]  # fmt: skip
    expected = np.where(batch["region"].numpy() == 0, *by_region).mean()
    assert score(batch["region"]) == pytest.approx(expected, abs=1e-6)
    assert score(1 - batch["region"]) != pytest.approx(expected, abs=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    keras.utils.set_random_seed(1)
    first = new_drae()
    keras.utils.set_random_seed(2)
    second, other = new_drae(), new_drae(seed=2)

    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(first.weights, second.weights, strict=True))
    kernels = [
        (a.numpy(), b.numpy()) for a, b in zip(first.weights, other.weights, strict=True) if a.path.endswith("kernel")
    ]
    assert kernels
    assert not any(np.array_equal(a, b) for a, b in kernels)
