"""Inspects strips as they come into a folder. `python -m pipelines.inspect_line --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from drae_line.event_log import EVENTS, LOG_REPAIRED, PICTURES_FAILED, STARTED, STOPPED, EventLog
from drae_line.inspection import Engine
from drae_line.line import Line
from drae_line.redraw import redraw
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VERDICTS, VerdictLog
from pipelines.console import positive, run_command, say
from pipelines.line_setup import LineSetup, line_setup, name_of
from pipelines.params import load_params
from pipelines.params_line import add_folder

_EPILOG = """\
examples:
  python -m pipelines.inspect_line
  python -m pipelines.simulate_line --rate 1          a camera's computer for it, in another terminal
  python -m pipelines.operator_page                   what the operator sees, in a third
  python -m pipelines.swap_judge --model MODEL --thresholds FILE

The camera's computer writes acquisitions into <line.incoming>, named as build.<line.set>.path_template says, in any
order. Each is judged once, when all its frames are there and closed. What cannot be inspected, because a frame is
missing or broken or the slot of line.slot_ms was too short, is rejected: not inspected, with the reason.

Writes <line.folder>/verdicts.jsonl, one line for each acquisition, on the disk before anybody is told; pictures of
rejected strips; events.jsonl. Stop it with Ctrl-C, or kill it: started again it goes on, with no verdict lost and none
given twice.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.inspect_line",
        description="Inspects strips as they come into a folder, and keeps a log of the verdicts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    add_folder(parser)
    parser.add_argument("--count", type=positive, help="end after so many verdicts (default: when it is stopped)")
    known = parser.parse_args(argv)
    # Watchdog says so of folders that appear faster than it watches them; the line's own scan finds what it misses.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
    setup = line_setup(load_params(known.params), known.folder)
    setup.line.incoming.mkdir(parents=True, exist_ok=True)
    with VerdictLog(setup.line.folder / VERDICTS) as log:
        _inspect(setup, log, known.count)


def _inspect(setup: LineSetup, log: VerdictLog, count: int | None) -> None:
    events = EventLog(setup.line.folder / EVENTS)
    if log.repaired:
        events.write(LOG_REPAIRED, f"an unfinished verdict was taken off, and is given anew: {log.repaired[:200]!r}")
    choice = setup.chosen()
    say(f"line: loading {name_of(choice)}")
    engine = Engine(setup.load(choice), setup.options, float(setup.section.slot_ms))
    try:
        drawn, failed = redraw(log.last, engine, setup.options, setup.line.incoming, setup.line.folder)
        for text in failed:
            events.write_once(PICTURES_FAILED, text)
        if drawn:
            say(f"line: drew the pictures of {drawn} verdicts that were given before")
        line = Line(
            engine, setup.options, setup.line, log, events, partial(setup.wanted, choice), name_of(choice), _tell
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: line.stop())
        events.write(STARTED, name_of(choice))
        say(f"line: ready; watches {setup.line.incoming}, {len(log.judged):,} verdicts are in {setup.line.folder}")
        given = line.run(count)
        events.write(STOPPED, f"after {given} verdicts")
        say(f"line: stopped after {given:,} verdicts")
    finally:
        if not engine.close():
            sys.stderr.write("error: the model does not come back from its last call; the line ends without it\n")
            sys.stderr.flush()
            # The interpreter would wait for that thread for ever.
            os._exit(1)


def _tell(logged: LoggedVerdict) -> None:
    """A line on the terminal for each verdict."""
    slot = logged.slot
    words = f"{logged.sequence:>6} {slot.acquisition:<16} {slot.verdict.upper():<7}"
    if not slot.inspected:
        words += f" not inspected: {slot.reason}: {slot.detail}"
    elif slot.deciding is not None:
        words += (
            f" {slot.deciding.patch.removeprefix(slot.acquisition + '/')} at {slot.deciding.ratio:.2f} of its threshold"
        )
    say(f"{words} ({slot.milliseconds['slot']:.0f} ms)")


if __name__ == "__main__":
    sys.exit(main())
