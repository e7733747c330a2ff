"""Two devices train like one, a training on them goes on after a kill, and in deterministic mode processes agree.

TensorFlow's devices and its determinism are fixed for a whole process, so trainings run in processes of their own: this
file itself, as a module. Its processes run side by side; each trains networks of one shape, since TensorFlow mixes up
the devices' sums where networks of several shapes are trained on them in one process.
"""

import json
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
from drae_model.network_options import Normalization
from drae_model.panels import PanelPatches
from drae_model.training import train
from drae_model.training_options import TrainingOptions
from tests.small_training import ONE_STAGE, ONE_STAGE_LINEAR, small_training, training_version

REPOSITORY = Path(__file__).resolve().parents[2]
# Two epochs of three steps; everything that draws at random is on.
OPTIONS = small_training(network=ONE_STAGE_LINEAR, epochs=2, steps_per_epoch=3, checkpoint_steps=2, deterministic=True)
# Batch normalisation, whose moving statistics each device keeps for itself. Devices see shares of a batch: other
# weights than on one device are right. A short memory, and no linear path beside it, let the statistics of the devices
# differ and the scores depend on them. Nine patches leave one over, with nothing for the second device.
NORMALIZED = replace(
    OPTIONS,
    network=replace(ONE_STAGE, normalization=Normalization("batch", 0.5, 1)),
    validation_patches=9,
)
# Processes, by the names of their folders: the second repeats what the first does, with a kill on the way.
RUNS = ("first", "second", "normalized")
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


def killed_and_resumed(version: Path, options: TrainingOptions, folder: Path) -> dict[str, Any]:
    """What a training tells that was killed after step 5 and goes on: its history, and where it began anew."""
    again = StopAfter()
    with pytest.raises(KilledError):
        train(version, options, folder, StopAfter(5))
    return {"resumed": train(version, options, folder, again).history, "begun": again.begun}


def train_all(version: Path, folder: Path) -> None:
    """What one process trains, see `RUNS`; every training leaves its last checkpoint."""
    options = NORMALIZED if folder.name == "normalized" else OPTIONS
    shared = replace(options, devices=2)
    told: dict[str, Any] = {}
    if folder.name != "second":
        trained = train(version, shared, folder / "two", StopAfter())
        told |= {"two": trained.history, "score": trained.score, "best": trained.best}
    if folder.name != "first":
        told |= killed_and_resumed(version, shared, folder / "resumed")
    if folder.name != "normalized":
        told["one"] = train(version, options, folder / "one", StopAfter()).history
    (folder / "told.json").write_text(json.dumps(told))


def told_by(run: Path) -> dict[str, Any]:
    """What the trainings of a process told."""
    told: dict[str, Any] = json.loads((run / "told.json").read_text())
    return told


def last_state(run: Path) -> State:
    """Every variable of a training's last checkpoint: weights, both optimizers with their momenta, means."""
    (index,) = run.glob("step-*/*.index")
    reader = tf.train.load_checkpoint(str(index.with_suffix("")))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("variables/")]
    return {name: np.asarray(reader.get_tensor(name)) for name in names}


def assert_same_state(run: Path, other: Path) -> None:
    ours, theirs = last_state(run), last_state(other)
    assert set(ours) == set(theirs)
    for name in ours:
        assert np.array_equal(ours[name], theirs[name]), name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of three processes that ran `train_all`, by name."""
    folder = tmp_path_factory.mktemp("devices")
    version = training_version(folder)
    runs = {name: folder / name for name in RUNS}
    processes = []
    for run in runs.values():
        run.mkdir()
        command = [sys.executable, "-m", "tests.drae_model.test_devices", str(version), str(run)]
        processes.append(subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True))
    # All end before the first is judged: none is left behind.
    said = [process.communicate()[1] for process in processes]
    for process, errors in zip(processes, said, strict=True):
        assert process.returncode == 0, errors[-4000:]
    return runs


@pytest.mark.slow
def test_two_devices_train_like_one(runs: dict[str, Path]) -> None:
    one, two = last_state(runs["first"] / "one"), last_state(runs["first"] / "two")

    assert set(one) == set(two)
    # Sums in another order differ in the last bits. Adam's momenta tell gradients apart that are of another size, to
    # which its steps are blind.
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-5, atol=2e-6, err_msg=name)


@pytest.mark.slow
def test_two_devices_tell_the_losses_and_scores_of_one(runs: dict[str, Path]) -> None:
    told = told_by(runs["first"])

    for one, two in zip(told["one"], told["two"], strict=True):
        # The variance is over the patches of a device: of half a batch it is less.
        assert {**two, "latent_variance": 0} == pytest.approx({**one, "latent_variance": 0}, rel=1e-4)


@pytest.mark.slow
def test_a_validation_that_two_devices_cannot_share_evenly_has_a_score(runs: dict[str, Path]) -> None:
    for row in told_by(runs["normalized"])["two"]:
        # 1 - SSIM, between 0 and 2.
        assert 0 < row["val_score"] < 2


@pytest.mark.slow
@pytest.mark.parametrize("run", ["first", "normalized"])
def test_two_devices_judge_like_the_model_that_ships(runs: dict[str, Path], run: str) -> None:
    told = told_by(runs[run])

    assert told["score"] == pytest.approx(told["best"]["val_score"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "killed"), [("first", "second"), ("normalized", "normalized")])
def test_a_training_on_two_devices_goes_on_after_a_kill(runs: dict[str, Path], whole: str, killed: str) -> None:
    """With `second` in another process than the whole one, bit for bit: deterministic mode holds on two devices."""
    told = told_by(runs[killed])

    # Killed after step 5; a checkpoint is written after steps 2 and 4, and at an epoch's end.
    assert told["begun"] == [4]
    assert told["resumed"] == told_by(runs[whole])["two"]
    assert_same_state(runs[whole] / "two", runs[killed] / "resumed")


@pytest.mark.slow
def test_in_deterministic_mode_two_processes_agree_bit_for_bit(runs: dict[str, Path]) -> None:
    assert_same_state(runs["first"] / "one", runs["second"] / "one")


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
