"""Shards to training batches: this project's reader against the bare tf.data pipeline on the same shards.

    python -m benchmarks.read
    python -m benchmarks.read --encodings raw --rounds 9

The bare pipeline is what one writes from the manual: TFRecordDataset over the shards' names, a map that parses the
image and the key, decodes and divides by 255, batches, prefetch. It checks nothing beyond the records' checksums. Ours
also numbers and counts records, reads every feature and names a broken shard; `shuffled` adds the order of an epoch.
Each pipeline first runs once untimed: every image is compared, and all shards are in the page cache then.

The dataset is built first, by `python -m pipelines.build`, from noisy frames: patches of 256 x 256, by default 2,880.
The last line is JSON: read_png, read_raw, read_shuffled_png, read_shuffled_raw are ours over the bare pipeline's
patches per second, the median over rounds; patches_per_s holds the medians of each.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before TensorFlow is imported: its banner would stand between the lines of the tables.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.bench_frames import FrameSet, write_frames
from benchmarks.command import report
from benchmarks.measure import BenchmarkError, machine, run_measured
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions, Shuffle

REPOSITORY = Path(__file__).resolve().parent.parent
ENCODINGS = ("png", "raw")
SIDES = ("bare", "ours", "shuffled")
_SET = "bench"
_SPLIT = "test"
_SIZE = 256
_WIDTH, _HEIGHT, _FRAMES = 1600, 1280, 16


@dataclass(frozen=True)
class ReadBenchOptions:
    """What is measured.

    Attributes:
        encodings: of the datasets: png, raw.
        rounds: timed epochs of each pipeline.
        acquisitions: in the dataset.
        shard_patches: most patches in a shard.
        batch_size: of all pipelines.
        parallel_reads: shards read at the same time when shuffled.
        buffer: of the shuffle.
        workdir: for frames and datasets.
    """

    encodings: tuple[str, ...]
    rounds: int
    acquisitions: int
    shard_patches: int
    batch_size: int
    parallel_reads: int
    buffer: int
    workdir: Path


def build_version(options: ReadBenchOptions, encoding: str) -> Path:
    """Builds a version through the command, where the work folder does not hold it yet; returns its folder."""
    frame_set = FrameSet(_WIDTH, _HEIGHT, _FRAMES, "bmp", seed=1)
    root = options.workdir / f"frames-{options.acquisitions}"
    version = options.workdir / f"{encoding}-{options.acquisitions}-{options.shard_patches}"
    write_frames(root, frame_set, options.acquisitions)
    params = options.workdir / f"{encoding}.json"
    params.write_text(json.dumps(_params(options, frame_set, encoding)))
    command = [
        sys.executable, "-m", "pipelines.build", "--set", _SET, "--params", str(params), "--root", str(root),
        "--out", str(version),
    ]  # fmt: skip
    run_measured(command, REPOSITORY)
    return version


def _params(options: ReadBenchOptions, frame_set: FrameSet, encoding: str) -> dict[str, Any]:
    """A params file; JSON is YAML too."""
    indices = list(range(_FRAMES))
    return {
        "strip_layout": {
            "units": "pixels", "frame_size": {"height": _HEIGHT, "width": _WIDTH}, "allow_overlap": False,
            "boxes": frame_set.boxes,
        },
        "patch": {"size": _SIZE, "fit": "stretch", "grow": "cubic", "fill": 0, "encoding": encoding},
        "dataset": {"folder": str(options.workdir), "version": "1.0.0"},
        "build": {
            _SET: {
                "root": "given on the command line",
                "path_template": "{strip}/run_{run}/frame_{frame}.bmp",
                "frames": indices,
                "images": {"frames": indices, "rank": ["min", "max"]},
                "split": {"by": "none", "validation_fraction": 0, "seed": 1},
                "shard_patches": options.shard_patches,
                "max_frame_pixels": _WIDTH * _HEIGHT,
                "max_quarantined": 0,
            }
        },
    }  # fmt: skip


def bare_batches(version: Path, encoding: str, batch_size: int) -> Any:
    """The pipeline that ours is compared with: image, float32 [batch, 256, 256, 1], and key."""
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "key")}

    def decode(data: Any) -> Any:
        example = tf.io.parse_single_example(data, features)
        if encoding == "png":
            pixels = tf.io.decode_png(example["image"], channels=1)
        else:
            pixels = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), (_SIZE, _SIZE, 1))
        return tf.cast(pixels, tf.float32) / 255.0, example["key"]

    shards = [str(path) for path in sorted(version.glob("*.tfrecord-*"))]
    records = tf.data.TFRecordDataset(shards).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    return records.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def pipelines_of(version: Path, encoding: str, options: ReadBenchOptions) -> dict[str, Callable[[], Any]]:
    """What makes the batches of one epoch, by side."""

    def ours(shuffle: Shuffle | None) -> Any:
        read = ReadOptions(_SPLIT, options.batch_size, False, options.parallel_reads, shuffle)
        return patch_batches(version, read)

    return {
        "bare": lambda: bare_batches(version, encoding, options.batch_size),
        "ours": lambda: ours(None),
        "shuffled": lambda: ours(Shuffle(1, options.buffer, options.parallel_reads)),
    }


def timed_epoch(batches: Any, patches: int) -> float:
    """Reads all batches; patches per second from the first request to the end.

    Raises:
        BenchmarkError: another number of patches came.
    """
    started = time.perf_counter()
    count = 0
    for batch in batches:
        image = batch["image"] if isinstance(batch, dict) else batch[0]
        count += int(image.shape[0])
    seconds = time.perf_counter() - started
    if count != patches:
        raise BenchmarkError(f"expected {patches} patches in an epoch, got {count}")
    return patches / seconds


def compare_images(batches: Mapping[str, Any], patches: int) -> None:
    """Reads an epoch of each side, which also brings the shards into the page cache, and compares every image.

    Raises:
        BenchmarkError: the sides give other keys, or another image for a key.
    """
    found = {side: dict(_digests(each)) for side, each in batches.items()}
    first = next(iter(found.values()))
    if len(first) != patches or any(images != first for images in found.values()):
        counts = {side: len(images) for side, images in found.items()}
        raise BenchmarkError(f"expected {patches} patches, the same from every side, got {counts}, or images differ")


def _digests(batches: Any) -> Iterator[tuple[bytes, bytes]]:
    """Key and SHA-256 of the float image of every patch."""
    for batch in batches:
        images, keys = (batch["image"], batch["key"]) if isinstance(batch, dict) else batch
        for key, image in zip(keys.numpy(), images.numpy(), strict=True):
            yield key, hashlib.sha256(image.tobytes()).digest()


def timed_rounds(version: Path, encoding: str, options: ReadBenchOptions) -> dict[str, list[float]]:
    """Patches per second by side and round; who goes first changes every round."""
    patches = options.acquisitions * (_FRAMES + 2) * 20
    makers = pipelines_of(version, encoding, options)
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    compare_images({side: make() for side, make in makers.items()}, patches)
    for number in range(options.rounds):
        first = number % len(SIDES)
        for side in SIDES[first:] + SIDES[:first]:
            rates[side].append(timed_epoch(makers[side](), patches))
    return rates


def measure(options: ReadBenchOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its tables, and returns what the JSON line holds."""
    print(f"machine: {machine()}, TensorFlow {tf.__version__}")
    print(f"batches of {options.batch_size}, {options.rounds} rounds")
    result: dict[str, Any] = {"rounds": options.rounds}
    medians: dict[str, dict[str, int]] = {}
    for encoding in options.encodings:
        version = build_version(options, encoding)
        rates = timed_rounds(version, encoding, options)
        for side, key in (("ours", f"read_{encoding}"), ("shuffled", f"read_shuffled_{encoding}")):
            pairs = zip(rates[side], rates["bare"], strict=True)
            result[key] = round(statistics.median(ours / bare for ours, bare in pairs), 3)
        medians[encoding] = {side: round(statistics.median(rates[side])) for side in SIDES}
        print_rates(encoding, rates, result)
    result["patches_per_s"] = medians
    return result


