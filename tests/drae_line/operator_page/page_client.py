"""A page in a test's own process, and the event stream as a test reads it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from drae_line.operator_page.drift_watch import Reference
from drae_line.operator_page.options import PageOptions
from drae_line.operator_page.server import PageServer

TOKEN = "a token that is long enough"
Client = TestClient[Any, Any]


def page_options(folder: Path, **changes: Any) -> PageOptions:
    """Options of a page; any of them can be changed."""
    values: dict[str, Any] = {
        "folder": folder, "host": "127.0.0.1", "port": 0, "strips": 5, "drift_strips": 100, "drift_index": 0.25,
        "token": "",
    }  # fmt: skip
    return PageOptions(**{**values, **changes})


def with_page(folder: Path, use: Callable[[Client], Awaitable[None]], **changes: Any) -> None:
    """Serves a page while a test uses it; a minute at most."""

    async def run() -> None:
        server = PageServer(page_options(folder, **changes), lambda: Reference(why="none"))
        async with TestClient(TestServer(server.app())) as client:
            await asyncio.wait_for(use(client), 60)

    asyncio.run(run())


async def events(response: ClientResponse) -> AsyncIterator[tuple[str, str, Any]]:
    """Event, id and data of each message."""
    event, name = "", ""
    async for raw in response.content:
        field, _, value = raw.decode().rstrip("\n").partition(": ")
        if field == "event":
            event = value
        elif field == "id":
            name = value
        elif field == "data":
            yield event, name, json.loads(value)
            event, name = "", ""


async def state_when(client: Client, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first state for which something holds."""
    async with client.get("/live") as response:
        async for event, _, values in events(response):
            if event == "state" and ready(values):
                return dict(values)
    raise AssertionError("the stream has ended")
