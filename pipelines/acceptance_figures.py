"""The figures of a judged kit: for the plots of the report, as CSV for `dvc plots`, and for `metrics.json`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from drae_acceptance.acceptance_metrics import metrics
from drae_acceptance.discrimination import auroc, roc
from drae_acceptance.knapp_tables import knapp_metrics
from drae_acceptance.operating_curve import confirmation_probability
from drae_acceptance.options import LEVELS
from drae_acceptance.plot_tables import (
    DetectionPoint,
    RocCurve,
    curve_table,
    detection_table,
    histogram_table,
    roc_table,
)
from drae_acceptance.protocol_notes import protocol_notes
from drae_acceptance.report import Plot
from drae_acceptance.report_plots import draw_detection, draw_histograms, draw_operating_curve, draw_roc
from drae_acceptance.sides import Sides, patch_sides, strip_sides
from drae_acceptance.verdict import INVALID
from drae_data.labels import DEFECTIVE
from pipelines.acceptance_run import Judged

_ROC_POINTS = 400
_CURVE_POINTS = 101
Floats = npt.NDArray[np.float64]


def metric_values(judged: Judged) -> dict[str, Any]:
    """The content of `metrics.json`."""
    return {**metrics(judged.acceptance), "knapp": knapp_metrics(judged.knapp)}


def plot_files(judged: Judged) -> dict[str, str]:
    """The CSV files of `dvc plots`, by name."""
    protocol = judged.calibrated.protocol
    return {
        "scores.csv": histogram_table(scores_by_region(judged), limits_by_level(judged), protocol),
        "roc.csv": roc_table(roc_curves(judged), protocol),
        "detection.csv": detection_table(detection_points(judged), protocol),
        "operating_curve.csv": curve_table(*operating_points(judged), protocol),
    }


def plots(judged: Judged) -> list[Plot]:
    """The plots of the report; those that thresholds decide say how these came about."""
    rule = judged.options.confirm
    notes = protocol_notes(judged.calibrated.protocol)
    text = f"{rule.at_least} of {rule.of}, {rule.runs_required} runs"
    return [
        Plot(
            "Scores of patches by region",
            draw_histograms(scores_by_region(judged), limits_by_level(judged)),
            " ".join(["A score to the right of a threshold is rejected. Both axes are logarithmic.", *notes]),
        ),
        Plot(
            "Rejected defective over rejected good, whatever the threshold",
            draw_roc(roc_curves(judged)),
            " ".join(["Patches by region, and strips in a run by their greatest score over threshold.", *notes]),
        ),
        Plot(
            "Detection by type and size of the defect",
            draw_detection(detection_points(judged), rule.at_least / rule.of),
            " ".join([
                "A defective strip on or above the dashed line is confirmed. Size 0: not stated.",
                "Invalid strips are not drawn.", *notes,
            ]),
        ),
        Plot(
            "Operating curve of the confirmation rule",
            draw_operating_curve(*operating_points(judged), text),
            "How often a strip is confirmed, where its runs are right independently of each other.",
        ),
    ]  # fmt: skip


def limits_by_level(judged: Judged) -> dict[str, dict[str, float]]:
    """The thresholds of all strips, by level and region."""
    return {level: judged.calibrated.thresholds.limits(level) for level in LEVELS}


def scores_by_region(judged: Judged) -> dict[str, Sides]:
    """Scores of good and of defective patches of valid runs, by region."""
    return patch_sides(judged.scored.patches, judged.verdicts.valid, judged.scored.card.regions)


def roc_curves(judged: Judged) -> list[RocCurve]:
    """ROC of the patches of each region, and of strips in a run by their ratio, where both labels have samples."""
    sides = [(f"patches of {region}", found) for region, found in scores_by_region(judged).items()]
    sides.append(("strips in a run", strip_sides(judged.verdicts.strips)))
    return [
        RocCurve(name, *roc(good, defective, _ROC_POINTS), auroc(good, defective))
        for name, (good, defective) in sides
        if len(good) and len(defective)
    ]


def detection_points(judged: Judged) -> list[DetectionPoint]:
    """Every defective strip with enough valid runs."""
    return [
        DetectionPoint(one.defect, one.size, one.rejected, one.valid)
        for one in judged.verdicts.runs
        if one.label == DEFECTIVE and one.verdict != INVALID
    ]


def operating_points(judged: Judged) -> tuple[Floats, Floats]:
    """The operating curve of the rule at the runs that it requires."""
    chances = np.linspace(0, 1, _CURVE_POINTS)
    rule = judged.options.confirm
    return chances, confirmation_probability(chances, rule.runs_required, rule)
