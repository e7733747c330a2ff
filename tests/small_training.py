"""A training small enough for tests: networks of two narrow stages on patches of 32 x 32, averaged down to 16 x 16."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_data.options import SplitOptions
from drae_data.patches import PatchOptions
from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.network_options import LinearPath, NetworkOptions, Normalization
from drae_model.perturbation_options import AugmentationOptions, PerturbationOptions
from drae_model.read_options import Shuffle
from drae_model.training_options import Guard, LearningRate, TrainingOptions
from tests.small_line import build_dataset, small_options, write_line

NETWORK = NetworkOptions(
    input_size=16,
    widths=(4, 8),
    discriminator_widths=(4, 8),
    blocks=2,
    bottleneck=6,
    merge="add",
    activation="pre",
    normalization=Normalization("none", 0.9, 2),
    linear_path=None,
    lateral=False,
)
LINEAR = replace(NETWORK, linear_path=LinearPath(5, per_region=True, fit_patches=60, join="sum"))
# For tests of the training around a network: these take less to trace.
ONE_STAGE = replace(NETWORK, widths=(4,), discriminator_widths=(4,))
ONE_STAGE_LINEAR = replace(ONE_STAGE, linear_path=LINEAR.linear_path)


def small_training(**changes: Any) -> TrainingOptions:
    """Options of the small training; any of them can be changed."""
    values: dict[str, Any] = {
        "seed": 3,
        "network": NETWORK,
        "perturbation": PerturbationOptions(0.75, (0, 2), 0.2, (0.5, 1.0), "field"),
        "augmentation": AugmentationOptions(10.0, 0.0, "reflect", vertical_flip=True, horizontal_flip=False),
        "losses": LossOptions(1.0, 50.0, 2.0, 1.0, 1.0, 3.0, "blend", 1.0),
        "score": ScoreOptions("mean", 99.0, 3),
        "learning_rate": LearningRate(1e-3, None, 1 / 3),
        "batch_size": 8,
        "epochs": 3,
        "steps_per_epoch": 8,
        "validation_patches": None,
        "shuffle": Shuffle(3, 20, 4),
        "checkpoint_steps": 3,
        "precision": "float32",
        "xla": False,
        "deterministic": False,
        "devices": 1,
        "guard": Guard(1e-9, 1e-12),
        "panels": 3,
    }
    return TrainingOptions(**{**values, **changes})


def training_version(folder: Path, validation: str = "1/5") -> Path:
    """Builds 160 patches of 32 x 32 in train and 40 in validation below a folder; returns the version's folder."""
    root = write_line(folder / "frames")
    split = SplitOptions("strip", Fraction(validation), 7)
    version = folder / "small" / "1.0.0"
    build_dataset(root, version, small_options(patch=PatchOptions(32, "stretch", "linear", 0, "png"), split=split))
    return version


def smooth_images(count: int, size: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Random smooth pictures: float32 [count, size, size, 1], 0 to 1."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves = [
        0.5 + 0.25 * np.sin(2 * np.pi * (a * x + b * y + c)) + 0.2 * np.cos(2 * np.pi * (b * x - a * y))
        for a, b, c in draws.uniform(0.2, 1.5, (count, 3))
    ]
    return np.asarray(waves, np.float32)[..., None]
