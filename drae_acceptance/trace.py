"""From a verdict back to scores and thresholds: each link recomputed, and an error where one is broken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drae_acceptance.errors import TraceError
from drae_acceptance.judging import judge_runs
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_file import StoredThresholds
from drae_acceptance.verdict import RunVerdict, StripVerdict, Verdicts
from drae_acceptance.verdict_table import VerdictTable, verdict_row


@dataclass(frozen=True)
class TracedVerdict:
    """A verdict that was recomputed and found as written.

    Attributes:
        verdict: of a strip in a run, or of a strip over its runs.
        runs: those that the second kind sums up, judged as it counts them, at the level `run`; empty for the first.
        rows: of the deciding patches in the table of scores: that of the verdict first, then those of its runs; empty
            where nothing of it was scored.
    """

    verdict: StripVerdict | RunVerdict
    runs: tuple[StripVerdict, ...]
    rows: tuple[int, ...]


def trace_verdict(
    key: str, written: VerdictTable, verdicts: Verdicts, scored: ScoreSet, stored: StoredThresholds
) -> TracedVerdict:
    """Finds a verdict in the table that was written, and compares it with the one that scores and thresholds give.

    Of a strip over its runs the rows of all its runs are compared, too.

    Args:
        key: `K0021/r3` for a strip in a run, `K0021` for a strip over its runs.
        written: the table of verdicts.
        verdicts: recomputed from scores and thresholds.
        scored: the scores.
        stored: the thresholds.

    Raises:
        TraceError: there is no such verdict, or a link is broken.
    """
    for what, stated, came in (
        ("thresholds", written.thresholds_digest, stored.digest),
        ("scores", written.scores_digest, scored.card.digest),
    ):
        if stated != came:
            raise TraceError(
                f"broken link, verdicts to {what}: the verdicts were made from {what} {stated}, those here are {came}; "
                "run python -m pipelines.evaluate, or bring the former back"
            )
    found = {one.key: one for one in verdicts.strips} | {one.key: one for one in verdicts.runs}
    if key not in found:
        near = sorted(name for name in found if name.split("/")[0] == key.split("/")[0])[:4]
        some = near or sorted(found)[:4]
        raise TraceError(f"{key}: expected one of {len(found)} verdicts, such as {', '.join(some)}")
    one = found[key]
    runs: tuple[StripVerdict, ...] = ()
    compared: Sequence[StripVerdict | RunVerdict] = [one]
    if isinstance(one, RunVerdict):
        runs = tuple(run for run in judge_runs(scored, stored.calibrated) if run.strip == one.strip)
        compared = [one, *(run for run in verdicts.strips if run.strip == one.strip)]
        _check_rows(one.strip, written, {verdict.key for verdict in compared})
    for verdict in compared:
        _compare(written.rows.get(verdict.key, {}), verdict_row(verdict))
    keys = [verdict.deciding.patch for verdict in (one, *runs) if verdict.deciding]
    places = {scored.patches.key_at(row): row for row in np.flatnonzero(scored.patches.strip == one.strip).tolist()}
    return TracedVerdict(one, runs, tuple(places[patch] for patch in dict.fromkeys(keys)))


def _check_rows(strip: str, written: VerdictTable, expected: set[str]) -> None:
    """Whether the table has just the rows of a strip that it should have."""
    rows = {key for key, row in written.rows.items() if row["strip"] == strip}
    if rows != expected:
        raise TraceError(
            f"broken link, verdict {strip}: expected the rows {', '.join(sorted(expected))} in verdicts.parquet, got "
            f"{', '.join(sorted(rows)) or 'none'}; the table was changed: run python -m pipelines.evaluate"
        )


def _compare(written: dict[str, object], computed: dict[str, object]) -> None:
    """Every value of a verdict, NaN like NaN."""
    for name, value in computed.items():
        stated = written.get(name)
        same = stated == value or (value != value and stated != stated)
        if not same:
            raise TraceError(
                f"broken link, verdict {computed['key']}: {name} is {stated!r} in verdicts.parquet, and {value!r} by "
                "scores and thresholds; the table was changed, or made by other parameters: run pipelines.evaluate"
            )
