"""A whole small training: exact repetition, resuming after a kill, the best model, and what stops it."""

import json
import math
import os
import resource
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_model.errors import TrainingError
from drae_model.panels import PanelPatches, draw_panels
from drae_model.training import Trained, train, training_identity
from drae_model.training_batches import region_patches, validation_batches
from drae_model.training_options import Guard, LearningRate
from drae_model.training_watch import check_collapse, check_finite
from tests.small_line import tree_bytes
from tests.small_training import ONE_STAGE_LINEAR, small_training, training_version

pytestmark = pytest.mark.slow
OPTIONS = small_training(network=ONE_STAGE_LINEAR)


class KilledError(BaseException):
    """Stands for kill -9: nothing of the training's own code sees it."""


class Watcher:
    """Notes what it is told, and ends the training after a step or in an epoch's end."""

    def __init__(self, stop_after: int = -1, stop_in_epoch: int = -1) -> None:
        self.rows: list[dict[str, float]] = []
        self.panels: list[PanelPatches] = []
        self.steps: list[int] = []
        self.begun: list[tuple[int, int]] = []
        self._stop_after, self._stop_in_epoch = stop_after, stop_in_epoch

    def begins(self, done: int, total: int) -> None:
        self.begun.append((done, total))

    def stepped(self, done: int) -> None:
        self.steps.append(done)
        if done == self._stop_after:
            raise KilledError

    def epoch_ended(self, row: Mapping[str, float], panels: PanelPatches | None) -> None:
        if row["epoch"] == self._stop_in_epoch:
            raise KilledError
        self.rows.append(dict(row))
        if panels is not None:
            self.panels.append(panels)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_version(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="module")
def whole(version: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Watcher]:
    """A training that nothing stops: 3 epochs of 8 steps."""
    watcher = Watcher()
    return train(version, OPTIONS, tmp_path_factory.mktemp("run") / "run", watcher), watcher


