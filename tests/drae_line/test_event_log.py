"""What happens beside verdicts is told in lines of JSON, once where it would be told again and again."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from drae_line.event_log import STARTED, STRANGE_FILE, EventLog


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "line" / "events.jsonl"


def told(place: Path) -> list[tuple[str, str]]:
    lines = place.read_text(encoding="utf-8").splitlines()
    return [(value["event"], value["detail"]) for value in map(json.loads, lines)]


def test_each_event_is_a_line_with_its_time(place: Path) -> None:
    log = EventLog(place)
    log.write(STARTED, 'model "ä"\nand thresholds')
    log.write(STARTED, 'model "ä"\nand thresholds')
    assert told(place) == [("started", 'model "ä"\nand thresholds')] * 2
    given = json.loads(place.read_bytes().splitlines()[0])["given"]
    assert datetime.fromisoformat(given).utcoffset() is not None


def test_a_log_that_is_there_is_gone_on_with(place: Path) -> None:
    EventLog(place).write(STARTED, "one")
    EventLog(place).write(STARTED, "two")
    assert [detail for _, detail in told(place)] == ["one", "two"]


def test_what_was_told_is_not_told_again(place: Path) -> None:
    log = EventLog(place)
    for _ in range(3):
        log.write_once(STRANGE_FILE, "a.txt")
        log.write_once(STRANGE_FILE, "b.txt")
    log.write_once(STARTED, "a.txt")
    assert told(place) == [("strange_file", "a.txt"), ("strange_file", "b.txt"), ("started", "a.txt")]


def test_after_a_thousand_of_a_kind_no_more_are_told_of_and_that_is_told(place: Path) -> None:
    """Else a camera that names its files in its own way fills the disk that verdicts are written to."""
    log = EventLog(place)
    for _ in range(2):
        for number in range(3000):
            log.write_once(STRANGE_FILE, str(number))
    log.write_once(STARTED, "another kind")
    found = told(place)
    assert [detail for event, detail in found if event == "strange_file"] == list(map(str, range(1000)))
    assert [event for event, _ in found[1000:]] == ["untold", "started"]


def test_an_event_whose_end_a_kill_cost_does_not_spoil_the_next(place: Path) -> None:
    EventLog(place).write(STARTED, "one")
    with place.open("ab") as stream:
        stream.write(b'{"given": "2026')
    EventLog(place).write(STARTED, "two")
    lines = place.read_bytes().splitlines()
    assert [json.loads(lines[number])["detail"] for number in (0, 2)] == ["one", "two"]


# Python reads a name that is no UTF-8 with lone surrogates (PEP 383), which no UTF-8 text can hold as they are.
def test_a_name_of_another_encoding_is_told_of(place: Path) -> None:
    EventLog(place).write(STRANGE_FILE, os.fsdecode(b"Pr\xfcfung.bmp"))
    ((event, detail),) = told(place)
    assert event == "strange_file"
    assert detail.startswith("Pr")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_nothing_depends_on_it_where_the_disk_is_full() -> None:
    EventLog(Path("/dev/full")).write(STARTED, "one")
