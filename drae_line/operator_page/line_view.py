"""All that the page knows of the line at a moment, in bounded memory however long the log is."""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Any

from drae_line.event_log import STARTED, STOPPED
from drae_line.operator_page.checks import OPEN, Check
from drae_line.operator_page.drift_watch import AcceptedWindow, Compared
from drae_line.operator_page.figures import WINDOW, Brief, counts, rate, slot_times, trend
from drae_line.operator_page.line_events import LineEvent, line_state
from drae_line.operator_page.options import PageOptions
from drae_line.operator_page.strip_views import tile
from drae_line.operator_page.verdict_feed import ACCEPTED, UNREADABLE, Reading
from drae_line.slot_verdict import LoggedVerdict

# Checks are kept of so many strips, more than the window holds.
_CHECKS = 2 * WINDOW
_SILENT_SECONDS = 5.0


class LineView:
    """What is shown; changed only from the event loop.

    Attributes:
        version: grows with every change.
        limit: how many strips are shown.
        loaded: whether the log was read once.
        log: names the log; see `Reading`.
        looked: when its files were last looked at, seconds since 1970.
        briefs: of the last 1,000 verdicts, oldest first.
        problem: why a file of the line cannot be read; empty where all can.
        drift: what `DriftWatch.judge` said last.
    """

    def __init__(self, options: PageOptions) -> None:
        self.version, self.loaded, self.log, self.problem = 0, False, "", ""
        self.limit, self.looked = options.strips, 0.0
        self.briefs: deque[Brief] = deque(maxlen=WINDOW)
        self.drift: dict[str, Any] = {"state": "not_enough", "text": "Not compared yet.", "regions": []}
        self._held: deque[LoggedVerdict] = deque(maxlen=options.strips)
        self._accepted = AcceptedWindow(options.drift_strips)
        self._total: Counter[str] = Counter()
        self._unreadable = ""
        self._checks: OrderedDict[int, Check] = OrderedDict()
        self._event: LineEvent | None = None
        self._turned: LineEvent | None = None
        self._locked: bool | None = None

    @property
    def newest(self) -> int:
        """Sequence of the last verdict; 0 where there is none."""
        return self.briefs[-1].sequence if self.briefs else 0

    def take_reading(self, reading: Reading) -> None:
        """Takes in what the log gave."""
        if self.loaded and reading.empty:
            return
        if reading.anew:
            self.briefs.clear()
            self._held.clear()
            self._accepted.clear()
            self._total.clear()
            self._unreadable = ""
        self.loaded, self.log = True, reading.log
        self._total.update(reading.passed)
        self._unreadable = reading.problem or self._unreadable
        for logged in reading.accepted:
            self._accepted.add(logged)
        for logged in reading.newest:
            brief = Brief.of(logged)
            self._total[brief.kind] += 1
            self.briefs.append(brief)
            self._held.append(logged)
            if brief.kind == ACCEPTED:
                self._accepted.add(logged)
        self.version += 1

    def take_checks(self, checks: Sequence[Check], anew: bool) -> None:
        """Takes in checks, oldest first; `anew` where those before are gone."""
        if anew:
            self._checks.clear()
        for check in checks:
            self._checks.pop(check.sequence, None)
            self._checks[check.sequence] = check
        while len(self._checks) > _CHECKS:
            self._checks.popitem(last=False)
        self.version += bool(checks) or anew

    def take_events(self, events: Sequence[LineEvent], anew: bool) -> None:
        """Takes in events, oldest first; `anew` where those before are gone."""
        if anew:
            self._event = self._turned = None
        for event in events:
            self._event = event
            if event.event in (STARTED, STOPPED):
                self._turned = event
        self.version += bool(events) or anew

    def take_lock(self, locked: bool | None) -> None:
        """Takes in whether the log is locked."""
        self.version += locked != self._locked
        self._locked = locked

    def take_problem(self, problem: str) -> None:
        """Takes in why a file cannot be read, or that all can."""
        self.version += problem != self.problem
        self.problem = problem

    def take_drift(self, drift: dict[str, Any]) -> None:
        """Takes in what the comparison with the training gave."""
        self.version += drift != self.drift
        self.drift = drift

    def compared(self) -> Compared:
        """What the comparison needs."""
        return self._accepted.take(self.newest)

    def brief(self, sequence: int) -> Brief | None:
        """One of the last 1,000 verdicts."""
        return next((brief for brief in reversed(self.briefs) if brief.sequence == sequence), None)

    def strip(self, sequence: int) -> LoggedVerdict | None:
        """One of the strips that are shown, in full."""
        return next((logged for logged in reversed(self._held) if logged.sequence == sequence), None)

    def tiles(self, after: int = 0) -> list[dict[str, Any]] | None:
        """Tiles of the strips that are shown, oldest first.

        Args:
            after: only those with a greater sequence.

        Returns:
            None where one of them is not held any more, or that sequence has not come yet.
        """
        if after and (after > self.newest or (self._held and self._held[0].sequence > after + 1)):
            return None
        return [tile(logged) for logged in self._held if logged.sequence > after]

    def checks(self) -> dict[int, str]:
        """What was found on the last 1,000 strips that are not accepted, by sequence."""
        found = {}
        for brief in self.briefs:
            check = self._checks.get(brief.sequence)
            if check is not None and check.acquisition == brief.acquisition and brief.kind != ACCEPTED:
                found[brief.sequence] = check.found
        return {sequence: what for sequence, what in found.items() if what != OPEN}

    def state(self, now: float) -> dict[str, Any]:
        """Everything on the page but the strips.

        Args:
            now: seconds since 1970.
        """
        runs, text, more = line_state(self._locked, self._turned)
        checks, briefs = self.checks(), list(self.briefs)
        event = self._event
        return {
            "now": now, "loaded": self.loaded, "log": self.log, "newest": self.newest,
            "newest_given": briefs[-1].given if briefs else None,
            "line": {"state": runs, "text": text, "more": more},
            "event": None if event is None else {
                "text": event.text, "given": event.given, "warning": event.warning,
            },
            "problem": self.problem or self._silence(now) or self._log_problem(),
            "counts": counts(self._total, briefs), "slots": slot_times(briefs), "rate": rate(briefs, now),
            "trend": trend(briefs, checks), "drift": self.drift, "checks": checks,
        }  # fmt: skip

    def _silence(self, now: float) -> str:
        """A disk that hangs keeps whoever reads it waiting, without an error."""
        seconds = now - self.looked
        if not self.loaded or seconds < _SILENT_SECONDS:
            return ""
        return f"The files of the line have not answered for {seconds:.0f} seconds; what you see is from before."

    def _log_problem(self) -> str:
        bad = self._total[UNREADABLE]
        if not bad:
            return ""
        counts = f"{bad:,} lines of the log cannot be read and count"
        if bad == 1:
            counts = "1 line of the log cannot be read and counts"
        return f"{counts} nowhere. {self._unreadable}"
