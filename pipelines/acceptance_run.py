"""Scores and thresholds to verdicts, figures and the report: what the commands evaluate and explain share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from drae_acceptance.knapp import KnappResult, comparison, knapp, knapp_metrics, knapp_tables

from drae_acceptance.acceptance import Acceptance, accept
from drae_acceptance.acceptance_tables import acceptance_tables, metrics
from drae_acceptance.calibration import check_binding, check_protocol
from drae_acceptance.discrimination import auroc, roc
from drae_acceptance.gallery import read_gallery
from drae_acceptance.inspectors import read_inspectors
from drae_acceptance.judging import judge
from drae_acceptance.operating_curve import confirmation_probability
from drae_acceptance.options import LEVELS, RUN, AcceptanceOptions
from drae_acceptance.plot_tables import curve_table, detection_table, histogram_table, roc_table
from drae_acceptance.report import Plot, ReportContent, render
from drae_acceptance.report_gallery import choose_entries, count_shown
from drae_acceptance.report_plots import draw_detection, draw_histograms, draw_operating_curve, draw_roc
from drae_acceptance.score_files import read_score_card, read_score_set
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_file import THRESHOLDS, read_thresholds
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.timing import read_timing
from drae_acceptance.verdict import Verdicts
from drae_data import __version__
from drae_data.labels import DEFECTIVE, GOOD
from pipelines.params import Params, ParamsError
from pipelines.params_acceptance import EvaluateParams

TIMINGS = Path("logs/timing")
_ROC_POINTS = 400
_CURVE_POINTS = 101
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """A kit with everything that is said of it.

    Attributes:
        scored: its scores.
        calibrated: the thresholds.
        thresholds_digest: of their file.
        verdicts: on it.
        knapp: machine against human inspectors.
        acceptance: the figures.
        options: how it was judged.
    """

    scored: ScoreSet
    calibrated: Calibrated
    thresholds_digest: str
    verdicts: Verdicts
    knapp: KnappResult
    acceptance: Acceptance
    options: AcceptanceOptions


def judge_kit(params: Params) -> Judged:
    """Reads scores and thresholds, checks that they belong together, and judges.

    Raises:
        DraeError: a file is absent or damaged, does not belong to the others, or params miss a section.
    """
    section, rule = params.evaluate_params(), params.confirm_rule()
    options = section.options(rule)
    calibrated, digest = read_thresholds(Path(params.calibrate_params().folder, THRESHOLDS))
    scored = read_score_set(Path(params.score_folder(section.set)))
    calibration = read_score_card(Path(params.score_folder(params.calibrate_params().set)))
    check_binding(calibrated, scored.card, calibration)
    check_protocol(calibrated, scored)
    verdicts = judge(scored, calibrated, rule)
    compared = _compare(section, verdicts)
    timing = read_timing(TIMINGS / f"{section.set}.json", scored.card.model_digest)
    acceptance = accept(scored, calibrated, verdicts, options, comparison(compared), timing)
    return Judged(scored, calibrated, digest, verdicts, compared, acceptance, options)


def _compare(section: EvaluateParams, verdicts: Verdicts) -> KnappResult:
    """The machine's verdicts beside those of human inspectors, where there are any."""
    machine = {one.strip: (one.rejected, one.valid) for one in verdicts.runs if one.label in (GOOD, DEFECTIVE)}
    labels = {one.strip: one.label for one in verdicts.runs if one.label in (GOOD, DEFECTIVE)}
    if section.inspectors is None:
        return knapp(machine, labels, None)
    place = Path(section.tables, section.inspectors)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise ParamsError(
            f"evaluate.inspectors: expected a CSV file in {section.tables!r} (evaluate.tables), got: {error.strerror}; "
            "null says that there is none"
        ) from error
    spare = [one.strip for one in verdicts.runs if one.strip not in machine]
    return knapp(machine, labels, read_inspectors(content, str(place), machine, spare))


def limits_by_level(judged: Judged) -> dict[str, dict[str, float]]:
    """The thresholds of all strips, by level and region."""
    return {level: judged.calibrated.thresholds.limits(level) for level in LEVELS}


def scores_by_region(judged: Judged) -> dict[str, tuple[Floats, Floats]]:
    """Scores of good and of defective patches of each region that has some."""
    patches, found = judged.scored.patches, {}
    scores = patches.score.astype(np.float64)
    for region in judged.scored.card.regions:
        here = patches.region == region
        sides = scores[here & (patches.label == GOOD)], scores[here & (patches.label == DEFECTIVE)]
        if len(sides[0]) + len(sides[1]):
            found[region] = sides
    return found


