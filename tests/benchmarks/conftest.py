"""Small lines for the benchmarks of detection and scoring: built, with a model of random weights, and scored."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from ruamel.yaml import YAML

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_data.labels import LabelOptions
from drae_data.local_files import LocalFiles
from drae_data.options import SplitOptions, select_images
from drae_data.patches import PatchOptions
from drae_data.path_template import PathTemplate
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_data.verification.claims import read_claims
from tests.acceptance_line import build, enter_copy, write_params
from tests.small_line import HEIGHT, WIDTH, build_dataset, small_frame, small_options
from tests.small_training import LINEAR

WHOLE = StripLayout("pixels", (HEIGHT, WIDTH), {"R0": ((0, 0, WIDTH, HEIGHT),)}, allow_overlap=False)


def write_random_model(folder: Path, regions: list[str]) -> None:
    """A model as the stage train leaves it, but that it was never trained."""
    from drae_model.loss_options import ScoreOptions
    from drae_model.model_folder import Inspector, write_model
    from drae_model.networks import build_autoencoder

    digest = read_claims(LocalFiles(str(folder / "datasets/small/1.0.0"))).digest
    score = {"definition": "1 - SSIM", "options": {"aggregate": "mean", "percentile": 99.0, "window": 3}}
    card = {
        "patch_size": 32, "regions": regions, "score": score,
        "dataset": {"name": "small", "version": "1.0.0", "digest": digest},
    }  # fmt: skip
    (folder / "model").mkdir()
    autoencoder = build_autoencoder(LINEAR, len(regions), 7, "float32")
    model = Inspector(autoencoder, ScoreOptions("mean", 99.0, 3), 32, regions)
    write_model(folder / "model", model, card)


def score_sets(folder: Path, *names: str) -> None:
    """What the stage score does, in the folder."""
    from pipelines import score

    with contextlib.chdir(folder):
        for name in names:
            assert score.main(["--set", name]) == 0


@pytest.fixture(scope="session")
def scored_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The line of `tests.acceptance_line`; no test changes it."""
    folder = tmp_path_factory.mktemp("scored")
    for name, letter in (("small", "P"), ("calibration", "C"), ("kit", "K")):
        build(folder, name, letter)
    write_params(folder)
    write_random_model(folder, ["R0", "R1"])
    score_sets(folder, "calibration", "kit")
    return folder


@pytest.fixture
def line(scored_line: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scored line, and the test in it."""
    return enter_copy(scored_line, tmp_path / "line", monkeypatch)


def build_by_path(folder: Path, name: str, labels: dict[str, int], split: SplitOptions) -> None:
    """A set of strips of one vial, region, run and frame, whose labels are their folders."""
    root = folder / "frames" / name
    for label, count in labels.items():
        (root / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(root / label / f"{name}{number}.png"), small_frame(f"{name}{label}{number}", 0, 0))
    options = small_options(
        name=name, template=PathTemplate("{batch}/{strip}.png"), frames=(0,), images=select_images([0], []),
        layouts=StripLayouts.single(WHOLE), patch=PatchOptions(32, "stretch", "linear", 0, "png"), split=split,
        labels=LabelOptions("", {}, (), "batch", {"normal": "good", "anomaly": "defective"}, ()),
    )  # fmt: skip
    build_dataset(root, folder / "datasets" / name / "1.0.0", options)


@pytest.fixture(scope="session")
def labelled_by_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good strips to train on, others and defective ones to judge, as in the set aliens; no test changes it."""
    folder = tmp_path_factory.mktemp("by_path")
    build_by_path(folder, "small", {"normal": 15}, SplitOptions("strip", Fraction(1, 5), 7))
    build_by_path(folder, "aliens", {"normal": 4, "anomaly": 5}, SplitOptions("none", Fraction(0), 1))
    write_params(folder)
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(folder / "params.yaml")
    values["build"]["aliens"] = values["build"]["small"]
    values["score"]["sets"] = {"aliens": {"split": "test", "trained_strips": "refuse"}}
    yaml.dump(values, folder / "params.yaml")
    write_random_model(folder, ["R0"])
    score_sets(folder, "aliens")
    return folder
