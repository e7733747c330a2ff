"""Stage `evaluate`: scores of the kit and thresholds to verdicts and report. `python -m pipelines.evaluate --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_acceptance.report import headline, report_warnings, verdict_sentence
from drae_acceptance.verdict_table import VERDICTS, verdicts_bytes
from drae_data.local_files import LocalFiles
from pipelines.acceptance_figures import metric_values, plot_files
from pipelines.acceptance_page import page
from pipelines.acceptance_run import Judged, judge_kit
from pipelines.console import run_command, say
from pipelines.params import Params, load_params

METRICS, PLOTS = "metrics.json", "plots"
_EPILOG = """\
examples:
  python -m pipelines.evaluate
  python -m pipelines.evaluate --page-only
  dvc metrics diff

Writes <evaluate.folder>: metrics.json, verdicts.parquet, plots/; and the page for people, <evaluate.page>. Only the
page shows how long judging took, which differs from machine to machine; so it is no output of DVC, and --page-only
draws it again and prints the verdict. Without a section evaluate in the params file it says so, and that is all.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.evaluate",
        description="Judges the kit with the thresholds and writes verdicts, metrics and the acceptance report.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--page-only", action="store_true", help="draw the page again; write nothing else")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    if known.page_only and params.evaluate is None:
        say(f"evaluate: {known.params} has no such section, so that no kit is judged and no page is drawn")
        return
    judged = judge_kit(params)
    if not known.page_only:
        _write(judged, params)
    section = params.evaluate_params()
    place = Path(section.page)
    LocalFiles(str(place.parent)).write(place.name, [page(judged, params).encode()])
    say(summary(judged, section.set, section.page))


def _write(judged: Judged, params: Params) -> None:
    files = LocalFiles(params.evaluate_params().folder)
    values = json.dumps(metric_values(judged), indent=2) + "\n"
    files.write(METRICS, [values.encode()])
    files.write(VERDICTS, [verdicts_bytes(judged.verdicts, judged.thresholds_digest, judged.scored.card.digest)])
    for name, text in plot_files(judged).items():
        files.write(f"{PLOTS}/{name}", [text.encode()])


def summary(judged: Judged, name: str, place: str) -> str:
    """The verdict for people, with the figures behind it."""
    acceptance = judged.acceptance
    lines = [f"acceptance of {name}: {headline(acceptance).upper()}", f"  {verdict_sentence(acceptance)}"]
    for level, rates in (("vial", acceptance.vials), ("strip", acceptance.strips), ("run", acceptance.runs)):
        cells = [
            f"{title} {'no samples' if rate.value is None else f'{rate.value:.4f}'} ({rate.count:,} of {rate.of:,})"
            for title, rate in (
                ("accuracy", rates.accuracy), ("accept recall", rates.accept_recall),
                ("reject recall", rates.reject_recall),
            )
        ]  # fmt: skip
        lines.append(f"  {level:<6} {', '.join(cells)}")
    lines += [f"  {warning}" for warning in report_warnings(acceptance)]
    return "\n".join([*lines, f"  report: {place}"])


if __name__ == "__main__":
    sys.exit(main())
