"""The stage `train`: what it writes, that it repeats, that it goes on after a kill, and what bad input ends in."""

import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_data.options import SplitOptions
from drae_data.patches import PatchOptions
from drae_model.validation_scores import read_validation_scores
from pipelines.train import main
from tests.small_line import build_dataset, small_options, tree_bytes, write_line
from tests.small_params import TRAIN, set_value
from tests.small_training import training_version

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"drae.keras": b"a good model", "model.json": b"{}", "saved_model/saved_model.pb": b"and its graph"}
LIMIT_SECONDS = 300.0

PARAMS = (
    """
strip_layout: {units: fractions, frame_size: null, allow_overlap: false, boxes: {R0: [[0, 0, 1, 1]]}}
patch: {size: 32, fit: stretch, grow: linear, fill: 0, encoding: png}
dataset: {folder: VERSIONS, version: 1.0.0}
build:
  small:
    root: unused
    path_template: "{strip}/frame_{frame}.png"
    frames: [0]
    images: {frames: [0], rank: []}
    split: {by: strip, validation_fraction: 0.2, seed: 1}
    shard_patches: 10
    max_frame_pixels: 1000
    max_quarantined: 0
"""
    + TRAIN
)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of versions with 160 patches of 32 x 32 in train and 40 in validation."""
    return training_version(tmp_path_factory.mktemp("line")).parents[1]


def write_params(folder: Path, versions: Path, changes: dict[str, Any] | None = None) -> None:
    """Writes `params.yaml`; changes are values by their place inside the section `train`."""
    values = YAML(typ="safe", pure=True).load(PARAMS)
    values["dataset"]["folder"] = str(versions)
    for place, value in (changes or {}).items():
        set_value(values["train"], place, value)
    folder.mkdir(parents=True, exist_ok=True)
    YAML(typ="safe", pure=True).dump(values, folder / "params.yaml")


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Runs a block in a folder, as people run the command in a checkout."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run(folder: Path, *arguments: str) -> int:
    with inside(folder):
        return main(arguments)


@pytest.fixture(scope="module")
def blocked(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole training whose model could not be written, since a file stands where its folder would be made."""
    folder = tmp_path_factory.mktemp("blocked")
    write_params(folder, versions, {"folder": "models/drae"})
    (folder / "models").write_text("no folder")
    assert run(folder) == 1
    return folder


