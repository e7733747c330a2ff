"""How a build scales: what its steps cost on one core, what a plan costs, and what any number of patches comes to.

    python -m benchmarks.scale
    python -m benchmarks.scale --measured 2 --rounds 1 --plans 10000,20000
    python -m benchmarks.scale --patches 1000000000 --workers 64 --shard-patches 28800

Measured: each step of a worker and the commit's recount on one core, the builder's own functions timed one after the
other and compared with a whole shard; planning up to a million acquisitions, each in a fresh process; what Beam
shuffles, by its own coder; the launcher's memory of an acquisition. Simulated: shards of real plans over workers, with
a strip of 100 times the runs and a worker 10 times slower. Projected: bytes, core-hours, requests, hours and money of
datasets that nobody built here, from the measured and from assumptions that the flags name. docs/scaling.md reads it.
Frames lie in the page cache. As it stands the whole takes about five minutes on 2 cores, and 0.5 GB of disk.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_frames import FrameSet, write_frames
from benchmarks.bench_params import SET, build_params
from benchmarks.bottlenecks import bottleneck
from benchmarks.command import counts, frame_size, report
from benchmarks.commit_costs import listed_memory
from benchmarks.measure import machine
from benchmarks.plan import PARTS, plan_once, run_once
from benchmarks.projection import (
    Assumptions,
    Costs,
    PlanPoint,
    acquisitions_of,
    core_hours,
    launcher_memory,
    money,
    requests,
    scoring_core_hours,
    times,
)
from benchmarks.scale_flags import add_flags, assumptions
from benchmarks.scale_tables import (
    print_assumptions,
    print_heavy,
    print_plans,
    print_projection,
    print_schedules,
    print_shuffle,
    print_sizes,
    print_steps,
)
from benchmarks.shuffle_bytes import shuffle_coder, shuffled_bytes
from benchmarks.skew import heavy_strips, schedules
from benchmarks.step_rates import StepRates, measure_steps
from drae_data.listing import list_acquisitions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.shard_plan import plan_shards
from drae_data.shards import Roots
from drae_data.version_files import plan_path
from pipelines.build_shards import PlanPart, read_plan
from pipelines.params import load_params

_ENCODINGS = {"png": "png", "bmp": "raw"}
_SHUFFLED = 10_000
_SIMULATED_SIZES = (720, 2880, 28_800)


@dataclass(frozen=True)
class ScaleOptions:
    """What is measured.

    Attributes:
        frame_set: of the measured frames.
        measured: acquisitions of the shard that is built in steps.
        rounds: of the steps.
        plans: numbers of acquisitions that are planned, ascending.
        patches: sizes of the datasets that are projected.
        strips: of the plans that shards are simulated over.
        workdir: for frames and shards.
    """

    frame_set: FrameSet
    measured: int
    rounds: int
    plans: tuple[int, ...]
    patches: tuple[int, ...]
    strips: int
    workdir: Path


def measure(options: ScaleOptions, assumed: Assumptions) -> dict[str, Any]:
    """Runs the benchmark, prints its tables, and returns what the JSON line holds."""
    frames = options.frame_set
    print(f"machine: {machine()}")
    print(
        f"{frames.frames} {frames.format} frames of {frames.width} x {frames.height} an acquisition to "
        f"{_ENCODINGS[frames.format]} patches, medians of {options.rounds} rounds over {options.measured} acquisitions"
    )
    rates = step_rates(options)
    print_steps(rates)
    costs = costs_of(options, rates)
    print_plans(costs)
    print_shuffle(costs)
    print_assumptions(assumed)
    print_sizes(_SIMULATED_SIZES, costs, assumed)
    result: dict[str, Any] = {"rates": asdict(rates), "costs": asdict(costs), "assumed": asdict(assumed)}
    result["projections"] = {}
    for patches in options.patches:
        number = acquisitions_of(patches, costs)
        found = bottleneck(number, costs, assumed)
        print_projection(patches, costs, assumed, found)
        result["projections"][str(patches)] = {
            "acquisitions": number, "core_hours": core_hours(number, costs),
            "score_core_hours": scoring_core_hours(patches, assumed),
            "requests": asdict(requests(number, costs, assumed)), "seconds": asdict(times(number, costs, assumed)),
            "launcher_bytes": launcher_memory(number, costs), "money": asdict(money(number, costs, assumed)),
            **asdict(found),
        }  # fmt: skip
    return result | simulate(options, assumed)


def simulate(options: ScaleOptions, assumed: Assumptions) -> dict[str, Any]:
    """Simulates skew and stragglers, prints the tables, and returns what the JSON line holds of them."""
    progress(f"simulating the shards of {options.strips:,} strips")
    by_strip = dataset_options(options, {"by": "strip", "validation_fraction": 0.1, "seed": 1})
    found = schedules(options.strips, assumed.workers, _SIMULATED_SIZES, by_strip)
    print_schedules(options.strips, assumed.workers, found)
    equal, heavy = heavy_strips(options.strips, assumed.shard_patches, by_strip)
    print_heavy(equal, heavy)
    return {"schedules": [asdict(row) for row in found], "heavy_strips": [asdict(row) for row in heavy]}


def step_rates(options: ScaleOptions) -> StepRates:
    """Writes frames and measures the steps over one shard of them."""
    progress(f"writing {options.measured} acquisitions")
    frames = options.workdir / "frames"
    write_frames(frames, options.frame_set, options.measured)
    roots = Roots(LocalFiles(str(frames)), LocalFiles(str(options.workdir / "version")))
    whole = dataset_options(options, {"by": "none", "validation_fraction": 0, "seed": 1})
    (task,) = plan_shards(list_acquisitions(roots.source, whole).acquisitions, whole).tasks
    return measure_steps(task, whole, roots, options.rounds, os.cpu_count() or 1, progress)


def dataset_options(options: ScaleOptions, split: dict[str, Any]) -> DatasetOptions:
    """The options of the measured dataset; one shard holds it."""
    frames = options.frame_set
    per_acquisition = (frames.frames + 2) * sum(map(len, frames.boxes.values()))
    params = build_params(frames, _ENCODINGS[frames.format], options.measured * per_acquisition, options.workdir)
    params["build"][SET]["split"] = split
    path = options.workdir / f"{split['by']}.json"
    path.write_text(json.dumps(params))
    return load_params(path).dataset_options(SET)


def costs_of(options: ScaleOptions, rates: StepRates) -> Costs:
    """Everything that the projection takes as measured."""
    plans = []
    for number in options.plans:
        run = run_once(number)
        plans.append(PlanPoint(number, sum(run[part] for part in PARTS), run["peak_mb"] * 1e6))
    by_strip = dataset_options(options, {"by": "strip", "validation_fraction": 0.1, "seed": 1})
    plan_once(_SHUFFLED, options.workdir)
    planned = LocalFiles(str(options.workdir / "version"))
    coder = shuffle_coder(by_strip, Roots(planned, planned))
    return Costs(
        patches=rates.patches,
        frames=rates.frames,
        frame_bytes=rates.frame_bytes,
        shard_bytes=rates.shard_bytes,
        index_bytes=rates.index_bytes,
        steps=rates.steps,
        build=rates.whole,
        recount=min(rates.recount, rates.recount_threads),
        ledger_bytes=rates.ledger_bytes,
        listed_bytes=listed_memory(lambda number: f"s3://frames/production/S{number:07d}/run_0/frame_00.png"),
        plan_bytes=len(planned.read(plan_path())) / _SHUFFLED,
        shuffle_bytes=shuffled_bytes(list(read_plan(PlanPart(plan_path(), 0, 1), planned)), coder) / _SHUFFLED,
        plans=tuple(plans),
    )


def progress(text: str) -> None:
    """A line for who waits; tables and JSON stay alone on standard output."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--patches", type=counts, default=(2_800_000, 1_000_000_000),
        help="sizes of the datasets that are projected, N,M,... (default: 2800000,1000000000)",
    )  # fmt: skip
    parser.add_argument("--measured", type=int, default=8, help="acquisitions that are built (default: 8)")
    parser.add_argument("--rounds", type=int, default=5, help="builds in steps, and whole (default: 5)")
    parser.add_argument(
        "--size", type=frame_size, default=(1600, 1280), help="frames, WIDTHxHEIGHT (default: 1600x1280)"
    )
    parser.add_argument("--frames", type=int, default=16, help="frames per acquisition (default: 16)")
    parser.add_argument("--format", choices=sorted(_ENCODINGS), default="png", help="png to png, or bmp to raw")
    parser.add_argument(
        "--plans", type=counts, default=(10_000, 100_000, 1_000_000),
        help="numbers of acquisitions that are planned, ascending (default: 10000,100000,1000000)",
    )  # fmt: skip
    parser.add_argument("--strips", type=int, default=782, help="of ten runs, simulated (default: 782, the paper's)")
    add_flags(parser)
    known = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="drae-scale-") as temporary:
        frame_set = FrameSet(known.size[0], known.size[1], known.frames, known.format, seed=1)
        options = ScaleOptions(
            frame_set, known.measured, known.rounds, tuple(sorted(known.plans)), known.patches, known.strips,
            Path(temporary),
        )  # fmt: skip
        return report(lambda: measure(options, assumptions(known)))


if __name__ == "__main__":
    sys.exit(main())
