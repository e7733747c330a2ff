"""What the line says of itself, and whether it runs."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drae_line.operator_page import line_events
from drae_line.operator_page.line_events import (
    NOT_RUNNING,
    RUNNING,
    UNKNOWN,
    LineEvent,
    LineLock,
    line_state,
    parse_event,
)
from drae_line.verdict_log import VERDICTS
from tests.drae_line.operator_page.fake_line import FakeLine

STARTED, STOPPED = LineEvent(1.0, "started", ""), LineEvent(2.0, "stopped", "by the operator")
# Locks a file, says so, and sleeps.
LOCKS = """
import fcntl, sys, time
stream = open(sys.argv[1], "ab")
fcntl.flock(stream, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


def test_an_event_in_words() -> None:
    line = b'{"given": "1970-01-01T00:00:05+00:00", "event": "swap_refused", "detail": "of another layout"}'
    event = parse_event(line)
    assert event == LineEvent(5.0, "swap_refused", "of another layout")
    assert event.text == "A change of model or thresholds was refused; the earlier ones stay: of another layout"
    other = parse_event(b'{"given": "1970-01-01T00:00:05+00:00", "event": "cleaned"}')
    assert other is not None
    assert other.text == "Event cleaned"


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"5", b"[]", b"null", b'{"event": "started"}', b'{"given": 5, "event": "started"}', b"\xff",
        b'{"given": "now", "event": "started"}', b'{"given": "1970-01-01T00:00:05", "event": "started"}',
        b'{"given": "1970-01-01T00:00:05+00:00", "event": 7}',
        b'{"given": "1970-01-01T00:00:05+00:00", "event": "started", "detail": []}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_passed_over(line: bytes) -> None:
    assert parse_event(line) is None


@pytest.mark.parametrize(
    ("locked", "turned", "state"),
    [
        (True, None, RUNNING), (True, STOPPED, RUNNING), (False, STARTED, NOT_RUNNING), (False, STOPPED, NOT_RUNNING),
        (False, None, NOT_RUNNING), (None, STARTED, UNKNOWN), (None, STOPPED, NOT_RUNNING), (None, None, UNKNOWN),
    ],
)  # fmt: skip
def test_whether_the_line_runs(locked: bool | None, turned: LineEvent | None, state: str) -> None:
    assert line_state(locked, turned)[0] == state


def test_a_line_that_was_killed_is_told_from_one_that_was_stopped() -> None:
    assert "did not say" in line_state(False, STARTED)[2]
    assert line_state(False, STOPPED)[2] == ""


def test_the_lock_of_a_line_is_seen_and_not_touched(tmp_path: Path) -> None:
    lock = LineLock(tmp_path / VERDICTS)
    assert lock.is_held() is None
    line = FakeLine(tmp_path)
    if lock.is_held() is None:
        pytest.skip("this system does not show its locks")
    assert lock.is_held() is True
    line.close()
    assert lock.is_held() is False
    FakeLine(tmp_path).close()  # It can be taken while it is looked at.
    assert [path.name for path in tmp_path.iterdir()] == [VERDICTS]


def test_the_lock_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    place = tmp_path / VERDICTS
    with subprocess.Popen([sys.executable, "-c", LOCKS, str(place)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        lock = LineLock(place)
        seen = lock.is_held()
        process.kill()
        process.wait()
    if seen is None:
        pytest.skip("this system does not show its locks")
    assert seen is True
    assert lock.is_held() is False


class Locks:
    """What the kernel lists: a lock on a folder and those of others.

    Args:
        folder: that the page locks.
        device: as the list names it.
        others: process and `device:inode`.
        process: that has the lock on the folder.
        arrow: before the locks of others, where they wait for them.
    """

    def __init__(
        self, folder: Path, device: str, others: list[str], process: int | None = None, arrow: str = ""
    ) -> None:
        lines = [
            f"FLOCK  ADVISORY  READ {process or os.getpid()} {device}:{folder.stat().st_ino}",
            *(f"{arrow}FLOCK  ADVISORY  WRITE {other}" for other in others),
        ]
        self._text = "".join(f"{number}: {line} 0 EOF\n" for number, line in enumerate(lines, 1))

    def read_text(self) -> str:
        return self._text


def test_a_lock_on_another_device_is_not_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / VERDICTS
    place.touch()
    inode = place.stat().st_ino

    def seen(*others: str, **more: Any) -> bool | None:
        monkeypatch.setattr(line_events, "_LOCKS", Locks(tmp_path, "00:2a", list(others), **more))
        return LineLock(place).is_held()

    # The device that the list names is believed, though `stat` names another one, as on btrfs and overlay.
    assert seen(f"7 00:2a:{inode}") is True
    assert seen(f"7 fe:00:{inode}") is False
    assert seen(f"7 00:2a:{inode + 1}") is False
    assert seen() is False
    # A waiter holds none.
    assert seen(f"7 00:2a:{inode}", arrow="-> ") is False
    # A lock on the folder that is another process's does not say that ours would show.
    assert seen(f"7 00:2a:{inode}", process=os.getpid() + 1) is None


def test_a_log_that_is_a_link_to_another_device_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second device at /dev/shm")
    (tmp_path / VERDICTS).symlink_to(memory)  # What it leads to does not matter, only where that lies.
    monkeypatch.setattr(line_events, "_LOCKS", Locks(tmp_path, "00:2a", []))
    assert LineLock(tmp_path / VERDICTS).is_held() is None


def test_locks_that_cannot_be_read_tell_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / VERDICTS
    with place.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        # Another numbering of files: the own lock is not in the list.
        (tmp_path / "locks").write_text(f"1: FLOCK  ADVISORY  WRITE 1 00:01:{os.fstat(stream.fileno()).st_ino} 0 EOF\n")
        for name in ("locks", "absent"):
            monkeypatch.setattr(line_events, "_LOCKS", tmp_path / name)
            assert LineLock(place).is_held() is None
