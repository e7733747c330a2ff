"""The page's web server: its routes, its beginning and its end."""

import asyncio
import errno
import signal
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from drae_data.files import sha256_hex
from drae_line.operator_page.checks import FINDINGS, append_check
from drae_line.operator_page.drift_watch import Reference
from drae_line.operator_page.errors import PageError
from drae_line.operator_page.figures import Brief
from drae_line.operator_page.follower import Follower
from drae_line.operator_page.guard import Guard, add_headers
from drae_line.operator_page.live_stream import LiveStream
from drae_line.operator_page.options import PageOptions, is_loopback
from drae_line.operator_page.pictures import PicturesError, read_index, read_picture
from drae_line.operator_page.strip_views import opened
from drae_line.operator_page.verdict_feed import ACCEPTED

STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_LONGEST_REQUEST = 4096


class PageServer:
    """Answers what browsers ask.

    Args:
        options: of the page.
        read_reference: reads the scores that the training's validation set had.

    Attributes:
        following: keeps the page up to date while it is served, and never ends by itself but by a defect.
    """

    following: asyncio.Task[None]

    def __init__(self, options: PageOptions, read_reference: Callable[[], Reference]) -> None:
        self._options = options
        self._files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES}
        assets = sha256_hex(b"".join(self._files.values()))[:12]
        self._follower = Follower(options, read_reference)
        self._view = self._follower.view
        self._stream = LiveStream(self._view, self._follower.changes, assets)

    def app(self) -> web.Application:
        """The application, for a server or a test."""
        app = web.Application(client_max_size=_LONGEST_REQUEST, middlewares=[Guard(self._options).middleware])
        app.on_response_prepare.append(add_headers)
        app.add_routes([
            web.get("/", self._page),
            web.get("/static/{name}", self._static),
            web.get("/alive", self._alive),
            web.get("/live", self._stream.serve, allow_head=False),
            web.get(r"/strips/{sequence:\d{1,15}}", self._strip),
            web.get(r"/pictures/{sequence:\d{1,15}}", self._index),
            web.get(r"/pictures/{sequence:\d{1,15}}/{name}", self._picture),
            web.post("/checks", self._check),
        ])  # fmt: skip
        app.cleanup_ctx.append(self._follow)
        app.on_shutdown.append(self._close)
        return app

    async def _follow(self, _: web.Application) -> AsyncIterator[None]:
        self.following = asyncio.create_task(self._follower.run())
        yield
        if not self.following.done():
            self.following.cancel()
            with suppress(asyncio.CancelledError):
                await self.following

    async def _close(self, _: web.Application) -> None:
        self._stream.closing = True
        self._follower.changes.tell()

    async def _page(self, _: web.Request) -> web.Response:
        return self._file("page.html")

    async def _static(self, request: web.Request) -> web.Response:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound
        return web.Response(body=self._files[name], content_type=_TYPES[Path(name).suffix], charset="utf-8")

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _strip(self, request: web.Request) -> web.Response:
        logged = self._view.strip(int(request.match_info["sequence"]))
        if logged is None:
            return _refused(404, "The page no longer holds this strip; its verdict stands in the log.")
        return web.json_response(opened(logged))

    def _brief(self, request: web.Request) -> Brief | None:
        return self._view.brief(int(request.match_info["sequence"]))

    async def _index(self, request: web.Request) -> web.Response:
        brief = self._brief(request)
        if brief is None:
            return _refused(404, "There is no such strip, or it is too long ago.")
        try:
            pictures = await asyncio.to_thread(read_index, self._options.folder, brief)
        except PicturesError as error:
            return _refused(422, str(error))
        # None: they are not written yet, and the page asks again.
        return web.json_response({"pictures": pictures})

    async def _picture(self, request: web.Request) -> web.Response:
        brief = self._brief(request)
        if brief is None:
            raise web.HTTPNotFound
        try:
            content = await asyncio.to_thread(read_picture, self._options.folder, brief, request.match_info["name"])
        except PicturesError as error:
            return _refused(422, str(error))
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/png")

    async def _check(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
            sequence, acquisition, found = asked["sequence"], asked["acquisition"], asked["found"]
        except (ValueError, KeyError, TypeError):
            return _refused(400, "Expected a strip's sequence and acquisition, and what was found.")
        brief = self._view.brief(sequence)
        if brief is None or brief.acquisition != acquisition:
            return _refused(409, "The log has no such strip now, or it is too long ago to be checked here.")
        if found not in FINDINGS or brief.kind == ACCEPTED:
            return _refused(400, f"Expected one of {', '.join(FINDINGS)} for a rejected strip.")
        try:
            await asyncio.to_thread(append_check, self._options.folder, sequence, acquisition, found)
        except OSError as error:
            return _refused(500, f"The check could not be written: {error.strerror or error}.")
        return web.json_response({"sequence": sequence, "found": found})


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"why": why}, status=status)


def serve_page(
    options: PageOptions, read_reference: Callable[[], Reference], say: Callable[[str], None], open_browser: bool
) -> None:
    """Serves the page until the process is interrupted or asked to end.

    Args:
        options: of the page.
        read_reference: reads the scores that the training's validation set had.
        say: writes a line for people; the first is the page's address.
        open_browser: whether to open it in this machine's browser.

    Raises:
        PageError: the address cannot be bound.
    """
    asyncio.run(_serve(options, read_reference, say, open_browser))


async def _serve(
    options: PageOptions, read_reference: Callable[[], Reference], say: Callable[[str], None], open_browser: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = PageServer(options, read_reference)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port).start()
        except OSError as error:
            raise PageError(_bind_words(options, error)) from error
        address = page_address(options.host, runner.addresses[0][1])
        say(address)
        if options.token:
            say("Each browser is asked for the token once.")
        if open_browser:
            await asyncio.to_thread(webbrowser.open, address)
        # A page that no longer follows is worse than none.
        await asyncio.wait({server.following, asyncio.ensure_future(stop.wait())}, return_when="FIRST_COMPLETED")
        if server.following.done():
            server.following.result()
    finally:
        await runner.cleanup()


def page_address(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def _bind_words(options: PageOptions, error: OSError) -> str:
    where = f"port {options.port} of {options.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: perhaps this page is open already; end that, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"{where} needs more rights than this user has: choose a port from 1024 on with --port"
    beyond = "" if is_loopback(options.host) else "; line.page.host or --host must be an address of this machine"
    return f"{where} cannot be served: {error.strerror or error}{beyond}"
