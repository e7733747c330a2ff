"""Half precision and XLA: the first step is that of float32 to rounding, and the model that ships is float32."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_model.drae import TRAINED
from drae_model.networks import build_networks
from drae_model.training import Trained, train
from tests.small_training import ONE_STAGE, small_training, training_version

HALVES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


class Nobody:
    """Looks at nothing."""

    def begins(self, *_: Any) -> None:
        """Ignores it."""

    stepped = epoch_ended = begins


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_version(tmp_path_factory.mktemp("line"))


def trained(version: Path, folder: Path, steps: int = 1, **changes: Any) -> Trained:
    """Trains for one epoch."""
    return train(
        version, small_training(network=ONE_STAGE, epochs=1, steps_per_epoch=steps, **changes), folder, Nobody()
    )


@pytest.fixture(scope="module")
def plain(version: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One step in float32 without XLA."""
    return trained(version, tmp_path_factory.mktemp("plain") / "run")


def moved(model: Trained) -> np.ndarray[Any, Any]:
    """By how much training has moved the autoencoder's weights, as one vector."""
    start = build_networks(ONE_STAGE, 1, small_training().seed, "float32").autoencoder
    pairs = zip(model.inspector.autoencoder.weights, start.weights, strict=True)
    return np.concatenate([(new.numpy() - old.numpy()).ravel() for new, old in pairs])


def assert_losses(model: Trained, other: Trained, tolerance: float) -> None:
    for name in TRAINED[:-1]:
        assert model.history[0][name] == pytest.approx(other.history[0][name], rel=tolerance), name


def computing_types(network: Any) -> set[str]:
    """In which types the layers of a network, and of networks inside it, compute."""
    found = [computing_types(layer) if hasattr(layer, "layers") else {layer.compute_dtype} for layer in network.layers]
    return set.union(*found)


def assert_ships_float32(model: Trained) -> None:
    autoencoder = model.inspector.autoencoder
    assert computing_types(autoencoder) == {"float32"}
    assert {weight.dtype for weight in autoencoder.weights} == {"float32"}


@pytest.mark.parametrize("precision", HALVES)
def test_half_precision_keeps_its_variables_in_float32(precision: str) -> None:
    networks = build_networks(ONE_STAGE, 1, 1, precision)

    for network in (networks.autoencoder, networks.second_encoder, networks.discriminator):
        assert {weight.dtype for weight in network.weights} == {"float32"}
        assert HALVES[precision] in computing_types(network)
    assert networks.autoencoder.output["image"].dtype == "float32"


@pytest.mark.slow
def test_bfloat16_trains_like_float32(version: Path, plain: Trained, tmp_path: Path) -> None:
    half = trained(version, tmp_path / "run", precision="mixed_bfloat16")

    # bfloat16 keeps 8 bits, 0.4 %; small losses are differences of larger numbers.
    assert_losses(half, plain, 0.02)
    ours, theirs = moved(half), moved(plain)
    # Adam's first step is the learning rate in the direction of the sign, so rounding turns the least gradients about.
    # How many depends on the processor: one with AVX2 alone has 0.803, a tenth of the signs, each time.
    cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert cosine > 0.75
    assert_ships_float32(half)


@pytest.mark.slow
def test_float16_trains_once_its_gradients_fit(version: Path, plain: Trained, tmp_path: Path) -> None:
    half = trained(version, tmp_path / "run", steps=16, precision="mixed_float16")

    # The loss is scaled by 2^15 at first; the scale is halved and the step left out as long as gradients overflow.
    assert all(math.isfinite(value) for row in half.history for value in row.values())
    assert np.linalg.norm(moved(half)) > np.linalg.norm(moved(plain))
    assert_ships_float32(half)


@pytest.mark.slow
def test_xla_trains_like_the_plain_graph(version: Path, plain: Trained, tmp_path: Path) -> None:
    compiled = trained(version, tmp_path / "run", xla=True)

    assert_losses(compiled, plain, 1e-5)
    # A step is 1e-3 long.
    np.testing.assert_allclose(moved(compiled), moved(plain), atol=2e-5)
    assert compiled.best["val_score"] == pytest.approx(plain.best["val_score"], rel=1e-5)