def roc_curves(judged: Judged) -> dict[str, tuple[Floats, Floats, float]]:
    """ROC of the patches of each region, and of strips in a run by their ratio, where both labels have samples."""
    sides = dict(scores_by_region(judged))
    ratios = [
        np.array([one.deciding.ratio for one in judged.verdicts.strips if one.deciding and one.label == label])
        for label in (GOOD, DEFECTIVE)
    ]
    sides["strips in a run"] = (ratios[0], ratios[1])
    return {
        name: (*roc(good, defective, _ROC_POINTS), auroc(good, defective))
        for name, (good, defective) in sides.items()
        if len(good) and len(defective)
    }


def detection_points(judged: Judged) -> list[tuple[str, float, int, int]]:
    """Type, size, rejected and valid runs of every defective strip."""
    return [(one.defect, one.size, one.rejected, one.valid) for one in judged.verdicts.runs if one.label == DEFECTIVE]


def operating_points(judged: Judged) -> tuple[Floats, Floats]:
    """The operating curve of the rule at the runs that it requires."""
    chances = np.linspace(0, 1, _CURVE_POINTS)
    rule = judged.options.confirm
    return chances, confirmation_probability(chances, rule.runs_required, rule)


def plot_files(judged: Judged) -> dict[str, str]:
    """The CSV files of `dvc plots`, by name."""
    return {
        "scores.csv": histogram_table(scores_by_region(judged), limits_by_level(judged)),
        "roc.csv": roc_table(roc_curves(judged)),
        "detection.csv": detection_table(detection_points(judged)),
        "operating_curve.csv": curve_table(*operating_points(judged)),
    }


def metric_values(judged: Judged) -> dict[str, Any]:
    """The content of `metrics.json`."""
    return {**metrics(judged.acceptance), "knapp": knapp_metrics(judged.knapp)}


def page(judged: Judged, params: Params) -> str:
    """The HTML report."""
    section, rule = params.evaluate_params(), judged.options.confirm
    folder = Path(params.score_folder(section.set))
    tables = acceptance_tables(judged.acceptance, judged.calibrated.thresholds, rule, rule.runs_required)
    runs = judged.verdicts.runs
    limits = {one.strip: judged.calibrated.thresholds_for(one.strip).limits(RUN) for one in runs}
    return render(
        ReportContent(
            name=section.set,
            acceptance=judged.acceptance,
            tables=(*tables[:3], *knapp_tables(judged.knapp), *tables[3:]),
            plots=_plots(judged),
            gallery=choose_entries(runs, read_gallery(folder), limits, folder, section.gallery),
            gallery_all=count_shown(runs),
            sources=tuple(_sources(judged).items()),
            parameters=tuple(_parameters(params).items()),
        )
    )


def _plots(judged: Judged) -> list[Plot]:
    rule = judged.options.confirm
    text = f"{rule.at_least} of {rule.of}, {rule.runs_required} runs"
    return [
        Plot(
            "Scores of patches by region",
            draw_histograms(scores_by_region(judged), limits_by_level(judged)),
            "A score to the right of a threshold is rejected. Both axes are logarithmic.",
        ),
        Plot(
            "Rejected defective over rejected good, whatever the threshold",
            draw_roc(roc_curves(judged)),
            "Patches by region, and strips in a run by their greatest score over threshold.",
        ),
        Plot(
            "Detection by type and size of the defect",
            draw_detection(detection_points(judged), rule.at_least / rule.of),
            "A defective strip on or above the dashed line is confirmed. Size 0: not stated.",
        ),
        Plot(
            "Operating curve of the confirmation rule",
            draw_operating_curve(*operating_points(judged), text),
            "How often a strip is confirmed, where its runs are right independently of each other.",
        ),
    ]


def _sources(judged: Judged) -> Mapping[str, str]:
    card, binding = judged.scored.card, judged.calibrated.binding
    return {
        "kit": f"{card.dataset['name']} {card.dataset['version']}, digest {card.dataset['digest']}",
        "labels of the kit": card.labels_digest,
        "scores of the kit": card.scores_sha256,
        "model": card.model_digest,
        "score": f"{card.score}",
        "strip layout": card.layout_digest,
        "thresholds": judged.thresholds_digest,
        "calibration set": f"{binding.set}, digest {binding.dataset_digest}",
        "labels of the calibration set": binding.labels_digest,
        "strips left out, the model was trained on them": ", ".join(card.left_out) or "none",
        "code version": __version__,
    }


def _parameters(params: Params) -> Mapping[str, str]:
    calibrate, evaluate = params.calibrate_params(), params.evaluate_params()
    rule = params.confirm_rule()
    found = {
        "confirmed by": f"{rule.at_least} of {rule.of} runs, at least {rule.runs_required} of them valid",
        **{f"calibrate.{name}": f"{value}" for name, value in calibrate.model_dump().items()},
        **{f"evaluate.{name}": f"{value}" for name, value in evaluate.model_dump().items()},
    }
    # Places are no part of what was found.
    return {name: value for name, value in found.items() if not name.endswith((".folder", ".page", ".tables"))}
