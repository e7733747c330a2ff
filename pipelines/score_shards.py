"""Scoring as a Beam transform: shard names in, numbers of scored patches out. Pixels never travel through Beam."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection

from drae_data.files import Files
from drae_model.model_folder import load_inspector
from drae_model.score_patches import ShardScorer


@dataclass(frozen=True)
class ScoreTask:
    """What workers score.

    Attributes:
        version: folder of the version; on a cluster one that every worker sees.
        split: of its shards.
        model: folder of the model; the same.
        batch_size: patches judged together.
        parts: where each shard's scores are kept until all are there.
    """

    version: str
    split: str
    model: str
    batch_size: int
    parts: Files


class ScoreShards(beam.PTransform[PCollection[str], PCollection[int]]):
    """Scores shards.

    Args:
        task: which, and by what.
    """

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()
        self._score = ScoreShard(task)

    def expand(self, shards: PCollection[str]) -> PCollection[int]:
        """Shard names to numbers of patches."""
        scored: PCollection[int] = (
            shards  # name of a shard
            | "Spread over workers" >> beam.Reshuffle()  # name of a shard
            | "Score shard" >> beam.ParDo(self._score)  # patches scored
        )
        return scored


class ScoreShard(beam.DoFn):
    """Name of a shard -> patches scored, with the counter `patches`; what was scored before is not scored again."""

    def __init__(self, task: ScoreTask) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._task = task
        self._counter = Metrics.counter("score", "patches")

    def setup(self) -> None:
        """Loads the model once per worker."""
        tf.config.experimental.enable_op_determinism()
        self._scorer = ShardScorer(load_inspector(Path(self._task.model)), self._task.batch_size)

    def process(self, shard: str) -> Iterator[int]:
        """Scores one shard."""
        task = self._task
        if part_name(shard) not in task.parts.names(""):
            stream = io.BytesIO()
            np.save(stream, self._scorer.scores(Path(task.version), task.split, shard))
            task.parts.write(part_name(shard), [stream.getvalue()])
        count = len(read_part(task.parts, shard))
        self._counter.inc(count)
        yield count


def part_name(shard: str) -> str:
    """Name of the file that keeps a shard's scores."""
    return f"{shard}.npy"


def read_part(parts: Files, shard: str) -> npt.NDArray[np.float32]:
    """A shard's scores, float32 [records], in the order of its records."""
    found: npt.NDArray[np.float32] = np.load(io.BytesIO(parts.read(part_name(shard))))
    return found
