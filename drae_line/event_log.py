"""What happens on the line beside verdicts: starts, swaps, strange files. Nothing depends on it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

EVENTS = "events.jsonl"
STARTED, STOPPED = "started", "stopped"
SWAPPED, ROLLED_BACK, SWAP_REFUSED = "swapped", "rolled_back", "swap_refused"
LOG_REPAIRED, STRANGE_FILE, PICTURES_FAILED = "log_repaired", "strange_file", "pictures_failed"
UNREADABLE, UNANNOUNCED, TOLD_LATE, UNTOLD = "unreadable", "unannounced", "told_late", "untold"
# What keeps coming is told of once, and not at all once there were so many: a camera that names its files in its own
# way must not fill the disk.
_MOST = 1000


class EventLog:
    """Writes events.

    Args:
        place: of the log; made with its folder where it is absent.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._told: dict[str, set[str]] = {}
        place.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: str, detail: str) -> None:
        """Writes an event.

        Args:
            event: one of the names above.
            detail: in words.
        """
        # A name that is no UTF-8 is told of, with what stands for its bytes escaped as JSON does it. Where there is no
        # room for an event, the line goes on without it.
        line = {"given": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, "detail": detail}
        text = json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace")
        with suppress(OSError), self._place.open("ab+") as stream:
            # A kill may have left a line without its end.
            stream.seek(max(0, stream.tell() - 1))
            stream.write((b"" if stream.read(1) in (b"", b"\n") else b"\n") + text + b"\n")

    def write_once(self, event: str, detail: str) -> None:
        """Writes an event unless it was written so before, or too many were."""
        told = self._told.setdefault(event, set())
        if detail in told or len(told) > _MOST:
            return
        told.add(detail)
        if len(told) <= _MOST:
            self.write(event, detail)
        else:
            self.write(UNTOLD, f"{event}: {_MOST:,} were told of, further ones are not until the line begins again")
