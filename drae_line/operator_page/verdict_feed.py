"""The log of verdicts as the page needs it: counts of all, and the newest verdicts; a million lines take seconds."""

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from drae_acceptance.verdict import ACCEPT
from drae_data.files import sha256_hex
from drae_line.errors import LogError
from drae_line.operator_page.growing_file import GrowingFile
from drae_line.slot_verdict import LoggedVerdict

# How a verdict counts.
ACCEPTED, REJECTED, NOT_INSPECTED = "accepted", "rejected", "not_inspected"
# How a line counts that is no verdict.
UNREADABLE = "unreadable"
_LOG_DIGITS = 12
# What `LoggedVerdict.line` writes early in a line. A quote inside a text is escaped, so that no name can look like it.
_VERDICT = b',"verdict":"'
_KINDS = {
    b'accept","inspected":true,': ACCEPTED,
    b'reject","inspected":true,': REJECTED,
    b'reject","inspected":false': NOT_INSPECTED,
}
_KIND_LENGTH = 25


@dataclass(frozen=True)
class Reading:
    """What a look at the log gave.

    Attributes:
        log: names the log: the first digits of its first line's SHA-256; empty where there is none.
        anew: whether it is another log than at the last look; nothing read before counts any more.
        passed: how many lines before the newest count as accepted, rejected or not inspected, and how many of all
            lines as unreadable.
        accepted: the last accepted ones among them, oldest first.
        newest: verdicts, oldest first.
        problem: what was wrong with the last line that is no verdict; empty where all are.
    """

    log: str = ""
    anew: bool = False
    passed: Counter[str] = field(default_factory=Counter)
    accepted: tuple[LoggedVerdict, ...] = ()
    newest: tuple[LoggedVerdict, ...] = ()
    problem: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is new."""
        return not (self.anew or self.newest or self.passed)


def kind_of(logged: LoggedVerdict) -> str:
    """How a verdict counts."""
    if not logged.slot.inspected:
        return NOT_INSPECTED
    return ACCEPTED if logged.slot.verdict == ACCEPT else REJECTED


def parse_verdict(line: bytes) -> LoggedVerdict:
    """A line as a verdict on whose values everything else may rely.

    Beyond `LoggedVerdict.parse`, which has seen to their types: numbers are finite, each region that has scores has a
    threshold, and the time names its zone.

    Raises:
        LogError: it is none.
    """
    logged = LoggedVerdict.parse(line)
    slot = logged.slot
    scores = [score for regions in slot.scores.values() for vials in regions.values() for score in vials]
    numbers = [slot.slot_ms, *slot.thresholds.values(), *slot.milliseconds.values(), *scores]
    try:
        if not all(number is None or math.isfinite(number) for number in numbers):
            raise LogError("expected finite numbers")
        if any(region not in slot.thresholds for regions in slot.scores.values() for region in regions):
            raise LogError("expected a threshold for each region that has scores")
        if datetime.fromisoformat(logged.given).tzinfo is None:
            raise LogError(f"expected a time with its zone, got {logged.given!r}")
    # A whole number of hundreds of digits overflows.
    except (ValueError, OverflowError) as error:
        raise LogError(f"expected a verdict, got {line[:80]!r}: {error!r}") from error
    return logged


class VerdictFeed:
    """Follows the log.

    Lines before the newest are counted by a look at their beginning, which takes a hundredth of the time of reading all
    of them; what is wrong with the rest of such a line is for the line itself to find, which checks its log.

    Args:
        place: of the log; it may not be there yet.
        newest: how many verdicts are read in full.
        accepted: how many of the accepted ones before them.
    """

    def __init__(self, place: Path, newest: int, accepted: int) -> None:
        self._file, self._newest, self._accepted = GrowingFile(place), newest, accepted
        self._log = ""

    def read(self) -> Reading:
        """What is new; raises `OSError` where the log is there and cannot be read."""
        lines, accepted = deque[bytes](), deque[bytes](maxlen=self._accepted)
        passed, anew = Counter[str](), False
        while True:
            growth = self._file.read()
            if growth.anew:
                lines.clear()
                accepted.clear()
                passed, anew, self._log = Counter(), True, ""
            if growth.lines and not self._log:
                self._log = sha256_hex(growth.lines[0])[:_LOG_DIGITS]
            for line in growth.lines:
                if len(lines) == self._newest:
                    self._pass(lines.popleft(), passed, accepted)
                lines.append(line)
            if not growth.more:
                return self._reading(lines, accepted, passed, anew)

    def _pass(self, line: bytes, passed: Counter[str], accepted: deque[bytes]) -> None:
        place = line.find(_VERDICT) + len(_VERDICT)
        kind = _KINDS.get(line[place : place + _KIND_LENGTH])
        if kind is None:
            try:
                kind = kind_of(LoggedVerdict.parse(line))
            except LogError:
                kind = UNREADABLE
        passed[kind] += 1
        if kind == ACCEPTED:
            accepted.append(line)

    def _reading(self, lines: deque[bytes], accepted: deque[bytes], passed: Counter[str], anew: bool) -> Reading:
        problem = ""
        verdicts: tuple[list[LoggedVerdict], list[LoggedVerdict]] = ([], [])
        for found, chosen in zip(verdicts, (accepted, lines), strict=True):
            for line in chosen:
                try:
                    found.append(parse_verdict(line))
                except LogError as error:
                    problem = str(error)
                    if chosen is lines:
                        passed[UNREADABLE] += 1
        return Reading(self._log, anew, passed, tuple(verdicts[0]), tuple(verdicts[1]), problem)
