"""Looks at the line's files again and again, in a thread, and tells whoever waits what has changed."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from drae_line.errors import LogError
from drae_line.event_log import EVENTS
from drae_line.operator_page.checks import CHECKS, Check
from drae_line.operator_page.drift_watch import DriftWatch, Reference
from drae_line.operator_page.figures import WINDOW
from drae_line.operator_page.growing_file import GrowingFile
from drae_line.operator_page.line_events import LineEvent, LineLock, parse_event
from drae_line.operator_page.line_view import LineView
from drae_line.operator_page.options import PageOptions
from drae_line.operator_page.verdict_feed import Reading, VerdictFeed
from drae_line.verdict_log import VERDICTS

_SECONDS = 0.1
_LOCK_SECONDS = 1.0
_DRIFT_SECONDS = 2.0
# The newest event is wanted, and when the line was last started or stopped.
_EVENTS_TAIL = 1 << 18


class Changes:
    """Wakes all who wait for a change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Something has changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until something changes, no longer than so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)


@dataclass(frozen=True)
class _Look:
    reading: Reading
    checks: list[Check]
    checks_anew: bool
    events: list[LineEvent]
    events_anew: bool


class Follower:
    """Keeps a view up to date.

    Args:
        options: of the page.
        read_reference: reads the scores that the training's validation set had.

    Attributes:
        view: what is shown.
        changes: told of every change of it.
    """

    def __init__(self, options: PageOptions, read_reference: Callable[[], Reference]) -> None:
        self.view, self.changes = LineView(options), Changes()
        self._lock = LineLock(options.folder / VERDICTS)
        self._feed = VerdictFeed(options.folder / VERDICTS, WINDOW, options.drift_strips)
        self._checks = GrowingFile(options.folder / CHECKS)
        self._events = GrowingFile(options.folder / EVENTS, _EVENTS_TAIL)
        self._watch = DriftWatch(read_reference, options.drift_strips, options.drift_index)

    async def run(self) -> None:
        """Follows for ever."""
        await asyncio.gather(self._follow(), self._follow_lock(), self._follow_drift())

    async def _follow(self) -> None:
        while True:
            version = self.view.version
            try:
                look = await asyncio.to_thread(self._look)
            except OSError as error:
                self.view.take_problem(f"{error.filename}: expected a file to read, got: {error.strerror}")
            else:
                self.view.looked = time.time()
                self.view.take_problem("")
                self.view.take_reading(look.reading)
                self.view.take_checks(look.checks, look.checks_anew)
                self.view.take_events(look.events, look.events_anew)
            self._tell(version)
            await asyncio.sleep(_SECONDS)

    async def _follow_lock(self) -> None:
        while True:
            version = self.view.version
            self.view.take_lock(await asyncio.to_thread(self._lock.is_held))
            self._tell(version)
            await asyncio.sleep(_LOCK_SECONDS)

    async def _follow_drift(self) -> None:
        judged = None
        while True:
            now = self.view.log, self.view.newest
            if self.view.loaded and now != judged:
                drift = await asyncio.to_thread(self._watch.judge, self.view.compared())
                version, judged = self.view.version, now
                self.view.take_drift(drift)
                self._tell(version)
            await asyncio.sleep(_DRIFT_SECONDS if self.view.loaded else _SECONDS)

    def _tell(self, version: int) -> None:
        if self.view.version != version:
            self.changes.tell()

    def _look(self) -> _Look:
        reading = self._feed.read()
        check_lines, checks_anew = _new_lines(self._checks)
        checks = []
        for line in check_lines:
            with suppress(LogError):
                checks.append(Check.parse(line))
        event_lines, events_anew = _new_lines(self._events)
        events = [event for event in map(parse_event, event_lines) if event is not None]
        return _Look(reading, checks, checks_anew, events, events_anew)


def _new_lines(file: GrowingFile) -> tuple[list[bytes], bool]:
    lines, anew = list[bytes](), False
    while True:
        growth = file.read()
        if growth.anew:
            lines, anew = [], True
        lines += growth.lines
        if not growth.more:
            return lines, anew
