"""Model and thresholds swapped for others while the line works."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from drae_line.errors import JudgeError
from drae_line.event_log import ROLLED_BACK, SWAP_REFUSED, SWAPPED, EventLog
from drae_line.inspection import Engine
from drae_line.judge import Judge

# A name for what shall judge, and how it is loaded; raises `JudgeError`.
Wanted = Callable[[], tuple[str, Callable[[], Judge]]]
# Seconds between looks at what shall judge.
_LOOK = 0.5


class Swaps:
    """Follows what shall judge: loads it beside the work, takes it between two slots.

    Args:
        engine: that judges.
        events: where swaps are told of.
        wanted: what shall judge now: a name for it, and how it is loaded.
        begun: the name of what the engine judges with; another may be wanted by the time the line begins.
    """

    def __init__(self, engine: Engine, events: EventLog, wanted: Wanted, begun: str) -> None:
        self._engine, self._events, self._wanted = engine, events, wanted
        self._loads = ThreadPoolExecutor(1, "judge")
        self._now = begun
        self._before = self._refused = ""
        self._loading: tuple[str, Future[Judge]] | None = None
        self._next = 0.0

    def close(self) -> None:
        """Waits for what is being loaded."""
        self._loads.shutdown(cancel_futures=True)

    def look(self) -> None:
        """To be called between two slots."""
        if self._loading is not None:
            name, loading = self._loading
            if not loading.done():
                return
            self._loading = None
            try:
                self._engine.swap(loading.result())
            except Exception as error:  # noqa: BLE001  # Whatever it is, the line goes on with what it has.
                self._refused = name
                self._events.write(SWAP_REFUSED, str(error) if isinstance(error, JudgeError) else repr(error))
                return
            self._before, self._now = self._now, name
            self._events.write(SWAPPED, name)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LOOK
        try:
            name, load = self._wanted()
        except JudgeError as error:
            self._events.write_once(SWAP_REFUSED, str(error))
            return
        if name == self._refused:
            return
        self._refused = ""
        if name == self._now:
            return
        if name == self._before:
            self._engine.roll_back()
            self._before, self._now = self._now, self._before
            self._events.write(ROLLED_BACK, name)
        else:
            self._loading = name, self._loads.submit(load)
