"""The line at work: acquisitions from the watched folder to verdicts in the log, one after the other, each once.

One thread watches, reads and cuts, this one judges and writes: patches of the next acquisition are cut while the model
is at work. A verdict is on the disk before its pictures are drawn.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event

from drae_data.errors import AcquisitionError
from drae_data.options import DatasetOptions
from drae_line.errors import LineError
from drae_line.event_log import PICTURES_FAILED, STRANGE_FILE, TOLD_LATE, UNANNOUNCED, UNREADABLE, EventLog
from drae_line.folder_watch import FolderWatch
from drae_line.frame_reading import read_frames
from drae_line.heat_pictures import write_pictures
from drae_line.incoming import Arrival, Incoming
from drae_line.inspection import Engine, Inspection, Prepared
from drae_line.pictures_index import pictures_folder
from drae_line.slot_verdict import FAILED, STILL_WRITTEN, LoggedVerdict
from drae_line.swaps import Swaps, Wanted
from drae_line.verdict_log import VerdictLog

# Seconds: between looks for what no event told of, at most this share of the time; for events while some acquisition
# waits for its frames, and while none does.
_SCAN, _SCAN_SHARE, _WAITING, _IDLE = 1.0, 0.05, 0.02, 0.2


@dataclass(frozen=True)
class LineOptions:
    """How the line works.

    Attributes:
        incoming: the folder that is watched.
        folder: where log, pictures and events are kept.
        settle_seconds: see `Incoming`.
        patience_seconds: the same.
    """

    incoming: Path
    folder: Path
    settle_seconds: float
    patience_seconds: float


class Line:
    """Judges what comes into a folder.

    Args:
        engine: that judges.
        options: of the set whose acquisitions come.
        line: how the line works.
        log: of verdicts.
        events: what else happens.
        wanted: what shall judge now, see `Swaps`.
        begun: the name of what the engine judges with.
        told: called after each verdict.
    """

    def __init__(
        self, engine: Engine, options: DatasetOptions, line: LineOptions, log: VerdictLog, events: EventLog,
        wanted: Wanted, begun: str, told: Callable[[LoggedVerdict], None],
    ) -> None:  # fmt: skip
        self._engine, self._options, self._line = engine, options, line
        self._log, self._events, self._told = log, events, told
        self._swaps = Swaps(engine, events, wanted, begun)
        self._incoming = Incoming(line.incoming, options, line.settle_seconds, line.patience_seconds, log.judged)
        # One acquisition is cut ahead; more would only wait.
        self._ready: Queue[Prepared] = Queue(1)
        self._stop = Event()
        self._drawing: Future[None] | None = None
        self._draws = ThreadPoolExecutor(1, "pictures")
        self._reads = ThreadPoolExecutor(1, "reader")

    def stop(self) -> None:
        """Ends `run` once the slot under way has its verdict; may be called from a signal handler."""
        self._stop.set()

    def run(self, count: int | None = None) -> int:
        """Judges until it is stopped.

        Args:
            count: end after so many verdicts; None for no end.

        Returns:
            How many verdicts were given.

        Raises:
            LineError: the folder cannot be watched, or the log not be written.
        """
        given = 0
        reading = self._reads.submit(self._read)
        try:
            while not self._stop.is_set() and given != count:
                self._swaps.look()
                try:
                    prepared = self._ready.get(timeout=_IDLE)
                except Empty:
                    continue
                self._judge(prepared)
                given += 1
        finally:
            self._stop.set()
            self._reads.shutdown()
            self._draws.shutdown()
            self._swaps.close()
        try:
            reading.result()
        except OSError as error:
            raise LineError(
                f"{self._line.incoming}: the folder cannot be watched: {error.strerror or error}; see that it "
                "is there, and that the system allows more watches (fs.inotify.max_user_watches)"
            ) from error
        except Exception as error:
            raise LineError(
                f"{self._line.incoming}: what comes cannot be read any more: {error!r}; start the line again: it "
                "goes on where it was"
            ) from error
        return given

    def _judge(self, prepared: Prepared) -> None:
        inspection = self._engine.decide(prepared)
        started = time.perf_counter()
        try:
            logged = self._log.append(inspection.slot)
        except OSError as error:
            raise LineError(
                f"{self._line.folder}: the verdict on {inspection.slot.acquisition} cannot be written: "
                f"{error.strerror or error}; make room and start the line again: it goes on with this acquisition"
            ) from error
        took = (time.perf_counter() - started) * 1000
        if took > inspection.slot.slot_ms:
            self._events.write(
                TOLD_LATE, f"verdict {logged.sequence}: writing it took {took:.0f} ms; is the disk slow?"
            )
        self._told(logged)
        if inspection.slot.inspected and inspection.slot.rejected:
            if self._drawing is not None:
                self._drawing.result()
            self._drawing = self._draws.submit(self._draw, logged, inspection)

    def _draw(self, logged: LoggedVerdict, inspection: Inspection) -> None:
        try:
            write_pictures(pictures_folder(self._line.folder, logged.sequence), logged, inspection, self._options)
        except Exception as error:  # noqa: BLE001  # The verdict is in the log; whatever it is, the line goes on.
            words = getattr(error, "strerror", None) or repr(error)
            self._events.write(PICTURES_FAILED, f"verdict {logged.sequence}: {words}")

    def _read(self) -> None:
        """The reader's thread: watches, reads and cuts."""
        try:
            with FolderWatch(self._line.incoming) as watch:
                self._read_on(watch)
        finally:
            self._stop.set()

    def _read_on(self, watch: FolderWatch) -> None:
        next_scan = 0.0
        while not self._stop.is_set():
            self._listen(watch, _WAITING if len(self._incoming) else _IDLE)
            if time.monotonic() >= next_scan:
                next_scan = self._scan()
                self._listen(watch, 0.0)
            while (arrival := self._incoming.take(time.monotonic())) is not None and not self._stop.is_set():
                self._prepare(arrival)
                # What came while the queue was full counts before the next turn.
                self._listen(watch, 0.0)

    def _listen(self, watch: FolderWatch, wait: float) -> None:
        for path, closed in watch.events(wait):
            self._strange(self._incoming.notice(path, closed, time.monotonic()))

    def _scan(self) -> float:
        """Looks for what no event told of; returns when to look again."""
        started = time.monotonic()
        try:
            for text in self._incoming.scan(started):
                self._strange(text)
        except OSError as error:
            self._events.write_once(UNREADABLE, f"{self._line.incoming}: {error.strerror or error}")
        took = time.monotonic() - started
        return time.monotonic() + max(_SCAN, took / _SCAN_SHARE)

    def _strange(self, text: str) -> None:
        if text:
            self._events.write_once(STRANGE_FILE, text)

    def _prepare(self, arrival: Arrival) -> None:
        if arrival.unannounced:
            self._events.write_once(
                UNANNOUNCED,
                f"{self._line.incoming}: the system does not tell of every file there: it is a folder of another "
                "computer, fs.inotify.max_user_watches is too low, or files come too fast; what it does not tell of is "
                f"found by a look each second, and taken {self._line.settle_seconds:g} s after its last change",
            )
        waited = {"waited": (time.monotonic() - arrival.complete) * 1000}
        if arrival.problem is not None:
            times = {**waited, "read": 0.0, "cut": 0.0}
            self._put(Prepared(arrival.key, arrival.folder, {}, None, arrival.problem, times))
            return
        try:
            frames, digests, took = read_frames(self._line.incoming, arrival, self._options)
            if not self._incoming.unchanged(arrival):
                raise AcquisitionError(STILL_WRITTEN, "a frame changed while it was read")
            times = {**waited, "read": took}
            prepared = self._engine.prepare(arrival.key, frames, arrival.folder, digests, times)
        except AcquisitionError as error:
            self._incoming.put_back(arrival, error)
            return
        except Exception as error:  # noqa: BLE001  # Whatever it is, the strip has its verdict and the line goes on.
            problem = AcquisitionError(FAILED, f"its frames cannot be prepared: {error!r}")
            prepared = Prepared(arrival.key, arrival.folder, {}, None, problem, {**waited, "read": 0.0, "cut": 0.0})
        self._put(prepared)

    def _put(self, prepared: Prepared) -> None:
        while not self._stop.is_set():
            try:
                self._ready.put(prepared, timeout=_IDLE)
                return
            except Full:
                continue
