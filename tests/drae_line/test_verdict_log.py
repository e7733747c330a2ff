"""The log of verdicts: on the disk before anybody is told, one for each acquisition, whatever cuts it off."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drae_line.errors import LogError
from drae_line.slot_verdict import SlotVerdict
from drae_line.verdict_log import VerdictLog, read_verdicts
from tests.drae_line.small_verdicts import accepted, not_inspected, rejected


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "line" / "verdicts.jsonl"


def fill(place: Path, count: int) -> list[bytes]:
    """A log of so many verdicts, closed; returns its lines."""
    with VerdictLog(place) as log:
        for number in range(count):
            log.append(accepted(f"S{number}/r0"))
    return place.read_bytes().splitlines(keepends=True)


def names(place: Path) -> list[tuple[int, str]]:
    return [(one.sequence, one.slot.acquisition) for one in read_verdicts(place)]


def test_a_verdict_is_on_the_disk_before_append_returns(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    with VerdictLog(place) as log:
        # What the file holds at the moment when the disk is asked to keep it.
        monkeypatch.setattr(os, "fsync", lambda _: synced.append(place.read_bytes()))
        for number, slot in enumerate((accepted("A/r0"), rejected("A/r1"), not_inspected("B/r0")), 1):
            logged = log.append(slot)
            assert (logged.sequence, logged.slot) == (number, slot)
            assert synced[-1] == place.read_bytes()
            assert place.read_bytes().endswith(logged.line())
    # The verdict, then its end.
    assert len(synced) == 6
    assert names(place) == [(1, "A/r0"), (2, "A/r1"), (3, "B/r0")]


def test_a_second_verdict_on_an_acquisition_is_refused(place: Path) -> None:
    with VerdictLog(place) as log:
        log.append(accepted("A/r0"))
        before = place.read_bytes()
        with pytest.raises(LogError, match="A/r0 has its verdict already"):
            log.append(rejected("A/r0"))
        assert place.read_bytes() == before
        assert log.append(accepted("A/r1")).sequence == 2
    with VerdictLog(place) as log, pytest.raises(LogError, match="A/r0 has its verdict already"):
        log.append(accepted("A/r0"))


def test_it_goes_on_where_it_ended(place: Path) -> None:
    lines = fill(place, 3)
    with VerdictLog(place) as log:
        assert log.judged == {"S0/r0", "S1/r0", "S2/r0"}
        assert [one.line() for one in log.last] == lines
        assert log.repaired == b""
        assert log.append(rejected("T/r0")).sequence == 4
    assert place.read_bytes().startswith(b"".join(lines))
    assert names(place)[-1] == (4, "T/r0")


def test_only_the_last_64_are_kept_in_memory(place: Path) -> None:
    fill(place, 70)
    with VerdictLog(place) as log:
        assert [one.sequence for one in log.last] == list(range(7, 71))
        assert len(log.judged) == 70


def test_a_last_line_cut_off_at_any_byte_is_taken_off_and_given_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = fill(place, 2)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # A thousand of them take seconds.
    for length in range(len(second)):
        place.write_bytes(first + second[:length])
        with VerdictLog(place) as log:
            assert log.repaired == second[:length]
            assert log.judged == {"S0/r0"}
            assert place.read_bytes() == first
            assert log.append(accepted("S1/r0")).sequence == 2
        assert names(place) == [(1, "S0/r0"), (2, "S1/r0")]


def test_what_a_power_cut_left_of_the_first_line_is_taken_off(place: Path) -> None:
    (line,) = fill(place, 1)
    for torn in (line[:20], b"\0" * 4096, b"\xff"):
        place.write_bytes(torn)
        with VerdictLog(place) as log:
            assert (log.repaired, log.judged, log.last) == (torn, set(), [])
        assert place.read_bytes() == b""


def test_logs_and_torn_lines_longer_than_a_block_of_reading_are_repaired(place: Path) -> None:
    with VerdictLog(place) as log:
        for number in range(3):  # 2.4 MB; a block has 1 MiB.
            log.append(not_inspected(f"S{number}/r0", detail="x" * 800_000))
    content = place.read_bytes()
    for torn in (1, 100, 3 << 20):
        place.write_bytes(content + b"x" * torn)
        with VerdictLog(place) as log:
            assert (len(log.repaired), len(log.judged)) == (torn, 3)
        assert place.read_bytes() == content


DAMAGE = {
    "removed": lambda lines: [lines[0], lines[2]],
    "repeated": lambda lines: [lines[0], lines[0], *lines[1:]],
    "turned": lambda lines: [lines[1], lines[0], lines[2]],
    "edited": lambda lines: [lines[0], lines[1].replace(b'"sequence":2', b'"sequence":5'), lines[2]],
    "named twice": lambda lines: [lines[0], lines[1].replace(b'"S1/r0"', b'"S0/r0"')],
    "no json": lambda lines: [lines[0], b"---\n", lines[2]],
    "empty": lambda lines: [lines[0], b"\n", *lines[1:]],
    "cut": lambda lines: [lines[0], lines[1][:50] + b"\n", lines[2]],
    "version": lambda lines: [lines[0].replace(b'"format_version":1', b'"format_version":2'), *lines[1:]],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_log_damaged_before_its_end_is_refused_and_left_as_it_is(place: Path, damage: str) -> None:
    content = b"".join(DAMAGE[damage](fill(place, 3)))
    place.write_bytes(content)
    with pytest.raises(LogError, match=r"verdicts\.jsonl.*keep the file, and begin another"):
        VerdictLog(place)
    assert place.read_bytes() == content
    # Nor does the refusal keep the lock.
    place.write_bytes(b"")
    VerdictLog(place).close()


def test_a_damaged_log_keeps_its_unfinished_line_too(place: Path) -> None:
    first, second = fill(place, 2)
    content = b"---\n" + first + second[:40]
    place.write_bytes(content)
    with pytest.raises(LogError, match="line 1"):
        VerdictLog(place)
    assert place.read_bytes() == content


def test_the_message_names_the_damaged_line(place: Path) -> None:
    lines = fill(place, 4)
    place.write_bytes(b"".join([*lines[:2], b"[]\n", lines[3]]))
    with pytest.raises(LogError, match="line 3: expected a verdict"):
        VerdictLog(place)


def test_a_second_writer_is_refused(place: Path) -> None:
    with VerdictLog(place) as log:
        log.append(accepted())
        with pytest.raises(LogError, match="another line writes this log"):
            VerdictLog(place)
        log.append(accepted("B/r0"))
    VerdictLog(place).close()


def test_a_writer_in_another_process_is_refused_until_this_one_ends(place: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from drae_line.errors import LogError\n"
        "from drae_line.verdict_log import VerdictLog\n"
        "try: VerdictLog(Path(sys.argv[1])); print('open')\n"
        "except LogError as error: print(error)\n"
    )

    def other() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=True,
            cwd=Path(__file__).parents[2],
        ).stdout  # fmt: skip

    with VerdictLog(place):
        assert "another line writes this log" in other()
    assert other() == "open\n"


@pytest.mark.parametrize("where", ["write", "fsync", "half"])
def test_a_full_disk_leaves_no_part_of_a_line_and_the_log_usable(
    place: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with VerdictLog(place) as log:
        log.append(accepted("A/r0"))
        before = place.read_bytes()
        with monkeypatch.context() as patch:
            if where == "fsync":
                patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(full))
            else:
                patch.setattr(log, "_stream", FullDisk(log._stream, full, 30 if where == "half" else 0))
            with pytest.raises(OSError, match="No space left"):
                log.append(accepted("B/r0"))
        assert place.read_bytes() == before
        assert log.append(accepted("B/r0")).sequence == 2
    assert names(place) == [(1, "A/r0"), (2, "B/r0")]


class FullDisk:
    """A stream to a disk that takes so many bytes, and no more."""

    def __init__(self, stream, error: OSError, room: int) -> None:
        self._stream, self._error, self._room = stream, error, room

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, data: bytes) -> int:
        if not self._room:
            raise self._error
        written = self._stream.write(data[: self._room])
        self._room -= written
        return int(written)


class Pieces(FullDisk):
    """A stream that takes seven bytes at a time, as the system may."""

    def write(self, data: bytes) -> int:
        return int(self._stream.write(data[:7]))


def test_a_line_that_the_system_takes_in_pieces_is_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with VerdictLog(place) as log:
        monkeypatch.setattr(log, "_stream", Pieces(log._stream, OSError(), 0))
        logged = log.append(accepted())
        assert place.read_bytes() == logged.line()
        monkeypatch.undo()


def test_the_time_of_a_verdict_is_utc_with_milliseconds(place: Path) -> None:
    with VerdictLog(place) as log:
        given = log.append(accepted()).given
    assert len(given) == len("2024-07-01T08:30:00.125+00:00")
    assert given.endswith("+00:00")


@pytest.mark.parametrize("slot", [accepted("Ä/r0", folder='a"b\\c'), rejected("漢/r0"), not_inspected("🧪/r0")])
def test_names_of_all_letters_come_back(place: Path, slot: SlotVerdict) -> None:
    with VerdictLog(place) as log:
        logged = log.append(slot)
    assert list(read_verdicts(place)) == [logged]
    with VerdictLog(place) as log:
        assert log.judged == {slot.acquisition}


def test_what_follows_the_log_sees_a_verdict_only_once_it_is_on_the_disk(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first fsync has returned nobody may take the line for whole."""
    seen: list[list[tuple[int, str]]] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(names(place)))
    with VerdictLog(place) as log:
        seen.clear()
        log.append(accepted("S0/r0"))
    assert seen == [[], [(1, "S0/r0")]]


@pytest.mark.parametrize("hole", [b"\0" * 300 + b"\n", b'{"format_version":1,"seq\0\0\0\0}\n'])
def test_a_hole_that_a_power_cut_left_in_the_last_line_is_taken_off(place: Path, hole: bytes) -> None:
    lines = fill(place, 2)
    place.write_bytes(b"".join(lines) + hole)
    with VerdictLog(place) as log:
        assert (log.repaired, len(log.judged)) == (hole, 2)
    assert place.read_bytes() == b"".join(lines)


def test_a_log_of_one_verdict_of_another_format_is_refused_and_left_as_it_is(place: Path) -> None:
    (line,) = fill(place, 1)
    other = line.replace(b'"format_version":1', b'"format_version":2')
    place.write_bytes(other)
    with pytest.raises(LogError, match="expected format_version 1"):
        VerdictLog(place)
    assert place.read_bytes() == other


def test_a_reader_leaves_out_a_line_that_is_being_written(place: Path) -> None:
    first, second = fill(place, 2)
    place.write_bytes(first + second[:-1])
    assert names(place) == [(1, "S0/r0")]
