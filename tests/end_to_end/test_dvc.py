"""`dvc repro` in a project of the repository's own stages: it runs what changed and nothing else."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from drae_data.verification.dataset import verify_dataset
from tests.campaigns.small_project import FRAMES, REPRO, RUNS, SET, environment, frame_path, make_project, mirror_frame
from tests.small_line import files_of

pytestmark = [pytest.mark.slow, pytest.mark.beam]
STRIPS = 6


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose stages have run once."""
    folder = make_project(tmp_path_factory.mktemp("dvc") / "project", STRIPS)
    repro(folder)
    return folder


def repro(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*REPRO, *arguments], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def change(folder: Path, edit: Any) -> None:
    yaml = YAML()
    values = yaml.load(folder / "params.yaml")
    edit(values)
    yaml.dump(values, folder / "params.yaml")


def version(folder: Path, number: str, place: str = "datasets") -> Path:
    return folder / place / SET / number


def test_nothing_runs_where_nothing_changed(project: Path) -> None:
    assert "Running stage" not in repro(project)


def test_a_training_parameter_builds_no_data(project: Path) -> None:
    change(project, lambda values: values["train"].update(q=0.6))
    planned = [line for line in repro(project, "train", "--dry").splitlines() if "Running stage" in line]
    assert planned == ["Running stage 'train':"]
    change(project, lambda values: values["train"].update(q=0.5))


def test_the_parameter_of_one_set_concerns_that_set_alone(project: Path) -> None:
    change(project, lambda values: values["build"][SET].update(shard_patches=100))
    planned = [line for line in repro(project, "--dry").splitlines() if "Running stage" in line]
    assert planned == [f"Running stage 'build@{SET}':"]
    change(project, lambda values: values["build"][SET].update(shard_patches=200))


def test_the_archive_is_the_version_as_hard_links(project: Path) -> None:
    files = {path.relative_to(version(project, "1.0.0")) for path in version(project, "1.0.0").rglob("*.*")}
    assert len(files) > 10
    for name in files:
        one, two = version(project, "1.0.0") / name, version(project, "1.0.0", "archive") / name
        assert one.stat().st_ino == two.stat().st_ino
    assert verify_dataset(files_of(version(project, "1.0.0", "archive")), 2).faults == ()


def test_one_more_strip_writes_new_shards_only(project: Path) -> None:
    old = {path.name: path.stat() for path in version(project, "1.0.0").glob("*.tfrecord-*")}
    for run in range(RUNS):
        for frame in FRAMES:
            path = frame_path(project, STRIPS, run, frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(frame_path(project, 0, run, frame).read_bytes())
            mirror_frame(path)

    def grow(values: Any) -> None:
        values["dataset"]["version"] = "1.1.0"
        values["build"][SET]["extends"] = "1.0.0"

    change(project, grow)
    repro(project)
    new = {path.name: path.stat() for path in version(project, "1.1.0").glob("*.tfrecord-*")}
    added = len(new) - len(old)
    assert 0 < added <= RUNS
    assert {stat.st_ino for stat in old.values()} < {stat.st_ino for stat in new.values()}
    assert all(old[name].st_mtime_ns == (version(project, "1.0.0") / name).stat().st_mtime_ns for name in old)
    grown = version(project, "1.1.0")
    assert verify_dataset(files_of(grown), 2).faults == ()
    extended = json.loads((grown / "provenance.json").read_text())["extends"]
    assert extended["digest"] == json.loads((version(project, "1.0.0") / "provenance.json").read_text())["digest"]
    assert "Running stage" not in repro(project)
