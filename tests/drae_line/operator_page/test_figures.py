"""Counts, slot times, rate and trend against counting by hand."""

from collections import Counter
from typing import Any

import pytest

from drae_line.operator_page.checks import DEFECTIVE, GOOD
from drae_line.operator_page.figures import Brief, counts, rate, slot_times, trend, trend_words
from drae_line.operator_page.verdict_feed import ACCEPTED, NOT_INSPECTED, REJECTED
from drae_line.slot_verdict import FAILED, SLOT_OVERRUN, STILL_WRITTEN, LoggedVerdict
from tests.drae_line.operator_page.fake_line import good_scores, slot_verdict


def brief(sequence: int, kind: str = ACCEPTED, slot_ms: float | None = 100.0, given: float = 0.0) -> Brief:
    return Brief(sequence, f"A{sequence}/r0", kind, given, slot_ms, 500.0)


def test_the_brief_of_a_verdict() -> None:
    slot = slot_verdict("A/r0", good_scores(1))
    found = Brief.of(LoggedVerdict(7, "1970-01-01T00:01:00.500+00:00", slot))
    assert found == Brief(7, "A/r0", ACCEPTED, 60.5, 186.0, 500.0)


def test_counts_of_all_and_of_the_last_hundred() -> None:
    briefs = [
        brief(number, NOT_INSPECTED if number == 1 else REJECTED if number == 102 else ACCEPTED)
        for number in range(1, 103)
    ]
    found = counts(Counter({ACCEPTED: 1000, REJECTED: 20, NOT_INSPECTED: 3}), briefs)
    assert found == {
        "total": {"strips": 1023, "inspected": 1020, "accepted": 1000, "rejected": 20, "not_inspected": 3},
        "last": {"strips": 100, "inspected": 100, "accepted": 99, "rejected": 1, "not_inspected": 0},
    }


def test_slot_times_are_times_that_were_measured() -> None:
    # 100 slots of 1 to 100 ms: 50 of them take 50 ms or less, 99 take 99 ms or less.
    briefs = [brief(number, slot_ms=float(number)) for number in range(1, 101)]
    found = slot_times([*briefs, brief(101, NOT_INSPECTED, None)])
    assert found == {
        "slots": 100, "p50": 50.0, "p99": 99.0, "max": 100.0, "over": 0, "over_share": "0.0 %", "limit": 500.0,
    }  # fmt: skip
    assert slot_times([brief(1, NOT_INSPECTED, None)]) is None
    over = slot_times([brief(1, slot_ms=500.0), brief(2, slot_ms=500.1)])
    assert over is not None
    assert (over["over"], over["over_share"]) == (1, "50.0 %")


def test_what_was_refused_has_no_slot() -> None:
    # A camera that fails: 4 strips have slots of 100, 200, 300 and 900 ms, 5 more were refused, most at once.
    slots = [
        slot_verdict(f"A{taken}/r0", good_scores(1), milliseconds={"slot": float(taken)}) for taken in (100, 200, 300)
    ]
    slots.append(slot_verdict("B/r0", reason=SLOT_OVERRUN, milliseconds={"slot": 900.0}))
    for reason, taken in (
        (STILL_WRITTEN, 0.0),
        ("missing_frame", 0.0),
        ("unreadable", 18.0),
        (FAILED, 0.0),
        ("alpha", 0.0),
    ):
        slots.append(slot_verdict(f"C{reason}/r0", reason=reason, milliseconds={"slot": taken}))
    briefs = [
        Brief.of(LoggedVerdict(number, "1970-01-01T00:00:00+00:00", slot)) for number, slot in enumerate(slots, 1)
    ]
    # Half of the four take 200 ms or less. Of all nine it would be 18 ms.
    assert slot_times(briefs) == {
        "slots": 4, "p50": 200.0, "p99": 900.0, "max": 900.0, "over": 1, "over_share": "25.0 %", "limit": 500.0,
    }  # fmt: skip
    assert [brief.slot_ms for brief in briefs[4:]] == [None] * 5


def test_the_rate_is_of_the_last_minute() -> None:
    briefs = [brief(number, given=1000.0 + number) for number in range(1, 101)]
    assert rate(briefs, 1100.0) == 60
    assert rate(briefs, 1159.5) == 1
    assert rate(briefs, 1160.0) == 0


def test_the_trend_by_hand() -> None:
    kinds = {3: REJECTED, 50: REJECTED, 51: REJECTED, 52: NOT_INSPECTED, 60: REJECTED}
    briefs = [brief(number, kinds.get(number, ACCEPTED)) for number in range(2, 62)]
    found = trend(briefs, {3: GOOD, 51: DEFECTIVE, 52: GOOD, 10: GOOD})
    assert found["blocks"] == [
        {"first": 2, "last": 50, "strips": 49, "good": 1, "defective": 0, "unchecked": 1, "not_inspected": 0},
        {"first": 51, "last": 61, "strips": 11, "good": 0, "defective": 1, "unchecked": 1, "not_inspected": 1},
    ]
    assert found["block"] == 50
    # 4 of 60 rejected; false rejects: 1 for certain, 3 at most.
    assert found["text"] == (
        "Of the last 60 strips 4 were rejected (6.7 %), 1 more without inspection. Checked again: 1 good, so false "
        "rejects; 1 defective. Not yet checked: 2. False rejects are between 1.7 % and 5.0 %."
    )


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ({}, "No strips yet."),
        ({"strips": 1200}, "Of the last 1,200 strips 0 were rejected (0.0 %)."),
        (
            {"strips": 10, "unchecked": 2},
            "Of the last 10 strips 2 were rejected (20.0 %). Checked again: 0 good, so false rejects; 0 defective. Not "
            "yet checked: 2.",
        ),
        (
            {"strips": 10, "good": 1, "defective": 1},
            "Of the last 10 strips 2 were rejected (20.0 %). Checked again: 1 good, so false rejects; 1 defective. Not "
            "yet checked: 0. False rejects: 10.0 %.",
        ),
    ],
)
def test_the_trend_in_words(sums: dict[str, Any], words: str) -> None:
    assert trend_words(sums) == words
