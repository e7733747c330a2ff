"""Server-sent events: the strips, each with an id, and everything else as one state; what was missed is sent again."""

import json
import time
from contextlib import suppress
from typing import Any

from aiohttp import web

from drae_line.operator_page.follower import Changes
from drae_line.operator_page.line_view import LineView

# The page takes the connection for lost when nothing came for longer; also wakes up rates and times.
BEAT_SECONDS = 2.0
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class LiveStream:
    """Sends what changes to each browser until it goes away.

    Args:
        view: what is shown.
        changes: told of every change of it.
        assets: names this version of the page, so that a browser with another one loads it again.

    Attributes:
        closing: set to end all streams.
    """

    def __init__(self, view: LineView, changes: Changes, assets: str) -> None:
        self._view, self._changes, self._assets = view, changes, assets
        self.closing = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers `GET /live`; the header `Last-Event-ID`, or `?after=`, says what the browser has already."""
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        sent = parse_id(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        version, beat = -1, 0.0
        # Until the browser goes away.
        with suppress(ConnectionError):
            await response.write(b"retry: 1000\n\n")
            while not self.closing:
                if version == self._view.version and time.monotonic() - beat < BEAT_SECONDS:
                    await self._changes.wait(BEAT_SECONDS)
                    continue
                # Taken before anything is sent: what changes meanwhile is sent next time.
                version, beat = self._view.version, time.monotonic()
                parts = [_message("state", {"assets": self._assets, **self._view.state(time.time())})]
                if self._view.loaded:
                    # Strips first: the state speaks of them.
                    parts = [*self._strips(sent), *parts]
                    sent = self._view.log, self._view.newest
                await response.write(b"".join(parts))
        return response

    def _strips(self, sent: tuple[str, int] | None) -> list[bytes]:
        """The strips since what was sent last; all that are shown where the browser has none, or others."""
        now = self._view.log, self._view.newest
        if sent == now:
            return []
        tiles = self._view.tiles(sent[1]) if sent is not None and sent[0] == now[0] else None
        if tiles is None:
            whole = {"log": self._view.log, "limit": self._view.limit, "tiles": self._view.tiles()}
            return [_message("strips", whole, "{}.{}".format(*now))]
        return [_message("strip", one, f"{now[0]}.{one['sequence']}") for one in tiles]


def parse_id(text: str) -> tuple[str, int] | None:
    """Log and sequence in an event's id, or None for what is none."""
    log, _, sequence = text.rpartition(".")
    return (log, int(sequence)) if log and sequence.isascii() and sequence.isdigit() and len(sequence) < 16 else None


def _message(event: str, values: dict[str, Any], name: str = "") -> bytes:
    identity = f"id: {name}\n" if name else ""
    # In JSON with all letters beyond ASCII escaped no line ends.
    return f"{identity}event: {event}\ndata: {json.dumps(values, allow_nan=False)}\n\n".encode()
