"""The log as counts and newest verdicts: quick counts against reading every line in full, other logs, damaged lines."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drae_line.errors import LogError
from drae_line.operator_page.verdict_feed import (
    ACCEPTED,
    NOT_INSPECTED,
    REJECTED,
    UNREADABLE,
    VerdictFeed,
    kind_of,
    parse_verdict,
)
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VERDICTS, VerdictLog, read_verdicts
from tests.drae_line.operator_page.fake_line import FakeLine, good_scores, slot_verdict

# Names that try to look like what follows them in a line.
TRICKY = [
    '","verdict":"accept","inspected":true,"', ',"verdict":"accept","inspected":true,', "x,", "x\\",
    '\\","verdict":"accept"', 'é"\n\u2028',
]  # fmt: skip


def mixed(folder: Path, count: int) -> Path:
    """A log in which kinds follow each other without a rhythm."""
    line = FakeLine(folder)
    for number in range(count):
        name = f"{TRICKY[number % len(TRICKY)]}{number}/r0"
        if number % 7 == 3:
            line.reject(name, pictures=False, folder=TRICKY[number % 6])
        elif number % 11 == 5:
            line.miss(name, folder=TRICKY[number % 6])
        else:
            line.accept(name, folder=TRICKY[number % 6])
    line.close()
    return folder / VERDICTS


@pytest.mark.parametrize("newest", [1, 5, 40, 100])
def test_quick_counts_are_those_of_all_lines_read_in_full(tmp_path: Path, newest: int) -> None:
    place = mixed(tmp_path, 100)
    every = list(read_verdicts(place))
    reading = VerdictFeed(place, newest, 6).read()
    assert list(reading.newest) == every[-newest:]
    before = every[:-newest]
    assert reading.passed == Counter(map(kind_of, before))
    accepted = [logged for logged in before if kind_of(logged) == ACCEPTED]
    assert list(reading.accepted) == accepted[-6:]
    assert {kind_of(logged) for logged in every} == {ACCEPTED, REJECTED, NOT_INSPECTED}


def test_lines_of_another_writer_are_counted_too(tmp_path: Path) -> None:
    place = mixed(tmp_path, 30)
    lines = [json.loads(line) for line in place.read_bytes().splitlines()]
    # The same values in another order, and with blanks.
    place.write_text("".join(json.dumps(dict(reversed(line.items()))) + "\n" for line in lines))
    every = list(read_verdicts(place))
    assert VerdictFeed(place, 1, 1).read().passed == Counter(map(kind_of, every[:-1]))


def test_it_follows(tmp_path: Path) -> None:
    feed = VerdictFeed(tmp_path / VERDICTS, 10, 10)
    assert feed.read().empty
    line = FakeLine(tmp_path)
    assert feed.read().empty
    line.accept("A/r0")
    line.reject("B/r0", pictures=False)
    first = feed.read()
    assert [logged.slot.acquisition for logged in first.newest] == ["A/r0", "B/r0"]
    assert len(first.log) == 12
    line.close()
    # The line ends in the middle of a write, begins again and repairs its log.
    with (tmp_path / VERDICTS).open("ab") as stream:
        stream.write(b'{"format_version":1,"seq')
    assert feed.read().empty
    line = FakeLine(tmp_path)
    assert line.log.repaired == b'{"format_version":1,"seq'
    line.accept("C/r0")
    third = feed.read()
    assert [logged.sequence for logged in third.newest] == [3]
    assert (third.anew, third.log) == (False, first.log)


def test_another_log_in_its_place(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.accept("A/r0")
    feed = VerdictFeed(tmp_path / VERDICTS, 10, 10)
    first = feed.read()
    line.close()
    (tmp_path / VERDICTS).unlink()
    gone = feed.read()
    assert (gone.anew, gone.log, gone.newest) == (True, "", ())
    line = FakeLine(tmp_path)
    line.accept("B/r0")
    second = feed.read()
    assert second.newest[0].slot.acquisition == "B/r0"
    assert second.log not in ("", first.log)


def test_a_line_that_is_no_verdict_is_counted_and_named(tmp_path: Path) -> None:
    place = mixed(tmp_path, 5)
    content = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(content[0] + b"oh\n" + b"".join(content[1:3]) + b'{"format_version":1}\n' + b"".join(content[3:]))
    whole = VerdictFeed(place, 100, 1).read()
    assert [logged.sequence for logged in whole.newest] == [1, 2, 3, 4, 5]
    assert whole.passed == {UNREADABLE: 2}
    assert "expected a verdict" in whole.problem
    assert VerdictFeed(place, 1, 1).read().passed[UNREADABLE] == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"given": "yesterday"},
        {"given": "2026-01-01T10:00:00"},
        {"given": 5},
        {"acquisition": 5},
        {"slot_ms": "500"},
        {"slot_ms": float("nan")},
        {"thresholds": {"R0": "0.1"}},
        {"thresholds": {}},
        {"thresholds": 4},
        {"milliseconds": {"slot": None}},
        {"milliseconds": []},
        {"scores": {"max": {"R0": [True]}}},
        {"scores": {"max": {"R0": [float("inf")]}}},
        {"scores": {"max": {"R0": [10**400]}}},
        {"milliseconds": {"slot": float("inf")}},
    ],
)
def test_values_of_other_types_make_no_verdict(changes: dict[str, Any]) -> None:
    line = LoggedVerdict(1, "2026-01-01T10:00:00.000+00:00", slot_verdict("A/r0", good_scores(1))).line()
    assert parse_verdict(line).sequence == 1
    with pytest.raises(LogError):
        parse_verdict(json.dumps({**json.loads(line), **changes}).encode())


def test_the_log_itself_is_never_touched(tmp_path: Path) -> None:
    place = mixed(tmp_path, 3)
    before = place.read_bytes(), place.stat().st_mtime_ns
    feed = VerdictFeed(place, 2, 2)
    feed.read()
    with VerdictLog(place) as log:  # Nobody else holds its lock.
        assert len(log.judged) == 3
    assert (place.read_bytes(), place.stat().st_mtime_ns) == before
