"""A Dask cluster on loopback: a scheduler and workers. `python -m tests.engines.dask_cluster --workers 2`."""

import argparse
import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import psutil

from tests.engines.processes import BASE, HOST, Process, free_ports, run_until_interrupted
from tests.engines.service import Service

_PARTITIONS = 8
# The workers' web pages, which --no-dashboard leaves there, stay on loopback too.
_QUIET = ["--host", HOST, "--no-dashboard", "--dashboard-address", f"{HOST}:0"]


class DaskCluster(Service):
    """A running cluster.

    Args:
        workers: how many; each is a process with one thread.
        partitions: over which a pipeline's elements are spread.
    """

    def __init__(self, workers: int, partitions: int = _PARTITIONS) -> None:
        super().__init__()
        self.name = f"Dask, {workers} worker{'s' if workers > 1 else ''}"
        self.threads = 2 if workers == 1 else 1
        self.processes: list[Process] = []
        self._count, self._partitions = workers, partitions
        self._stack = ExitStack()
        self._started = 0
        self._port, self._web = free_ports(2)

    def __enter__(self) -> Self:
        place = [
            "--host",
            HOST,
            "--port",
            str(self._port),
            "--no-dashboard",
            "--dashboard-address",
            f"{HOST}:{self._web}",
        ]
        scheduler = Process(
            f"dask-scheduler-{self._count}", [sys.executable, "-m", "distributed.cli.dask_scheduler", *place]
        )
        self._stack.callback(scheduler.stop)
        scheduler.await_port(self._port)
        self._stack.callback(self._stop_workers)
        self.start_workers()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def flags(self) -> list[str]:
        """See `Service.flags`."""
        address = f"--dask_client_address=tcp://{HOST}:{self._port}"
        return ["--engine=dask", address, f"--dask_npartitions={self._partitions}"]

    def workers(self, command: int) -> list[int]:
        """See `Service.workers`."""
        return [process.pid for process in self.processes]

    def busiest(self) -> Process:
        """The worker that took most processor time so far: the one that is at work, where not all are."""
        return max(self.processes, key=lambda process: sum(psutil.Process(process.pid).cpu_times()[:2]))

    def kill_workers(self) -> None:
        """See `Service.kill_workers`."""
        for process in self.processes:
            process.kill()
        self.processes.clear()

    def start_workers(self) -> None:
        """See `Service.start_workers`; those that died are replaced."""
        self.processes = [process for process in self.processes if process.status() is None]
        new = [self._worker() for _ in range(self._count - len(self.processes))]
        for process in new:
            _await_registration(process)
        self.processes += new

    def _worker(self) -> Process:
        self._started += 1
        options = ["--nthreads", "1", "--no-nanny", "--local-directory", str(BASE / "dask"), *_QUIET]
        command = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{HOST}:{self._port}", *options]
        return Process(f"dask-worker-{self._count}-{self._started}", command)

    def _stop_workers(self) -> None:
        for process in self.processes:
            process.stop()


def _await_registration(process: Process) -> None:
    process.until(lambda: "Registered to:" in process.said(), "the scheduler knows it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.engines.dask_cluster", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each (default: 2)")
    with DaskCluster(parser.parse_args().workers) as running:
        run_until_interrupted([f"{running.name} run. Submit with:", f"  {' '.join(running.flags())}"])
