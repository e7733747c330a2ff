"""A pool of Python workers for portable runners: `python -m tests.engines.worker_pool --port 50000`.

The runner asks the pool for a worker per environment; the pool starts it as a process. It is the service of
`apache_beam.runners.worker.worker_pool_main`, which listens on every interface of the machine; here on loopback only.
"""

import argparse
import sys
from types import TracebackType
from typing import Self

import grpc  # type: ignore[import-untyped]
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils import thread_pool_executor

from tests.engines.processes import HOST, Process, children, free_ports


class WorkerPool:
    """A running pool.

    Args:
        name: of its log.

    Attributes:
        port: it listens on.
        prefix: what stands before its command.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.prefix: tuple[str, ...] = ()
        (self.port,) = free_ports(1)
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.stop()

    def start(self) -> None:
        """Starts it, on the same port as before."""
        command = [*self.prefix, sys.executable, "-m", "tests.engines.worker_pool", "--port", str(self.port)]
        self._process = Process(self._name, command)
        self._process.await_port(self.port)

    def kill(self) -> None:
        """Kill -9 of the pool and its workers."""
        if self._process:
            self._process.kill()

    def workers(self) -> list[int]:
        """The processes of its workers."""
        return children(self._process.pid) if self._process else []

    def flags(self) -> list[str]:
        """What sends a portable job's Python work here."""
        return ["--environment_type=EXTERNAL", f"--environment_config={HOST}:{self.port}"]


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines.worker_pool", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="of the loopback, for the runner's requests")
    port = parser.parse_args().port
    server = grpc.server(thread_pool_executor.shared_unbounded_instance())
    pool = BeamFnExternalWorkerPoolServicer(use_process=True)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(f"{HOST}:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
