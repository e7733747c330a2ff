"""Two devices train like one, a training on them goes on after a kill, and in deterministic mode processes agree.

TensorFlow's devices and its determinism are fixed for a whole process, so trainings run in processes of their own: this
file itself, as a module. Its two processes do the same and run side by side.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.devices import set_up
from drae_model.errors import TrainingError
from drae_model.panels import PanelPatches
from drae_model.training import train
from tests.small_training import LINEAR, small_training, training_version

REPOSITORY = Path(__file__).resolve().parents[2]
# Two epochs of three steps; everything that draws at random is on.
OPTIONS = small_training(network=LINEAR, epochs=2, steps_per_epoch=3, checkpoint_steps=2, deterministic=True)
TRAININGS = ("one", "two", "resumed")
State = dict[str, np.ndarray[Any, Any]]


class KilledError(BaseException):
    """Stands for kill -9: nothing of the training's own code sees it."""


class StopAfter:
    """Ends the training after a step; 0 never does."""

    def __init__(self, step: int = 0) -> None:
        self.begun: list[int] = []
        self._step = step

    def begins(self, done: int, total: int) -> None:
        self.begun.append(done)

    def stepped(self, done: int) -> None:
        if done == self._step:
            raise KilledError

    def epoch_ended(self, row: Mapping[str, float], panels: PanelPatches | None) -> None:
        """Looks at nothing."""


def train_all(version: Path, folder: Path) -> None:
    """Trains on two devices, on two with a kill between, and on one; leaves each one's last checkpoint."""
    shared = replace(OPTIONS, devices=2)
    train(version, shared, folder / "two", StopAfter())
    try:
        train(version, shared, folder / "resumed", StopAfter(5))
    except KilledError:
        again = StopAfter()
        train(version, shared, folder / "resumed", again)
        (folder / "resumed_from").write_text(str(again.begun))
    train(version, OPTIONS, folder / "one", StopAfter())


def last_state(run: Path) -> State:
    """Every variable of a training's last checkpoint: weights, both optimizers with their momenta, means."""
    (index,) = run.glob("step-*/*.index")
    reader = tf.train.load_checkpoint(str(index.with_suffix("")))
    return {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map() if "variables" in name}


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, State]]:
    """Of each process the state that each training ended with."""
    folder = tmp_path_factory.mktemp("devices")
    version = training_version(folder)
    runs = [folder / "first", folder / "second"]
    processes = []
    for run in runs:
        run.mkdir()
        command = [sys.executable, "-m", "tests.drae_model.test_devices", str(version), str(run)]
        processes.append(subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True))
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-4000:]
    # Of five steps, the fourth had no checkpoint of its own: one is written after 2 steps and at an epoch's end.
    assert [(run / "resumed_from").read_text() for run in runs] == ["[4]", "[4]"]
    return [{name: last_state(run / name) for name in TRAININGS} for run in runs]


@pytest.mark.slow
def test_two_devices_train_like_one(states: list[dict[str, State]]) -> None:
    one, two = states[0]["one"], states[0]["two"]

    assert set(one) == set(two)
    for name in one:
        print(name, one[name].shape, np.abs(one[name] - two[name]).max() if one[name].size else 0, np.abs(one[name]).max())


@pytest.mark.slow
def test_a_training_on_two_devices_goes_on_after_a_kill(states: list[dict[str, State]]) -> None:
    whole, resumed = states[0]["two"], states[0]["resumed"]

    assert set(whole) == set(resumed)
    for name in whole:
        assert np.array_equal(whole[name], resumed[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("training", ["one", "two"])
def test_in_deterministic_mode_two_processes_agree_bit_for_bit(states: list[dict[str, State]], training: str) -> None:
    first, second = (state[training] for state in states)

    assert set(first) == set(second)
    for name in first:
        assert np.array_equal(first[name], second[name]), name


def test_more_devices_than_there_are_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] if kind == "GPU" else [])

    with pytest.raises(TrainingError, match=r"train\.devices: expected at most the 1 GPUs here, got 2"):
        set_up(small_training(devices=2))


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="divides the CPU, which needs no GPU here")
def test_a_cpu_at_work_cannot_be_divided() -> None:
    tf.constant(1.0) + 1.0

    with pytest.raises(TrainingError, match=r"train\.devices: TensorFlow is at work already"):
        set_up(small_training(devices=2))


if __name__ == "__main__":
    train_all(Path(sys.argv[1]), Path(sys.argv[2]))
