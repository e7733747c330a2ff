"""The log of verdicts: append-only, one line of JSON each, on the disk before anybody is told of it.

A line that a power cut or a kill left without its end was never given to anybody: it is taken off when the line begins
again, and the acquisition is judged anew. So each acquisition has exactly one verdict.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from drae_data.local_files import sync_to_disk
from drae_line.errors import LogError
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict

VERDICTS = "verdicts.jsonl"
_LAST = 64
_ANEW = "begin another one: clear the incoming folder first, then give the line a new line.folder"


class VerdictLog:
    """Writes verdicts; one process at a time.

    Args:
        place: of the log; made with its folder where it is absent.

    Attributes:
        judged: acquisitions that have a verdict, by the text form of their keys.
        last: the newest verdicts that the log held when it was opened, oldest first, at most 64.
        repaired: an unfinished last line that was taken off; empty where there was none.

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
            self.repaired = self._read()
        except LogError:
            self._stream.close()
            raise
        sync_to_disk(place.parent)

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
            # Its end comes last: who follows the log takes only whole lines, and so only what is on the disk.
            for part in (line[:-1], line[-1:]):
                written = 0
                while written < len(part):
                    written += self._stream.write(part[written:]) or 0
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

    def _read(self) -> bytes:
        """Reads the log, takes an unfinished last line off and returns it.

        Unfinished is one without its end, and one that is no verdict: a power cut may leave a hole of zeros.
        """
        whole, held = 0, ""
        with self._place.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if held:
                    raise LogError(held)
                try:
                    logged = LoggedVerdict.parse(line)
                except LogError as error:
                    held = f"{self._place}: line {number}: {error}; keep the file, and {_ANEW}"
                    if _is_json(line):
                        raise LogError(held) from error
                    continue
                if line.endswith(b"\n"):
                    self._note(logged)
                    whole += len(line)
            stream.seek(whole)
            rest = stream.read()
        if rest:
            self._stream.truncate(whole)
            os.fsync(self._stream.fileno())
        return rest

    def _note(self, logged: LoggedVerdict) -> None:
        name = logged.slot.acquisition
        if logged.sequence != len(self.judged) + 1 or name in self.judged:
            raise LogError(
                f"{self._place}: expected verdict {len(self.judged) + 1} on an acquisition that has none, got "
                f"{logged.sequence} on {name}: lines were removed, repeated or edited; keep the file, and {_ANEW}"
            )
        self.judged.add(name)
        self.last = [*self.last[-_LAST + 1 :], logged]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


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
                    raise LogError(f"{place}: line {number}: {error}; keep the file, and {_ANEW}") from error
    except FileNotFoundError:
        return
