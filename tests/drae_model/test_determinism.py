"""In deterministic mode a step's gradients are the same bits every time, in one process and in others.

TensorFlow's determinism is fixed for a whole process, so gradients are taken in one of its own: this file as a module.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from drae_model.devices import set_up
from drae_model.drae import DRAE
from drae_model.errors import TrainingError
from drae_model.network_options import LinearPath, Normalization
from drae_model.networks import build_networks
from tests.small_training import NETWORK, small_training, smooth_images

REPOSITORY = Path(__file__).resolve().parents[2]
# Large enough for operations that run side by side where they may: smaller ones are done before the next begins.
OPTIONS = small_training(
    network=replace(
        NETWORK, input_size=128, widths=(8, 16, 32), discriminator_widths=(4, 8, 16, 32), lateral=True,
        normalization=Normalization("group", 0.9, 4),
        linear_path=LinearPath(8, per_region=True, fit_patches=60, join="keep"),
    ),
    deterministic=True,
)  # fmt: skip
TIMES = 4
PROCESSES = 3


def gradients_of_a_step() -> dict[str, list[str]]:
    """By weight the SHA-256 of its gradients, each time; weights of one name have a number behind it."""
    set_up(OPTIONS)
    drae = DRAE(build_networks(OPTIONS.network, 2, OPTIONS.seed, OPTIONS.precision), OPTIONS.losses, OPTIONS.score)
    drae.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), xla=False)
    image, noise = tf.constant(smooth_images(16, 128)), tf.constant(smooth_images(16, 128, 1))
    region = tf.range(16, dtype=tf.int32) % 2
    batch = {"image": image, "perturbed": 0.7 * image + 0.3 * noise, "noise": noise, "region": region}
    gradients = tf.function(lambda: drae.gradients(batch)[:2], autograph=False)
    taken = [[np.asarray(one) for part in gradients() for one in part] for _ in range(TIMES)]
    weights = [*drae.generator_weights, *drae.discriminator.trainable_variables]
    return {
        f"{weight.path} {number}": [hashlib.sha256(one.tobytes()).hexdigest() for one in found]
        for number, (weight, *found) in enumerate(zip(weights, *taken, strict=True))
    }


@pytest.mark.slow
def test_gradients_are_the_same_bits_every_time() -> None:
    command = [sys.executable, "-m", "tests.drae_model.test_determinism"]
    taken = []
    for _ in range(PROCESSES):
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        taken.append(json.loads(done.stdout))
    assert [name for name in taken[0] if len({digest for one in taken for digest in one[name]}) > 1] == []


def test_a_process_in_which_tensorflow_is_at_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    switched_on: list[bool] = []
    # It would hold for all tests behind this one.
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: switched_on.append(True))
    # Here TensorFlow may do several operations at a time, and that cannot be changed any more.
    tf.constant(1.0) + 1.0
    with pytest.raises(TrainingError, match=r"train\.deterministic: TensorFlow is at work already.* own"):
        set_up(OPTIONS)
    assert not switched_on


if __name__ == "__main__":
    sys.stdout.write(json.dumps(gradients_of_a_step()))
