"""Where the page is served, for whom, and how much it shows."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drae_line.operator_page.errors import PageError

TOKEN_VARIABLE = "DRAE_PAGE_TOKEN"
_SHORTEST_TOKEN = 16
_NEW_TOKEN = 'python -c "import secrets; print(secrets.token_urlsafe(24))" > FILE'


@dataclass(frozen=True)
class PageOptions:
    """Options of the page.

    Attributes:
        folder: of the line: log, pictures, events and checks.
        host: address that it binds to; one beyond this machine needs a token.
        port: 0 takes a free one.
        strips: how many of the last strips it shows.
        drift_strips: how many of the last accepted strips are compared with the training.
        drift_index: population stability index from which on scores have moved.
        token: whoever asks must bring it; empty asks nobody.
    """

    folder: Path
    host: str
    port: int
    strips: int
    drift_strips: int
    drift_index: float
    token: str

    def __post_init__(self) -> None:
        if not self.token and not is_loopback(self.host):
            raise PageError(
                f"line.page.host: expected an address of this machine alone, such as 127.0.0.1, or a token, got "
                f"{self.host!r} without one: anybody on the network could see and check strips. Make a token once with "
                f"{_NEW_TOKEN} and give --token-file FILE, or set {TOKEN_VARIABLE}"
            )
        plain = self.token.isascii() and self.token.isprintable()
        if self.token and not (plain and len(self.token) >= _SHORTEST_TOKEN):
            raise PageError(
                f"token: expected {_SHORTEST_TOKEN} or more plain characters, got {len(self.token)} that are too few "
                f"or not plain; make one with {_NEW_TOKEN}"
            )


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach the address; a name other than localhost counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: Path | None, environment: Mapping[str, str]) -> str:
    """The token in a file, or else in the environment; empty where there is none; raises `PageError`."""
    if file is None:
        return environment.get(TOKEN_VARIABLE, "").strip()
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"--token-file: {file}: expected a file with a token, got: {error}") from error
    if not token:
        raise PageError(f"--token-file: {file}: expected a token, got an empty file; make one with {_NEW_TOKEN}")
    return token
