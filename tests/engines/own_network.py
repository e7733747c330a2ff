"""A network that only some processes of this machine are in: a server that listens everywhere listens to them alone."""

import subprocess
from types import TracebackType
from typing import Self

from tests.engines.downloads import UnavailableError
from tests.engines.processes import Process, ServiceError


class OwnNetwork:
    """A network namespace with nothing but a loopback, as long as the block lasts.

    Raises:
        UnavailableError: this user may not make one.
    """

    def __init__(self) -> None:
        self._holder: Process | None = None

    def __enter__(self) -> Self:
        self._holder = Process("own-network", ["unshare", "--net", "sh", "-c", "ip link set lo up && exec sleep 86400"])
        try:
            self._holder.until(self._is_up, "its loopback is up", 10)
        except ServiceError as error:
            self._holder.stop()
            raise UnavailableError(f"this user may not make a network namespace: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holder:
            self._holder.stop()

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a command that shall run in this network."""
        return ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--") if self._holder else ()

    def _is_up(self) -> bool:
        shown = subprocess.run([*self.prefix, "ip", "-o", "link", "show"], capture_output=True, text=True).stdout
        # The namespace of this process has other links beside it, or the same name: one line is the new one alone.
        return len(shown.splitlines()) == 1 and "LOOPBACK,UP" in shown
