"""The plan's benchmark at a size that takes seconds. What is measured is not judged here."""

import json
from pathlib import Path

import pytest

from benchmarks.plan import PARTS, folder_names, label, main, plan_once


def test_a_tiny_run_ends_with_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--acquisitions", "100,250", "--rounds", "1"]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    for key in ("1e2", "250"):
        assert result[f"seconds_{key}"] > 0
        assert set(result["parts"][key]) == set(PARTS)
        assert result["peak_mb"][key] > 0
    assert result["linearity"] > 0


def test_what_is_measured_is_a_plan_on_the_disk_that_holds_every_acquisition(tmp_path: Path) -> None:
    values = plan_once(95, tmp_path)

    (plan,) = tmp_path.rglob("plan.jsonl")
    text = plan.read_text()
    assert all(f'"{name}"' in text for name in folder_names(95))
    assert len(text.splitlines()) == values["shards"] > 1


def test_names_are_distinct_and_scrambled() -> None:
    names = folder_names(1000)
    assert len(set(names)) == 1000
    assert names != sorted(names)


@pytest.mark.parametrize(("count", "text"), [(10_000, "1e4"), (1_000_000, "1e6"), (250, "250"), (1, "1e0")])
def test_a_power_of_ten_has_a_short_name(count: int, text: str) -> None:
    assert label(count) == text
