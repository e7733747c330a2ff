"""The build as a Beam transform: shard tasks in, shard summaries out. Pixels never travel through Beam."""

import json
from collections.abc import Iterator

import apache_beam as beam
import cv2
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection

from drae_data.files import Files
from drae_data.options import DatasetOptions
from drae_data.shard_plan import ShardTask
from drae_data.shards import ShardSummary, build_shard


class BuildShards(beam.PTransform[PCollection[str], PCollection[ShardSummary]]):
    """Builds the shards of a plan.

    Args:
        options: of the dataset.
        source: the root of the frames.
        target: the version folder.
        threads: acquisitions in work at the same time inside one shard.
    """

    def __init__(self, options: DatasetOptions, source: Files, target: Files, threads: int) -> None:
        super().__init__()
        self._build = BuildShard(options, source, target, threads)
        self._target = target

    def expand(self, plans: PCollection[str]) -> PCollection[ShardSummary]:
        """Plan paths to summaries."""
        summaries: PCollection[ShardSummary] = (
            plans  # path of the plan, relative to the version folder
            | "Read plan" >> beam.FlatMap(read_plan, self._target)  # ShardTask
            | "Spread over workers" >> beam.Reshuffle()  # ShardTask
            | "Build shard" >> beam.ParDo(self._build)  # ShardSummary
        )
        return summaries


def read_plan(path: str, target: Files) -> Iterator[ShardTask]:
    """The shard tasks of a plan file; the plan travels as a file, so the job graph stays small at any size."""
    for line in target.read(path).splitlines():
        yield ShardTask.from_json(json.loads(line))


class BuildShard(beam.DoFn):
    """ShardTask -> ShardSummary, with counters `patches`, `acquisitions`, `quarantined` and `reused_shards`."""

    def __init__(self, options: DatasetOptions, source: Files, target: Files, threads: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._arguments = (options, source, target, threads)
        self._counters = {
            name: Metrics.counter("build", name) for name in ("patches", "acquisitions", "quarantined", "reused_shards")
        }

    def setup(self) -> None:
        """Keeps OpenCV from starting threads of its own beside those of the shard."""
        cv2.setNumThreads(1)

    def process(self, task: ShardTask) -> Iterator[ShardSummary]:
        """Builds one shard."""
        options, source, target, threads = self._arguments
        summary = build_shard(task, options, source, target, threads)
        self._counters["patches"].inc(summary.patches)
        self._counters["acquisitions"].inc(summary.acquisitions)
        self._counters["quarantined"].inc(summary.quarantined)
        self._counters["reused_shards"].inc(int(summary.reused))
        yield summary
