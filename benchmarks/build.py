"""The dataset builder against a bare multi-process cv2 script, in the same run: patches per second and peak memory.

    python -m benchmarks.build
    python -m benchmarks.build --acquisitions 20,80,200 --rounds 3

Both build the same frames with as many workers as there are cores, each run a fresh process, ours and theirs in turn.
Afterwards every patch is decoded and compared: a difference fails the benchmark. The first number of acquisitions is
timed; memory is shown for each. Frames beyond the first number are hard links to the earlier ones.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_frames import FrameSet, link_frames, write_frames
from benchmarks.measure import BenchmarkError, Measurement, machine, run_measured
from benchmarks.pixels import compare_pixels

REPOSITORY = Path(__file__).resolve().parent.parent
FORMATS = ("png", "bmp")
SIDES = ("ours", "bare")
_PATCH = 256
_SET = "bench"


@dataclass(frozen=True)
class BenchOptions:
    """What is measured.

    Attributes:
        acquisitions: the first number is timed, memory is taken at each.
        rounds: timed runs of each side and format.
        width: of frames in pixels.
        height: of frames in pixels.
        frames: per acquisition.
        workers: processes of the bare script, threads of the builder.
        shard_patches: of the builder.
        workdir: for frames and outputs.
    """

    acquisitions: tuple[int, ...]
    rounds: int
    width: int
    height: int
    frames: int
    workers: int
    shard_patches: int
    workdir: Path


@dataclass(frozen=True)
class Rates:
    """One run: patches per second by the program's own clock and over the whole command, and its peak memory in MB."""

    own: float
    whole: float
    peak_mb: float


class BuildBench:
    """Runs the builder and the bare script on frames of one format.

    Args:
        options: of the benchmark.
        format: of the frames: `png` or `bmp`.
    """

    def __init__(self, options: BenchOptions, format: str) -> None:
        self.options = options
        self.format = format
        self.frame_set = FrameSet(options.width, options.height, options.frames, format, seed=1)

    def frames(self, acquisitions: int) -> Path:
        """The folder of so many acquisitions, written where it is not there yet."""
        options, distinct = self.options, self.options.acquisitions[0]
        size = f"{self.format}-{options.width}x{options.height}x{options.frames}"
        root, original = (options.workdir / "frames" / f"{size}-{count}" for count in (acquisitions, distinct))
        if acquisitions == distinct:
            write_frames(root, self.frame_set, acquisitions)
        else:
            link_frames(root, original, acquisitions, distinct)
        return root

    def output(self, side: str) -> Path:
        """Where a side writes."""
        return self.options.workdir / f"{self.format}-{side}"

    def run(self, side: str, acquisitions: int) -> Rates:
        """Runs one side once, from an empty output folder."""
        frames = self.frames(acquisitions)
        shutil.rmtree(self.output(side), ignore_errors=True)
        job = self.options.workdir / f"{self.format}-{side}.json"
        if side == "ours":
            job.write_text(json.dumps(self._params()))
            command = [
                "pipelines.build", "--set", _SET, "--params", str(job), "--root", str(frames),
                "--out", str(self.output(side)), "--threads", str(self.options.workers),
            ]  # fmt: skip
        else:
            job.write_text(json.dumps(self._bare_job(frames)))
            command = ["benchmarks.bare_script", str(job)]
        measured = run_measured([sys.executable, "-m", *command], REPOSITORY)
        patches, own = _own_rate(side, measured)
        expected = acquisitions * (self.options.frames + 2) * len(self._boxes())
        if patches != expected:
            raise BenchmarkError(f"{side}: expected {expected} patches, it reports {patches}")
        return Rates(own, patches / measured.seconds, measured.peak_mb)

    def _boxes(self) -> list[list[Any]]:
        return [[vial, region, *box] for region, row in self.frame_set.boxes.items() for vial, box in enumerate(row)]

    def _bare_job(self, frames: Path) -> dict[str, Any]:
        return {
            "root": str(frames), "out": str(self.output("bare")), "workers": self.options.workers, "size": _PATCH,
            "boxes": self._boxes(),
        }  # fmt: skip

    def _params(self) -> dict[str, Any]:
        """A params file; JSON is YAML too."""
        options = self.options
        indices = list(range(options.frames))
        return {
            "strip_layout": {
                "units": "pixels", "frame_size": {"height": options.height, "width": options.width},
                "allow_overlap": False, "boxes": self.frame_set.boxes,
            },
            "patch": {"size": _PATCH, "fit": "stretch", "grow": "cubic", "fill": 0},
            "dataset": {"folder": str(options.workdir), "version": "1.0.0"},
            "build": {
                _SET: {
                    "root": "given on the command line",
                    "path_template": "{strip}/run_{run}/frame_{frame}." + self.format,
                    "frames": indices,
                    "images": {"frames": indices, "rank": ["min", "max"]},
                    "split": {"by": "strip", "validation_fraction": 0.1, "seed": 1},
                    "shard_patches": options.shard_patches,
                    "max_frame_pixels": options.width * options.height,
                    "max_quarantined": 0,
                }
            },
        }  # fmt: skip