@pytest.fixture(scope="module")
def stopped(version: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was killed after step 4; its checkpoint is of step 3. No test changes it."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(KilledError):
        train(version, OPTIONS, folder, Watcher(stop_after=4))
    return folder


@pytest.fixture
def run(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(stopped, tmp_path / "run")


def weights_of(trained: Trained) -> list[np.ndarray[Any, Any]]:
    return [weight.numpy() for weight in trained.inspector.autoencoder.weights]


def assert_same(first: Trained, second: Trained) -> None:
    assert first.history == second.history
    for ours, theirs in zip(weights_of(first), weights_of(second), strict=True):
        assert np.array_equal(ours, theirs)


def test_it_counts_its_steps_and_tells_its_epochs(whole: tuple[Trained, Watcher]) -> None:
    trained, watcher = whole

    assert watcher.begun == [(0, 24)]
    assert watcher.steps == list(range(1, 25))
    assert [(row["epoch"], row["step"]) for row in watcher.rows] == [(1, 8), (2, 16), (3, 24)]
    assert [dict(row) for row in trained.history] == watcher.rows
    assert all(math.isfinite(value) for row in watcher.rows for value in row.values())


def test_the_learning_rate_restarts_with_each_epoch_at_a_third(whole: tuple[Trained, Watcher]) -> None:
    # The rate of each epoch's last step, the eighth of eight: 7/8 of the way from the start to 0 along a cosine.
    rates = [row["learning_rate"] for row in whole[0].history]
    last = (1 + math.cos(math.pi * 7 / 8)) / 2
    assert rates == pytest.approx([1e-3 * last, 1e-3 / 3 * last, 1e-3 / 9 * last], rel=1e-4)


def test_the_model_is_that_of_the_best_epoch(version: Path, whole: tuple[Trained, Watcher]) -> None:
    trained, _ = whole
    best = min(trained.history, key=lambda row: row["val_score"])

    assert dict(trained.best) == dict(best)
    found = []
    for batch in validation_batches(version, OPTIONS, None):
        rebuilt = trained.inspector.rebuild(batch["image"], batch["region"])
        found += list(1 - np.asarray(_ssim(batch["image"].numpy(), rebuilt.numpy())))
    assert np.mean(found) == pytest.approx(best["val_score"], abs=1e-5)


def _ssim(images: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> list[float]:
    from skimage.metrics import structural_similarity

    return [
        structural_similarity(
            a[..., 0], b[..., 0], gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
        )
        for a, b in zip(images, others, strict=True)
    ]


def test_the_linear_path_starts_from_principal_components(version: Path, tmp_path: Path) -> None:
    """With a learning rate of nearly nothing the model stays at its start, which is PCA's reconstruction."""
    still = replace(OPTIONS, learning_rate=LearningRate(1e-12, None, 1.0), epochs=1, steps_per_epoch=1)
    trained = train(version, still, tmp_path / "run", Watcher())

    layer = trained.inspector.autoencoder.get_layer("linear_path")
    assert layer.mean.shape[0] == 2  # regions
    pixels = layer.mean.shape[1]
    for encode, decode in zip(layer.encode.numpy(), layer.decode.numpy(), strict=True):
        np.testing.assert_allclose(encode.T @ encode / pixels, np.eye(5), atol=1e-4)
        np.testing.assert_allclose(encode, decode.T, atol=1e-6)
    # Each region has its own.
    assert trained.inspector.regions == ("R0", "R1")
    for region, mean in zip(("R0", "R1"), layer.mean.numpy(), strict=True):
        images = np.concatenate(list(region_patches(version, still, region, 60).as_numpy_iterator()))
        np.testing.assert_allclose(mean, images.mean(axis=0).ravel(), atol=1e-5)


def test_a_training_that_is_killed_again_and_again_ends_as_if_nothing_had_been(
    version: Path, whole: tuple[Trained, Watcher], tmp_path: Path
) -> None:
    """A checkpoint follows steps 3 and 6, and 8, an epoch's last, and so on.

    A kill at an epoch's last step, or in its end, is before its checkpoint, and costs the steps since the one before.
    """
    run, begun = tmp_path / "run", []
    for watcher in (Watcher(stop_after=4), Watcher(stop_after=8), Watcher(stop_after=9), Watcher(stop_in_epoch=2)):
        with pytest.raises(KilledError):
            train(version, OPTIONS, run, watcher)
        begun += watcher.begun
    resumed = Watcher()

    trained = train(version, OPTIONS, run, resumed)

    assert_same(trained, whole[0])
    assert [*begun, *resumed.begun] == [(0, 24), (3, 24), (6, 24), (9, 24), (15, 24)]
    assert [row["epoch"] for row in resumed.rows] == [1, 2, 3]
    # Of the epochs that this process ended.
    assert len(resumed.panels) == 2


def test_other_parameters_do_not_go_on_from_a_checkpoint(version: Path, run: Path) -> None:
    other = replace(OPTIONS, network=replace(ONE_STAGE_LINEAR, widths=(12,)))
    before = tree_bytes(run)

    with pytest.raises(TrainingError) as caught:
        train(version, other, run, Watcher())

    assert "train.network.widths: the checkpoint has [4], the parameters have [12]" in str(caught.value)
    assert "--fresh" in str(caught.value)
    # It is still there for the training that it belongs to.
    assert tree_bytes(run) == before


@pytest.mark.parametrize("damage", ["state", "weights", "cut"])
def test_a_damaged_checkpoint_is_named(version: Path, run: Path, damage: str) -> None:
    (newest,) = run.glob("step-*")
    if damage == "state":
        (newest / "state.json").write_text("{")
    elif damage == "weights":
        (newest / "weights.index").unlink()
    else:
        data = next(newest.glob("weights.data*"))
        data.write_bytes(data.read_bytes()[:100])

    with pytest.raises(TrainingError, match=r"step-0000000003.*--fresh"):
        train(version, OPTIONS, run, Watcher())


def test_a_learning_rate_that_diverges_is_said_and_leaves_the_checkpoint_before(version: Path, tmp_path: Path) -> None:
    wild = replace(OPTIONS, learning_rate=LearningRate(1e30, None, 1.0))

    with pytest.raises(TrainingError, match=r"step \d: the training has diverged: .*nan.*learning_rate\.start"):
        train(version, wild, tmp_path / "run", Watcher())


def test_a_disk_that_fills_leaves_the_checkpoint_before(
    version: Path, whole: tuple[Trained, Watcher], run: Path
) -> None:
    # No file may grow beyond this: like a full disk, for this process alone.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(TrainingError, match=r"cannot be written.*step-0000000003.*run the same command again"):
            train(version, OPTIONS, run, Watcher())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert [path.name for path in run.glob("*") if not path.name.startswith(".")] == ["step-0000000003"]
    assert_same(train(version, OPTIONS, run, Watcher()), whole[0])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"discriminator": 1e-8, "latent_variance": 1.0}, "discriminator has won.*1e-06.*1e-08"),
        ({"discriminator": 0.5, "latent_variance": 0.0}, "latent vectors have collapsed.*got 0"),
    ],
)
def test_a_collapse_is_said(values: dict[str, float], words: str) -> None:
    with pytest.raises(TrainingError, match="step 7: .*" + words):
        check_collapse(values, Guard(1e-6, 1e-8), 7)
    check_collapse({"discriminator": 0.6, "latent_variance": 0.1}, Guard(1e-6, 1e-8), 7)


def test_an_infinite_loss_is_said() -> None:
    with pytest.raises(TrainingError, match=r"step 9: .*loss = inf; noise = 0\.5\."):
        check_finite({"loss": math.inf, "noise": 0.5}, 9)


def test_a_collapse_ends_the_training(version: Path, tmp_path: Path) -> None:
    strict = replace(OPTIONS, guard=Guard(10.0, 0.0))
    with pytest.raises(TrainingError, match="step 3: the discriminator has won"):
        train(version, strict, tmp_path / "run", Watcher())


def test_the_identity_tells_trainings_apart(version: Path) -> None:
    identity = training_identity(version, OPTIONS)

    assert identity == json.loads(json.dumps(identity))
    assert identity != training_identity(version, replace(OPTIONS, seed=4))


def test_a_picture_has_a_row_for_each_patch(whole: tuple[Trained, Watcher]) -> None:
    last = whole[1].panels[-1]

    picture = draw_panels(last, "epoch 3")

    assert len(last.keys) == 3
    assert picture.dtype == np.uint8
    assert last.rebuilt is not None
    assert last.heatmaps is not None
    assert last.rebuilt.shape == last.images.shape == (3, 16, 16, 1)
    # Every patch of the picture is perturbed, the same in each epoch.
    assert np.array_equal(last.perturbed, whole[1].panels[0].perturbed)
    assert (last.perturbed != last.images).any(axis=(1, 2, 3)).all()
    fewer = draw_panels(replace(last, keys=last.keys[:1]), "epoch 3")
    assert picture.shape[0] > fewer.shape[0]
