"""What looks at each step of a training: the guard against a collapse, the checkpoints, the count of patches."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras

from drae_model.checkpoints import Checkpoints, Progress
from drae_model.devices import share_statistics
from drae_model.errors import TrainingError
from drae_model.training_options import Guard


class StepWatch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """After each step: is the training sane, is it time for a checkpoint, how far is it.

    Args:
        guard: when to give up.
        checkpoints: where to save.
        every: steps between checkpoints.
        progress: at the beginning of this epoch, or in the midst of it where a stopped training goes on.
        means: of the epoch's steps before `progress.step`: values of each tracker's variables, by its name.
        last: number of the epoch's last step; its checkpoint is written after the validation, not here.
        done: called after each step with the number of steps done.
    """

    def __init__(
        self,
        guard: Guard,
        checkpoints: Checkpoints,
        every: int,
        progress: Progress,
        means: Mapping[str, list[Any]],
        last: int,
        done: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._guard, self._checkpoints, self._every = guard, checkpoints, every
        self._progress, self._means, self._last, self._done = progress, means, last, done
        self._step = progress.step

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Sets the epoch's means to those of the steps that were done before; `fit` has just reset them."""
        for name, values in self._means.items():
            for variable, value in zip(self.model.trackers[name].variables, values, strict=True):
                variable.assign(value)

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Before a validation: all devices shall judge by the same statistics."""
        share_statistics(self.model)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Looks at the epoch's means so far; raises `TrainingError`."""
        self._step += 1
        values = {name: float(value) for name, value in (logs or {}).items()}
        check_finite(values, self._step)
        if self._step == self._last:
            self._look()
        elif self._step % self._every == 0:
            self._look()
            share_statistics(self.model)
            progress = self._progress
            self._checkpoints.save(Progress(self._step, progress.epoch, progress.history, progress.best_epoch))
        self._done(self._step)

    def _look(self) -> None:
        """Asks the guard about the steps since it was last asked."""
        recent = self.model.recent
        check_collapse({name: float(mean.result()) for name, mean in recent.items()}, self._guard, self._step)
        for mean in recent.values():
            mean.reset_state()


def check_finite(values: Mapping[str, float], step: int) -> None:
    """Raises `TrainingError` where a value is not a number or infinite.

    Args:
        values: means of losses by name.
        step: after which they were seen.
    """
    if broken := {name: value for name, value in values.items() if not math.isfinite(value)}:
        seen = ", ".join(f"{name} = {value}" for name, value in broken.items())
        whole = ", ".join(f"{name} = {value:.4g}" for name, value in values.items() if math.isfinite(value))
        raise TrainingError(
            f"step {step}: the training has diverged: {seen}{'; ' + whole if whole else ''}. Lower "
            "train.learning_rate.start, or train in float32; no model was written. The last checkpoint may be spoilt "
            "already: the same parameters begin anew with --fresh"
        )


def check_collapse(values: Mapping[str, float], guard: Guard, step: int) -> None:
    """Raises `TrainingError` where discriminator or latent vectors have collapsed.

    Args:
        values: means of the steps since the last look, by name.
        guard: the floors.
        step: after which they were seen.
    """
    if values["discriminator"] < guard.discriminator_floor:
        raise TrainingError(
            f"step {step}: the discriminator has won: expected a mean loss of at least "
            f"{guard.discriminator_floor:.3g} (train.guard.discriminator_floor), got {values['discriminator']:.3g}. "
            "Lower its width or train.learning_rate.start; no model was written"
        )
    if values["latent_variance"] < guard.latent_floor:
        raise TrainingError(
            f"step {step}: the latent vectors have collapsed: expected a variance over the patches of at least "
            f"{guard.latent_floor:.3g} (train.guard.latent_floor), got {values['latent_variance']:.3g}. Lower "
            "train.learning_rate.start or choose another train.network.normalization; no model was written"
        )
