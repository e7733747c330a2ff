"""Stage `calibrate`: scores of the calibration set to thresholds. `python -m pipelines.calibrate --help`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drae_acceptance.calibration import calibrate
from drae_acceptance.options import LEVELS
from drae_acceptance.protocol_notes import protocol_notes, with_protocol
from drae_acceptance.score_files import read_score_set
from drae_acceptance.threshold_file import THRESHOLDS, thresholds_bytes
from drae_acceptance.threshold_history import HISTORY, history_bytes, read_history
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.threshold_warnings import calibration_warnings
from drae_data.local_files import LocalFiles
from pipelines.console import run_command, say
from pipelines.params import Params, ParamsError, load_params

_EPILOG = """\
examples:
  python -m pipelines.calibrate
  dvc exp run -S calibrate.goals.run=balanced_accuracy

Writes <calibrate.folder>/thresholds.json, bound to the digests of model, strip layout, dataset, labels and scores.
Where the thresholds have changed, history.json beside it gets an entry with calibrate.reason and calibrate.author,
which also says what parameters and digests changed, and whether its reason is that of the entry before.
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
    say(_summary(calibrated, f"{section.folder}/{THRESHOLDS}", read_history(history)))


def _check_protocol(params: Params) -> None:
    """The kit's own thresholds need the kit as calibration set."""
    section = params.calibrate_params()
    if section.protocol != "disjoint" and params.evaluate is not None and params.evaluate.set != section.set:
        raise ParamsError(
            f"calibrate.set: expected the kit itself, {params.evaluate.set!r} (evaluate.set), with the protocol "
            f"{section.protocol}, got {section.set!r}"
        )


def _summary(calibrated: Calibrated, place: str, entries: Sequence[Mapping[str, Any]]) -> str:
    regions = list(calibrated.thresholds.levels[LEVELS[0]])
    protocol = with_protocol(f"protocol {calibrated.protocol}", calibrated.protocol)
    lines = [
        f"calibrate: {len(calibrated.strips)} strips of {calibrated.binding.set}, {protocol}",
        f"  {'level':<8}" + "".join(f"{region:>12}" for region in regions),
    ]
    for level in LEVELS:
        limits = calibrated.thresholds.limits(level)
        lines.append(f"  {level:<8}" + "".join(f"{limits[region]:>12.6f}" for region in regions))
    lines += [f"  {note}" for note in (*protocol_notes(calibrated.protocol), *calibration_warnings(calibrated))]
    last = entries[-1]
    note = f" ({last['reason_note']})" if last.get("reason_note") else ""
    return "\n".join([*lines, f"  {place}; entry {len(entries)} of its history: {last['reason']}{note}"])


if __name__ == "__main__":
    sys.exit(main())
