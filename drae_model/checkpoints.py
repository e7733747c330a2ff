"""Step-exact checkpoints: weights, both optimizers, the epoch's means, the step, the history; whole or absent.

Keras' own BackupAndRestore keeps weights and the epoch only. The data's position needs no room of its own: batches
depend on the step alone (`drae_model.training_batches`).
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf

from drae_data.staged_folder import staged_folder
from drae_model.drae import DRAE
from drae_model.errors import TrainingError, first_line

_STATE = "state.json"
_WEIGHTS = "weights"
_BEST = "autoencoder.weights.h5"


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: steps done, over all epochs.
        epoch: epochs done, with their validation.
        history: a row per epoch done: `epoch`, `step`, and values by name.
        best_epoch: number of the epoch with the least validation score; -1 before the first.
    """

    step: int = 0
    epoch: int = 0
    history: tuple[Mapping[str, float], ...] = field(default=())
    best_epoch: int = -1

    @property
    def best(self) -> Mapping[str, float]:
        """The row of the best epoch."""
        return self.history[self.best_epoch]


def remove_checkpoints(folder: Path) -> None:
    """Removes the checkpoints in a folder, finished or not, and the folder where nothing else lies in it."""
    for pattern in ("step-[0-9]*", "best-[0-9]*", ".step-[0-9]*", ".best-[0-9]*"):
        for found in folder.glob(pattern):
            shutil.rmtree(found, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


class Checkpoints:
    """The checkpoints of one training in a folder of their own; only the newest is kept, and the best model.

    Args:
        folder: is made where it is absent.
        drae: the compiled model, whose variables are saved and set.
        identity: JSON values that say which training this is, by name.
    """

    def __init__(self, folder: Path, drae: DRAE, identity: Mapping[str, Any]) -> None:
        self._folder = folder
        self._drae = drae
        self._identity = _flat(json.loads(json.dumps(identity)))
        self._identity["weights"] = [[weight.path, list(weight.shape)] for weight in drae.weights]
        self._checkpoint = tf.train.Checkpoint(variables=[variable.value for variable in _variables(drae)])

    def save(self, progress: Progress) -> None:
        """Writes a checkpoint, then removes the one before.

        Raises:
            TrainingError: it cannot be written; the one before is whole.
        """
        target = self._folder / f"step-{progress.step:010d}"
        try:
            with staged_folder(target) as part:
                self._checkpoint.write(str(part / _WEIGHTS))
                state = {"identity": self._identity, "progress": asdict(progress)}
                (part / _STATE).write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(self._unwritable(target, error)) from error
        kept = {target, self.best_folder(progress.best_epoch)}
        for old in (*self._folder.glob("step-*"), *self._folder.glob("best-*")):
            if old not in kept:
                shutil.rmtree(old, ignore_errors=True)

    def save_best(self, epoch: int) -> None:
        """Writes the autoencoder's weights as those of an epoch; raises `TrainingError` like `save`."""
        target = self.best_folder(epoch)
        try:
            with staged_folder(target) as part:
                self._drae.autoencoder.save_weights(part / _BEST)
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(self._unwritable(target, error)) from error

    def best_folder(self, epoch: int) -> Path:
        """Where the weights of an epoch lie."""
        return self._folder / f"best-{epoch:06d}"

    def best_weights(self, epoch: int) -> Path:
        """The file of an epoch's weights, for `load_weights` of an autoencoder."""
        return self.best_folder(epoch) / _BEST

    def restore(self) -> Progress:
        """Sets the model to the newest checkpoint; without one, the training begins anew.

        Raises:
            TrainingError: the checkpoint is of another training, or is damaged.
        """
        found = sorted(self._folder.glob("step-*"))
        if not found:
            return Progress()
        newest = found[-1]
        try:
            state = json.loads((newest / _STATE).read_text(encoding="utf-8"))
            identity, values = state["identity"], state["progress"]
            progress = Progress(values["step"], values["epoch"], tuple(values["history"]), values["best_epoch"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{newest}/{_STATE}: expected the state of a training, got {error!r}; {_FRESH}"
            ) from error
        if differences := _differences(identity, self._identity):
            raise TrainingError(
                f"{newest}: the checkpoint is of another training than the parameters say:\n"
                + "\n".join(f"  {line}" for line in differences)
                + f"\n{_FRESH}"
            )
        try:
            self._checkpoint.read(str(newest / _WEIGHTS)).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError, IndexError, RuntimeError) as error:
            raise TrainingError(f"{newest}: the checkpoint is damaged: {first_line(error)}; {_FRESH}") from error
        if progress.best_epoch >= 0 and not self.best_weights(progress.best_epoch).is_file():
            raise TrainingError(f"{self.best_weights(progress.best_epoch)}: expected the best model so far; {_FRESH}")
        return progress

    def _unwritable(self, target: Path, error: Exception) -> str:
        whole = ", ".join(sorted(path.name for path in self._folder.glob("step-*"))) or "none yet"
        return (
            f"{target}: the checkpoint cannot be written: {first_line(error)}. Whole checkpoints: {whole}. "
            "Make room and run the same command again: it goes on from there"
        )


_FRESH = "run with the parameters it was made with, name another folder, or begin anew with --fresh"


def _variables(drae: DRAE) -> list[Any]:
    return [
        *drae.autoencoder.variables, *drae.second_encoder.variables, *drae.discriminator.variables,
        *drae.generator_optimizer.variables, *drae.discriminator_optimizer.variables,
        *(variable for tracker in drae.trackers.values() for variable in tracker.variables),
    ]  # fmt: skip


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested JSON objects as one, with dots in the names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{key}: the checkpoint has {found.get(key)!r}, the parameters have {wanted.get(key)!r}"
        for key in sorted({*found, *wanted} - {"weights"})
        if found.get(key) != wanted.get(key)
    ]
    if not lines and found.get("weights") != wanted.get("weights"):
        lines.append("weights: other names or shapes")
    return lines