@pytest.fixture(scope="module")
def trained(blocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same training after the way was cleared: it is not trained again."""
    folder = tmp_path_factory.mktemp("trained") / "folder"
    shutil.copytree(blocked, folder)
    (folder / "models").unlink()
    assert run(folder) == 0
    return folder


@pytest.fixture
def workplace(tmp_path: Path, versions: Path) -> Path:
    """A folder with params and a good model, which every failure must leave alone."""
    folder = tmp_path / "work"
    write_params(folder, versions)
    for name, content in GOOD.items():
        (folder / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "model" / name).write_bytes(content)
    return folder


def checkpoints(folder: Path) -> Path:
    (found,) = (path for path in (folder / "logs/training").iterdir() if path.is_dir())
    return found


def assert_refused(said: str, workplace: Path) -> str:
    """One message without a traceback, and the good model byte for byte; returns the message."""
    assert "Traceback" not in said
    assert said.count("error: ") == 1
    assert tree_bytes(workplace / "model") == GOOD
    # Nothing half written lies beside it.
    assert [path.name for path in workplace.iterdir() if "model" in path.name] == ["model"]
    return said[said.index("error: ") :]


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: like a full disk, for this process alone."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.slow
def test_a_model_and_its_card_and_report_are_written(trained: Path, versions: Path) -> None:
    model, report = trained / "models/drae", trained / "report"
    assert sorted(path.name for path in model.iterdir()) == [
        "drae.keras", "model.json", "saved_model", "validation_scores.parquet",
    ]  # fmt: skip
    card = json.loads((model / "model.json").read_text())
    provenance = json.loads((versions / "small/1.0.0/provenance.json").read_text())
    assert card["dataset"] == {"name": "small", "version": "1.0.0", "digest": provenance["digest"]}
    assert (card["patch_size"], card["input_size"]) == (32, 16)
    assert card["signatures"]["reconstruct"].startswith("patches uint8 [n, p, p, 1] -> ")
    assert card["train"]["network"]["widths"] == [4, 8]
    assert [row["epoch"] for row in card["metrics"]["history"]] == [1, 2]

    scores = [line.split("\t") for line in (report / "plots/metrics/validation/score.tsv").read_text().splitlines()]
    assert [step for step, _ in scores[1:]] == ["1", "2"]
    assert [float(score) for _, score in scores[1:]] == [row["val_score"] for row in card["metrics"]["history"]]
    metrics = json.loads((report / "metrics.json").read_text())
    # The best epoch, judged once more by the model as it ships.
    assert metrics["best_score"] == pytest.approx(min(float(score) for _, score in scores[1:]), rel=1e-4)
    assert metrics["validation"]["score"] == float(scores[2][1])
    validation = read_validation_scores(model)
    assert set(validation) == set(card["regions"])
    everything = np.concatenate(list(validation.values()))
    assert len(everything) == card["validation_scores"]["patches"]
    assert everything.mean() == pytest.approx(metrics["best_score"], rel=1e-6)
    assert {"loss.tsv", "discriminator.tsv"} <= {path.name for path in (report / "plots/metrics/train").iterdir()}
    assert sorted(path.name for path in (report / "plots/images/panels").iterdir()) == ["1.png", "2.png"]
    assert list((trained / "logs/tensorboard").glob("*/events.*"))


@pytest.mark.slow
def test_a_card_holds_neither_host_nor_path(trained: Path) -> None:
    text = (trained / "models/drae/model.json").read_text()
    assert platform.node() not in text
    assert str(trained.parents[1]) not in text
    values: list[Any] = [json.loads(text)]
    for value in values:
        if isinstance(value, dict | list):
            values += value.values() if isinstance(value, dict) else value
    assert not [value for value in values if isinstance(value, str) and value.startswith("/")]


@pytest.mark.slow
def test_checkpoints_stay_until_the_model_is_written_and_no_longer(blocked: Path, trained: Path) -> None:
    assert [path.name for path in checkpoints(blocked).glob("step-*")] == ["step-0000000012"]
    assert [path for path in (trained / "logs/training").iterdir() if path.is_dir()] == []


@pytest.mark.slow
def test_what_a_killed_training_wrote_is_gone_on_from_and_ends_the_same(
    trained: Path, versions: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The kill is a real one; the folder and the time are others, so this shows too that a training repeats exactly."""
    folder = tmp_path / "killed"
    write_params(folder, versions, {"folder": "models/drae"})
    command = [sys.executable, "-m", "pipelines.train"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        end = time.monotonic() + LIMIT_SECONDS
        while not list(folder.glob("logs/training/*/step-*")) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, (tmp_path / "output").read_text()
    assert not (folder / "models").exists()

    assert run(folder) == 0

    assert "going on from step " in capfd.readouterr().out
    for name in ("models/drae", "report"):
        assert tree_bytes(folder / name) == tree_bytes(trained / name), name


@pytest.mark.slow
def test_a_training_runs_twice_to_the_same_bytes(trained: Path, versions: Path, tmp_path: Path) -> None:
    """From the first step, over the model and the report of the first run."""
    folder = tmp_path / "again"
    shutil.copytree(trained, folder)
    assert run(folder, "--fresh") == 0
    for name in ("models/drae", "report"):
        assert tree_bytes(folder / name) == tree_bytes(trained / name), name
    # A copy has the time of what it is of.
    assert (folder / "models/drae/model.json").stat().st_mtime > (trained / "models/drae/model.json").stat().st_mtime


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network.widhts": [4]}, r"train.network.widhts: unknown key"),
        ({"network.widths": [4, 0]}, r"train.network.widths.1: expected greater than or equal to 1, got 0"),
        ({"network.widths": [4] * 5}, r"train.network.widths: expected at most as many stages as input_size 16"),
        ({"q": 1.5}, r"train.q: expected 0.0 to 1.0, got 1.5"),
        ({"set": "kit"}, r"train.set: expected one of ['small'], got 'kit'"),
        ({"network.input_size": 24}, r"train.network.input_size: expected a divisor of 32, the side of the patches in"),
        ({"devices": 4, "validation_patches": 3}, r"train.devices: expected at most the 3 patches that validation"),
        ({"seed": 2**32}, r"train.seed: expected less than or equal to 4294967295, got 4294967296"),
        ({"xla": True, "deterministic": True}, r"train.xla: expected false where deterministic is true, got True"),
        ({"report": "model/report"}, r"train.report: expected a folder neither inside nor around train.folder, model"),
        ({"report": "model"}, r"train.report: expected a folder for one report, which holds nothing but metrics.json"),
        ({"folder": "new/model", "report": "new"}, r"train.report: expected a folder neither inside nor around"),
        ({"report": "."}, r"train.report: expected a folder with a name, got '.'"),
        ({"folder": ".."}, r"train.folder: expected a folder with a name, got '..'"),
    ],
)
def test_a_wrong_parameter_is_refused(
    workplace: Path, versions: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], said: str
) -> None:
    write_params(workplace, versions, changes)
    assert run(workplace) == 1
    assert said in assert_refused(capsys.readouterr().err, workplace)


