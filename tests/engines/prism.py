"""Prism, Beam's own portable runner, with a pool of Python workers: `python -m tests.engines.prism`.

It takes jobs by the same protocol as Flink's job server: job service, staging of artefacts, worker pool. Its job
service listens on every interface and has no flag for less, so it runs with its workers and commands in a network of
their own.
"""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.engines.downloads import prism_binary
from tests.engines.own_network import OwnNetwork
from tests.engines.processes import HOST, Process, free_ports, run_until_interrupted
from tests.engines.service import Service
from tests.engines.worker_pool import WorkerPool


class Prism(Service):
    """A running Prism with a worker pool."""

    name = "Prism, 1 worker"

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._network = OwnNetwork()
        self._pool = WorkerPool("prism-pool")
        (self._port,) = free_ports(1)

    def __enter__(self) -> Self:
        binary = prism_binary()
        self.prefix = self._pool.prefix = self._stack.enter_context(self._network).prefix
        process = Process("prism", [*self.prefix, str(binary), "-job_port", str(self._port), "-serve_http=false"])
        self._stack.callback(process.stop)
        process.await_port(self._port)
        self._stack.enter_context(self._pool)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def flags(self) -> list[str]:
        """See `Service.flags`; Beam's own flags, for Prism is none of the engines that stages know by name."""
        return ["--runner=PortableRunner", f"--job_endpoint={HOST}:{self._port}", *self._pool.flags()]

    def workers(self, command: int) -> list[int]:
        """See `Service.workers`."""
        return self._pool.workers()

    def kill_workers(self) -> None:
        """See `Service.kill_workers`; the pool dies with its workers."""
        self._pool.kill()

    def start_workers(self) -> None:
        """See `Service.start_workers`."""
        self._pool.start()


if __name__ == "__main__":
    with Prism() as running:
        run_until_interrupted(["Prism runs. Submit with:", f"  {' '.join(running.flags())}"])
