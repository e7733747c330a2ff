"""What people see of a training: a progress line, DVCLive's metrics and pictures, TensorBoard's curves."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy.typing as npt
import tensorflow as tf
from dvclive.live import Live
from scmrepo.exceptions import SCMError

from drae_model.errors import TrainingError
from drae_model.panels import PanelPatches, draw_panels
from pipelines.console import progress, say

# What DVCLive writes.
REPORT_NAMES = ("metrics.json", "plots")
_SHOWN = ("loss", "discriminator", "val_score")


class TrainLog:
    """The observer of a training; a context manager.

    Args:
        report: folder for DVC: `metrics.json`, `plots/`; what lay there is replaced.
        pictures: folder that keeps the pictures of epochs until the training has ended, also over kills.
        tensorboard: folder of TensorBoard's events.
        batch_size: patches in a step.
        epochs: in all.
    """

    def __init__(self, report: Path, pictures: Path, tensorboard: Path, batch_size: int, epochs: int) -> None:
        self._pictures, self._batch_size, self._epochs = pictures, batch_size, epochs
        try:
            self._live = Live(str(report), save_dvc_exp=False, dvcyaml=None)
        except SCMError as error:
            raise TrainingError(
                f"DVCLive names each training by git's last commit: {error}; run git commit first"
            ) from error
        self._tensorboard = tensorboard
        self._open = ExitStack()
        self._done = self._begun = 0

    def __enter__(self) -> "TrainLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the progress line and the logs."""
        self._open.close()

    def begins(self, done: int, total: int) -> None:
        """Starts the progress line and TensorBoard's events."""
        # Not before: the first thing that TensorFlow does fixes its devices.
        self._writer = tf.summary.create_file_writer(str(self._tensorboard))
        self._open.callback(self._writer.close)
        self._done = self._begun = done
        if done:
            say(f"going on from step {done:,} of {total:,}")
        patches = (total - done) * self._batch_size
        count = lambda: (self._done - self._begun) * self._batch_size  # noqa: E731
        self._open.enter_context(progress("train", patches, "patches", count))

    def stepped(self, done: int) -> None:
        """Counts."""
        self._done = done

    def epoch_ended(self, row: Mapping[str, float], panels: PanelPatches | None) -> None:
        """Logs an epoch's values and picture."""
        epoch = int(row["epoch"])
        path = self._pictures / f"epoch_{epoch:03d}.png"
        if panels is not None:
            title = f"epoch {epoch}, step {int(row['step']):,}: validation score {row['val_score']:.5f}"
            _write_png(path, draw_panels(panels, title))
            shown = ", ".join(f"{name.replace('val_', 'validation ')} {row[name]:.5g}" for name in _SHOWN)
            say(f"epoch {epoch} of {self._epochs}: {shown}")
        values = {metric_name(name): value for name, value in sorted(row.items()) if name not in ("epoch", "step")}
        self._live.step = epoch
        for name, value in values.items():
            self._live.log_metric(name, value)
        if path.exists():
            self._live.log_image(f"panels/{epoch}.png", str(path))
        self._live.make_summary()  # type: ignore[no-untyped-call]
        with self._writer.as_default(step=epoch):
            for name, value in values.items():
                tf.summary.scalar(name, value)
            if path.exists():
                tf.summary.image("panels", tf.io.decode_png(path.read_bytes())[None])

    def summarise(self, values: Mapping[str, Any]) -> None:
        """Adds values to `metrics.json`."""
        self._live.summary.update(values)
        self._live.make_summary()  # type: ignore[no-untyped-call]


def metric_name(name: str) -> str:
    """A history value's name in logs: `validation/score` for `val_score`, `train/loss` for `loss`."""
    if name.startswith("val_"):
        return "validation/" + name.removeprefix("val_")
    return name if name == "learning_rate" else f"train/{name}"


def _write_png(path: Path, picture: npt.NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
