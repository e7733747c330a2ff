"""Re-checks published datasets: `python -m pipelines.verify --help`."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from drae_data.files import Files
from drae_data.verification.dataset import Verification, claimed_records, verify_dataset
from drae_data.verification.frames import frames_changed
from drae_data.verification.shard import Fault
from pipelines.beam_files import files_at
from pipelines.console import positive, progress, run_command, say
from pipelines.params import load_params
from pipelines.runner import beam_options

_EPILOG = """\
examples:
  python -m pipelines.verify datasets/production/1.0.0
  python -m pipelines.verify datasets/kit/1.0.0 --root data/frames/kit
  python -m pipelines.verify --params params.yaml

Exit status 0: every check passed. 1: faults were found, each is printed with its name, place and what was expected.
Flags that are not listed here go to Apache Beam, whose filesystems open URLs: --s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.verify",
        description="Re-checks everything that a reader of a dataset relies on: checksums of records, "
        "digests, counts, expected patches of every acquisition, split leaks, tables against records, images.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", nargs="*", help="version folders, such as datasets/production/1.0.0")
    parser.add_argument("--params", type=Path, help="verify the current version of every set in this params file")
    parser.add_argument("--root", help="also compare the frames below this root with those the dataset was built from")
    parser.add_argument("--threads", type=positive, default=os.cpu_count() or 1, help="shards checked at the same time")
    arguments, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    folders = list(arguments.dataset)
    if arguments.params:
        params = load_params(arguments.params)
        folders += [params.version_folder(name) for name in params.build]
    if not folders:
        parser.error("expected a version folder or --params")
    # One after the other, so that a folder that is no dataset does not hide the faults of the next.
    return max(
        run_command(partial(_verify, files_at(folder), arguments.root, arguments.threads), []) for folder in folders
    )


def _verify(files: Files, root: str | None, threads: int, _: list[str]) -> int:
    """Verifies one version and prints what was found; returns 1 where there are faults."""
    total = claimed_records(files)
    counts, lock = [0], threading.Lock()

    def checked(records: int) -> None:
        with lock:
            counts[0] += records

    with progress(f"verify {files.root}", total, "patches", lambda: counts[0]):
        found = verify_dataset(files, threads, checked)
    faults = (*found.faults, *(frames_changed(files, files_at(root)) if root else ()))
    say(report(found, faults, root))
    return int(bool(faults))


def report(found: Verification, faults: Sequence[Fault], root: str | None) -> str:
    """The result for people: what was checked, then every fault."""
    splits = ", ".join(f"{split} {count:,}" for split, count in sorted(found.records.items()))
    lines = [
        f"{found.dataset}: "
        + (f"{len(faults)} FAULT{'S' if len(faults) > 1 else ''}" if faults else "verified, no fault"),
        f"  {sum(found.records.values()):,} records in {found.shards:,} shards ({splits}): checksums, digests, images",
        f"  {found.acquisitions:,} acquisitions complete, {found.quarantined:,} in quarantine",
        f"  digest {found.digest}",
    ]
    if found.shared_strips:
        lines.append(f"  {found.shared_strips:,} strips have patches on more than one side, as this split allows")
    if root:
        lines.append(f"  frames compared with {root}")
    return "\n".join([*lines, *(f"  {fault.name}: {fault.place}: {fault.detail}" for fault in faults)])


if __name__ == "__main__":
    sys.exit(main())
