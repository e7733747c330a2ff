"""What happens on the line beside verdicts: starts, swaps, strange files. Nothing depends on it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

EVENTS = "events.jsonl"
STARTED, STOPPED = "started", "stopped"
SWAPPED, ROLLED_BACK, SWAP_REFUSED = "swapped", "rolled_back", "swap_refused"
LOG_REPAIRED, STRANGE_FILE, PICTURES_FAILED, UNREADABLE = (
    "log_repaired",
    "strange_file",
    "pictures_failed",
    "unreadable",
)
# A name that keeps coming is told of once; so many are remembered.
_REMEMBERED = 1000


class EventLog:
    """Writes events; what was told is not told again at once.

    Args:
        place: of the log; made with its folder where it is absent.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._told: dict[tuple[str, str], None] = {}
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
        with suppress(OSError), self._place.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def write_once(self, event: str, detail: str) -> None:
        """Writes an event unless it was among the last that were written so."""
        if (event, detail) in self._told:
            return
        self._told[event, detail] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        self.write(event, detail)
