"""Stage `score`: the model judges a labelled version, patch by patch. `python -m pipelines.score --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions

from drae_acceptance.names import first_names
from drae_acceptance.score_table import VALID, Acquired
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from pipelines.console import run_command, say
from pipelines.gate import check_gate
from pipelines.params import load_params
from pipelines.run_log import log_run
from pipelines.runner import add_engine_arguments, beam_options, check_reach
from pipelines.score_parts import PARTS, open_parts, parts_folder, remove_parts
from pipelines.score_shards import score_shards
from pipelines.score_timing import write_timing
from pipelines.scored_set import check_target, write_scored_set
from pipelines.scoring import Scoring, open_scoring

_EPILOG = """\
examples:
  python -m pipelines.score --set kit
  python -m pipelines.score --set kit --engine local-processes
  python -m pipelines.score --set kit --engine dask --dask_client_address=tcp://IP:8786 --dask_npartitions=8 --parts /P

The scored set is written to <score.folder>/<set>: scores.parquet has a row per patch, acquisitions.parquet one per
acquisition, scores.json the digests of model, dataset, layout and labels, gallery/ pictures for the report. A scoring
that was stopped goes on with the shards that are missing. Flags that are not listed here go to Apache Beam.

On a cluster every worker must see the dataset (dataset.folder may be a URL) and the folder or URL of --parts; where
that is a URL, what they need of the model is copied there.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.score",
        description="Scores every patch of a labelled set with the trained model, on this machine or on a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("--set", required=True, help="the section under score.sets in the params file: kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument(
        "--parts", default="",
        help=f"where each shard's scores are kept until the set is whole: a folder or URL (default: {PARTS})",
    )  # fmt: skip
    add_engine_arguments(parser)
    known, beam_flags = parser.parse_known_args(argv)
    runner_options = beam_options(beam_flags, known.engine)
    params = load_params(known.params)
    scoring = open_scoring(params, known.set)
    check_gate(params, known.set, scoring.version.files)
    target = Path(params.score_folder(known.set))
    check_target(target)
    folder = parts_folder(known.set, known.parts)
    check_reach(runner_options, **{"dataset.folder": scoring.version.files.root, "--parts": folder.root})
    with LocalFiles(str(target)).locked():
        _score_set(scoring, target, folder, runner_options, known)


def _score_set(
    scoring: Scoring, target: Path, folder: Files, runner_options: PipelineOptions, known: argparse.Namespace
) -> None:
    started = time.monotonic()
    version = scoring.version
    patches = sum(shard.records for shard in scoring.shards)
    say(f"score {scoring.name}: {patches:,} patches in {len(scoring.shards)} shards of {version.files.root}")
    with folder.locked():
        parts = open_parts(folder, version.claims.digest, scoring.model.digest, scoring.section.batch_size)
        score_shards(scoring, parts, runner_options, known.attempts)
        acquisitions = write_scored_set(scoring, target, parts)
        remove_parts(folder, parts)
    _say_what_was_scored(scoring, acquisitions)
    seconds = time.monotonic() - started
    say(f"  {target} in {seconds:,.1f} s, {patches / seconds:,.0f} patches/s with pictures")
    say(f"  {write_timing(scoring)}")
    log_run(
        stage="score", set=scoring.name, dataset=version.claims.digest, model=scoring.model.digest,
        target=str(target), seconds=round(seconds, 1),
    )  # fmt: skip


def _say_what_was_scored(scoring: Scoring, acquisitions: Sequence[Acquired]) -> None:
    invalid = [row for row in acquisitions if row.state != VALID]
    valid = Counter(row.strip_label for row in acquisitions if row.state == VALID)
    say(f"  valid acquisitions: {', '.join(f'{count} {label}' for label, count in sorted(valid.items()))}")
    if scoring.left_out:
        say(f"  left out, the model was trained on them: {first_names(scoring.left_out)}")
    if invalid:
        say(f"  not valid, {len(invalid)}: {first_names([f'{row.acquisition} ({row.state})' for row in invalid])}")


if __name__ == "__main__":
    sys.exit(main())