@pytest.mark.parametrize(
    ("report", "arguments", "said"),
    [
        ("mine", [], "train.report: expected a folder for one report, which holds nothing but metrics.json and plots"),
        ("report", ["--checkpoints", "mine"], "--checkpoints: expected a folder that holds nothing, or a training's"),
        ("report", ["--checkpoints", "mine", "--fresh"], "--checkpoints: expected a folder that holds nothing"),
    ],
)
def test_a_folder_with_other_files_is_neither_replaced_nor_emptied(
    workplace: Path, versions: Path, report: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"report/notes.txt": b"notes", "step-by-step/guide.txt": b"a guide", "metrics.json": b"{}"}
    for name, content in theirs.items():
        (workplace / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (workplace / "mine" / name).write_bytes(content)
    write_params(workplace, versions, {"report": report})
    assert run(workplace, *arguments) == 1
    assert said in assert_refused(capsys.readouterr().err, workplace)
    assert tree_bytes(workplace / "mine") == theirs


def test_an_absent_dataset_is_refused(workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(workplace, tmp_path / "nowhere")
    assert run(workplace) == 1
    assert f"{tmp_path}/nowhere/small/1.0.0" in assert_refused(capsys.readouterr().err, workplace)


def test_an_empty_split_is_refused(workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything in the split test: nothing to train on."""
    options = small_options(
        patch=PatchOptions(32, "stretch", "linear", 0, "png"), split=SplitOptions("none", Fraction(0), 7)
    )
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "none/small/1.0.0", options)
    write_params(workplace, tmp_path / "none")
    assert run(workplace) == 1
    message = assert_refused(capsys.readouterr().err, workplace)
    assert "a training needs patches in the splits train and validation" in message
    assert "validation_fraction above 0" in message


@pytest.mark.slow
def test_a_learning_rate_that_diverges_is_said(
    workplace: Path, versions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(workplace, versions, {"learning_rate.start": 1e30})
    assert run(workplace) == 1
    message = assert_refused(capsys.readouterr().err, workplace)
    assert "the training has diverged" in message
    assert "train.learning_rate.start" in message
    assert "--fresh" in message


@pytest.mark.slow
def test_the_checkpoint_of_another_architecture_is_refused_and_stays(
    workplace: Path, blocked: Path, versions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoints(blocked), workplace / "theirs")
    before = {
        name: data for name, data in tree_bytes(workplace / "theirs").items() if name.startswith(("step", "best"))
    }
    assert before
    write_params(workplace, versions, {"network.widths": [4, 12]})
    assert run(workplace, "--checkpoints", "theirs") == 1
    message = assert_refused(capsys.readouterr().err, workplace)
    assert "train.network.widths: the checkpoint has [4, 8], the parameters have [4, 12]" in message
    assert "--fresh" in message
    assert before.items() <= tree_bytes(workplace / "theirs").items()


@pytest.mark.slow
def test_a_disk_that_fills_while_a_checkpoint_is_written(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_files(2000):
        assert run(workplace) == 1
    message = assert_refused(capsys.readouterr().err, workplace)
    assert "the checkpoint cannot be written" in message
    assert "File too large" in message
    assert "Whole checkpoints: none yet" in message


@pytest.mark.slow
def test_a_disk_that_fills_while_the_model_is_written(
    workplace: Path, versions: Path, blocked: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The training is over, so that the model is the first large file; then there is room again."""
    shutil.copytree(checkpoints(blocked), workplace / "done")
    with small_files(200_000):
        assert run(workplace, "--checkpoints", "done") == 1
    message = assert_refused(capsys.readouterr().err, workplace)
    assert "model: the model cannot be written" in message

    # The model is written now; the report is not, since a file stands where its folder would be made.
    write_params(workplace, versions, {"report": "file/report"})
    (workplace / "file").write_text("no folder")
    assert run(workplace, "--checkpoints", "done") == 1
    message = capsys.readouterr().err
    assert "file/report: the report cannot be written" in message
    assert "the new model in model is whole" in message
    write_params(workplace, versions)

    assert run(workplace, "--checkpoints", "done") == 0
    assert (workplace / "model/drae.keras").read_bytes() == (trained / "models/drae/drae.keras").read_bytes()
    assert not (workplace / "done").exists()
