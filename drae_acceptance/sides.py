"""Both sides of a comparison: the scores of good and those of defective samples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drae_acceptance.score_table import PatchScores
from drae_acceptance.verdict import INVALID, StripVerdict
from drae_data.labels import DEFECTIVE, GOOD

Floats = npt.NDArray[np.float64]
# Scores of good samples, and of defective ones: float64 [n], [m].
Sides = tuple[Floats, Floats]


def patch_sides(patches: PatchScores, chosen: npt.NDArray[np.bool_], regions: Sequence[str]) -> dict[str, Sides]:
    """Scores of the chosen patches of each region by their own labels; others than good and defective take no part.

    Args:
        patches: the table of scores.
        chosen: bool [n], which of them: those of valid runs, never others.
        regions: their names.
    """
    # As float64: a threshold is one, and rounding it to float32 would change what it accepts.
    scores = patches.score.astype(np.float64)
    masks = {label: chosen & (patches.label == label) for label in (GOOD, DEFECTIVE)}
    return {
        region: (scores[here & masks[GOOD]], scores[here & masks[DEFECTIVE]])
        for region, here in ((name, patches.region == name) for name in regions)
    }


def strip_sides(strips: Sequence[StripVerdict]) -> Sides:
    """Greatest score over threshold of strips in a run that are valid, by their labels."""

    def ratios(label: str) -> Floats:
        counted = (one for one in strips if one.label == label and one.verdict != INVALID)
        return np.array([one.deciding.ratio for one in counted if one.deciding], np.float64)

    return ratios(GOOD), ratios(DEFECTIVE)
