"""Stage `build`: acquisition folders to a published dataset version. `python -m pipelines.build --help`."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from drae_data.build_summary import build_summary
from drae_data.earlier_version import EarlierVersion, read_earlier_version
from drae_data.errors import OptionError
from drae_data.files import Files
from drae_data.listing import list_acquisitions
from drae_data.options import DatasetOptions
from drae_data.publication import commit, committed_digest, open_version
from drae_data.selection import select
from drae_data.shard_plan import ShardTask, plan_shards
from drae_data.shards import Roots
from drae_data.version_files import COMMIT_POINT, WORK, plan_path
from pipelines.beam_files import absolute, files_at
from pipelines.build_shards import BuildShards, plan_parts
from pipelines.collector import collector_paused
from pipelines.console import positive, progress, run_command, say
from pipelines.params import load_params
from pipelines.patient_files import DEADLINE, patient
from pipelines.run_log import log_run
from pipelines.runner import (
    add_engine_arguments,
    beam_options,
    check_reach,
    public_flags,
    run_pipeline,
    workers_are_near,
)
from pipelines.set_inputs import SetInputs, set_inputs

# Of workers on this machine; others need --frame-logs, or read every frame of a version that they go on with.
FRAME_LOGS = "logs/frames"
_EPILOG = """\
example:
  python -m pipelines.build --set production
  python -m pipelines.build --set production --threads 8
  python -m pipelines.build --set kit --engine local-processes --threads 1
  python -m pipelines.build --set kit --engine dask --dask_client_address=tcp://HOST:8786 --dask_npartitions=64
  python -m pipelines.build --set kit --root s3://BUCKET/frames/kit --out s3://BUCKET/datasets/kit/1.0.0

The version is published under <dataset.folder>/<set>/<dataset.version>. A build that was stopped, whatever stopped it,
goes on where it was when the same command runs again. Flags that are not listed here go to Apache Beam.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.build",
        description="Builds one dataset version from a folder of acquisitions: list, plan, shards, recount, commit.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("--set", required=True, help="the section under build in the params file: production, kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--root", help="read frames from this folder or URL instead of build.<set>.root")
    parser.add_argument("--tables", help="read labels and lists from this folder or URL instead of build.<set>.tables")
    parser.add_argument("--out", help="publish into this version folder instead of <dataset.folder>/<set>/<version>")
    parser.add_argument(
        "--earlier",
        help="where the version lies that build.<set>.extends names, instead of <dataset.folder>/<set>/<extends>",
    )
    parser.add_argument(
        "--frame-logs",
        help="where it is kept which frames were read, so that what did not change is not read again: a folder or URL "
        f"that every worker sees (default: {FRAME_LOGS} where the workers are on this machine, else nowhere)",
    )
    parser.add_argument(
        "--deadline", type=positive, default=DEADLINE,
        help=f"seconds after which a file operation without an answer is tried again (default: {DEADLINE:g})",
    )  # fmt: skip
    add_engine_arguments(parser)
    known, beam_flags = parser.parse_known_args(argv)
    runner_options = beam_options(beam_flags, known.engine)
    params = load_params(known.params)
    inputs = set_inputs(params, known.set, known.root, known.tables)
    target = patient(files_at(known.out or params.version_folder(known.set)), known.deadline)
    far = {"--earlier": known.earlier or params.version_folder(known.set)} if inputs.options.extends else {}
    far |= {"--frame-logs": known.frame_logs} if known.frame_logs else {}
    check_reach(runner_options, **{"--root": inputs.source.root, "--out": target.root, **far})
    if not target.root.strip("/"):
        raise OptionError("--out", target.root, "a folder below the root of the file system")
    earlier = None
    if extends := inputs.options.extends:
        files = files_at(known.earlier or params.version_folder(known.set, extends))
        if Path(files.root).resolve() == Path(target.root).resolve():
            raise OptionError("--out", target.root, "another folder than that of the version that is extended")
        earlier = read_earlier_version(patient(files, known.deadline), extends, inputs.options.split.by)
    with target.locked():
        _build_version(known, inputs, target, earlier, runner_options)


def _build_version(
    known: argparse.Namespace, inputs: SetInputs, target: Files, earlier: EarlierVersion | None,
    runner_options: PipelineOptions,
) -> None:  # fmt: skip
    """List, select, plan, build, commit."""
    started = time.monotonic()
    options, source = inputs.options, inputs.source
    threads = known.threads or os.cpu_count() or 1
    with collector_paused():
        listing = list_acquisitions(patient(source, known.deadline), options)
        selection = select(listing, options, inputs.tables)
        rows = earlier.plan if earlier else ()
        plan = plan_shards(selection.listing.acquisitions, options, selection.sides, rows)
    say(
        f"{known.set} {options.version}: {selection.listing.listed:,} acquisitions listed in {source.root}, "
        f"{len(plan.tasks):,} shards planned" + (f", {options.extends} is extended" if earlier else "")
    )
    before = committed_digest(target)
    with target.replacing(COMMIT_POINT) as workplace:
        open_version(workplace, plan)
        roots = _roots(known, source, workplace, earlier, runner_options)
        build(plan.tasks, options, roots, known, runner_options)
        extended = earlier.extended if earlier else None
        committed = commit(workplace, options, selection, plan, extended, threads, roots.build)
    seconds = time.monotonic() - started
    log_run(
        dataset=options.name, version=options.version, digest=committed.digest, seconds=round(seconds, 1),
        source=source.root, target=target.root, threads=threads, flags=public_flags(runner_options),
    )  # fmt: skip
    say(build_summary(committed, options, selection, target.root, seconds))
    if before not in ("", committed.digest):
        say(f"  replaces     {before}, which stood here as {options.version}; dataset.version keeps both when raised")


def _roots(
    known: argparse.Namespace, source: Files, workplace: Files, earlier: EarlierVersion | None,
    runner_options: PipelineOptions,
) -> Roots:  # fmt: skip
    """Where workers read and write, whatever folder they run in."""
    logs = known.frame_logs or (FRAME_LOGS if workers_are_near(runner_options) else None)

    def opened(root: str, listed: bool = False) -> Files:
        return patient(absolute(files_at(root)), known.deadline, listed)

    return Roots(
        opened(source.root, listed=True),
        opened(workplace.root),
        opened(earlier.files.root) if earlier else None,
        opened(logs) if logs else None,
        secrets.token_hex(8),
    )


def build(
    plan: Sequence[ShardTask], options: DatasetOptions, roots: Roots, known: argparse.Namespace,
    runner_options: PipelineOptions,
) -> None:  # fmt: skip
    """Runs the Beam pipeline that builds the shards of a plan, and shows its progress."""
    patches = {
        task.name: sum(task.patches_of(item, options.patches_per_acquisition) for item in task.acquisitions)
        for task in plan
    }

    def done() -> int:
        return sum(patches.get(name.removesuffix(".json"), 0) for name in roots.target.names(f"{WORK}/done"))

    def construct(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Plan" >> beam.Create(plan_parts(plan_path(), len(plan)))  # PlanPart
            | "Build shards" >> BuildShards(options, roots, known.threads)  # ShardSummary
        )

    with progress(f"build {options.name}", sum(patches.values()), "patches", done):
        run_pipeline(construct, runner_options, known.attempts, done)


if __name__ == "__main__":
    sys.exit(main())
