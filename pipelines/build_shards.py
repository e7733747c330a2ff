"""The build as a Beam transform: shard tasks in, shard summaries out. Pixels never travel through Beam."""

import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import apache_beam as beam
import cv2
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from drae_data.files import Files
from drae_data.options import DatasetOptions
from drae_data.shard_plan import ShardTask
from drae_data.shards import Roots, ShardSummary, StartedShard, finish_shard, finished_shard, start_shard

# Enough for as many workers; each part reads the whole file, a few dozen megabytes at a million acquisitions.
_MOST_PARTS = 256


@dataclass(frozen=True)
class PlanPart:
    """Every so-and-so-many-th line of a plan's file.

    Attributes:
        path: of the file, relative to the version folder.
        first: line, from 0.
        step: from line to line.
    """

    path: str
    first: int
    step: int


class BuildShards(beam.PTransform[PCollection[PlanPart], PCollection[ShardSummary]]):
    """Builds the shards of a plan.

    Args:
        options: of the dataset.
        roots: where it reads and writes.
        threads: acquisitions in work at the same time inside one shard; None for as many as the worker has processors.
    """

    def __init__(self, options: DatasetOptions, roots: Roots, threads: int | None) -> None:
        super().__init__()
        self._build = BuildShard(options, roots, threads)
        self._target = roots.target

    def expand(self, plans: PCollection[PlanPart]) -> PCollection[ShardSummary]:
        """Parts of a plan to summaries."""
        summaries: PCollection[ShardSummary] = (
            plans  # PlanPart
            | "Read plan" >> beam.FlatMap(read_plan, self._target)  # ShardTask
            | "Spread over workers" >> beam.Reshuffle()  # ShardTask
            | "Build shard" >> beam.ParDo(self._build)  # ShardSummary
        )
        return summaries


def plan_parts(path: str, shards: int) -> list[PlanPart]:
    """A plan cut into parts: some engines spread what a graph begins with over their workers, and nothing later.

    Args:
        path: of the plan's file.
        shards: in the plan.
    """
    step = max(min(shards, _MOST_PARTS), 1)
    return [PlanPart(path, first, step) for first in range(step)]


def read_plan(part: PlanPart, target: Files) -> Iterator[ShardTask]:
    """The shard tasks of a part of a plan; the plan travels as a file, so the job graph stays small at any size."""
    for line in target.read(part.path).splitlines()[part.first :: part.step]:
        yield ShardTask.from_json(json.loads(line))


class BuildShard(beam.DoFn):
    """ShardTask -> ShardSummary, with counters `patches`, `acquisitions`, `quarantined` and `reused_shards`."""

    def __init__(self, options: DatasetOptions, roots: Roots, threads: int | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._options, self._roots = options, roots
        self._threads = threads
        self._started: deque[StartedShard] = deque()
        self._counters = {
            name: Metrics.counter("build", name) for name in ("patches", "acquisitions", "quarantined", "reused_shards")
        }

    def setup(self) -> None:
        """Starts the threads that this worker's shards share, and keeps OpenCV from starting its own beside them."""
        cv2.setNumThreads(1)
        self._pool = ThreadPoolExecutor(max_workers=self._threads or os.cpu_count() or 1)

    def start_bundle(self) -> None:
        """Begins with no shard in work; what a failed bundle left is dropped."""
        for started in self._started:
            for future in started.built:
                future.cancel()
        self._started.clear()

    def process(self, task: ShardTask) -> Iterator[ShardSummary]:
        """Starts one shard and finishes the one before, so that no thread waits while a shard is written."""
        finished = finished_shard(task, self._roots.target, self._roots.build)
        if finished is not None:
            yield self._counted(finished)
            return
        self._started.append(start_shard(task, self._options, self._roots, self._pool))
        if len(self._started) > 1:
            yield self._finish()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Finishes the last shard."""
        while self._started:
            yield GlobalWindows.windowed_value(self._finish())

    def teardown(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _finish(self) -> ShardSummary:
        return self._counted(finish_shard(self._started.popleft(), self._options, self._roots))

    def _counted(self, summary: ShardSummary) -> ShardSummary:
        self._counters["patches"].inc(summary.patches)
        self._counters["acquisitions"].inc(summary.acquisitions)
        self._counters["quarantined"].inc(summary.quarantined)
        self._counters["reused_shards"].inc(int(summary.reused))
        return summary
