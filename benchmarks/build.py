"""The dataset builder against three other ways to build the same patches: patches per second and peak memory.

    python -m benchmarks.build
    python -m benchmarks.build --quick
    python -m benchmarks.build --peers bare --rounds 9 --acquisitions 20

bare   a multi-process cv2 script at cv2's default PNG settings
naive  the Beam build of the tutorial: patches travel through Beam into WriteToTFRecord
tfds   a Beam builder of TensorFlow Datasets

PNG frames become PNG patches, BMP frames raw ones, with as many workers as there are cores. Every run is a fresh
process; the sides run in turn, and each round begins with another one. Afterwards every patch is decoded and compared:
a difference fails the benchmark. The first number of acquisitions is timed (TFDS at fewer where asked, and ours
then at as few); memory is that of the whole process tree, at each number. Frames beyond the first number are hard links
to the earlier ones. As it stands the whole takes about 15 minutes on 2 cores, and 12 GB of memory and 10 GB of disk.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.command import counts, frame_size, report, some_of
from benchmarks.measure import machine
from benchmarks.pixels import compare_pixels
from benchmarks.sides import ENCODINGS, OURS, PEERS, BenchOptions, BuildBench, Rates
from benchmarks.tables import memory_ratios, print_peaks, print_rates, ratios

# Beyond so many acquisitions only ours is run: a side that grows with its input would need tens of gigabytes.
_OURS_ALONE_ABOVE = 100
# What must be free, as a multiple of what a peer is expected to take.
_MARGIN = 1.3


def measure(options: BenchOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its tables, and returns what the JSON line holds.

    Raises:
        BenchmarkError: a command failed, or the sides' pixels differ.
    """
    print(f"machine: {machine()}")
    print(
        f"{options.frames} frames of {options.width} x {options.height} an acquisition, {options.workers} workers, "
        f"{options.rounds} rounds"
    )
    result: dict[str, Any] = {
        "rounds": options.rounds,
        "acquisitions": options.acquisitions[0],
        "tfds_acquisitions": options.tfds_acquisitions,
        "patches_per_s": {},
    }
    warm_up(BuildBench(options, options.formats[0]))
    for format in options.formats:
        bench = BuildBench(options, format)
        result |= measure_format(bench, result["patches_per_s"].setdefault(format, {}))
        bench.clear()
    return result


def warm_up(bench: BuildBench) -> None:
    """Runs each side once, unmeasured: afterwards Python's compiled modules are there for every side."""
    for side in (OURS, *bench.options.peers):
        progress(f"{bench.format}: {side}, first run, not measured")
        bench.run(side, 1)


def measure_format(bench: BuildBench, medians: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Times the sides on frames of one format and takes their memory; returns the ratios.

    Args:
        bench: of the format.
        medians: takes patches per second by number of acquisitions and side.
    """
    options, format = bench.options, bench.format
    most = options.acquisitions[0]
    timed_at = {peer: options.tfds_acquisitions if peer == "tfds" else most for peer in options.peers}
    result: dict[str, Any] = {}
    peak_mb: dict[str, dict[str, int]] = {side: {} for side in (OURS, *options.peers)}
    for count in sorted({most, *timed_at.values()}, reverse=True):
        sides = (OURS, *(peer for peer in options.peers if timed_at[peer] == count))
        runs = timed_rounds(bench, sides, count)
        compared = [compare_pixels(bench.records(OURS), bench.records(peer)) for peer in sides[1:]]
        result |= ratios(format, runs)
        medians[str(count)] = {side: round(statistics.median(run.own for run in runs[side])) for side in sides}
        for side in sides:
            peak_mb[side][str(count)] = round(statistics.median(run.peak_mb for run in runs[side]))
        title = f"{format} frames to {bench.encoding} patches, {count} acquisitions"
        print_rates(title, format, runs, min(compared, default=0), result)
    for count in options.acquisitions[1:]:
        for side in (side for side in peak_mb if side != "tfds"):
            if side == OURS or may_run(peak_mb[side], count):
                progress(f"{format}: memory of {side}, {count} acquisitions")
                peak_mb[side][str(count)] = round(bench.run(side, count).peak_mb)
    suffix = "" if format == "png" else f"_{format}"
    result[f"peak_mb{suffix}"] = peak_mb
    result |= memory_ratios(suffix, {peer: str(count) for peer, count in timed_at.items()}, peak_mb)
    print_peaks(f"{format} frames to {bench.encoding} patches: peak memory, MB", peak_mb)
    return result


def timed_rounds(bench: BuildBench, sides: Sequence[str], acquisitions: int) -> dict[str, list[Rates]]:
    """The sides in turn; who goes first changes every round."""
    runs: dict[str, list[Rates]] = {side: [] for side in sides}
    for number in range(bench.options.rounds):
        first = number % len(sides)
        for side in (*sides[first:], *sides[:first]):
            progress(
                f"{bench.format}: round {number + 1} of {bench.options.rounds}, {side}, {acquisitions} acquisitions"
            )
            runs[side].append(bench.run(side, acquisitions))
    return runs


def may_run(peaks: dict[str, int], acquisitions: int) -> bool:
    """Whether a peer is run at this number: not beyond the border, and not where its memory might run out.

    Args:
        peaks: its memory so far in MB, by number of acquisitions; taken to grow in proportion.
        acquisitions: the number in question.
    """
    if acquisitions > _OURS_ALONE_ABOVE:
        return False
    count, peak = max((int(count), peak) for count, peak in peaks.items())
    return _MARGIN * peak * acquisitions / count < psutil.virtual_memory().available / 1e6


def progress(text: str) -> None:
    """A line for who waits; tables and JSON stay alone on standard output."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=some_of(PEERS), default=tuple(PEERS), help="any of bare,naive,tfds")
    parser.add_argument("--formats", type=some_of(ENCODINGS), default=tuple(ENCODINGS), help="any of png,bmp")
    parser.add_argument(
        "--acquisitions", type=counts, default=(20, 80, 200),
        help="one number or several, N,M,...: the first is timed, peak memory is taken at each, beyond "
        f"{_OURS_ALONE_ABOVE} of ours alone (default: 20,80,200)",
    )  # fmt: skip
    parser.add_argument("--tfds-acquisitions", type=int, default=20, help="at which TFDS is timed (default: 20)")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each side (default: 5)")
    parser.add_argument(
        "--quick", action="store_true", help="a few acquisitions, one round: works or not, in two minutes"
    )
    parser.add_argument(
        "--size", type=frame_size, default=(1600, 1280), help="frames, WIDTHxHEIGHT (default: 1600x1280)"
    )
    parser.add_argument("--frames", type=int, default=16, help="frames per acquisition (default: 16)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of all sides (default: one per core)")
    parser.add_argument("--shard-patches", type=int, default=2000, help="of the builder (default: 2000)")
    parser.add_argument("--workdir", type=Path, help="keep the frames here (default: a temporary folder)")
    known = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as temporary:
        options = BenchOptions(
            known.acquisitions, min(known.tfds_acquisitions, known.acquisitions[0]), known.peers, known.formats,
            known.rounds, known.size[0], known.size[1], known.frames, known.workers, known.shard_patches,
            (known.workdir or Path(temporary)).resolve(),
        )  # fmt: skip
        if known.quick:
            options = replace(options, acquisitions=(2,), tfds_acquisitions=1, rounds=1)
        options.workdir.mkdir(parents=True, exist_ok=True)
        return report(lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
