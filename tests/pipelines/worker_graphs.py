"""The pipelines of the three stages that run on engines, as graphs that nothing has run yet."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam

from drae_data.shards import Roots
from drae_data.verification.claims import ShardClaim
from pipelines.beam_files import files_at
from pipelines.build_shards import BuildShards, plan_parts
from pipelines.params import load_params
from pipelines.patient_files import patient
from pipelines.score_shards import ScoreShards, ScoreTask
from pipelines.synthesize_strips import SynthesizeStrips
from tests.small_line import small_options

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "gs://bucket"
Construct = Callable[[beam.Pipeline], object]


def build(pipeline: beam.Pipeline) -> object:
    """As `pipelines.build` constructs it."""
    frames, *versions = (files_at(f"{BUCKET}/{place}") for place in ("frames", "small/1.0.0", "small/0.9.0"))
    target, earlier = map(patient, versions)
    roots = Roots(patient(frames, listed=True), target, earlier, build="a name")
    plan = plan_parts("plan", 3)
    return pipeline | "Plan" >> beam.Create(plan) | "Build shards" >> BuildShards(small_options(), roots, None)


def synthesize(pipeline: beam.Pipeline) -> object:
    """As `pipelines.synthesize` constructs it."""
    params = load_params(ROOT / "params.yaml").synthesize
    assert params is not None
    step = SynthesizeStrips(params, files_at(f"{BUCKET}/frames"), None)
    return (
        pipeline
        | "Strips" >> beam.Create([()])
        | "Spread over workers" >> beam.Reshuffle()
        | "Write acquisitions" >> beam.ParDo(step)
    )


def score(pipeline: beam.Pipeline) -> object:
    """As `pipelines.score` constructs it."""
    task = ScoreTask(
        files_at(f"{BUCKET}/datasets/kit/1.0.0"), files_at(f"{BUCKET}/parts/model"), 32, files_at(f"{BUCKET}/parts")
    )
    shard = ShardClaim("kit-test.tfrecord-00000-of-00001", "test", "0" * 64, "0" * 64, 1000, 10)
    return pipeline | "Shards" >> beam.Create([shard]) | "Score shards" >> ScoreShards(task)


GRAPHS: dict[str, Construct] = {"build": build, "synthesize": synthesize, "score": score}
