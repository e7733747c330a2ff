"""Exports a dataset for the readers of other tools: `python -m pipelines.export --help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_data.errors import OptionError
from drae_data.exports.folder import FORMATS, Export, ExportOptions, check_target, export_dataset, exported_records
from pipelines.beam_files import files_at
from pipelines.console import positive, progress, run_command, say
from pipelines.runner import beam_options

_EPILOG = """\
examples:
  python -m pipelines.export datasets/production/1.0.0 --format parquet --out exports/production
  python -m pipelines.export datasets/kit/1.0.0 --format parquet --license apache-2.0 --out exports/kit
  python -m pipelines.export datasets/production/1.0.0 --format arrayrecord --split train --out exports/train

parquet: PNG images and their keys in Parquet files, with README.md and croissant.json. Read it with
  datasets.load_dataset("exports/kit"), mlcroissant.Dataset("exports/kit/croissant.json"), pyarrow, pandas, ...
arrayrecord: the same records as in the shards, each read by its number. Read it with
  grain.sources.ArrayRecordDataSource([...]), tfds.builder_from_directory("exports/train").as_data_source("train")

The dataset stays what it is. The same dataset gives the same files, whatever the number of threads; export.json names
each with its SHA-256. An earlier export in the folder is replaced once the new one is whole; a folder with anything
else in it is refused. Flags that are not listed here go to Apache Beam, whose filesystems open URLs:
--s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.export",
        description="Writes a dataset once more in the format of other tools: Parquet with PNG images for Hugging Face "
        "datasets and Croissant, or ArrayRecord for Grain. Every record is checked against the dataset's index.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("dataset", help="version folder or URL, such as datasets/production/1.0.0")
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument("--out", required=True, help="the folder to write, on this machine")
    parser.add_argument("--split", action="append", default=[], help="only this split; may be given again")
    parser.add_argument("--license", default="", help="for README.md and croissant.json of parquet, such as apache-2.0")
    parser.add_argument("--threads", type=positive, default=os.cpu_count() or 1, help="threads that encode raw patches")
    known, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    if "://" in known.out:
        raise OptionError("--out", known.out, "a folder of this machine, to be copied to a store afterwards")
    files, target = files_at(known.dataset), Path(known.out).resolve()
    options = ExportOptions(known.format, tuple(known.split), known.license, known.threads)
    total = exported_records(files, options.splits)
    check_target(target, files)
    count = [0]

    def written(patches: int) -> None:
        count[0] += patches

    with progress(f"export {files.root}", total, "patches", lambda: count[0]):
        found = export_dataset(files, target, options, written)
    say(report(found, known.out))


def report(found: Export, target: str) -> str:
    """The result for people."""
    splits = ", ".join(f"{split} {count:,}" for split, count in found.records.items())
    return "\n".join([
        f"{found.dataset} -> {target}",
        f"  {sum(found.records.values()):,} patches ({splits}) in {found.files:,} files, {found.bytes:,} bytes",
        f"  digest of the dataset {found.digest}",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
