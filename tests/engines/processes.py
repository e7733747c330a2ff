"""Processes of the engines' services: started in groups of their own, awaited, watched, ended by their ids."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
# All that the engines' tests download, draw, build and log; git does not see it.
BASE = ROOT / "build/engines"
LOGS = BASE / "logs"
# The folder in which every command and every worker runs, so that relative paths mean the same to all of them.
PLACE = BASE / "work"
HOST = "127.0.0.1"
_POLL = 0.05
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_TAIL = 2000
# The state of a socket in the kernel's tables.
_LISTEN = "0A"


class ServiceError(Exception):
    """A service did not start, or ended before it should."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def environment(**more: str) -> dict[str, str]:
    """The environment of commands and workers: this interpreter's programs first, and this checkout's code."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # What TensorFlow says of the machine would fill the logs.
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **more}


class Process:
    """A process that runs until it is ended, in a group of its own; what it says goes to a log.

    Args:
        name: of its log.
        arguments: of its command.
        more: variables beside those of `environment`.
        folder: it runs in.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], more: Mapping[str, str] | None = None, folder: Path = PLACE
    ) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = LOGS / f"{name}.log"
        with self.log.open("wb") as stream:
            self._process = subprocess.Popen(
                arguments, cwd=folder, env=environment(**(more or {})), stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its id, which is that of its group too."""
        return self._process.pid

    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Waits for its end; returns the exit status."""
        return self._process.wait(timeout=seconds)

    def said(self) -> str:
        """All that it wrote so far."""
        return self.log.read_text(errors="replace")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = _START_SECONDS) -> None:
        """Waits for a condition.

        Args:
            condition: to become true.
            what: is waited for, in words.
            seconds: at most.

        Raises:
            ServiceError: the process ended before, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self.status() is not None:
                raise ServiceError(f"{self.name} ended before this: {what}: {self.said()[-_TAIL:]}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{self.name}: not within {seconds:.0f} s: {what}: {self.said()[-_TAIL:]}")
            time.sleep(_POLL)

    def await_port(self, port: int) -> None:
        """Waits until somebody listens on a port, in the network that the process is in."""
        self.until(lambda: port in listening(self.pid), "it listened")

    def kill(self) -> None:
        """Kill -9 of it and of all that it started."""
        for child in children(self.pid):
            _signal(child, signal.SIGKILL)
        _signal_group(self.pid)
        self.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """Asks it to end; what of its group is left then is killed."""
        if self.status() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.wait(_STOP_SECONDS)
        self.kill()


def _signal(pid: int, what: int) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return


def _signal_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def listening(pid: int) -> set[int]:
    """The ports on which somebody listens in the network that a process is in."""
    with suppress(FileNotFoundError):
        tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        rows = [line.split() for table in tables for line in table]
        return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTEN}
    return set()


def fetched(url: str) -> bytes:
    """What a service of this machine answers; empty where it does not answer yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return b""


def children(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def command_line(pid: int) -> list[str]:
    """The command line of a process; empty where it ended."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return []


def run_until_interrupted(lines: Iterable[str]) -> None:
    """Says lines, then waits for Ctrl-C."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.write("Ctrl-C ends it.\n")
    sys.stdout.flush()
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
