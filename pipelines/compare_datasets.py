"""Says what differs between two dataset versions: `python -m pipelines.compare_datasets --help`."""

import argparse
import json
import sys
from collections.abc import Sequence

from drae_data.comparison import compare
from drae_data.comparison_text import comparison_text, comparison_values
from drae_data.version_content import read_version_content
from pipelines.beam_files import files_at, write_file
from pipelines.console import run_command, say
from pipelines.runner import beam_options

# Exit statuses of diff and its like.
SAME, DIFFERENT, TROUBLE = 0, 1, 2
# What this command returns to `run_command`, for which 1 is an error.
_DIFFERS = -1
_EPILOG = """\
examples:
  python -m pipelines.compare_datasets datasets/production/1.0.0 datasets/production/1.1.0
  python -m pipelines.compare_datasets s3://B/datasets/kit/1.0.0 datasets/kit/1.0.0 --json differences.json

Compares parameters, strips, sides of the split, labels, frame files, shards, quarantine, the statistics of patches and
every other file that the digest covers, all from provenance and tables: no shard is read. Name and version are no
content: a version that only bears another number is the same.

Exit status, as that of diff: 0: the same content. 1: they differ. 2: one of them cannot be read.
Flags that are not listed here go to Apache Beam, whose filesystems open URLs: --s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    status = run_command(_run, argv)
    return {_DIFFERS: DIFFERENT, 1: TROUBLE}.get(status, status)


def _run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.compare_datasets",
        description="Says what differs between two versions of a dataset: strips added and removed, statistics that "
        "moved, parameters, digests.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("before", help="version folder or URL, such as datasets/production/1.0.0")
    parser.add_argument("after", help="the one to compare it with")
    parser.add_argument(
        "--json", metavar="FILE", help="also write everything that differs into this file, for programs"
    )
    known, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    found = compare(*(read_version_content(files_at(folder)) for folder in (known.before, known.after)))
    if known.json:
        values = json.dumps(comparison_values(found), indent=2, sort_keys=True, ensure_ascii=False)
        write_file(known.json, f"{values}\n".encode())
    say(comparison_text(found))
    return SAME if found.same else _DIFFERS


if __name__ == "__main__":
    sys.exit(main())
