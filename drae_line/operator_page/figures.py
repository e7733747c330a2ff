"""Counts, slot times, rate and the trend of false rejects, from the last verdicts and what operators found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from drae_line.operator_page.checks import DEFECTIVE, GOOD
from drae_line.operator_page.ratios import share
from drae_line.operator_page.verdict_feed import ACCEPTED, NOT_INSPECTED, REJECTED, kind_of
from drae_line.slot_verdict import SLOT_OVERRUN, LoggedVerdict

# Slot times and trend are of so many verdicts, counts beside the totals of so many, the rate of so many seconds.
WINDOW, LAST, RATE_SECONDS = 1000, 100, 60
# Verdicts in a block of the trend.
BLOCK = 50
UNCHECKED = "unchecked"


@dataclass(frozen=True)
class Brief:
    """What is kept of each of the last verdicts.

    Attributes:
        sequence: number in the log.
        acquisition: its key as text.
        kind: accepted, rejected or not_inspected.
        given: when, seconds since 1970.
        slot_ms: what its slot took; None where the model had nothing to judge, such as a strip without a frame.
        limit_ms: longest time that a slot may take.
    """

    sequence: int
    acquisition: str
    kind: str
    given: float
    slot_ms: float | None
    limit_ms: float

    @classmethod
    def of(cls, logged: LoggedVerdict) -> "Brief":
        """The brief of a verdict."""
        slot = logged.slot
        given = datetime.fromisoformat(logged.given).timestamp()
        # What was refused before the model is logged with the little that this took, 0 ms at times: no slot's time.
        had_slot = slot.inspected or slot.reason == SLOT_OVERRUN
        taken = slot.milliseconds.get("slot") if had_slot else None
        return cls(logged.sequence, slot.acquisition, kind_of(logged), given, taken, slot.slot_ms)


def counts(total: Counter[str], briefs: Sequence[Brief]) -> dict[str, Any]:
    """Counts of the whole log and of the last verdicts.

    Args:
        total: by kind.
        briefs: the last verdicts, oldest first.
    """
    last = Counter(brief.kind for brief in briefs[-LAST:])
    return {"total": _kinds(total), "last": _kinds(last)}


def _kinds(found: Counter[str]) -> dict[str, int]:
    inspected = found[ACCEPTED] + found[REJECTED]
    return {
        "strips": inspected + found[NOT_INSPECTED], "inspected": inspected, "accepted": found[ACCEPTED],
        "rejected": found[REJECTED], "not_inspected": found[NOT_INSPECTED],
    }  # fmt: skip


def slot_times(briefs: Sequence[Brief]) -> dict[str, Any] | None:
    """How long slots took, ms: what half of them and 99 of 100 do not exceed, the longest, and those over the limit.

    The values are times that were measured, none lies between two of them: the smallest that the share does not exceed.
    Of inspected strips and of those whose slot was too short. None where there are none.
    """
    timed = [(brief.slot_ms, brief.limit_ms) for brief in briefs if brief.slot_ms is not None]
    if not timed:
        return None
    values = np.array([taken for taken, _ in timed], np.float64)
    half, most = np.quantile(values, [0.5, 0.99], method="inverted_cdf")
    over = sum(taken > limit for taken, limit in timed)
    return {
        "slots": len(timed), "p50": float(half), "p99": float(most), "max": float(values.max()), "over": over,
        "over_share": share(over, len(timed)), "limit": timed[-1][1],
    }  # fmt: skip


def rate(briefs: Sequence[Brief], now: float) -> int:
    """Verdicts given in the last minute; `now` in seconds since 1970."""
    return sum(now - RATE_SECONDS < brief.given <= now for brief in briefs)


def trend(briefs: Sequence[Brief], checks: Mapping[int, str]) -> dict[str, Any]:
    """Shares of rejected strips, block by block, and in words what is known of false rejects.

    Blocks begin at the same strips however many have come, so that a bar keeps its place in the log. A strip that was
    not inspected is no false reject, whatever its check found: nothing judged it.

    Args:
        briefs: the last verdicts, oldest first.
        checks: by sequence of a strip that was looked at again, `good` or `defective`.
    """
    blocks: dict[int, dict[str, int]] = {}
    for brief in briefs:
        number = (brief.sequence - 1) // BLOCK
        block = blocks.setdefault(number, {"first": brief.sequence, "last": 0, "strips": 0, **dict.fromkeys(_PARTS, 0)})
        block["last"] = brief.sequence
        block["strips"] += 1
        if brief.kind == NOT_INSPECTED:
            block[NOT_INSPECTED] += 1
        elif brief.kind == REJECTED:
            block[checks.get(brief.sequence, UNCHECKED)] += 1
    sums = Counter[str]()
    for block in blocks.values():
        sums.update(block)
    return {"block": BLOCK, "blocks": list(blocks.values()), "text": trend_words(sums)}


_PARTS = (GOOD, DEFECTIVE, UNCHECKED, NOT_INSPECTED)


def trend_words(sums: Mapping[str, int]) -> str:
    """The sums over all blocks in words: `strips`, `good`, `defective`, `unchecked`, `not_inspected`."""
    strips, good, bad, open_, missed = (sums.get(name, 0) for name in ("strips", *_PARTS))
    if not strips:
        return "No strips yet."
    rejected = good + bad + open_
    sentences = [f"Of the last {strips:,} strips {rejected:,} were rejected ({share(rejected, strips)})"]
    if missed:
        sentences[0] += f", {missed:,} more without inspection"
    if rejected:
        sentences.append(
            f"Checked again: {good:,} good, so false rejects; {bad:,} defective. Not yet checked: {open_:,}"
        )
        if open_ and (good or bad):
            sentences.append(f"False rejects are between {share(good, strips)} and {share(good + open_, strips)}")
        elif not open_:
            sentences.append(f"False rejects: {share(good, strips)}")
    return ". ".join(sentences) + "."
