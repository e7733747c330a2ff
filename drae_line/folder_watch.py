"""Tells of files that appear or change below a folder, by the system's own events (watchdog)."""

import os
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver

# Path below the folder, and whether its writer has closed it or moved it here.
FileEvent = tuple[str, bool]


class FolderWatch(FileSystemEventHandler):
    """Collects events until they are asked for.

    Args:
        root: the folder; it must be there.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._events: SimpleQueue[FileEvent] = SimpleQueue()
        # All events: by itself it tells of a file that is moved here from elsewhere as of a new one.
        self._observer = InotifyObserver(generate_full_events=True)
        self._observer.schedule(
            self, self._root, recursive=True,
            event_filter=[FileClosedEvent, FileCreatedEvent, FileModifiedEvent, FileMovedEvent],
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._observer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._observer.stop()
        self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog, in its own thread."""
        moved = isinstance(event, FileMovedEvent)
        path = os.fsdecode(event.dest_path if moved else event.src_path)
        if path.startswith(self._root + os.sep):
            below = path[len(self._root) + 1 :].replace(os.sep, "/")
            self._events.put((below, moved or isinstance(event, FileClosedEvent)))

    def events(self, wait: float) -> list[FileEvent]:
        """What happened since the last call, in its order.

        Args:
            wait: seconds to wait for a first one.
        """
        found: list[FileEvent] = []
        try:
            found.append(self._events.get(timeout=wait))
            while True:
                found.append(self._events.get_nowait())
        except Empty:
            return found