def _own_rate(side: str, measured: Measurement) -> tuple[int, float]:
    """Patches, and patches per second by the program's own clock: imports are not in it, all else is."""
    lines = measured.output.splitlines()
    if side == "bare":
        values = json.loads(lines[-1])
        return values["patches"], values["patches"] / values["seconds"]
    found = re.search(r"^ *patches +([\d,]+) .*? time .*?([\d,]+) patches/s", measured.output, re.MULTILINE | re.DOTALL)
    if found is None:
        raise BenchmarkError(f"ours: expected a summary with patches and time, got:\n{measured.output}")
    return int(found[1].replace(",", "")), float(found[2].replace(",", ""))


def measure(options: BenchOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its tables, and returns what the JSON line holds.

    Raises:
        BenchmarkError: a command failed, or the two sides' pixels differ.
    """
    print(f"machine: {machine()}")
    print(
        f"{options.acquisitions[0]} acquisitions of {options.frames} frames, {options.width} x {options.height}, "
        f"{options.workers} workers, {options.rounds} rounds; bmp: PNG patches too, so the two formats differ in input"
    )
    result: dict[str, Any] = {"rounds": options.rounds, "acquisitions": options.acquisitions[0]}
    medians: dict[str, Any] = {}
    timed: dict[str, dict[str, list[Rates]]] = {}
    for format in FORMATS:
        bench = BuildBench(options, format)
        runs = timed[format] = timed_rounds(bench)
        compared = compare_pixels(bench.output("ours"), bench.output("bare"))
        result |= ratios(format, runs)
        medians[format] = {side: round(statistics.median(run.own for run in runs[side])) for side in SIDES}
        print_rates(format, runs, compared, result)
    result["patches_per_s"] = medians
    result["peak_mb"] = peaks(BuildBench(options, "png"), timed["png"])
    print_peaks(result["peak_mb"])
    return result


def timed_rounds(bench: BuildBench) -> dict[str, list[Rates]]:
    """Ours and theirs in turn; who goes first changes every round."""
    runs: dict[str, list[Rates]] = {side: [] for side in SIDES}
    bench.frames(bench.options.acquisitions[0])
    for number in range(bench.options.rounds):
        for side in SIDES if number % 2 == 0 else SIDES[::-1]:
            runs[side].append(bench.run(side, bench.options.acquisitions[0]))
    return runs


def ratios(format: str, runs: dict[str, list[Rates]]) -> dict[str, float]:
    """Ours over theirs, the median over rounds: neighbours in time are compared, so a slow minute weighs on both."""
    pairs = list(zip(runs["ours"], runs["bare"], strict=True))
    return {
        f"bare_{format}": round(statistics.median(ours.own / bare.own for ours, bare in pairs), 3),
        f"bare_{format}_whole_command": round(statistics.median(ours.whole / bare.whole for ours, bare in pairs), 3),
    }


def peaks(bench: BuildBench, timed: dict[str, list[Rates]]) -> dict[str, dict[str, int]]:
    """Peak memory in MB by side and number of acquisitions.

    The first number takes the median of the timed runs; each other one is run once.
    """
    first, *others = bench.options.acquisitions
    return {
        side: {
            str(first): round(statistics.median(run.peak_mb for run in timed[side])),
            **{str(count): round(bench.run(side, count).peak_mb) for count in others},
        }
        for side in SIDES
    }


def print_rates(format: str, runs: dict[str, list[Rates]], compared: int, result: dict[str, Any]) -> None:
    """The table of one format."""
    print(f"\n{format}: patches per second        median     min     max")
    for clock, attribute, key in (
        ("own clock", "own", f"bare_{format}"),
        ("whole command", "whole", f"bare_{format}_whole_command"),
    ):
        for side in SIDES:
            values = [getattr(run, attribute) for run in runs[side]]
            numbers = f"{statistics.median(values):10,.0f} {min(values):7,.0f} {max(values):7,.0f}"
            print(f"  {clock:14} {side:4}         {numbers}")
        print(f"  {clock:14} ours / bare  {result[key]:10.2f}")
    print(f"  pixels of all {compared:,} patches are equal after decoding")


def print_peaks(peak_mb: dict[str, dict[str, int]]) -> None:
    """The table of peak memory."""
    counts = list(peak_mb["ours"])
    print("\npeak memory, MB, by acquisitions " + "".join(f"{count:>8}" for count in counts))
    for side in SIDES:
        print(f"  {side:31}" + "".join(f"{peak_mb[side][count]:8,}" for count in counts))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--acquisitions", type=_counts, default=(20, 60),
        help="one number or several, N,M,...: the first is timed, peak memory is taken at each (default: 20,60)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each side (default: 5)")
    parser.add_argument("--size", type=_size, default=(1600, 1280), help="frames, WIDTHxHEIGHT (default: 1600x1280)")
    parser.add_argument("--frames", type=int, default=16, help="frames per acquisition (default: 16)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="of both sides (default: one per core)"
    )
    parser.add_argument("--shard-patches", type=int, default=2000, help="of the builder (default: 2000)")
    parser.add_argument("--workdir", type=Path, help="keep frames and outputs here (default: a temporary folder)")
    known = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as temporary:
        options = BenchOptions(
            known.acquisitions, known.rounds, known.size[0], known.size[1], known.frames, known.workers,
            known.shard_patches, (known.workdir or Path(temporary)).resolve(),
        )  # fmt: skip
        options.workdir.mkdir(parents=True, exist_ok=True)
        try:
            result = measure(options)
        except BenchmarkError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print("\n" + json.dumps(result))
    return 0


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
