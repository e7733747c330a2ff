"""Stage `archive`: a committed version once more for DVC's cache. `python -m pipelines.archive --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_data.errors import OptionError
from drae_data.publication import archive_version
from pipelines.beam_files import files_at
from pipelines.console import run_command, say
from pipelines.gate import check_gate
from pipelines.params import load_params

_EPILOG = """\
example:
  python -m pipelines.archive --set production

DVC takes files that it caches out of their folder for a moment and puts links in their place; a reader must never see
that of a dataset. So DVC caches this archive, and leaves the version itself alone. On one file system the archive is
hard links and takes no room. `dvc push` and `dvc pull` carry it; it is a version folder like the other.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.archive",
        description="Gives every file of a committed version a second name under <dataset.archive>/<set>/<version>.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--set", required=True, help="the section under build in the params file: production, kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    params.set_params(known.set)
    source, target = files_at(params.version_folder(known.set)), files_at(params.archive_folder(known.set))
    places = [Path(root).resolve() for root in (params.dataset.folder, params.dataset.archive)]
    if places[0].is_relative_to(places[1]) or places[1].is_relative_to(places[0]):
        raise OptionError("dataset.archive", params.dataset.archive, "a folder apart from dataset.folder")
    check_gate(params, known.set, source)
    with source.locked():
        count = archive_version(source, target)
    say(f"{known.set} {params.dataset.version}: {count:,} files of {source.root} stand in {target.root} too")


if __name__ == "__main__":
    sys.exit(main())
