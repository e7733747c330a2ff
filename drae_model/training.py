"""A training, from a published version to the best model by validation score; exactly repeatable and resumable."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_data import records, shard_plan
from drae_data.errors import DatasetError, OptionError
from drae_model.checkpoints import Checkpoints, Progress
from drae_model.devices import set_up
from drae_model.drae import DRAE
from drae_model.errors import TrainingError
from drae_model.linear_path import principal_components, start_from
from drae_model.model_folder import Inspector
from drae_model.networks import build_autoencoder, build_networks
from drae_model.panels import PanelPatches, panel_patches
from drae_model.patch_dataset import reading_errors
from drae_model.patch_selection import version_content
from drae_model.reconstruction import rebuild
from drae_model.schedule import learning_rate
from drae_model.scoring import scores
from drae_model.training_batches import region_patches, training_batches, training_selection, validation_batches
from drae_model.training_options import TrainingOptions
from drae_model.training_watch import StepWatch, check_finite


class Observer(Protocol):
    """What wants to know how a training goes; it decides nothing."""

    def begins(self, done: int, total: int) -> None:
        """Before the first step: steps done by an earlier process, and steps in all."""

    def stepped(self, done: int) -> None:
        """After each step: how many are done."""

    def epoch_ended(self, row: Mapping[str, float], panels: PanelPatches | None) -> None:
        """After each validation, and at the beginning for each epoch of an earlier process, without pictures then.

        Args:
            row: of `Progress.history`.
            panels: patches for a picture, reconstructed.
        """


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Attributes:
        inspector: the best model.
        history: a row per epoch: `epoch`, `step`, `learning_rate`, means of losses, `val_score`, `val_contextual`.
        best: the row of the best model.
        validation_regions: name of the region of each validation patch, n of them.
        validation_scores: of these patches, by the model as it ships: in float32, on one device; float32 [n].
    """

    inspector: Inspector
    history: tuple[Mapping[str, float], ...]
    best: Mapping[str, float]
    validation_regions: tuple[str, ...]
    validation_scores: npt.NDArray[np.float32]

    @property
    def score(self) -> float:
        """Mean score of the validation patches."""
        return float(self.validation_scores.mean(dtype=np.float64))


def training_identity(folder: Path, options: TrainingOptions) -> dict[str, Any]:
    """JSON values that say which training this is: dataset, options, code; raises `DatasetError`."""
    content = version_content(folder)
    # This package, and what it takes from the builder to order and decode records.
    modules = [*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(one.__file__)) for one in (records, shard_plan))]
    code = hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()
    dataset = {"name": content.name, "version": content.version, "digest": content.digest}
    values = {"dataset": dataset, "train": asdict(options), "code": code}
    values |= {"keras": keras.__version__, "tensorflow": tf.__version__}
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def train(folder: Path, options: TrainingOptions, checkpoint_folder: Path, observer: Observer) -> Trained:
    """Trains to the end, from the newest checkpoint on where there is one.

    Args:
        folder: of a published version with the splits train and validation.
        options: of the training.
        checkpoint_folder: of this training alone; the caller removes it once the model is safe.
        observer: is told how it goes.

    Raises:
        TrainingError: it cannot begin, has diverged or collapsed, or a checkpoint cannot be written or used.
        OptionError: the options do not fit the version.
        DatasetError: the version is absent or damaged.
    """
    selection = training_selection(folder, options)
    steps = options.steps_per_epoch or selection.batches
    regions = version_content(folder).layouts.regions
    strategy = set_up(options)
    with strategy.scope(), reading_errors():
        drae = new_drae(options, regions, steps)
        checkpoints = Checkpoints(checkpoint_folder, drae, training_identity(folder, options))
        progress = checkpoints.restore()
        if not progress.step:
            _start_linear_path(drae, folder, options, regions)
        observer.begins(progress.step, options.epochs * steps)
        for row in progress.history:
            observer.epoch_ended(row, None)
        pictured = panel_patches(folder, options)
        while progress.epoch < options.epochs:
            progress = _train_epoch(drae, folder, options, steps, checkpoints, progress, observer, pictured)
    # Scores must not depend on how the training computed: the model that ships works in float32, on one device.
    autoencoder = build_autoencoder(options.network, _projections(options, regions), options.seed, "float32")
    autoencoder.load_weights(checkpoints.best_weights(progress.best_epoch))
    numbers, found = _validation_scores(autoencoder, folder, options)
    inspector = Inspector(autoencoder, options.score, selection.size, regions)
    names = tuple(regions[number] for number in numbers.tolist())
    return Trained(inspector, progress.history, progress.best, names, found)


