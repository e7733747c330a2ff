"""What the line says of itself in `events.jsonl`, and whether it runs."""

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drae_line.event_log import (
    LOG_REPAIRED,
    PICTURES_FAILED,
    ROLLED_BACK,
    STARTED,
    STOPPED,
    STRANGE_FILE,
    SWAP_REFUSED,
    SWAPPED,
    TOLD_LATE,
    UNANNOUNCED,
    UNREADABLE,
    UNTOLD,
)

WORDS = {
    STARTED: "The line was started",
    STOPPED: "The line was stopped",
    SWAPPED: "Model or thresholds were changed",
    SWAP_REFUSED: "A change of model or thresholds was refused; the earlier ones stay",
    ROLLED_BACK: "Model or thresholds were changed back",
    LOG_REPAIRED: "The log was repaired after an interruption",
    STRANGE_FILE: "A file that belongs to no strip, or came too late",
    PICTURES_FAILED: "Pictures of a rejected strip could not be drawn",
    UNREADABLE: "The folder of the camera's computer cannot be read",
    UNANNOUNCED: "The system does not tell of every file; strips wait a little longer",
    TOLD_LATE: "A verdict was told late",
    UNTOLD: "Too many events of one kind",
}
# All others are for somebody to look at.
_QUIET = (STARTED, STOPPED, SWAPPED, UNANNOUNCED)
RUNNING, NOT_RUNNING, UNKNOWN = "running", "not_running", "unknown"
# The kernel's list of locks: number, kind, of whom, and the file as `device:inode`, such as
# `1: FLOCK  ADVISORY  WRITE 4711 fe:00:9978378 0 EOF`; after an arrow who waits for a lock, and holds none.
_LOCKS = Path("/proc/locks")


@dataclass(frozen=True)
class LineEvent:
    """Something that the line says of itself.

    Attributes:
        given: when, seconds since 1970.
        event: its code.
        detail: further words; may be empty.
    """

    given: float
    event: str
    detail: str

    @property
    def text(self) -> str:
        """What happened, in words."""
        words = WORDS.get(self.event, f"Event {self.event}")
        return f"{words}: {self.detail}" if self.detail else words

    @property
    def warning(self) -> bool:
        """Whether somebody should look at it."""
        return self.event not in _QUIET


def parse_event(line: bytes) -> LineEvent | None:
    """An event, or None for a line that is none."""
    try:
        values = json.loads(line)
        event, detail = values["event"], values.get("detail", "")
        given = datetime.fromisoformat(values["given"])
        if given.tzinfo is None or not isinstance(event, str) or not isinstance(detail, str):
            return None
        return LineEvent(given.timestamp(), event, detail)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


class LineLock:
    """Whether a process holds the lock on the log, as the line does while it runs.

    The lock itself is not touched: to try it, even for a moment, could make a line that begins just then believe that
    another one runs. The kernel's list is read instead, and believed only where it has shown a lock of our own on the
    log's folder, which hinders nobody and writes nothing, since some file systems number their files otherwise there.
    That lock also tells how the list names the device: on btrfs and overlay not as `stat` does.

    Args:
        log: place of the log.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        # The device as `stat` names it, and as the list does.
        self._device: tuple[int, str] | None = None

    def is_held(self) -> bool | None:
        """Whether it is; None where that cannot be told."""
        try:
            log = self._log.stat()
            if self._device is None or self._device[0] != log.st_dev:
                self._device = self._find_device()
            if self._device is None or self._device[0] != log.st_dev:
                return None
            wanted = f"{self._device[1]}:{log.st_ino}"
            return any(file == wanted for _, file in _locked_files())
        except (OSError, ValueError, IndexError):
            return None

    def _find_device(self) -> tuple[int, str] | None:
        """What device the folder of the log is on; None where the list does not show our own lock."""
        own = os.open(self._log.parent, os.O_RDONLY)
        try:
            fcntl.flock(own, fcntl.LOCK_SH | fcntl.LOCK_NB)
            status = os.fstat(own)
            for process, file in _locked_files():
                device, _, inode = file.rpartition(":")
                if (process, inode) == (str(os.getpid()), str(status.st_ino)):
                    return status.st_dev, device
            return None
        finally:
            os.close(own)


def _locked_files() -> list[tuple[str, str]]:
    """Process and `device:inode` of each lock of the line's kind."""
    locks = [line.split() for line in _LOCKS.read_text().splitlines()]
    return [(lock[4], lock[5]) for lock in locks if lock[1] == "FLOCK"]


def line_state(locked: bool | None, turned: LineEvent | None) -> tuple[str, str, str]:
    """Whether the line runs, the same in a few words, and what else there is to say.

    Args:
        locked: whether the log is; None where that cannot be told.
        turned: the newest event that the line was started or stopped.
    """
    if locked:
        return RUNNING, "The line is running", ""
    if turned is not None and turned.event == STOPPED:
        return NOT_RUNNING, "The line is not running", ""
    if locked is False:
        return NOT_RUNNING, "The line is not running", "It did not say that it was stopped: look at its computer."
    if turned is not None:
        return UNKNOWN, "The line was started", "Whether it still runs cannot be told here."
    return UNKNOWN, "Whether the line runs is not known", ""
