"""Scores and thresholds to verdicts and acceptance: what the commands evaluate and explain share."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from drae_acceptance.acceptance import Acceptance, accept
from drae_acceptance.binding import check_binding, check_protocol
from drae_acceptance.inspectors import read_inspectors
from drae_acceptance.judging import judge
from drae_acceptance.knapp import KnappResult, comparison, judged_strips, knapp
from drae_acceptance.options import AcceptanceOptions
from drae_acceptance.score_files import read_acquisitions, read_score_card, read_score_set
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_file import THRESHOLDS, StoredThresholds, read_thresholds
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.timing import Timing, read_timing, timing_place
from drae_acceptance.verdict import Verdicts
from pipelines.params import Params, ParamsError
from pipelines.params_acceptance import EvaluateParams


@dataclass(frozen=True, eq=False)
class Judged:
    """A kit with everything that is said of it.

    Attributes:
        scored: its scores.
        stored: the thresholds, as their file holds them.
        verdicts: on it.
        knapp: machine against human inspectors.
        acceptance: the figures.
        options: how it was judged.
    """

    scored: ScoreSet
    stored: StoredThresholds
    verdicts: Verdicts
    knapp: KnappResult
    acceptance: Acceptance
    options: AcceptanceOptions

    @property
    def calibrated(self) -> Calibrated:
        """The thresholds."""
        return self.stored.calibrated

    @property
    def thresholds_digest(self) -> str:
        """Of the thresholds' file."""
        return self.stored.digest


def judge_kit(params: Params) -> Judged:
    """Reads scores and thresholds, checks that they belong together, and judges.

    Raises:
        DraeError: a file is absent or damaged, does not belong to the others, or params miss a section.
    """
    section, rule = params.evaluate_params(), params.confirm_rule()
    options = section.options(rule)
    stored = read_thresholds(Path(params.calibrate_params().folder, THRESHOLDS))
    calibrated = stored.calibrated
    scored = read_score_set(Path(params.score_folder(section.set)))
    folder = Path(params.score_folder(params.calibrate_params().set))
    calibration = read_score_card(folder)
    check_binding(calibrated, scored.card, calibration)
    check_protocol(calibrated, scored, read_acquisitions(folder, calibration))
    verdicts = judge(scored, calibrated, rule)
    compared = _compare(section, verdicts)
    acceptance = accept(scored, calibrated, verdicts, options, comparison(compared), _timing(section.set, scored))
    return Judged(scored, stored, verdicts, compared, acceptance, options)


def _timing(name: str, scored: ScoreSet) -> Timing | None:
    """How long judging one of these products takes, where it was measured."""
    card, products = scored.card, Counter(zip(scored.patches.strip.tolist(), scored.patches.run.tolist(), strict=True))
    return read_timing(timing_place(name), card.model_digest, card.dataset["digest"], max(products.values()))


def _compare(section: EvaluateParams, verdicts: Verdicts) -> KnappResult:
    """The machine's verdicts beside those of human inspectors, where there are any."""
    if section.inspectors is None:
        return knapp(verdicts.runs, None)
    place = Path(section.tables, section.inspectors)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise ParamsError(
            f"evaluate.inspectors: expected a CSV file in {section.tables!r} (evaluate.tables), got: {error.strerror}; "
            "null says that there is none"
        ) from error
    judged = {one.strip for one in judged_strips(verdicts.runs)}
    spare = [one.strip for one in verdicts.runs if one.strip not in judged]
    return knapp(verdicts.runs, read_inspectors(content, str(place), judged, spare))
