"""Stage `calibrate`: scores of the calibration set to thresholds. `python -m pipelines.calibrate --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_acceptance.calibration import calibrate
from drae_acceptance.options import LEVELS, PAPER
from drae_acceptance.score_files import read_score_set
from drae_acceptance.threshold_file import HISTORY, THRESHOLDS, history_bytes, read_history, thresholds_bytes
from drae_acceptance.threshold_set import Calibrated
from drae_data.local_files import LocalFiles
from pipelines.console import run_command, say
from pipelines.params import Params, ParamsError, load_params

_EPILOG = """\
examples:
  python -m pipelines.calibrate
  dvc exp run -S calibrate.goals.run=balanced_accuracy

Writes <calibrate.folder>/thresholds.json, bound to the digests of model, strip layout, dataset and labels, and adds an
entry with calibrate.reason and calibrate.author to history.json beside it where the thresholds have changed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.calibrate",
        description="Searches the thresholds of every region at the levels patch, strip and run.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    params = load_params(parser.parse_args(argv).params)
    section = params.calibrate_params()
    _check_protocol(params)
    options = section.options(params.confirm_rule())
    calibrated = calibrate(read_score_set(Path(params.score_folder(section.set))), options)
    content = thresholds_bytes(calibrated, options)
    files = LocalFiles(section.folder)
    with files.locked():
        before = files.read(HISTORY) if HISTORY in files.names("") else None
        history = history_bytes(before, content, section.reason, section.author)
        files.write(HISTORY, [history])
        files.write(THRESHOLDS, [content])
    say(_summary(calibrated, f"{section.folder}/{THRESHOLDS}", len(read_history(history))))


def _check_protocol(params: Params) -> None:
    """The kit's own thresholds need the kit as calibration set."""
    section = params.calibrate_params()
    if section.protocol != "disjoint" and params.evaluate is not None and params.evaluate.set != section.set:
        raise ParamsError(
            f"calibrate.set: expected the kit itself, {params.evaluate.set!r} (evaluate.set), with the protocol "
            f"{section.protocol}, got {section.set!r}"
        )


def _summary(calibrated: Calibrated, place: str, entries: int) -> str:
    regions = list(calibrated.thresholds.levels[LEVELS[0]])
    lines = [
        f"calibrate: {len(calibrated.strips)} strips of {calibrated.binding.set}, protocol {calibrated.protocol}",
        f"  {'level':<8}" + "".join(f"{region:>12}" for region in regions),
    ]
    for level in LEVELS:
        limits = calibrated.thresholds.limits(level)
        lines.append(f"  {level:<8}" + "".join(f"{limits[region]:>12.6f}" for region in regions))
    if calibrated.protocol == PAPER:
        lines.append("  optimistic: these thresholds will judge the strips that chose them")
    return "\n".join([*lines, f"  {place}; {entries} in its history"])


if __name__ == "__main__":
    sys.exit(main())
