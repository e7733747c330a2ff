"""Plays the camera's computer of a line. `python -m pipelines.simulate_line --help`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from drae_data.errors import OptionError
from drae_line.simulator import FAULTS, deliver, plan_deliveries
from pipelines.console import positive, run_command, say
from pipelines.params import load_params
from pipelines.params_line import add_folder
from pipelines.set_inputs import set_inputs

_EPILOG = f"""\
examples:
  python -m pipelines.simulate_line --rate 1
  python -m pipelines.simulate_line --rate 2 --count 200 --faults 0.1
  python -m pipelines.simulate_line --burst --count 200

Takes acquisitions of the set line.set, in a random order that --seed decides, and writes them into <line.incoming>:
frames in any order, each in pieces. Once all were delivered they come again under new strip names. Faults are, each as
likely: {", ".join(FAULTS)}.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.simulate_line",
        description="Writes acquisitions into the folder that the line watches, as a camera's computer does.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    add_folder(parser)
    parser.add_argument("--source", type=Path, help="root of the acquisitions (default: build.<line.set>.root)")
    parser.add_argument("--rate", type=float, default=1.0, help="acquisitions a second (default: 1)")
    parser.add_argument("--burst", action="store_true", help="all at once, as fast as the disk takes them")
    parser.add_argument("--count", type=positive, default=100, help="how many (default: 100)")
    parser.add_argument("--faults", type=float, default=0.0, help="share of deliveries with a fault (default: 0)")
    parser.add_argument("--seed", type=int, default=1, help="decides order and faults (default: 1)")
    known = parser.parse_args(argv)
    if not known.rate > 0:
        raise OptionError("--rate", known.rate, "more than 0 acquisitions a second")
    params = load_params(known.params)
    section = params.line_params().below(known.folder)
    inputs = set_inputs(params, section.set)
    source = known.source or Path(params.set_params(section.set).root)
    incoming = Path(section.incoming)
    incoming.mkdir(parents=True, exist_ok=True)
    say(f"camera: {known.count:,} acquisitions of {source} to {incoming}")
    faults: Counter[str] = Counter()
    started = time.monotonic()
    for number, item in enumerate(plan_deliveries(source, inputs.options, known.count, known.faults, known.seed)):
        if not known.burst:
            time.sleep(max(0.0, started + number / known.rate - time.monotonic()))
        deliver(item, incoming, pause=float(section.settle_seconds))
        faults[item.fault] += 1
    told = ", ".join(f"{faults[fault]:,} {fault or 'whole'}" for fault in ("", *FAULTS) if faults[fault])
    say(f"camera: delivered {known.count:,} in {time.monotonic() - started:,.1f} s: {told}")


if __name__ == "__main__":
    sys.exit(main())
