"""Commands of the pipeline on an engine: run to their end or killed in mid-way, watched while they run."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from drae_data.version_files import WORK
from tests.engines.processes import Process, ServiceError
from tests.engines.service import Service

_POLL = 0.2
# A machine that is busy with other things needs several minutes for the set `production`.
_LIMIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Usage:
    """What a command and its workers took.

    Attributes:
        seconds: from start to end.
        processor_seconds: of the command and all workers.
        megabytes: the largest resident memory of each worker, by process id.
    """

    seconds: float
    processor_seconds: float
    megabytes: Mapping[int, float]


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        arguments: of the command, without the interpreter.
        status: its exit status.
        said: all that it wrote.
        usage: what it took.
    """

    arguments: tuple[str, ...]
    status: int
    said: str
    usage: Usage

    @property
    def reused(self) -> int:
        """How many shards were there already."""
        return int(self.said.split(" were there already")[0].rsplit("(", 1)[1])


class Command:
    """A running stage.

    Args:
        stage: module below `pipelines`.
        arguments: of it, those of the engine too.
        service: the engine.
        more: variables of its environment.
    """

    def __init__(
        self, stage: str, arguments: Sequence[str], service: Service, more: Mapping[str, str] | None = None
    ) -> None:
        self.arguments = ("-m", f"pipelines.{stage}", *arguments)
        self._service = service
        command = [*service.prefix, sys.executable, *self.arguments]
        self._process = Process(f"command-{stage}", command, {**service.more, **(more or {})})

    def finish(self, meanwhile: Callable[[], None] = lambda: None) -> Outcome:
        """Waits for its end, watching what it and the engine's workers take.

        Args:
            meanwhile: called again and again.
        """
        started = time.monotonic()
        gauge = _Gauge()
        while self._process.status() is None:
            workers = self._service.workers(self._process.pid)
            gauge.read({self._process.pid, *workers}, workers)
            meanwhile()
            if time.monotonic() - started > _LIMIT_SECONDS:
                self._process.kill()
                raise ServiceError(f"{' '.join(self.arguments)}: no end after {_LIMIT_SECONDS:.0f} s")
            time.sleep(_POLL)
        usage = Usage(time.monotonic() - started, gauge.processor_seconds(), dict(gauge.megabytes))
        return Outcome(self.arguments, self._process.wait(), self._process.said(), usage)

    def until_shards(self, version: Path, count: int) -> None:
        """Waits until so many shards of a version are finished; raises `ServiceError` where it ended before."""
        self._process.until(lambda: finished_shards(version) >= count, f"{count} shards", _LIMIT_SECONDS)

    def kill(self) -> None:
        """Kill -9 of the command and of what it started."""
        self._process.kill()


class _Gauge:
    """Processor time and memory of processes that come and go."""

    def __init__(self) -> None:
        self.megabytes: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self._last: dict[int, float] = {}

    def read(self, pids: set[int], workers: Sequence[int]) -> None:
        """Looks at processes; memory counts of workers only."""
        for pid in pids:
            try:
                process = psutil.Process(pid)
                times, memory = process.cpu_times(), process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
            # What a worker took for an earlier command does not count.
            self._before.setdefault(pid, times.user + times.system)
            self._last[pid] = times.user + times.system
            if pid in workers:
                self.megabytes[pid] = max(memory, self.megabytes.get(pid, 0.0))

    def processor_seconds(self) -> float:
        """The time of all processes since they were first seen."""
        return sum(last - self._before[pid] for pid, last in self._last.items())


def run_stage(stage: str, arguments: Sequence[str], service: Service, more: Mapping[str, str] | None = None) -> Outcome:
    """Runs a stage to its end on an engine."""
    return start_stage(stage, arguments, service, more).finish()


def start_stage(
    stage: str, arguments: Sequence[str], service: Service, more: Mapping[str, str] | None = None
) -> Command:
    """Starts a stage on an engine."""
    return Command(stage, [*arguments, *service.flags()], service, more)


def finished_shards(version: Path) -> int:
    """How many shards the build at work in a version folder has finished."""
    folder = version / WORK / "done"
    return sum(path.suffix == ".json" for path in folder.iterdir()) if folder.is_dir() else 0
