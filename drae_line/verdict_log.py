"""The log of verdicts: append-only, one line of JSON each, on the disk before anybody is told of it.

A line that a power cut or a kill left without its end was never given to anybody: it is taken off when the line begins
again, and the acquisition is judged anew. So each acquisition has exactly one verdict.
"""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from drae_line.errors import LogError
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict

VERDICTS = "verdicts.jsonl"
_LAST = 64


class VerdictLog:
    """Writes verdicts; one process at a time.

    Args:
        place: of the log; made with its folder where it is absent.

    Attributes:
        judged: acquisitions that have a verdict, by the text form of their keys.
        last: the newest verdicts that the log held when it was opened, oldest first, at most 64.
        repaired: bytes of an unfinished line that were taken off.

    Raises:
        LogError: the log is damaged before its last line, or another process writes it.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        place.parent.mkdir(parents=True, exist_ok=True)
        self._stream = place.open("ab+", buffering=0)
        try:
            self._lock()
            self.judged, self.last = set[str](), list[LoggedVerdict]()
            # Read first: a damaged log stays as it is.
            self._read()
            self.repaired = self._repair()
        except LogError:
            self._stream.close()
            raise
        self._sync_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets another process write."""
        self._stream.close()

    def append(self, slot: SlotVerdict) -> LoggedVerdict:
        """Writes a verdict and returns once it is on the disk.

        Args:
            slot: of an acquisition that has none yet.

        Raises:
            LogError: the acquisition has a verdict already.
            OSError: the disk is full or gone; nothing of the line stays.
        """
        if slot.acquisition in self.judged:
            raise LogError(f"{self._place}: {slot.acquisition} has its verdict already; a second one is refused")
        given = datetime.now(UTC).isoformat(timespec="milliseconds")
        logged = LoggedVerdict(len(self.judged) + 1, given, slot)
        line, before = logged.line(), self._stream.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):
                written += self._stream.write(line[written:]) or 0
            os.fsync(self._stream.fileno())
        except OSError:
            self._stream.truncate(before)
            raise
        self.judged.add(slot.acquisition)
        return logged

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LogError(
                f"{self._place}: another line writes this log; end it first, or give this one a line.folder of its own"
            ) from error

    def _repair(self) -> int:
        """Takes an unfinished last line off; returns its length in bytes."""
        self._stream.seek(0)
        whole = end = 0
        while block := self._stream.read(1 << 20):
            if (found := block.rfind(b"\n")) >= 0:
                whole = end + found + 1
            end += len(block)
        if whole < end:
            self._stream.truncate(whole)
            os.fsync(self._stream.fileno())
        return end - whole

    def _read(self) -> None:
        for logged in read_verdicts(self._place):
            name = logged.slot.acquisition
            if logged.sequence != len(self.judged) + 1 or name in self.judged:
                raise LogError(
                    f"{self._place}: expected verdict {len(self.judged) + 1} on an acquisition that has none, got "
                    f"{logged.sequence} on {name}: lines were removed, repeated or edited; keep the file and begin "
                    "another with a new line.folder"
                )
            self.judged.add(name)
            self.last = [*self.last[-_LAST + 1 :], logged]

    def _sync_folder(self) -> None:
        descriptor = os.open(self._place.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_verdicts(place: Path) -> Iterator[LoggedVerdict]:
    """The verdicts in a log, oldest first; a last line without its end is left out; raises `LogError`."""
    try:
        with place.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield LoggedVerdict.parse(line)
                except LogError as error:
                    raise LogError(f"{place}: line {number}: {error}; keep the file and begin another one") from error
    except FileNotFoundError:
        return


def new_verdicts(place: Path, offset: int) -> tuple[list[LoggedVerdict], int]:
    """The whole lines of a log from a place on, for who follows it.

    Args:
        place: of the log; it may not be there yet.
        offset: where to begin, in bytes: 0, or what the last call returned.

    Returns:
        The verdicts and where the next call begins. A log that has become shorter is read from its beginning.

    Raises:
        LogError: a line is no verdict.
    """
    try:
        with place.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(offset if offset <= size else 0)
            offset = stream.tell()
            content = stream.read()
    except FileNotFoundError:
        return [], 0
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    return [LoggedVerdict.parse(line) for line in lines], offset + sum(map(len, lines))
