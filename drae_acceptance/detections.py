"""How each type of defect is found, at every level."""

from dataclasses import dataclass

import numpy as np

from drae_acceptance.level_rates import clustered
from drae_acceptance.options import AcceptanceOptions
from drae_acceptance.rates import Rate, exact_rate
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.verdict import CONFIRMED, REJECT, Verdicts
from drae_data.labels import DEFECTIVE

# The type of a defective strip whose labels name none, or of which nothing was acquired.
TYPE_NOT_STATED = "type not stated"


@dataclass(frozen=True)
class Detection:
    """How a type of defect is found.

    Attributes:
        defect: the type; `TYPE_NOT_STATED` gathers defective strips without one.
        patches: labelled patches of valid runs over their threshold.
        runs: strips in a run that are rejected; those that are invalid count as not rejected.
        strips: strips over their runs that are confirmed; those that are invalid count as not confirmed.
    """

    defect: str
    patches: Rate
    runs: Rate
    strips: Rate


def detections(scored: ScoreSet, verdicts: Verdicts, options: AcceptanceOptions) -> tuple[Detection, ...]:
    """By type of defect, sorted; a strip with several types counts for each of them."""
    patches = scored.patches
    labelled = np.flatnonzero(verdicts.valid & (patches.label == DEFECTIVE)).tolist()
    marked = [(types_of(str(patches.defect[row])), row) for row in labelled]
    strips = [(types_of(one.defect), one) for one in verdicts.strips if one.label == DEFECTIVE]
    runs = [(types_of(one.defect), one) for one in verdicts.runs if one.label == DEFECTIVE]
    found = []
    for defect in sorted({name for types, _ in runs for name in types}):
        rows = [row for types, row in marked if defect in types]
        in_run = [one for types, one in strips if defect in types]
        over_runs = [one for types, one in runs if defect in types]
        found.append(
            Detection(
                defect,
                clustered(verdicts.rejected[rows].tolist(), patches.strip[rows].tolist(), options),
                clustered([one.verdict == REJECT for one in in_run], [one.strip for one in in_run], options),
                exact_rate(sum(one.state == CONFIRMED for one in over_runs), len(over_runs), options.confidence),
            )
        )
    return tuple(found)


def types_of(defect: str) -> tuple[str, ...]:
    """The types that a defective sample's text names."""
    return tuple(name for name in defect.split(",") if name) or (TYPE_NOT_STATED,)
