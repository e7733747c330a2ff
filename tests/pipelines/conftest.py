"""The small line of `tests.acceptance_line`, trained and scored once for all tests of the stages behind training."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.acceptance_line import build, enter_copy, write_params


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with frames, versions, a model and params, where nothing is scored yet."""
    from pipelines.train import main as train

    folder = tmp_path_factory.mktemp("scene")
    for name, letter in (("small", "P"), ("calibration", "C"), ("kit", "K")):
        build(folder, name, letter)
    write_params(folder)
    with contextlib.chdir(folder):
        assert train([]) == 0
    return folder


@pytest.fixture
def place(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scene, and the test in it."""
    return enter_copy(scene, tmp_path / "line", monkeypatch)


@pytest.fixture(scope="session")
def scored(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the scene in which both sets are scored; no test changes it."""
    from pipelines import score

    folder = tmp_path_factory.mktemp("scored") / "line"
    shutil.copytree(scene, folder)
    with contextlib.chdir(folder):
        assert score.main(["--set", "kit"]) == 0
        assert score.main(["--set", "calibration"]) == 0
    return folder


@pytest.fixture(scope="session")
def judged(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the scored scene, calibrated and evaluated; no test changes it."""
    from pipelines import calibrate, evaluate

    folder = tmp_path_factory.mktemp("judged") / "line"
    shutil.copytree(scored, folder)
    with contextlib.chdir(folder):
        assert calibrate.main([]) == 0
        assert evaluate.main([]) == 0
    return folder


@pytest.fixture
def done(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scene in which all is scored, calibrated and evaluated, and the test in it."""
    return enter_copy(judged, tmp_path / "line", monkeypatch)
