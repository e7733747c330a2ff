"""Swaps the model and thresholds of the line, or goes back. `python -m pipelines.swap_judge --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from drae_data.errors import OptionError
from drae_line.errors import JudgeError
from drae_line.judge_choice import JudgeChoice, choice_of, read_choice, write_choice
from pipelines.console import run_command, say
from pipelines.line_setup import LineSetup, line_setup, name_of
from pipelines.params import load_params
from pipelines.params_line import add_folder

_EPILOG = """\
examples:
  python -m pipelines.swap_judge --model releases/2407/drae --thresholds releases/2407/thresholds.json
  python -m pipelines.swap_judge --back

Both are loaded and checked here first: thresholds of another model, strip layout or kind of image are refused. A line
that is running follows between two strips; one that is started later begins with them. Keep each model of a line in a
folder of its own, since the next training replaces the one in train.folder.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.swap_judge",
        description="Chooses the model and thresholds that the line judges with.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    add_folder(parser)
    parser.add_argument("--model", type=Path, help="folder of a trained model")
    parser.add_argument("--thresholds", type=Path, help="its thresholds.json")
    parser.add_argument("--back", action="store_true", help="go back to what judged before the last swap")
    known = parser.parse_args(argv)
    if known.back == (known.model is not None) or (known.model is None) != (known.thresholds is None):
        raise OptionError("swap_judge", " ".join(argv), "--model with --thresholds, or --back alone")
    setup = line_setup(load_params(known.params), known.folder)
    now, before = _present(setup)
    if known.back:
        if before is None:
            raise JudgeError(f"{setup.line.folder}: expected an earlier choice to go back to, got none")
        chosen = before
    else:
        chosen = choice_of(known.model.resolve(), known.thresholds.resolve())
    setup.load(chosen)
    # The same once more leaves the way back as it is.
    write_choice(setup.line.folder, chosen, before if chosen == now else now)
    say(f"line: judges with {name_of(chosen)}, from the next strip on")


def _present(setup: LineSetup) -> tuple[JudgeChoice | None, JudgeChoice | None]:
    """What judges now, and before; nothing where it cannot be told, so that a choice mends a broken file."""
    try:
        return setup.chosen(), read_choice(setup.line.folder)[1]
    except JudgeError:
        return None, None


if __name__ == "__main__":
    sys.exit(main())
