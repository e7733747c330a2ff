"""The operator's page: verdicts of the line in a browser, live. `python -m pipelines.operator_page --help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from drae_line.errors import JudgeError
from drae_line.judge_choice import read_choice
from drae_line.operator_page.drift_watch import Reference
from drae_line.operator_page.options import PageOptions, read_token
from drae_line.operator_page.server import serve_page
from drae_model.errors import ModelError
from drae_model.model_card import model_digest
from drae_model.validation_scores import read_validation_scores
from pipelines.console import run_command, say
from pipelines.params import load_params
from pipelines.params_line import add_folder

_EPILOG = """\
examples:
  python -m pipelines.operator_page --open
  python -m pipelines.operator_page --host 0.0.0.0 --token-file page.token

Follows the log of verdicts in <line.folder>, whether the line runs or not; the line does not need it. It prints its
address and serves until Ctrl-C. What operators find on rejected strips is appended to <line.folder>/checks.jsonl;
nothing else is written. Another host than this machine's own needs a token, from --token-file or the environment
variable DRAE_PAGE_TOKEN; docs/operator_page.md shows how to make one.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.operator_page",
        description="Serves the operator's page: the last strips with verdict, scores and pictures, slot times, the "
        "trend of false rejects, and whether scores have moved since the training.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    add_folder(parser)
    parser.add_argument("--host", help="address to bind to, instead of line.page.host")
    parser.add_argument("--port", type=_port, help="port, instead of line.page.port; 0 takes a free one")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="file with the token that browsers must bring")
    parser.add_argument("--open", action="store_true", help="open the page in this machine's browser")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    line = params.line_params().below(known.folder)
    options = PageOptions(
        folder=Path(line.folder),
        host=line.page.host if known.host is None else known.host,
        port=line.page.port if known.port is None else known.port,
        strips=line.page.strips,
        drift_strips=line.drift.strips,
        drift_index=line.drift.index,
        token=read_token(known.token_file, os.environ),
    )
    serve_page(options, partial(_reference, options.folder, Path(params.train_params().folder)), say, known.open)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 65535, got {text!r}")
    return int(text)


def _reference(line_folder: Path, trained: Path) -> Reference:
    """The scores beside the model that was chosen for the line, by default the one of the params file."""
    try:
        choice, _ = read_choice(line_folder)
        model = trained if choice is None else Path(choice.model)
        return Reference(model_digest(model), read_validation_scores(model))
    except (JudgeError, ModelError) as error:
        return Reference(why=str(error))


if __name__ == "__main__":
    sys.exit(main())
