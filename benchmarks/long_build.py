"""One build in one go of many acquisitions: whether rate and memory at its end are those of its start.

    python -m benchmarks.long_build
    python -m benchmarks.long_build --acquisitions 20
    python -m benchmarks.long_build --acquisitions 5000 --workdir FOLDER_ON_A_LARGE_DISK

`pipelines.build` runs in a fresh process over small frames, each acquisition of 360 patches of 256 x 256; acquisitions
beyond the first few are hard links to these. Now and then it is looked at what is done (the markers of finished shards,
as the build's own progress counts them), at the memory of its process tree and at the disk. A small build beforehand
says how much room the large one takes; where the disk has less, nothing is built. All files are removed in the end.
By default 2,000 acquisitions, 720,000 patches; that takes about ten minutes on 2 cores, and 10 GB of disk.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench_frames import FrameSet, link_frames, write_frames
from benchmarks.bench_params import SET, build_params
from benchmarks.build_samples import Sample, Tenth, ratio, tenths
from benchmarks.command import frame_size, report
from benchmarks.measure import BenchmarkError, machine, tree_bytes
from drae_data.local_files import LocalFiles
from drae_data.version_files import COMMIT_POINT, WORK, plan_path
from pipelines.build_shards import PlanPart, read_plan

REPOSITORY = Path(__file__).resolve().parent.parent
_FRAMES = 16
_PATCHES = (_FRAMES + 2) * 20
# What must be free, as a multiple of what the build is expected to take, and for everything else on the disk.
_MARGIN = 1.1
_LEFT_FREE = 2e9
_TAIL = 4000


@dataclass(frozen=True)
class LongBuildOptions:
    """What is built.

    Attributes:
        acquisitions: how many.
        distinct: how many of them have frames of their own; as many are built for trial.
        width: of frames in pixels.
        height: of frames in pixels.
        threads: of the build.
        shard_patches: most patches in a shard.
        every: seconds between two looks.
        workdir: for frames and versions.
    """

    acquisitions: int
    distinct: int
    width: int
    height: int
    threads: int
    shard_patches: int
    every: float
    workdir: Path


def measure(options: LongBuildOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds.

    Raises:
        BenchmarkError: the disk has too little room, a build failed, or patches are missing.
    """
    print(f"machine: {machine()}")
    frame_set = FrameSet(options.width, options.height, _FRAMES, "png", seed=1)
    distinct = min(options.distinct, options.acquisitions)
    original, frames = options.workdir / "trial_frames", options.workdir / "frames"
    progress(f"writing {distinct} acquisitions")
    write_frames(original, frame_set, distinct)
    params = options.workdir / "params.json"
    params.write_text(json.dumps(build_params(frame_set, "png", options.shard_patches, options.workdir)))
    if distinct < options.acquisitions:
        progress(f"trial build of {distinct} acquisitions")
        trial = options.workdir / "trial"
        watch_build(options, params, original, trial, distinct)
        per_patch = folder_bytes(trial) / (distinct * _PATCHES)
        shutil.rmtree(trial)
        check_room(options.acquisitions * _PATCHES, per_patch, shutil.disk_usage(options.workdir).free)
    progress(f"linking {options.acquisitions:,} acquisitions")
    link_frames(frames, original, options.acquisitions, distinct)
    progress("build")
    version = options.workdir / "version"
    free = shutil.disk_usage(options.workdir).free
    samples, seconds = watch_build(options, params, frames, version, options.acquisitions)
    written = folder_bytes(version)
    return summary(options, samples, seconds, written, free)


def watch_build(
    options: LongBuildOptions, params: Path, frames: Path, version: Path, acquisitions: int
) -> tuple[list[Sample], float]:
    """Builds a version in a fresh process and looks at it now and then; the looks, and the seconds of the command.

    Raises:
        BenchmarkError: it failed, or the committed version has another number of patches.
    """
    command = [
        sys.executable, "-m", "pipelines.build", "--set", SET, "--params", str(params), "--root", str(frames),
        "--out", str(version), "--threads", str(options.threads),
    ]  # fmt: skip
    # In the work folder, so that logs go with it.
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    samples: list[Sample] = []
    counted = Done(LocalFiles(str(version)))
    os.sync()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=options.workdir, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        ) as process,
    ):  # fmt: skip
        started, tree = time.perf_counter(), psutil.Process(process.pid)
        while process.poll() is None:
            memory, free = tree_bytes(tree), shutil.disk_usage(version.parent).free
            samples.append(Sample(time.perf_counter() - started, counted.patches(), memory, free))
            try:
                process.wait(options.every)
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - started
        errors.seek(0)
        if process.returncode:
            raise BenchmarkError(f"the build ended with status {process.returncode}:\n{errors.read()[-_TAIL:]}")
    found, expected = committed_patches(version), acquisitions * _PATCHES
    if found != expected:
        raise BenchmarkError(f"{version.name}: expected {expected:,} patches, the committed version has {found:,}")
    return samples, seconds


