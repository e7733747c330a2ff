"""From a verdict back to scores and thresholds: what is compared, and at which level runs are judged again."""

from dataclasses import replace
from pathlib import Path

import pytest

from drae_acceptance.calibration import bind
from drae_acceptance.errors import TraceError
from drae_acceptance.judging import judge
from drae_acceptance.options import ConfirmRule
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_file import StoredThresholds
from drae_acceptance.threshold_set import Calibrated, RegionThreshold, ThresholdSet
from drae_acceptance.trace import TracedVerdict, trace_verdict
from drae_acceptance.verdict_table import VerdictTable, read_verdicts, verdicts_bytes
from tests.small_calibration import options
from tests.small_scores import SmallStrip, small_set

RULE = ConfirmRule(2, 7, 10)
# A run is rejected by its own level's threshold alone.
LIMITS = {"patch": 0.9, "strip": 0.5, "run": 0.3}


@pytest.fixture
def kit() -> ScoreSet:
    places = [{(0, "R0"): 0.4, (1, "R0"): 0.2}, {(0, "R0"): 0.1, (1, "R0"): 0.45}]
    return small_set([SmallStrip("A", "defective", places), SmallStrip("B", "good", [{(0, "R0"): 0.1, (1, "R0"): 0}])])


def stored(kit: ScoreSet) -> StoredThresholds:
    levels = {level: {"R0": RegionThreshold(value, "searched", 1, 1)} for level, value in LIMITS.items()}
    return StoredThresholds(Calibrated("paper", bind(kit.card), (), ThresholdSet(levels), ()), options(), "t" * 64)


def written(kit: ScoreSet, folder: Path) -> VerdictTable:
    place = folder / "verdicts.parquet"
    place.write_bytes(verdicts_bytes(judge(kit, stored(kit).calibrated, RULE), "t" * 64, kit.card.digest))
    return read_verdicts(place)


def traced(key: str, kit: ScoreSet, table: VerdictTable) -> TracedVerdict:
    return trace_verdict(key, table, judge(kit, stored(kit).calibrated, RULE), kit, stored(kit))


def test_the_runs_of_a_strip_are_judged_as_its_verdict_counts_them(kit: ScoreSet, tmp_path: Path) -> None:
    table = written(kit, tmp_path)
    assert [table.rows[key]["verdict"] for key in ("A/r0", "A/r1", "A")] == ["accept", "accept", "reject"]
    found = traced("A", kit, table)
    assert [(run.key, run.verdict) for run in found.runs] == [("A/r0", "reject"), ("A/r1", "reject")]
    assert [run.deciding.threshold for run in found.runs if run.deciding] == [0.3, 0.3]
    assert [run.deciding.patch for run in found.runs if run.deciding] == ["A/r0/f00/v0/R0", "A/r1/f00/v1/R0"]
    # The patch of the verdict first, which is that of run 1.
    assert [kit.patches.key_at(row) for row in found.rows] == ["A/r1/f00/v1/R0", "A/r0/f00/v0/R0"]


def test_a_strip_in_a_run_is_judged_at_its_own_level(kit: ScoreSet, tmp_path: Path) -> None:
    found = traced("A/r0", kit, written(kit, tmp_path))
    assert (found.verdict.verdict, found.runs) == ("accept", ())
    assert [kit.patches.key_at(row) for row in found.rows] == ["A/r0/f00/v0/R0"]


def test_rows_of_all_runs_are_compared(kit: ScoreSet, tmp_path: Path) -> None:
    table = written(kit, tmp_path)
    other = {**table.rows, "A/r1": {**table.rows["A/r1"], "score": 0.44}}
    with pytest.raises(TraceError, match=r"verdict A/r1: score is 0\.44 in verdicts\.parquet"):
        traced("A", kit, replace(table, rows=other))
    assert traced("A/r0", kit, replace(table, rows=other)).verdict.key == "A/r0"
    fewer = {key: row for key, row in table.rows.items() if key != "A/r1"}
    with pytest.raises(TraceError, match=r"expected the rows A, A/r0, A/r1 in verdicts\.parquet, got A, A/r0"):
        traced("A", kit, replace(table, rows=fewer))


def test_a_row_that_is_gone_is_a_broken_link(kit: ScoreSet, tmp_path: Path) -> None:
    table = written(kit, tmp_path)
    fewer = {key: row for key, row in table.rows.items() if key != "A/r1"}
    with pytest.raises(TraceError, match=r"broken link, verdict A/r1: key is None in verdicts\.parquet"):
        traced("A/r1", kit, replace(table, rows=fewer))
    with pytest.raises(TraceError, match="A/r9: expected one of 5 verdicts, such as A, A/r0, A/r1"):
        traced("A/r9", kit, table)


@pytest.mark.parametrize("source", ["thresholds_digest", "scores_digest"])
def test_verdicts_of_other_sources_are_refused(kit: ScoreSet, tmp_path: Path, source: str) -> None:
    table = replace(written(kit, tmp_path), **{source: "z" * 64})  # type: ignore[arg-type]
    with pytest.raises(TraceError, match=f"broken link, verdicts to {source.partition('_')[0]}: .* from .* zz"):
        traced("A", kit, table)