def print_rates(encoding: str, rates: dict[str, list[float]], result: dict[str, Any]) -> None:
    """The table of one encoding."""
    ratios = {"bare": 1.0, "ours": result[f"read_{encoding}"], "shuffled": result[f"read_shuffled_{encoding}"]}
    print(f"\n{encoding}: patches per second   median     min     max   over bare")
    for side, values in rates.items():
        numbers = f"{statistics.median(values):8,.0f} {min(values):7,.0f} {max(values):7,.0f}"
        print(f"  {side:25}{numbers} {ratios[side]:11.2f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.read", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--encodings",
        type=_encodings,
        default=ENCODINGS,
        help="of the datasets, png,raw or one of them (default: both)",
    )
    parser.add_argument("--rounds", type=int, default=7, help="timed epochs of each pipeline (default: 7)")
    parser.add_argument("--acquisitions", type=int, default=8, help="of 360 patches each (default: 8)")
    parser.add_argument("--shard-patches", type=int, default=720, help="most patches in a shard (default: 720)")
    parser.add_argument("--batch-size", type=int, default=32, help="patches in a batch (default: 32)")
    parser.add_argument(
        "--parallel-reads",
        type=int,
        default=4,
        help="shards mixed, and read at the same time, by shuffled (default: 4)",
    )
    parser.add_argument("--buffer", type=int, default=1000, help="records that shuffled draws from (default: 1000)")
    parser.add_argument("--workdir", type=Path, help="keep frames and datasets here (default: a temporary folder)")
    known = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as temporary:
        options = ReadBenchOptions(
            known.encodings, known.rounds, known.acquisitions, known.shard_patches, known.batch_size,
            known.parallel_reads, known.buffer, (known.workdir or Path(temporary)).resolve(),
        )  # fmt: skip
        options.workdir.mkdir(parents=True, exist_ok=True)
        return report(lambda: measure(options))


def _encodings(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(ENCODINGS):
        raise argparse.ArgumentTypeError(f"expected {' or '.join(ENCODINGS)}, got {text!r}")
    return names


if __name__ == "__main__":
    sys.exit(main())
