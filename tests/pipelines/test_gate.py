"""Stages that use a version ask for its gate, also where they are called by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drae_data.errors import DatasetError, QualityError
from drae_data.local_files import LocalFiles
from pipelines import archive, score, train
from pipelines.gate import check_gate
from pipelines.params import Params
from tests.small_line import build_dataset, write_line
from tests.small_params import load_values, read_values

ROOT = Path(__file__).resolve().parents[2]
SET = "kit"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the product's params and a version of the set that is no more than its digest to the gate."""
    build_dataset(write_line(tmp_path / "frames"), tmp_path / f"datasets/{SET}/1.0.0")
    load_values(tmp_path, read_values(ROOT / "params.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, change: Any = None) -> None:
    values = read_values(ROOT / "params.yaml")
    if change:
        change(values)
    params: Params = load_values(folder, values)
    check_gate(params, SET, LocalFiles(params.version_folder(SET)))


def leave_gate(folder: Path, text: str) -> None:
    place = folder / f"reports/data/{SET}/gate.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_the_gate_of_this_very_version_lets_it_through(project: Path) -> None:
    digest = json.loads((project / f"datasets/{SET}/1.0.0/provenance.json").read_bytes())["digest"]
    with pytest.raises(QualityError, match=rf"gate\.json: expected the digest {digest}.* got none; run python -m"):
        check(project)
    leave_gate(project, json.dumps({"digest": digest}))
    check(project)
    leave_gate(project, json.dumps({"digest": "0" * 64}))
    with pytest.raises(QualityError, match="got 0000"):
        check(project)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000])
def test_a_gate_that_is_none_lets_nothing_through(project: Path, text: str) -> None:
    leave_gate(project, text)
    with pytest.raises(QualityError, match=r"expected the gate of kit, got"):
        check(project)


def test_without_the_section_nothing_is_asked(project: Path) -> None:
    check(project, lambda values: values.pop("inspect_data"))


def test_without_a_version_that_is_the_error(project: Path) -> None:
    with pytest.raises(DatasetError, match="absent"):
        check(project, lambda values: values["dataset"].update(version="2.0.0"))


def test_archive_and_training_stop_at_a_shut_gate(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive.main(["--set", SET]) == 1
    assert f"reports/data/{SET}/gate.json: expected the digest" in capsys.readouterr().err
    assert not (project / "archive").exists()
    values = read_values(ROOT / "params.yaml")
    values["train"]["set"] = SET
    load_values(project, values)
    assert train.main([]) == 1
    assert f"reports/data/{SET}/gate.json: expected the digest" in capsys.readouterr().err
    assert not (project / "models").exists()


def test_scoring_stops_at_a_shut_gate(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It opens model and version first, which stand here for any, and writes nothing."""
    version = SimpleNamespace(files=LocalFiles(f"datasets/{SET}/1.0.0"))
    monkeypatch.setattr(score, "open_scoring", lambda *_: SimpleNamespace(version=version))
    assert score.main(["--set", SET]) == 1
    assert f"reports/data/{SET}/gate.json: expected the digest" in capsys.readouterr().err
    assert not (project / "scores").exists()
