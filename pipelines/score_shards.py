"""Scoring as a Beam transform: shards in, numbers of scored patches out. Pixels never travel through Beam."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
from apache_beam.metrics.metric import Metrics
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection

from drae_data.files import Files
from drae_data.verification.claims import ShardClaim
from drae_model.model_folder import load_inspector
from drae_model.score_patches import ShardScorer
from pipelines.beam_run import running_pipeline
from pipelines.console import progress
from pipelines.score_parts import part_name, read_part, write_part
from pipelines.scoring import Scoring


@dataclass(frozen=True)
class ScoreTask:
    """What workers score.

    Attributes:
        version: folder of the version; on a cluster one that every worker sees.
        model: folder of the model; the same.
        batch_size: patches judged together.
        parts: where each shard's scores are kept until all are there.
    """

    version: str
    model: str
    batch_size: int
    parts: Files


class ScoreShards(beam.PTransform[PCollection[ShardClaim], PCollection[int]]):
    """Scores shards.

    Args:
        task: how, and by what.
    """

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()
        self._score = ScoreShard(task)

    def expand(self, shards: PCollection[ShardClaim]) -> PCollection[int]:
        """Shards to numbers of patches."""
        scored: PCollection[int] = (
            shards  # a shard as provenance.json states it
            | "Spread over workers" >> beam.Reshuffle()  # the same
            | "Score shard" >> beam.ParDo(self._score)  # patches scored
        )
        return scored


class ScoreShard(beam.DoFn):
    """A shard -> patches scored, with the counter `patches`; what was scored before is not scored again."""

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._task = task
        self._counter = Metrics.counter("score", "patches")

    def setup(self) -> None:
        """Loads the model once per worker."""
        tf.config.experimental.enable_op_determinism()
        self._scorer = ShardScorer(load_inspector(Path(self._task.model)), self._task.batch_size)

    def process(self, shard: ShardClaim) -> Iterator[int]:
        """Scores one shard."""
        task = self._task
        if part_name(shard.name) not in task.parts.names(""):
            write_part(task.parts, shard, self._scorer.scores(Path(task.version), shard))
        count = len(read_part(task.parts, shard))
        self._counter.inc(count)
        yield count


def score_shards(scoring: Scoring, parts: Files, runner_options: PipelineOptions) -> None:
    """Runs the Beam pipeline that scores the shards which have no scores yet, and shows its progress."""
    task = ScoreTask(
        str(Path(scoring.version.files.root).resolve()), str(scoring.model.folder.resolve()),
        scoring.section.batch_size, parts,
    )  # fmt: skip
    records = {part_name(shard.name): shard.records for shard in scoring.shards}

    def done() -> int:
        return sum(records.get(name, 0) for name in parts.names(""))

    with (
        progress(f"score {scoring.name}", sum(records.values()), "patches", done),
        running_pipeline(runner_options) as pipeline,
    ):
        _ = (
            pipeline
            | "Shards" >> beam.Create(scoring.shards)  # a shard as provenance.json states it
            | "Score shards" >> ScoreShards(task)  # patches scored
        )
