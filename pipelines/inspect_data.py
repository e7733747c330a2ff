"""Stage `inspect_data`: is a version fit to be used? `python -m pipelines.inspect_data --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_data.dataset_card import dataset_card
from drae_data.dataset_report.page import render_dataset_report
from drae_data.errors import OptionError, QualityError
from drae_data.local_files import LocalFiles
from drae_data.manifest import count_by
from drae_data.quality.inspection import Inspection, inspect_version, quality_metrics
from drae_data.quality.options import RULES
from drae_data.quality.violation import count_severities
from drae_data.tables import table_bytes
from drae_data.version_summary import read_version_summary
from pipelines.beam_files import files_at
from pipelines.console import run_command, say
from pipelines.gate import GATE
from pipelines.params import load_params
from pipelines.runner import beam_options

REPORT = "report.html"
VIOLATIONS = "violations.parquet"
METRICS = "quality.json"
CARD = "card.md"
_MOST_SHOWN = 20
_EPILOG = """\
examples:
  python -m pipelines.inspect_data --set production
  python -m pipelines.inspect_data --set production --dataset s3://BUCKET/datasets/production/1.0.0 --out reports/1.0.0

Reads what the build measured, applies the rules of the section inspect_data, and writes into
<inspect_data.folder>/<set>: report.html for people, violations.parquet (a row each, worst first), quality.json for
`dvc metrics`, card.md, and gate.json where the gate is open. Archive, training and scoring wait for gate.json.

Exit status 0: the gate is open. 1: there are more errors or warnings than inspect_data.gate allows; the report is
written all the same. A rule that does not suit your line is set to another severity, or its limit is changed, in the
params file. Flags that are not listed here go to Apache Beam, whose filesystems open URLs: --s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.inspect_data",
        description="Looks for what makes a dataset version unfit: frozen cameras, runs filed under another strip, "
        "strips that come twice, light and position that drift, defocus, leaks between the sides of the split.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # What is not written out may be a flag of Beam.
    )
    parser.add_argument("--set", required=True, help="the section under build in the params file: production, kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument(
        "--dataset", help="inspect this version folder or URL instead of <dataset.folder>/<set>/<version>; needs --out"
    )
    parser.add_argument("--out", help="write into this folder instead of <inspect_data.folder>/<set>")
    known, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    params = load_params(known.params)
    params.set_params(known.set)
    section = params.inspect_data_params()
    if known.dataset and not known.out:
        raise OptionError("--out", known.out, "a folder, since --dataset is not what the set's own gate is of")
    version = files_at(known.dataset or params.version_folder(known.set))
    place = known.out or f"{section.folder}/{known.set}"
    files, options = LocalFiles(place), section.options()
    if GATE in files.names(""):
        files.remove(GATE)
    inspection = inspect_version(version, options)
    counted = read_version_summary(version, inspection.measured)
    for name, content in {
        REPORT: render_dataset_report(version, inspection, counted).encode(),
        CARD: dataset_card(counted, inspection).encode(),
        VIOLATIONS: table_bytes("violations", inspection.rows),
        METRICS: _json(quality_metrics(inspection)),
    }.items():
        files.write(name, [content])
    claims = inspection.measured.claims
    if not inspection.passed:
        raise QualityError(
            f"{claims.info.name} {claims.info.version}: the gate stays shut, no later stage uses this version.\n"
            f"{summary(inspection)}\n  look at {place}/{REPORT}; mend the data, or change inspect_data in the params"
        )
    files.write(GATE, [_json({"dataset": f"{claims.info.name} {claims.info.version}", "digest": claims.digest})])
    say(f"{claims.info.name} {claims.info.version}: the gate is open\n{summary(inspection)}\n  {place}/{REPORT}")


def summary(inspection: Inspection) -> str:
    """Counts by severity and rule, and the worst rows, for people."""
    counts = ", ".join(f"{count} {severity}s" for severity, count in count_severities(inspection.rows).items())
    lines = [f"  {len(inspection.measured.keys):,} acquisitions inspected: {counts}"]
    for rule, count in count_by(row.rule for row in inspection.rows).items():
        lines.append(f"  {rule} {count:,}: {RULES[rule]}")
    shown = inspection.rows[:_MOST_SHOWN]
    lines += [f"    {row.severity}: {row.rule}: {row.place}: {row.detail}" for row in shown]
    if len(inspection.rows) > _MOST_SHOWN:
        lines.append(f"    ... and {len(inspection.rows) - _MOST_SHOWN} more in {VIOLATIONS}")
    return "\n".join(lines)


def _json(values: object) -> bytes:
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main())
