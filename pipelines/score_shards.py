"""Scoring as a Beam transform, by RunInference: shards in, numbers of scored patches out. Pixels never travel."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection

from drae_acceptance.errors import ScoreError
from drae_acceptance.names import first_names
from drae_data.files import Files
from drae_data.verification.claims import ShardClaim
from drae_data.version_files import COMMIT_POINT, PROVENANCE, part_path
from drae_model.model_folder import load_inspector
from drae_model.score_patches import ShardScorer
from pipelines.beam_files import absolute
from pipelines.console import progress
from pipelines.local_copy import local_copy
from pipelines.runner import run_pipeline
from pipelines.score_parts import SCORING_FILES, model_for_workers, part_name, read_part, write_part
from pipelines.scoring import Scoring

# What of a version a worker reads beside the shard and its index.
_VERSION_FILES = (PROVENANCE, COMMIT_POINT)


@dataclass(frozen=True)
class ScoreTask:
    """What workers score; every worker sees all three places.

    Attributes:
        version: that is judged.
        model: that judges.
        batch_size: patches judged together.
        parts: where each shard's scores are kept until all are there.
    """

    version: Files
    model: Files
    batch_size: int
    parts: Files


@dataclass(frozen=True)
class ScoredShard:
    """A shard with its scores.

    Attributes:
        shard: as `provenance.json` states it.
        scores: float32 [records], in the order of its records.
    """

    shard: ShardClaim
    scores: npt.NDArray[np.float32]


class ScoreShards(beam.PTransform[PCollection[ShardClaim], PCollection[int]]):
    """Scores shards.

    Args:
        task: how, and by what.
    """

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()
        self._task = task

    def expand(self, shards: PCollection[ShardClaim]) -> PCollection[int]:
        """Shards to numbers of patches."""
        scored: PCollection[int] = (
            shards  # a shard as provenance.json states it
            | "Spread over workers" >> beam.Reshuffle()  # the same
            | "Left to score" >> beam.Filter(is_left, self._task.parts)  # the same
            | "One at a time" >> beam.Map(alone)  # a batch for RunInference
            | "Score shard" >> RunInference(ShardHandler(self._task))  # ScoredShard
            | "Keep scores" >> beam.ParDo(KeepScores(self._task.parts))  # patches scored
        )
        return scored


def is_left(shard: ShardClaim, parts: Files) -> bool:
    """Whether a shard has no scores yet."""
    try:
        parts.read(part_name(shard.name))
    except FileNotFoundError:
        return True
    return False


def alone(shard: ShardClaim) -> tuple[ShardClaim]:
    """A batch of one shard."""
    return (shard,)


class ShardHandler(ModelHandler[ShardClaim, ScoredShard, ShardScorer]):
    """What RunInference needs to know of the model.

    An element is a shard, and batches are made inside it: which patches are judged together must not depend on the
    runner, else the last bits of scores would.

    Args:
        task: how, and by what.
    """

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()
        self._task = task

    def load_model(self) -> ShardScorer:
        """Loads the model, once per worker."""
        tf.config.experimental.enable_op_determinism()
        with local_copy(self._task.model, SCORING_FILES) as folder:
            return ShardScorer(load_inspector(folder), self._task.batch_size)

    def run_inference(
        self, batch: Sequence[ShardClaim], model: ShardScorer, inference_args: Mapping[str, Any] | None = None
    ) -> Iterator[ScoredShard]:
        """Scores shards, one after the other."""
        for shard in batch:
            paths = (*_VERSION_FILES, shard.name, part_path(shard.name))
            with local_copy(self._task.version, paths) as folder:
                yield ScoredShard(shard, model.scores(folder, shard))

    def should_skip_batching(self) -> bool:
        """Batches of one come as elements: Beam would hand on what it batched when a bundle ends.

        Its Dask runner loses what a step gives then.
        """
        return True

    def get_num_bytes(self, batch: Sequence[ShardClaim]) -> int:
        """Of the shards of a batch; Beam's own way would pickle their claims."""
        return sum(shard.bytes for shard in batch)

    def get_metrics_namespace(self) -> str:
        """Where RunInference counts."""
        return "score"


class KeepScores(beam.DoFn):
    """ScoredShard -> patches scored, with the counter `patches`.

    Args:
        parts: where scores are kept.
    """

    def __init__(self, parts: Files) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._parts = parts
        self._counter = Metrics.counter("score", "patches")

    def process(self, scored: ScoredShard) -> Iterator[int]:
        """Keeps the scores of one shard."""
        write_part(self._parts, scored.shard, scored.scores)
        count = len(read_part(self._parts, scored.shard))
        self._counter.inc(count)
        yield count


def score_shards(scoring: Scoring, parts: Files, runner_options: PipelineOptions, attempts: int) -> None:
    """Runs the Beam pipeline that scores the shards which have no scores yet, and shows its progress."""
    task = ScoreTask(
        absolute(scoring.version.files), model_for_workers(scoring.model.folder, parts), scoring.section.batch_size,
        absolute(parts),
    )  # fmt: skip
    records = {part_name(shard.name): shard.records for shard in scoring.shards}

    def done() -> int:
        return sum(records.get(name, 0) for name in parts.names(""))

    def construct(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create(scoring.shards)  # a shard as provenance.json states it
            | "Score shards" >> ScoreShards(task)  # patches scored
        )

    with progress(f"score {scoring.name}", sum(records.values()), "patches", done):
        run_pipeline(construct, runner_options, attempts, done)
    if missing := sorted(records.keys() - parts.names("").keys()):
        raise ScoreError(
            f"{parts.root}: expected scores of {len(records)} shards, got {len(records) - len(missing)}; the pipeline "
            f"ended without an error and without {first_names(missing)}. On a cluster --parts must be a folder or URL "
            "that every worker sees; else run the same command again"
        )
