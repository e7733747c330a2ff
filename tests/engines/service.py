"""What the tests know of an engine: the flags that choose it, its workers, and how they are killed and replaced."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.engines.processes import children, command_line

# The module that Beam starts as a worker; a shell that starts it, and git for the run log, are none.
_SDK_WORKER = "apache_beam.runners.worker.sdk_worker_main"


class Service:
    """An engine that stages are submitted to; as a context manager it starts what the engine needs, and ends it.

    This one needs nothing: the stage's own process does the work.

    Attributes:
        name: in words.
        threads: for `--threads`, so that all workers together keep two processors busy.
        more: variables of the commands' environment.
        prefix: what stands before the commands.
    """

    name = "in-process"
    threads = 2

    def __init__(self) -> None:
        self.more: Mapping[str, str] = {}
        self.prefix: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def flags(self) -> list[str]:
        """What chooses the engine on the command line of a stage."""
        return ["--engine=local"]

    def workers(self, command: int) -> list[int]:
        """The processes that do the work of a command.

        Args:
            command: its process id.
        """
        return [command]

    def kill_workers(self) -> None:
        """Kill -9 of all workers that are not part of the command."""

    def start_workers(self) -> None:
        """Starts as many workers as there were."""


class LocalProcesses(Service):
    """Worker processes that Beam's local runner starts for each command."""

    name = "multi-process, 2 workers"
    threads = 1

    def flags(self) -> list[str]:
        """See `Service.flags`."""
        return ["--engine=local-processes", "--direct_num_workers=2"]

    def workers(self, command: int) -> list[int]:
        """See `Service.workers`."""
        return [pid for pid in children(command) if _SDK_WORKER in command_line(pid)]
