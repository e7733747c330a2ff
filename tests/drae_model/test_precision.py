"""Half precision and XLA: the first training step is that of float32 to rounding, and the model that ships is float32."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_model.drae import GENERATOR_LOSSES, build_networks
from drae_model.training import Trained, train
from tests.small_training import NETWORK, small_training, training_version

HALVES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


class Nobody:
    """Looks at nothing."""

    def begins(self, *_: Any) -> None:
        """Ignores it."""

    stepped = epoch_ended = begins


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_version(tmp_path_factory.mktemp("line"))


def trained(version: Path, folder: Path, epochs: int = 1, **changes: Any) -> Trained:
    """Trains for epochs of one step."""
    options = small_training(network=NETWORK, epochs=epochs, steps_per_epoch=1, **changes)
    return train(version, options, folder, Nobody())


@pytest.fixture(scope="module")
def plain(version: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One step in float32 without XLA."""
    return trained(version, tmp_path_factory.mktemp("plain") / "run")


def moved(model: Trained) -> np.ndarray[Any, Any]:
    """By how much training has moved the autoencoder's weights, as one vector."""
    start = build_networks(NETWORK, 1, small_training().seed, "float32").autoencoder
    steps = [
        new.numpy() - old.numpy()
        for new, old in zip(model.inspector.autoencoder.weights, start.weights, strict=True)
    ]
    return np.concatenate([step.ravel() for step in steps])


@pytest.mark.parametrize("precision", HALVES)
def test_half_precision_trains_like_float32(version: Path, plain: Trained, tmp_path: Path, precision: str) -> None:
    half = trained(version, tmp_path / "run", epochs=3, precision=precision)

    assert all(math.isfinite(value) for row in half.history for value in row.values())
    print(precision)
    for name in (*GENERATOR_LOSSES, "discriminator"):
        print(name, half.history[0][name], plain.history[0][name])
    a, b = moved(half), moved(plain)
    print(a @ b / np.linalg.norm(a) / np.linalg.norm(b), np.linalg.norm(a), np.linalg.norm(b), half.best)


def test_xla_trains_like_the_plain_graph(version: Path, plain: Trained, tmp_path: Path) -> None:
    compiled = trained(version, tmp_path / "run", xla=True)

    for name in (*GENERATOR_LOSSES, "discriminator", "latent_variance", "val_score"):
        print(name, compiled.history[0][name], plain.history[0][name])
    a, b = moved(compiled), moved(plain)
    print(abs(a-b).max(), abs(a).max())
