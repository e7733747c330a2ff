"""Stage `synthesize`: seeded acquisitions of a synthetic line. `python -m pipelines.synthesize --help`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam

from drae_data.local_files import LocalFiles
from drae_data.synthetic.labels import write_labels
from drae_data.synthetic.options import SynthesizeOptions
from drae_data.synthetic.reference import write_reference
from drae_data.synthetic.rendering import make_rig
from drae_data.synthetic.strips import StripSpec, list_strips
from pipelines.beam_run import beam_options, running_pipeline
from pipelines.console import positive, progress, run_command, say
from pipelines.params import ParamsError, load_params
from pipelines.synthesize_strips import SynthesizeStrips

# Strips per element and thread: enough to keep the threads busy, few enough to spread over workers.
_STRIPS_PER_THREAD = 4
_EPILOG = """\
examples:
  python -m pipelines.synthesize --set production
  python -m pipelines.synthesize --set kit --threads 8

Writes <folder>/<set>/<strip>/run_<RR>/frame_<FF>.png and, beside the set, labels.csv and a reference frame for
alignment in <folder>/<set>_tables. The same section of the params file gives the same bytes on any machine. Flags that
are not listed here go to Apache Beam.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.synthesize",
        description="Draws back-lit vial strips with moving liquid and named defects, so that the whole pipeline can "
        "be tried without a camera.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument(
        "--set", required=True, help="the section under synthesize.sets: production, calibration or kit"
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--folder", help="write below this folder instead of synthesize.folder")
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count() or 1,
        help="strips in work at the same time (default: one per processor)",
    )  # fmt: skip
    known, beam_flags = parser.parse_known_args(argv)
    runner_options = beam_options(beam_flags)
    params = load_params(known.params).synthesize
    if params is None:
        raise ParamsError(f"{known.params}: the section synthesize is missing; this params file is for your own frames")
    if known.folder:
        params = params.model_copy(update={"folder": known.folder})
    options = params.options()
    if known.set not in options.sets:
        raise ParamsError(f"--set: expected one of {sorted(options.sets)} (synthesize.sets), got {known.set!r}")
    started = time.monotonic()
    strips = list_strips(options, known.set)
    chosen = options.sets[known.set]
    acquisitions = len(strips) * chosen.runs
    written = LocalFiles(f"{params.folder}/{known.set}")

    def done() -> int:
        return sum(1 for _ in written.folders(2)) if Path(written.root).is_dir() else 0

    with (
        progress(f"synthesize {known.set}", acquisitions, "acquisitions", done),
        running_pipeline(runner_options) as pipeline,
    ):
        _ = (
            pipeline
            | "Strips" >> beam.Create(_batches(strips, known.threads))  # tuple[StripSpec, ...]
            | "Spread over workers" >> beam.Reshuffle()  # tuple[StripSpec, ...]
            | "Write acquisitions" >> beam.ParDo(SynthesizeStrips(params, known.threads))  # bytes written
        )
    tables = Path(params.folder, f"{known.set}_tables")
    write_labels(tables / "labels.csv", strips)
    write_reference(tables, make_rig(options))
    say(summary(options, known.set, acquisitions, written, time.monotonic() - started))


def _batches(strips: Sequence[StripSpec], threads: int) -> list[tuple[StripSpec, ...]]:
    size = threads * _STRIPS_PER_THREAD
    return [tuple(strips[start : start + size]) for start in range(0, len(strips), size)]


def summary(options: SynthesizeOptions, name: str, acquisitions: int, written: LocalFiles, seconds: float) -> str:
    """The closing summary for people; raises `ParamsError` where acquisitions are missing on disk or too many."""
    chosen = options.sets[name]
    counts = {folder: len(written.names(folder)) for folder in written.folders(2)}
    found = sum(count == len(chosen.frames) for count in counts.values())
    fuller = [f"{written.root}/{folder}" for folder, count in counts.items() if count > len(chosen.frames)]
    if fuller or found > acquisitions:
        place = min(fuller, default=written.root)
        what = f"{len(chosen.frames)} frames" if fuller else f"{acquisitions} acquisitions"
        raise ParamsError(
            f"{place}: expected {what}, found more, from an earlier run; remove this folder, run it again"
        )
    if found != acquisitions:
        raise ParamsError(f"{written.root}: expected {acquisitions} whole acquisitions, found {found}; run it again")
    frames = acquisitions * len(chosen.frames)
    return (
        f"{name}: {chosen.good} good and {chosen.defective} defective strips, {acquisitions} acquisitions of "
        f"{len(chosen.frames)} frames in {written.root}\n  {frames:,} frames in {seconds:,.1f} s, "
        f"{frames / seconds:,.0f} frames/s"
    )


if __name__ == "__main__":
    sys.exit(main())