class Done:
    """Patches in the finished shards of a version that is being built.

    Args:
        target: the version folder.
    """

    def __init__(self, target: LocalFiles) -> None:
        self._target = target
        self._planned: dict[str, int] = {}
        self._most = 0

    def patches(self) -> int:
        """How many there are by now; the most that were seen once the commit has removed the markers."""
        markers = self._target.names(f"{WORK}/done")
        if markers and not self._planned:
            self._planned = {
                task.name: sum(task.patches_of(item, _PATCHES) for item in task.acquisitions)
                for task in read_plan(PlanPart(plan_path(), 0, 1), self._target)
            }
        self._most = max(self._most, sum(self._planned.get(name.removesuffix(".json"), 0) for name in markers))
        return self._most


def committed_patches(version: Path) -> int:
    """Patches of a committed version, as `dataset_info.json` has them."""
    info = json.loads((version / COMMIT_POINT).read_text())
    return sum(int(length) for split in info["splits"] for length in split["shardLengths"])


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check_room(patches: int, per_patch: float, free: float) -> None:
    """Ends in words where the disk has too little room.

    Args:
        patches: to be built.
        per_patch: bytes of the trial build's version for each.
        free: bytes of the disk.

    Raises:
        BenchmarkError: says how much is needed and how much there is.
    """
    needed = patches * per_patch * _MARGIN + _LEFT_FREE
    if free < needed:
        raise BenchmarkError(
            f"expected {needed / 1e9:.1f} GB of free disk for {patches:,} patches of {per_patch:,.0f} bytes, got "
            f"{free / 1e9:.1f} GB; name another folder with --workdir, or fewer --acquisitions"
        )


def summary(
    options: LongBuildOptions, samples: Sequence[Sample], seconds: float, written: int, free: int
) -> dict[str, Any]:
    """Prints the table, and returns what the JSON line holds.

    Args:
        options: of the benchmark.
        samples: the looks at the build.
        seconds: of the whole command.
        written: bytes of the version.
        free: bytes of the disk before the build.
    """
    patches = options.acquisitions * _PATCHES
    parts = tenths(samples, patches)
    print_tenths(parts)
    peak = max((sample.memory for sample in samples), default=0)
    least = min((sample.free for sample in samples), default=free)
    rates, peaks = ratio(parts[-1].rate, parts[0].rate), ratio(parts[-1].peak, parts[0].peak)
    end = next((sample.seconds for sample in samples if sample.patches >= patches), seconds)
    print(
        f"\n{options.acquisitions:,} acquisitions, {patches:,} patches in {seconds:,.1f} s, {patches / seconds:,.0f}/s"
    )
    print(f"  last tenth over first: rate {_or_dash(rates)}, peak memory {_or_dash(peaks)}")
    print(f"  peak memory {peak / 1e6:,.0f} MB; commit {seconds - end:,.1f} s")
    print(f"  version {written / 1e9:,.2f} GB; disk: {(free - least) / 1e9:,.2f} GB less at most")
    return {
        "acquisitions": options.acquisitions, "patches": patches, "seconds": round(seconds, 1),
        "patches_per_s": round(patches / seconds), "rate_ratio": rates, "memory_ratio": peaks,
        "peak_mb": round(peak / 1e6), "commit_seconds": round(seconds - end, 1), "bytes": written,
        "disk_bytes": free - least, "tenths": [asdict(part) for part in parts],
    }  # fmt: skip


def print_tenths(parts: Sequence[Tenth]) -> None:
    """The table of tenths."""
    print(f"\n  {'tenth':>5}{'patches':>10}{'patches/s':>11}{'peak MB':>9}")
    for number, part in enumerate(parts, 1):
        rate = "-" if part.rate is None else f"{part.rate:,.0f}"
        print(f"  {number:5}{part.patches:10,}{rate:>11}{part.peak / 1e6:9,.0f}")


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def progress(text: str) -> None:
    """A line for who waits; tables and JSON stay alone on standard output."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.long_build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--acquisitions", type=int, default=2000, help="of 360 patches each (default: 2000)")
    parser.add_argument("--distinct", type=int, default=20, help="acquisitions with frames of their own (default: 20)")
    parser.add_argument("--size", type=frame_size, default=(400, 320), help="frames, WIDTHxHEIGHT (default: 400x320)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the build (default: one per core)")
    parser.add_argument("--shard-patches", type=int, default=2880, help="most patches in a shard (default: 2880)")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two looks (default: 2)")
    parser.add_argument("--workdir", type=Path, help="a folder on the disk to use (default: that of temporary files)")
    known = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="drae-long-", dir=known.workdir) as temporary:
        options = LongBuildOptions(
            known.acquisitions, known.distinct, known.size[0], known.size[1], known.threads,
            known.shard_patches, known.every, Path(temporary),
        )  # fmt: skip
        return report(lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
