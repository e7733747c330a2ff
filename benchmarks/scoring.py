"""Scoring one version in three ways: the project's, Beam's RunInference, and a plain loop without Beam.

    python -m benchmarks.scoring                          the kit, after make repro
    python -m benchmarks.scoring --set calibration --rounds 5

    shards         the stage's own: Beam's elements are shards, a worker reads each with tf.data; it also hashes the
                   shard, compares the keys of records with the index, and keeps the scores of each shard
    run_inference  Beam's elements are patches: read from TFRecords, decoded, batched and judged by RunInference
    loop           the same tf.data code as shards in one process, without Beam and without its checks

Each runs in a fresh process that imports the same modules; the clock runs from there to the scores in memory, so that
loading the model and making the graph count. Rounds are interleaved, who goes first changes. Memory is that of the
whole process tree.

The last line is JSON: patches_per_s and peak_mb of each way, medians over rounds; <way>_over_shards, the median of the
ratio within a round; max_difference, the largest between a way's scores and those of shards.
"""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.transforms.combiners import ToList

from benchmarks.command import report
from benchmarks.measure import BenchmarkError, machine, run_measured
from drae_data.encodings import decode_patch_image
from drae_data.errors import DraeError
from drae_data.local_files import LocalFiles
from drae_data.patch_index import index_columns
from drae_data.records import IMAGE, decode_example
from drae_model.model_folder import Inspector, load_inspector
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions
from pipelines.params import load_params
from pipelines.runner import beam_options, run_pipeline
from pipelines.score_parts import read_part
from pipelines.score_shards import score_shards
from pipelines.scoring import Scoring, open_scoring

SHARDS = "shards"
# Pixels of a patch, and the name of its region.
Patch = tuple[npt.NDArray[np.uint8], str]
# By key of the patch.
Found = dict[str, float]


def by_shards(scoring: Scoring, folder: Path) -> Found:
    """The project's way."""
    parts = LocalFiles(str(folder / "parts"))
    score_shards(scoring, parts, beam_options([]), attempts=1)
    found: Found = {}
    for shard in scoring.shards:
        keys = index_columns(scoring.version.files, shard, ["key"])["key"].tolist()
        found |= zip(keys, read_part(parts, shard).tolist(), strict=True)
    return found


