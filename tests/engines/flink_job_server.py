"""Beam's job server for Flink: takes portable jobs and runs them on a cluster."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.engines.downloads import job_server_jar
from tests.engines.processes import BASE, HOST, Process, free_ports


class FlinkJobServer:
    """A running job server.

    Args:
        master: HOST:PORT of the cluster's REST interface.

    Attributes:
        endpoint: HOST:PORT for `--job_endpoint`.
    """

    def __init__(self, master: str) -> None:
        self._master = master
        self._ports = free_ports(3)
        self._stack = ExitStack()
        self.endpoint = f"{HOST}:{self._ports[0]}"

    def fetch(self) -> None:
        """Fetches its jar; raises `UnavailableError`."""
        job_server_jar()

    def __enter__(self) -> Self:
        job, artifact, expansion = self._ports
        command = [
            "java", "-Xmx512m", "-jar", str(job_server_jar()), f"--flink-master={self._master}", f"--job-host={HOST}",
            f"--job-port={job}", f"--artifact-port={artifact}", f"--expansion-port={expansion}",
            f"--artifacts-dir={BASE / 'artifacts'}",
        ]  # fmt: skip
        process = Process("flink-job-server", command)
        self._stack.callback(process.stop)
        process.await_port(job)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
