"""Faults planted into the frames of a clean line are each found by name, with the product's own limits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from drae_data.local_files import LocalFiles
from drae_data.quality.inspection import inspect_version
from drae_data.tables import read_table, table_rows
from pipelines import build, inspect_data, synthesize
from pipelines.params import load_params
from tests.end_to_end.faulty_line import ERRORS, FAULTS, SET, freeze, line_values

pytestmark = [pytest.mark.slow, pytest.mark.beam]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the params file and the frames of a clean line."""
    folder = tmp_path_factory.mktemp("line")
    YAML(typ="safe", pure=True).dump(line_values(), folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert synthesize.main(["--set", SET]) == 0
    return folder


@pytest.fixture
def copy(line: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, as working folder."""
    shutil.copytree(line, tmp_path / "line")
    monkeypatch.chdir(tmp_path / "line")
    yield tmp_path / "line"
    shutil.rmtree(tmp_path / "line")


def found(folder: Path) -> tuple[bool, set[tuple[str, str, str]]]:
    """Whether the gate opens, and severity, rule and place of what was found, with the limits of the params file."""
    assert build.main(["--set", SET]) == 0
    options = load_params(folder / "params.yaml").inspect_data_params().options()
    inspection = inspect_version(LocalFiles(f"datasets/{SET}/1.0.0"), options)
    return inspection.passed, {(row.severity, row.rule, row.place) for row in inspection.rows}


def test_nothing_is_found_on_the_clean_line(copy: Path) -> None:
    assert found(copy) == (True, set())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name(fault: str, copy: Path) -> None:
    plant, rule, places = FAULTS[fault]
    plant(copy / "frames" / SET)
    passed, rows = found(copy)
    assert {place for _, name, place in rows if name == rule} == places
    # Errors shut the gate, and nothing else is claimed to be one.
    errors = {(name, place) for severity, name, place in rows if severity == "error"}
    assert errors == ({(rule, place) for place in places} if rule in ERRORS else set())
    assert passed == (rule not in ERRORS)


def test_the_stage_says_what_it_found_and_shuts_the_gate(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = copy / "reports/data" / SET
    assert build.main(["--set", SET]) == 0
    assert inspect_data.main(["--set", SET]) == 0
    assert "the gate is open\n  42 acquisitions inspected: 0 errors, 0 warnings, 0 notes" in capsys.readouterr().out
    assert sorted(path.name for path in report.iterdir()) == [
        "card.md", "gate.json", "quality.json", "report.html", "violations.parquet",
    ]  # fmt: skip
    before = (report / "gate.json").read_bytes()
    freeze(copy / "frames" / SET)
    assert build.main(["--set", SET]) == 0
    assert inspect_data.main(["--set", SET]) == 1
    said = capsys.readouterr().err
    assert "the gate stays shut" in said and "frozen_camera: P0004/r1: all 4 frames show the same pixels" in said
    assert not (report / "gate.json").exists()
    table = read_table("violations", (report / "violations.parquet").read_bytes())
    assert [row["rule"] for row in table_rows(table)] == ["frozen_camera"]
    assert json.loads((report / "quality.json").read_bytes())["violations"] == {"error": 1, "warning": 0, "note": 0}
    # A limit or severity that is changed opens it, and what later stages depend on stays as it was but for the digest.
    values = line_values()
    values["inspect_data"]["severities"]["frozen_camera"] = "note"
    YAML(typ="safe", pure=True).dump(values, copy / "params.yaml")
    assert inspect_data.main(["--set", SET]) == 0
    one, other = json.loads(before), json.loads((report / "gate.json").read_bytes())
    assert one.keys() == other.keys() == {"dataset", "digest"} and one["dataset"] == other["dataset"]
