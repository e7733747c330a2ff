"""Who may ask: by token, by the name that the browser believes it talks to, and no other site's page in between."""

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from hashlib import sha256
from urllib.parse import urlsplit

from aiohttp import web

from drae_line.operator_page.options import PageOptions

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SIGN_IN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Token needed</title>
<h1>This page needs its token</h1>
<form method="get" action="/"><label>Token <input name="token" type="password" autocomplete="off" autofocus required>
</label> <button>Open</button></form>
<p>It stands in the file that <code>--token-file</code> of <code>python -m pipelines.operator_page</code> names, or in
<code>DRAE_PAGE_TOKEN</code>. A browser is asked once.</p></html>"""


class Guard:
    """Lets requests through or answers them itself.

    A name that an attacker owns may be made to lead to this machine (DNS rebinding); a browser then sends that name in
    `Host`. Addresses in figures cannot be rebound, so they, localhost and this machine's own names are allowed alone.

    Args:
        options: of the page.
    """

    def __init__(self, options: PageOptions) -> None:
        self._token = options.token.encode()
        # Not the token itself, which so is not kept by browsers.
        self._cookie = hmac.new(self._token, b"operator's page", sha256).hexdigest()
        self._names = {name.lower() for name in ("localhost", socket.gethostname(), socket.getfqdn(), options.host)}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Checks a request."""
        refused = self._refusal(request)
        if refused is not None:
            return refused
        if self._token and request.method == "GET" and request.path == "/" and "token" in request.query:
            return self._sign_in(request)
        if self._token and not self._knows_token(request):
            return web.Response(status=401, text=_SIGN_IN, content_type="text/html")
        return await handler(request)

    def _refusal(self, request: web.Request) -> web.Response | None:
        host = request.headers.get("Host", "")
        if not self._is_ours(host):
            return web.Response(status=403, text="Not served under that name; use the address that was printed.\n")
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("Origin")
        if origin is None:
            # Browsers always send it here; a program may do without, where a token shows that it is no browser.
            if not (self._token and "Authorization" in request.headers):
                return web.Response(status=403, text="Expected the header Origin.\n")
        elif urlsplit(origin).scheme not in ("http", "https") or urlsplit(origin).netloc.lower() != host.lower():
            return web.Response(status=403, text="Another site's page may not do that.\n")
        if request.content_type != "application/json":
            return web.Response(status=415, text="Expected application/json.\n")
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _sign_in(self, request: web.Request) -> web.Response:
        if not _same(request.query["token"], self._token):
            return web.Response(status=401, text=_SIGN_IN, content_type="text/html")
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self._cookie_name(request), self._cookie, httponly=True, samesite="Strict", path="/")
        return response

    def _knows_token(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), self._token):
            return True
        return _same(request.cookies.get(self._cookie_name(request), ""), self._cookie.encode())

    def _cookie_name(self, request: web.Request) -> str:
        """Cookies are shared by all ports of a host, so that the name holds the port."""
        port = urlsplit(f"//{request.headers['Host']}").port
        return f"drae_page_{port or 80}"


def _same(given: str, expected: bytes) -> bool:
    """In a time that tells nothing of the token; what is no text at all is another one."""
    return hmac.compare_digest(given.encode(errors="replace"), expected)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Gives every answer, also a stream and an error, the headers that bind the browser."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