class InspectorHandler(ModelHandler[Patch, float, Any]):
    """What RunInference needs to know of the model.

    Args:
        folder: of the model.
        batch_size: patches judged together.
    """

    def __init__(self, folder: str, batch_size: int) -> None:
        super().__init__(min_batch_size=batch_size, max_batch_size=batch_size)
        self._folder = folder

    def load_model(self) -> Any:
        """A compiled function from patches and the names of their regions to scores."""
        return compiled(load_inspector(Path(self._folder)))

    def run_inference(
        self, batch: Sequence[Patch], model: Any, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[float]:
        """Scores of a batch."""
        # Divided here as readers do: in the graph TensorFlow may multiply by 1 / 255 instead, and the last bits differ.
        images = np.stack([patch for patch, _ in batch])[..., None].astype(np.float32) / np.float32(255)
        scores: list[float] = model(tf.constant(images), [region for _, region in batch]).numpy().tolist()
        return scores

    def get_num_bytes(self, batch: Sequence[Patch]) -> int:
        """Of a batch; Beam's own way pickles it."""
        return sum(patch.nbytes for patch, _ in batch)


def by_run_inference(scoring: Scoring, folder: Path) -> Found:
    """Beam's RunInference on decoded patches."""
    claims, target = scoring.version.claims, folder / "found.json"
    root = Path(scoring.version.files.root).resolve()
    size, encoding = claims.size, claims.encoding

    def decode(data: bytes) -> tuple[str, Patch]:
        features = decode_example(data)
        pixels = decode_patch_image(bytes(features[IMAGE]), size, encoding)
        return bytes(features["key"]).decode(), (pixels, bytes(features["region"]).decode())

    handler = InspectorHandler(str(scoring.model.folder.resolve()), scoring.section.batch_size)

    def construct(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create([str(root / shard.name) for shard in scoring.shards])  # path
            | "Read" >> beam.io.ReadAllFromTFRecord()  # a record
            | "Decode" >> beam.Map(decode)  # key, (uint8 [size, size], region)
            | "Judge" >> RunInference(KeyedModelHandler(handler))  # key, score
            | "Gather" >> ToList()  # all of them
            | "Keep" >> beam.Map(lambda pairs: target.write_text(json.dumps(dict(pairs))))
        )

    run_pipeline(construct, beam_options([]), attempts=1)
    found: Found = json.loads(target.read_text())
    return found


def by_loop(scoring: Scoring, folder: Path) -> Found:
    """The same reading and model in one process, without Beam."""
    score = compiled(load_inspector(scoring.model.folder))
    options = ReadOptions(scoring.chosen.split, scoring.section.batch_size, False, 2, None)
    found: Found = {}
    for batch in patch_batches(Path(scoring.version.files.root), options):
        keys, regions = ([name.decode() for name in batch[part].numpy()] for part in ("key", "region"))
        found |= zip(keys, score(batch["image"], regions).numpy().tolist(), strict=True)
    return found


def compiled(inspector: Inspector) -> Any:
    """The model in TensorFlow's graph: patches, float32 [n, p, p, 1], 0 to 1, and names of regions to scores [n]."""
    specs = inspector.specs(None, tf.float32)
    score: Any = tf.function(inspector.score_images, input_signature=specs, autograph=False)
    return lambda patches, regions: score(patches, inspector.region_numbers(regions))


WAYS: Mapping[str, Callable[[Scoring, Path], Found]] = {
    SHARDS: by_shards, "run_inference": by_run_inference, "loop": by_loop,
}  # fmt: skip


def score_once(params: Path, name: str, way: str, target: Path) -> None:
    """What a measured process does: scores a set in one way; writes scores and seconds."""
    scoring = open_scoring(load_params(params), name)
    tf.config.experimental.enable_op_determinism()
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as folder:
        started = time.perf_counter()
        found = WAYS[way](scoring, Path(folder))
        seconds = time.perf_counter() - started
    target.write_text(json.dumps({"seconds": seconds, "scores": found}))


def measure(params: Path, name: str, rounds: int) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds."""
    try:
        scoring = open_scoring(load_params(params), name)
    except DraeError as error:
        raise BenchmarkError(str(error)) from error
    patches = sum(shard.records for shard in scoring.shards)
    print(f"machine: {machine()}, TensorFlow {tf.__version__}, Beam {beam.__version__}")
    print(f"{name}: {patches:,} patches in {len(scoring.shards)} shards, batches of {scoring.section.batch_size}")
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    peaks: dict[str, list[float]] = {way: [] for way in WAYS}
    differences = dict.fromkeys(WAYS, 0.0)
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as folder:
        target = Path(folder, "result.json")
        for number in range(rounds):
            first = number % len(WAYS)
            found: dict[str, Found] = {}
            for way in [*WAYS][first:] + [*WAYS][:first]:
                command = [sys.executable, "-m", "benchmarks.scoring", "--params", str(params), "--set", name]
                done = run_measured([*command, "--way", way, "--target", str(target)], Path.cwd())
                result = json.loads(target.read_text())
                found[way] = result["scores"]
                rates[way].append(patches / result["seconds"])
                peaks[way].append(done.peak_mb)
                print(f"round {number + 1}: {way} {rates[way][-1]:,.0f} patches/s, {done.peak_mb:,.0f} MB", flush=True)
            for way, scores in found.items():
                differences[way] = max(differences[way], difference(found[SHARDS], scores, patches))
    return summary(rates, peaks, differences)


def difference(ours: Found, theirs: Found, patches: int) -> float:
    """The largest difference of scores; raises `BenchmarkError` where not the same patches were scored."""
    if len(ours) != patches or ours.keys() != theirs.keys():
        raise BenchmarkError(f"expected the scores of the same {patches:,} patches, got {len(ours):,}, {len(theirs):,}")
    return max(abs(theirs[key] - value) for key, value in ours.items())


def summary(
    rates: Mapping[str, Sequence[float]], peaks: Mapping[str, Sequence[float]], differences: Mapping[str, float]
) -> dict[str, Any]:
    """Prints the table and gives what the JSON line holds."""
    ratios = {
        way: statistics.median(their / our for their, our in zip(values, rates[SHARDS], strict=True))
        for way, values in rates.items()
    }
    print(f"\n{'':16} {'patches/s':>10} {'over shards':>12} {'peak MB':>8} {'largest difference':>19}")
    for way, values in rates.items():
        numbers = f"{statistics.median(values):10,.0f} {ratios[way]:12.2f} {statistics.median(peaks[way]):8,.0f}"
        print(f"{way:<16} {numbers} {differences[way]:19.1e}")
    return {
        "rounds": len(rates[SHARDS]),
        "patches_per_s": {way: round(statistics.median(values), 1) for way, values in rates.items()},
        "peak_mb": {way: round(statistics.median(values)) for way, values in peaks.items()},
        **{f"{way}_over_{SHARDS}": round(ratio, 3) for way, ratio in ratios.items() if way != SHARDS},
        "max_difference": {way: value for way, value in differences.items() if way != SHARDS},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scoring", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--set", default="kit", help="the section under score.sets (default: kit)")
    parser.add_argument("--rounds", type=int, default=3, help="of each way (default: 3)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    known = parser.parse_args(argv)
    if known.way:
        score_once(known.params, known.set, known.way, known.target)
        return 0
    if known.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return report(lambda: measure(known.params, known.set, known.rounds))


if __name__ == "__main__":
    sys.exit(main())
