"""A Flink cluster on loopback: a job manager and task managers. `python -m tests.engines.flink_cluster --help`."""

import argparse
import json
import shutil
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tests.engines.downloads import UnavailableError, flink_home
from tests.engines.flink_config import JOB_MANAGER, TASK_MANAGER, java, write_config
from tests.engines.flink_job_server import FlinkJobServer
from tests.engines.processes import BASE, HOST, Process, ServiceError, fetched, free_ports, run_until_interrupted
from tests.engines.service import Service
from tests.engines.worker_pool import WorkerPool


class FlinkCluster:
    """A running cluster.

    Args:
        task_managers: how many.
        slots: of each.

    Attributes:
        task_managers: processes by number, counted from 0.
        address: of its REST interface, HOST:PORT.
    """

    def __init__(self, task_managers: int, slots: int = 1) -> None:
        self.task_managers: dict[int, Process] = {}
        self._count, self.slots = task_managers, slots
        self._stack = ExitStack()
        self._rpc_port, rest_port = free_ports(2)
        self._config = BASE / f"flink-config/{rest_port}"
        self.address = f"{HOST}:{rest_port}"

    @property
    def parallelism(self) -> int:
        """The slots of all task managers."""
        return self._count * self.slots

    def __enter__(self) -> Self:
        home = flink_home()
        with ExitStack() as stack:
            rest_port = int(self.address.rpartition(":")[2])
            write_config(self._config, self._rpc_port, rest_port, self.slots)
            stack.callback(shutil.rmtree, self._config, ignore_errors=True)
            self._home = home
            manager = Process(f"flink-job-manager-{self._count}", java(home, self._config, JOB_MANAGER, "512m"))
            stack.callback(manager.stop)
            self.job_manager = manager
            manager.await_port(rest_port)
            stack.callback(self._stop_task_managers)
            for number in range(self._count):
                self.start_task_manager(number)
            self.await_task_managers(self._count)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_task_manager(self, number: int) -> None:
        """Starts a task manager, or one in the place of a dead one; it registers itself a while later."""
        name = f"tm-{number}-{self.task_managers[number].pid if number in self.task_managers else 'first'}"
        options = ["-D", f"taskmanager.resource-id={name}"]
        command = java(self._home, self._config, TASK_MANAGER, "512m", *options)
        self.task_managers[number] = Process(f"flink-task-manager-{self._count}-{number}", command)

    def kill_task_manager(self, number: int) -> None:
        """Kill -9 of a task manager."""
        self.task_managers[number].kill()

    def overview(self) -> dict[str, Any]:
        """What the job manager says of the cluster: `taskmanagers`, `slots-total`, `slots-available`, ..."""
        answer = fetched(f"http://{self.address}/overview")
        overview: dict[str, Any] = json.loads(answer) if answer else {}
        return overview

    def await_task_managers(self, count: int) -> None:
        """Waits until the job manager counts so many with all their slots; raises `ServiceError` where one ended."""

        def counted() -> bool:
            dead = [process for process in self.task_managers.values() if process.status() not in (None, -9)]
            if dead:
                raise ServiceError(f"{dead[0].name} ended: {dead[0].said()[-2000:]}")
            overview = self.overview()
            # A task manager's slots are offered a moment after it is counted.
            return (overview.get("taskmanagers"), overview.get("slots-total")) == (count, count * self.slots)

        self.job_manager.until(counted, f"the job manager counted {count} task managers")

    def _stop_task_managers(self) -> None:
        for process in self.task_managers.values():
            process.stop()


class Flink(Service):
    """A cluster with Beam's job server before it and a pool of Python workers.

    Args:
        task_managers: how many, of one slot each.
    """

    def __init__(self, task_managers: int) -> None:
        super().__init__()
        self.name = f"Flink, {task_managers} task manager{'s' if task_managers > 1 else ''}"
        self.threads = 2 if task_managers == 1 else 1
        self.cluster = FlinkCluster(task_managers)
        self._pool = WorkerPool(f"flink-pool-{task_managers}")
        self._jobs = FlinkJobServer(self.cluster.address)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # The job server's artefact first: without it there is no use in a cluster.
        with ExitStack() as stack:
            self._jobs.fetch()
            for one in (self.cluster, self._jobs, self._pool):
                stack.enter_context(one)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def flags(self) -> list[str]:
        """See `Service.flags`."""
        spread = f"--parallelism={self.cluster.parallelism}"
        return ["--engine=flink", f"--job_endpoint={self._jobs.endpoint}", *self._pool.flags(), spread]

    def workers(self, command: int) -> list[int]:
        """See `Service.workers`: the Python workers; the task managers only hand shards to them."""
        return self._pool.workers()

    def kill_workers(self) -> None:
        """See `Service.kill_workers`: the task managers die with the Python workers."""
        for number in self.cluster.task_managers:
            self.cluster.kill_task_manager(number)
        self._pool.kill()

    def start_workers(self) -> None:
        """See `Service.start_workers`."""
        self._pool.start()
        for number in list(self.cluster.task_managers):
            self.cluster.start_task_manager(number)
        self.cluster.await_task_managers(len(self.cluster.task_managers))


def main() -> None:
    """Runs a cluster until Ctrl-C, and says how to submit to it."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines.flink_cluster", description=__doc__)
    parser.add_argument("--task-managers", type=int, default=2, help="how many, one slot each (default: 2)")
    count = parser.parse_args().task_managers
    try:
        with Flink(count) as running:
            run_until_interrupted([
                f"{running.name}; REST at {running.cluster.address}. Submit with:", f"  {' '.join(running.flags())}"
            ])  # fmt: skip
    except UnavailableError as error:
        with FlinkCluster(count) as cluster:
            run_until_interrupted([
                f"Flink runs, REST at {cluster.address}. Beam's job server for it is not to be had: {error}",
                f"With its jar from elsewhere: --engine flink --flink_master={cluster.address} "
                f"--flink_job_server_jar=JAR --parallelism={cluster.parallelism} --environment_type=EXTERNAL "
                "--environment_config=HOST:PORT, a pool by python -m tests.engines.worker_pool",
            ])  # fmt: skip


if __name__ == "__main__":
    main()
