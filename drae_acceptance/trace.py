"""From a verdict back to scores and thresholds: each link recomputed, and an error where one is broken."""

from dataclasses import dataclass

import numpy as np

from drae_acceptance.errors import TraceError
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.verdict import RunVerdict, StripVerdict, Verdicts
from drae_acceptance.verdict_table import VerdictTable, verdict_row


@dataclass(frozen=True)
class TracedVerdict:
    """A verdict that was recomputed and found as written.

    Attributes:
        verdict: of a strip in a run, or of a strip over its runs.
        runs: those that the second kind sums up; empty for the first.
        rows: of the deciding patches in the table of scores: that of the verdict first, then those of its runs.
    """

    verdict: StripVerdict | RunVerdict
    runs: tuple[StripVerdict, ...]
    rows: tuple[int, ...]


def trace_verdict(key: str, written: VerdictTable, verdicts: Verdicts, scored: ScoreSet, digest: str) -> TracedVerdict:
    """Finds a verdict in the table that was written, and compares it with the one that scores and thresholds give.

    Args:
        key: `K0021/r3` for a strip in a run, `K0021` for a strip over its runs.
        written: the table of verdicts.
        verdicts: recomputed from scores and thresholds.
        scored: the scores.
        digest: of the thresholds.

    Raises:
        TraceError: there is no such verdict, or a link is broken.
    """
    for what, stated, came in (
        ("thresholds", written.thresholds_digest, digest),
        ("scores", written.scores_sha256, scored.card.scores_sha256),
    ):
        if stated != came:
            raise TraceError(
                f"broken link, verdicts to {what}: the verdicts were made from {what} {stated}, those here are {came}; "
                "run python -m pipelines.evaluate, or bring the former back"
            )
    found = {one.key: one for one in verdicts.strips} | {one.key: one for one in verdicts.runs}
    if key not in written.rows or key not in found:
        near = sorted(name for name in written.rows if name.split("/")[0] == key.split("/")[0])[:4]
        some = near or sorted(written.rows)[:4]
        raise TraceError(f"{key}: expected one of {len(written.rows)} verdicts, such as {', '.join(some)}")
    one = found[key]
    _compare(written.rows[key], verdict_row(one))
    runs = tuple(run for run in verdicts.strips if isinstance(one, RunVerdict) and run.strip == one.strip)
    keys = [verdict.deciding.patch for verdict in (one, *runs) if verdict.deciding]
    places = {scored.patches.key_at(row): row for row in np.flatnonzero(scored.patches.strip == one.strip).tolist()}
    return TracedVerdict(one, runs, tuple(places[patch] for patch in dict.fromkeys(keys)))


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
