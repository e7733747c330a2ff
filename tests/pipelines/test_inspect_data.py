"""Section `inspect_data` of the params file, and the command's errors. What it finds: tests/end_to_end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drae_data.errors import OptionError
from drae_data.quality.options import RULES
from pipelines.inspect_data import main
from pipelines.params import ParamsError, load_params
from tests.small_params import load_values, read_values, set_value

ROOT = Path(__file__).resolve().parents[2]


def test_the_profiles_name_every_rule_and_the_same_limits() -> None:
    demo, paper = (load_params(ROOT / name).inspect_data_params() for name in ("params.yaml", "params.paper.yaml"))
    assert demo == paper
    assert list(demo.severities) == list(RULES)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("inspect_data.limits.motion", -1, r"inspect_data\.limits\.motion: expected 0 or more, got -1"),
        ("inspect_data.limits.misfiled_ratio", 0.5, r"inspect_data\.limits\.misfiled_ratio: expected more than 1"),
        ("inspect_data.severities.defokus", "error", r"inspect_data\.severities: expected rules among frozen_camera"),
    ],
)
def test_values_out_of_range_are_named_with_their_place(tmp_path: Path, place: str, value: object, said: str) -> None:
    values = read_values(ROOT / "params.yaml")
    set_value(values, place, value)
    with pytest.raises(OptionError, match=said):
        load_values(tmp_path, values).inspect_data_params().options()


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("inspect_data.limits.defocus", 0.5, r"inspect_data\.limits\.defocus: unknown key"),
        ("inspect_data.gate.errors", -1, r"inspect_data\.gate\.errors: expected greater than or equal to 0"),
        (
            "inspect_data.severities.defocus",
            "fatal",
            r"defocus: expected 'error', 'warning', 'note' or 'off'",
        ),
        ("inspect_data.limits.window", 2.5, r"inspect_data\.limits\.window: expected a valid integer"),
    ],
)
def test_wrong_keys_and_types_are_named(tmp_path: Path, place: str, value: object, said: str) -> None:
    values = read_values(ROOT / "params.yaml")
    set_value(values, place, value)
    with pytest.raises(ParamsError, match=said):
        load_values(tmp_path, values)


def test_a_project_without_the_section_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = read_values(ROOT / "params.yaml")
    del values["inspect_data"]
    load_values(tmp_path, values)
    monkeypatch.chdir(tmp_path)
    assert main(["--set", "kit"]) == 1
    assert "inspect_data: missing; the section that says" in capsys.readouterr().err


def test_a_version_that_is_not_there_is_an_error_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_values(tmp_path, read_values(ROOT / "params.yaml"))
    monkeypatch.chdir(tmp_path)
    assert main(["--set", "kit"]) == 1
    assert re.search(r"datasets/kit/1\.0\.0/dataset_info\.json: absent", capsys.readouterr().err)
    assert not (tmp_path / "reports").exists()
