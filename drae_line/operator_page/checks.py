"""What operators found when they looked at rejected strips again: `checks.jsonl`, one line of JSON for each check.

The newest check of a strip counts. A check names sequence and acquisition, so that one of an earlier log labels no
strip of a later log that has the same number.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from drae_data.local_files import sync_to_disk
from drae_line.errors import LogError

CHECKS = "checks.jsonl"
# `open` takes a check back.
GOOD, DEFECTIVE, OPEN = "good", "defective", "open"
FINDINGS = (GOOD, DEFECTIVE, OPEN)


@dataclass(frozen=True)
class Check:
    """What an operator found on a rejected strip.

    Attributes:
        given: when: UTC, ISO 8601 with milliseconds.
        sequence: of the verdict.
        acquisition: of the verdict.
        found: good, defective, or open where an earlier check is taken back.
        by: of whom; empty, for whoever answers for checks to fill.
    """

    given: str
    sequence: int
    acquisition: str
    found: str
    by: str = ""

    def line(self) -> bytes:
        """The line of JSON, with its end."""
        return (json.dumps(asdict(self), separators=(",", ":")) + "\n").encode()

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Reads a line back; raises `LogError`."""
        try:
            check = cls(**json.loads(line))
            texts = (check.given, check.acquisition, check.by)
            plain = type(check.sequence) is int and all(isinstance(text, str) for text in texts)
            if not plain or check.found not in FINDINGS:
                raise LogError(f"expected a check, one of {', '.join(FINDINGS)}, of a strip, got {line[:80]!r}")
        except (ValueError, TypeError, RecursionError) as error:
            raise LogError(f"expected a check, got {line[:80]!r}: {error!r}") from error
        return check


def append_check(folder: Path, sequence: int, acquisition: str, found: str) -> Check:
    """Writes a check and returns once it is on the disk; raises `OSError`.

    A line that an interruption left without its end stays, ended, for people to see; it counts nowhere.
    """
    place = folder / CHECKS
    check = Check(datetime.now(UTC).isoformat(timespec="milliseconds"), sequence, acquisition, found)
    line, new = check.line(), not place.exists()
    with place.open("ab+", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - 1, 0))
        if stream.read(1) not in (b"", b"\n"):
            line = b"\n" + line
        if (written := stream.write(line)) != len(line):
            raise OSError(f"{place}: {written} of {len(line)} bytes written; the disk is full")
        os.fsync(stream.fileno())
    if new:
        sync_to_disk(folder)
    return check
