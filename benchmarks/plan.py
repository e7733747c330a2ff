"""Listing and planning a dataset of very many acquisitions: seconds and peak memory, without a frame on the disk.

    python -m benchmarks.plan
    python -m benchmarks.plan --acquisitions 10000,100000

Folder names are made up and given in scrambled order, as a file system gives them; the clock starts when they are
there. Measured are: names to acquisition keys, the choice among them (here all), keys to splits and shards, and the
plan written to the disk as the build does before its workers start. Walking the folders of a real disk comes on top and
is the disk's. Every run is a fresh process. As it stands the whole takes about four minutes.
"""

import argparse
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.bench_frames import FrameSet
from benchmarks.bench_params import SET, build_params
from benchmarks.command import counts, report
from benchmarks.measure import BenchmarkError, machine, run_measured
from drae_data.listing import list_folders
from drae_data.local_files import LocalFiles
from drae_data.publication import open_version
from drae_data.selection import select
from drae_data.shard_plan import plan_shards
from pipelines.collector import collector_paused
from pipelines.params import load_params

REPOSITORY = Path(__file__).resolve().parent.parent
PARTS = ("list", "select", "plan", "write")
# What a production set of the paper is made of; shards of 2,880 patches are those of params.yaml.
_FRAMES = FrameSet(1600, 1280, 16, "png", seed=1)
_SHARD_PATCHES = 2880
_RUNS = 10


def folder_names(acquisitions: int) -> list[str]:
    """Names of acquisition folders, ten runs a strip, in scrambled order."""
    names = [f"S{number // _RUNS:07d}/run_{number % _RUNS}" for number in range(acquisitions)]
    random.Random(1).shuffle(names)
    return names


def plan_once(acquisitions: int, out: Path) -> dict[str, Any]:
    """Lists, selects, plans and writes in this process.

    Args:
        acquisitions: how many.
        out: the folder to write the plan into.

    Returns:
        Seconds of each part, and how many shards were planned.

    Raises:
        BenchmarkError: an acquisition is missing in the plan.
    """
    params = out / "params.json"
    params.write_text(json.dumps(build_params(_FRAMES, "png", _SHARD_PATCHES, out)))
    options = load_params(params).dataset_options(SET)
    names = folder_names(acquisitions)
    clock = [time.perf_counter()]
    with collector_paused():  # as pipelines.build does
        listing = list_folders(names, options, "made up")
        clock.append(time.perf_counter())
        selection = select(listing, options, {})
        clock.append(time.perf_counter())
        plan = plan_shards(selection.listing.acquisitions, options, selection.sides)
        clock.append(time.perf_counter())
    open_version(LocalFiles(str(out / "version")), plan)
    clock.append(time.perf_counter())
    planned = sum(len(task.acquisitions) for task in plan.tasks)
    if planned != acquisitions:
        raise BenchmarkError(f"expected {acquisitions} acquisitions in the plan, got {planned}")
    seconds = [after - before for before, after in pairwise(clock)]
    return {**dict(zip(PARTS, seconds, strict=True)), "shards": len(plan.tasks)}


def measure(counts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds."""
    print(f"machine: {machine()}")
    print(f"listing and planning acquisitions by name, medians of {rounds} rounds\n")
    print(
        f"{'acquisitions':>13}{'shards':>9}"
        + "".join(f"{part + ' s':>9}" for part in PARTS)
        + f"{'all s':>9}{'acquisitions/s':>16}{'peak MB':>9}"
    )
    result: dict[str, Any] = {"rounds": rounds, "peak_mb": {}, "parts": {}}
    slowness = []
    for count in counts:
        runs = [run_once(count) for _ in range(rounds)]
        parts = {part: statistics.median(run[part] for run in runs) for part in PARTS}
        seconds = statistics.median(sum(run[part] for part in PARTS) for run in runs)
        result[f"seconds_{label(count)}"] = round(seconds, 3)
        result["parts"][label(count)] = {part: round(value, 3) for part, value in parts.items()}
        result["peak_mb"][label(count)] = round(statistics.median(run["peak_mb"] for run in runs))
        slowness.append(seconds / count)
        print(
            f"{count:13,}{runs[0]['shards']:9,}"
            + "".join(f"{parts[part]:9.2f}" for part in PARTS)
            + f"{seconds:9.2f}{count / seconds:16,.0f}{result['peak_mb'][label(count)]:9,}"
        )
    result["linearity"] = round(slowness[-1] / slowness[0], 3)
    print(f"\nan acquisition of the largest plan takes {result['linearity']:.2f} times as long as one of the smallest")
    return result


def run_once(acquisitions: int) -> dict[str, Any]:
    """Plans in a fresh process; its seconds by part, its shards and its peak memory in MB."""
    print(f"plan: {acquisitions:,} acquisitions", file=sys.stderr, flush=True)
    arguments = ["-m", "benchmarks.plan", "--once", str(acquisitions)]
    measured = run_measured([sys.executable, *arguments], REPOSITORY)
    values: dict[str, Any] = json.loads(measured.output.splitlines()[-1])
    return values | {"peak_mb": measured.peak_mb}


def label(count: int) -> str:
    """`1e6` for a million; other numbers as they are."""
    exponent = round(math.log10(count))
    return f"1e{exponent}" if 10**exponent == count else str(count)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--acquisitions", type=counts, default=(10_000, 100_000, 1_000_000),
        help="numbers of acquisitions, N,M,... (default: 10000,100000,1000000)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    known = parser.parse_args(argv)
    if known.once:
        with tempfile.TemporaryDirectory(prefix="drae-plan-") as out:
            folder = Path(out)
            return report(lambda: plan_once(known.once, folder))
    return report(lambda: measure(known.acquisitions, known.rounds))


if __name__ == "__main__":
    sys.exit(main())
