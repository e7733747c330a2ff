"""The scoring benchmark at its smallest: its ways give the same scores, and a difference between them is found.

What is measured is not judged here: times on a test machine say nothing.
"""

import json
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.measure import BenchmarkError
from benchmarks.scoring import WAYS, difference, main, summary
from drae_acceptance.score_files import read_score_set
from pipelines.params import load_params
from pipelines.scoring import open_scoring

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.beam
@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_scores_of_the_stage(line: Path, tmp_path: Path, way: str) -> None:
    scoring = open_scoring(load_params(Path("params.yaml")), "kit")
    found = WAYS[way](scoring, tmp_path)
    patches = read_score_set(line / "scores/kit").patches
    expected = {patches.key_at(row): pytest.approx(patches.score[row], abs=1e-5) for row in range(len(patches))}
    assert found == expected


def test_a_difference_is_found() -> None:
    assert difference({"a": 0.5, "b": 0.25}, {"b": 0.5, "a": 0.5}, 2) == 0.25
    for theirs in ({"a": 0.5}, {"a": 0.5, "c": 0.25}):
        with pytest.raises(BenchmarkError, match="expected the scores of the same 2 patches"):
            difference({"a": 0.5, "b": 0.25}, theirs, 2)
    with pytest.raises(BenchmarkError, match="expected the scores of the same 3 patches"):
        difference({"a": 0.5, "b": 0.25}, {"a": 0.5, "b": 0.25}, 3)


def test_ratios_are_of_one_round() -> None:
    # 20/10, 10/40, 30/30: 2, 1/4 and 1.
    rates = {"shards": [10.0, 40.0, 30.0], "loop": [20.0, 10.0, 30.0]}
    found = summary(rates, {"shards": [5.0, 7.0, 6.0], "loop": [1.0, 1.0, 1.0]}, {"shards": 0.0, "loop": 0.5})
    assert found == {
        "rounds": 3, "patches_per_s": {"shards": 30.0, "loop": 20.0}, "peak_mb": {"shards": 6, "loop": 1},
        "loop_over_shards": 1.0, "max_difference": {"loop": 0.5},
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.beam
def test_a_tiny_run_ends_with_a_line_of_json(
    line: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    assert main(["--params", "params.yaml", "--rounds", "1"]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result["patches_per_s"]) == set(result["peak_mb"]) == set(WAYS)
    assert result["max_difference"]["loop"] < 1e-5


def test_an_unknown_set_is_one_line(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--params", "params.yaml", "--set", "kits"]) == 1
    assert "score.sets: expected one of ['calibration', 'kit'], got 'kits'" in capsys.readouterr().err
