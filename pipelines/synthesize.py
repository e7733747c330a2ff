"""Stage `synthesize`: seeded acquisitions of a synthetic line. `python -m pipelines.synthesize --help`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam

from drae_data.files import Files
from drae_data.synthetic.labels import write_labels
from drae_data.synthetic.options import SynthesizeOptions
from drae_data.synthetic.reference import write_reference
from drae_data.synthetic.rendering import make_rig
from drae_data.synthetic.strips import StripSpec, list_strips
from pipelines.beam_files import absolute, files_at
from pipelines.console import progress, run_command, say
from pipelines.params import ParamsError, load_params
from pipelines.patient_files import patient
from pipelines.runner import add_engine_arguments, beam_options, check_reach, run_pipeline
from pipelines.synthesize_strips import SynthesizeStrips, drawing_folder

# Strips per element and thread: enough to keep the threads busy, few enough to spread over workers.
_STRIPS_PER_THREAD = 4
_EPILOG = """\
examples:
  python -m pipelines.synthesize --set production
  python -m pipelines.synthesize --set kit --threads 8
  python -m pipelines.synthesize --set kit --folder s3://BUCKET/frames --engine local-processes

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
    parser.add_argument("--folder", help="write below this folder or URL instead of synthesize.folder")
    add_engine_arguments(parser)
    known, beam_flags = parser.parse_known_args(argv)
    runner_options = beam_options(beam_flags, known.engine)
    params = load_params(known.params).synthesize
    if params is None:
        raise ParamsError(f"{known.params}: the section synthesize is missing; this params file is for your own frames")
    folder = known.folder or params.folder
    options = params.options()
    if known.set not in options.sets:
        raise ParamsError(f"--set: expected one of {sorted(options.sets)} (synthesize.sets), got {known.set!r}")
    started = time.monotonic()
    strips = list_strips(options, known.set)
    chosen = options.sets[known.set]
    acquisitions = len(strips) * chosen.runs
    written = patient(files_at(f"{folder}/{known.set}"))
    check_reach(runner_options, **{"--folder": written.root})
    step = SynthesizeStrips(params, absolute(files_at(folder)), known.threads)

    def done() -> int:
        try:
            return sum(1 for _ in written.folders(2))
        except OSError:  # The folder is not there yet.
            return 0

    def construct(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Strips" >> beam.Create(_batches(strips, known.threads or os.cpu_count() or 1))  # tuple[StripSpec, ...]
            | "Spread over workers" >> beam.Reshuffle()  # tuple[StripSpec, ...]
            | "Write acquisitions" >> beam.ParDo(step)  # bytes written
        )

    with progress(f"synthesize {known.set}", acquisitions, "acquisitions", done):
        run_pipeline(construct, runner_options, known.attempts, done)
    with drawing_folder(files_at(f"{folder}/{known.set}_tables")) as tables:
        write_labels(tables / "labels.csv", strips)
        write_reference(tables, make_rig(options))
    say(summary(options, known.set, acquisitions, written, time.monotonic() - started))


def _batches(strips: Sequence[StripSpec], threads: int) -> list[tuple[StripSpec, ...]]:
    size = threads * _STRIPS_PER_THREAD
    return [tuple(strips[start : start + size]) for start in range(0, len(strips), size)]


def summary(options: SynthesizeOptions, name: str, acquisitions: int, written: Files, seconds: float) -> str:
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
