"""Stage `model_card`: the model's card for people, from its own files. `python -m pipelines.model_card --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drae_acceptance.errors import BindingError, ScoreError
from drae_acceptance.score_files import read_score_card
from drae_acceptance.threshold_file import THRESHOLDS, read_thresholds
from drae_acceptance.verdict_table import VERDICTS, read_verdicts
from drae_data.local_files import LocalFiles
from drae_model.judgement import Judgement
from drae_model.model_card import read_card
from drae_model.model_card_text import model_card_text
from pipelines.console import run_command, say
from pipelines.model_facts import read_model_facts
from pipelines.params import Params, load_params

METRICS = "metrics.json"
_OUT = Path("reports/model_card.md")
_AGAIN = "run python -m pipelines.evaluate"
_EPILOG = """\
examples:
  python -m pipelines.model_card
  python -m pipelines.model_card --out models/card.md

Reads <train.folder>/model.json and, where the params file has a section evaluate, the acceptance that judged with this
very model. Verdicts and thresholds are bound to the model by digests; metrics.json is read from beside the verdicts.
Nothing is computed, and no TensorFlow is loaded: every figure stands in one of these files.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.model_card",
        description="Writes as Markdown what the model is for, what it was trained on and how it judged.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--out", type=Path, default=_OUT, help=f"file to write (default: {_OUT})")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    facts = read_model_facts(Path(params.train_params().folder))
    judged = None if params.evaluate is None else _judgement(params, facts.digest)
    text = model_card_text(read_card(facts.folder), facts.digest, judged)
    LocalFiles(str(known.out.parent)).write(known.out.name, [text.encode()])
    what = "with its acceptance" if judged else "without an acceptance: no section evaluate in the params file"
    say(f"{known.out}: the card of {facts.folder}, {what}")


def _judgement(params: Params, model: str) -> Judgement:
    """The acceptance that judged with a model; raises `BindingError` where its files are of another one."""
    section, place = params.evaluate_params(), Path(params.calibrate_params().folder, THRESHOLDS)
    stored = read_thresholds(place)
    if (came := stored.calibrated.binding.model_digest) != model:
        raise BindingError(
            f"{place}: expected thresholds of the model {model}, got those of {came}; run python -m pipelines.score "
            "--set SET for both sets, then python -m pipelines.calibrate and python -m pipelines.evaluate"
        )
    verdicts = read_verdicts(Path(section.folder, VERDICTS))
    kit = read_score_card(Path(params.score_folder(section.set)))
    for what, expected, found in (
        ("thresholds", stored.digest, verdicts.thresholds_digest),
        ("scores", kit.digest, verdicts.scores_digest),
    ):
        if expected != found:
            raise BindingError(
                f"{section.folder}/{VERDICTS}: expected verdicts by the {what} {expected}, got {found}; {_AGAIN}"
            )
    return Judgement(
        kit.dataset,
        section.criteria.model_dump(),
        float(section.confidence),
        _json(Path(section.folder, METRICS)),
        _json(place),
    )


def _json(place: Path) -> dict[str, Any]:
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScoreError(f"{place}: expected the figures of an acceptance, got: {error}; {_AGAIN}") from error
    if not isinstance(values, dict):
        raise ScoreError(f"{place}: expected a JSON object, got {type(values).__name__}; {_AGAIN}")
    return values


if __name__ == "__main__":
    sys.exit(main())