def _validation_scores(
    autoencoder: keras.Model, folder: Path, options: TrainingOptions
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Numbers of the regions, and scores, of the patches that each epoch is judged by."""

    def judged(images: Any, regions: Any) -> Any:
        return scores(images, rebuild(autoencoder, images, regions, training=False)["image"], options.score)

    # As Keras compiles its own steps; AutoGraph does not know the match statement.
    judge = tf.function(judged, autograph=False)
    with reading_errors():
        batches = validation_batches(folder, options, options.validation_patches).map(_without_keys)
        found = [(batch["region"].numpy(), judge(batch["image"], batch["region"]).numpy()) for batch in batches]
    numbers, judged_scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return numbers, judged_scores.astype(np.float32)


def _without_keys(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in batch.items() if name != "key"}


def _train_epoch(
    drae: DRAE, folder: Path, options: TrainingOptions, steps: int, checkpoints: Checkpoints, progress: Progress,
    observer: Observer, pictured: PanelPatches,
) -> Progress:  # fmt: skip
    """Trains to the end of an epoch, validates, keeps the best model, writes a checkpoint."""
    epoch, last = progress.epoch, (progress.epoch + 1) * steps
    begun = progress.step > epoch * steps
    means = {name: [variable.numpy() for variable in mean.variables] for name, mean in drae.trackers.items()}
    watch = StepWatch(
        options.guard, checkpoints, options.checkpoint_steps, progress, means if begun else {}, last, observer.stepped
    )
    fitted = drae.fit(
        training_batches(folder, options, progress.step, last),
        # Keys are words, which several devices cannot share.
        validation_data=validation_batches(folder, options, options.validation_patches).map(_without_keys),
        initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, callbacks=[watch],
    )  # fmt: skip
    values = {name: float(found[-1]) for name, found in fitted.history.items()}
    check_finite(values, last)
    rate = float(learning_rate(options.learning_rate, steps)(last - 1))
    row = {"epoch": epoch + 1, "step": last, "learning_rate": rate, **values}
    best = progress.best_epoch
    if best < 0 or row["val_score"] < progress.best["val_score"]:
        best = epoch
        checkpoints.save_best(epoch)
    # Before the checkpoint: what a killed process had not shown is shown when its epoch is done again.
    observer.epoch_ended(row, pictured.reconstructed(drae.autoencoder))
    progress = Progress(last, epoch + 1, (*progress.history, row), best)
    checkpoints.save(progress)
    return progress


def new_drae(options: TrainingOptions, regions: Sequence[str], steps: int) -> DRAE:
    """A model with new weights, compiled; its linear path is random still.

    Args:
        options: of the training.
        regions: of the version that it will be trained on.
        steps: of an epoch.
    """
    networks = build_networks(options.network, _projections(options, regions), options.seed, options.precision)
    drae = DRAE(networks, options.losses, options.score)
    drae.compile(_optimizer(options, steps), _optimizer(options, steps), options.xla)
    return drae


def _optimizer(options: TrainingOptions, steps: int) -> keras.optimizers.Optimizer:
    adam = keras.optimizers.Adam(learning_rate(options.learning_rate, steps))
    # Gradients of half precision would vanish below its smallest number.
    return keras.optimizers.LossScaleOptimizer(adam) if options.precision == "mixed_float16" else adam


def _projections(options: TrainingOptions, regions: Sequence[str]) -> int:
    path = options.network.linear_path
    return len(regions) if path and path.per_region else 1


def _start_linear_path(drae: DRAE, folder: Path, options: TrainingOptions, regions: Sequence[str]) -> None:
    """Sets the linear path to the principal components of training patches."""
    path = options.network.linear_path
    if path is None:
        return
    found = []
    for region in regions if path.per_region else (None,):
        try:
            batches = region_patches(folder, options, region, path.fit_patches)
            images: npt.NDArray[np.float32] = np.concatenate(list(batches.as_numpy_iterator()))
            found.append(principal_components(images.reshape(len(images), -1), path.components))
        except (DatasetError, OptionError) as error:
            if region is None:
                place, other = "the split train", "or set train.network.linear_path to null"
            else:
                place = f"region {region} of the split train"
                other = "or set train.network.linear_path.per_region to false, or linear_path to null"
            raise TrainingError(f"{place}: {error}; {other}") from error
    means, components = (np.stack(parts) for parts in zip(*found, strict=True))
    start_from(drae.autoencoder.get_layer("linear_path"), means, components)
