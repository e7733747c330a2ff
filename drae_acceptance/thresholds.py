"""The threshold that reaches a goal best: every observed score is tried, exactly, in O(n log n).

A sample is judged right or wrong by one number, its critical score c: a good one is right where the threshold is at
least c, a defective one where the threshold is less than c. For a patch c is its score. A strip over its runs has such
a number too (`drae_acceptance.joint_thresholds`), so that one search serves every level. Between two neighbouring
critical scores all thresholds judge alike; the search finds the best such gap, and the threshold stands in its middle.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import ACCURACY, BALANCED
from drae_acceptance.threshold_set import QUANTILE, SEARCHED, RegionThreshold

# How a threshold came about, beside the ways of `drae_acceptance.threshold_set`: all scores are one number, this one.
EQUAL = "equal scores"

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Goal:
    """What a threshold is chosen for.

    Attributes:
        name: a member of `drae_acceptance.options.GOALS`.
        ceiling: for `reject_recall` the largest share of good samples that may be rejected, 0 to 1.
    """

    name: str
    ceiling: float

    def worth(self, right_good: Counts, right_defective: Counts, good: int, defective: int) -> Counts:
        """How good outcomes are, as whole numbers, so that equal outcomes are equal.

        Args:
            right_good: good samples accepted.
            right_defective: defective samples rejected.
            good: all good samples.
            defective: all defective samples.
        """
        if self.name == ACCURACY:
            return right_good + right_defective
        if self.name == BALANCED:
            return right_good * max(defective, 1) + right_defective * max(good, 1)
        within = good - right_good <= int(Fraction(str(self.ceiling)) * good)
        # Within the ceiling defective samples count first, then false rejects; above it the fewer of these the better,
        # and never as good as within it.
        return np.where(within, (good + 1) * (1 + right_defective) + right_good, right_good)


@dataclass(frozen=True)
class Cut:
    """The best threshold of a search.

    Attributes:
        threshold: in the middle of its gap.
        low: critical score at which the gap begins; -inf where every sample is rejected.
        high: critical score before which it ends; inf where every sample is accepted.
        worth: see `Goal.worth`.
        right_good: good samples accepted.
        right_defective: defective samples rejected.
    """

    threshold: float
    low: float
    high: float
    worth: int
    right_good: int
    right_defective: int


def best_cut(good: Floats, defective: Floats, goal: Goal) -> Cut:
    """The best threshold over all gaps between critical scores.

    Of equally good gaps the one that rejects most defective samples, since a missed reject is worse than a false one.
    There are no further ties: between two gaps lies a score of a good sample, or of a defective one.

    Args:
        good: critical scores of good samples; inf is never right, -inf always.
        defective: critical scores of defective samples; -inf is never right, inf always.
        goal: what to reach.
    """
    both = np.concatenate([good, defective])
    scores = np.unique(both[np.isfinite(both)])
    lows = np.concatenate([[-np.inf], scores])
    highs = np.concatenate([scores, [np.inf]])
    right_good = np.searchsorted(np.sort(good), lows, side="right")
    right_defective = len(defective) - np.searchsorted(np.sort(defective), lows, side="right")
    worth = goal.worth(right_good, right_defective, len(good), len(defective))
    best = int(np.lexsort((-right_defective, -worth))[0])
    low, high = float(lows[best]), float(highs[best])
    return Cut(_middle(low, high), low, high, int(worth[best]), int(right_good[best]), int(right_defective[best]))


def _middle(low: float, high: float) -> float:
    """A number t, low <= t < high, in the middle where both are finite."""
    if not np.isfinite(low):
        # Rejects everything: the next number below the smallest score; 0 where there is no score at all.
        return float(np.nextafter(high, -np.inf)) if np.isfinite(high) else 0.0
    if not np.isfinite(high):
        return low
    middle = low + (high - low) / 2
    return middle if low <= middle < high else low


def region_threshold(good: Floats, defective: Floats, goal: Goal, good_quantile: float, place: str) -> RegionThreshold:
    """The threshold of one region by itself.

    Where all scores are equal it is that score, which rejects nothing: whatever else a goal would choose, a threshold a
    rounding error below it, would tell samples apart that are alike.

    Args:
        good: scores of good samples.
        defective: scores of defective samples. Without any, the threshold is a quantile of the good scores.
        goal: what to reach.
        good_quantile: share of good samples that the threshold accepts at least; the quantile is an observed score.
        place: level and region, for messages.

    Raises:
        CalibrationError: no good samples, or a score that is no finite number.
    """
    if not len(good):
        raise CalibrationError(
            f"{place}: expected good samples to set a threshold, got none beside {len(defective):,} defective; label "
            "good strips in the calibration set"
        )
    if not (np.isfinite(good).all() and np.isfinite(defective).all()):
        raise CalibrationError(f"{place}: expected finite scores, got some that are not; score the set again")
    if all_equal(np.concatenate([good, defective])):
        value, how = float(good[0]), EQUAL
    elif len(defective):
        value, how = best_cut(good, defective, goal).threshold, SEARCHED
    else:
        value, how = float(np.sort(good)[at_least(good_quantile, len(good)) - 1]), QUANTILE
    return RegionThreshold(value, how, len(good), len(defective))


def at_least(share: float, many: int) -> int:
    """The fewest of `many` samples, 1 or more, that are at least a share of them: of 0.7 and 10 it is 7, of 11 it is 8.

    In fractions: 0.7 x 10 as floating-point numbers may be more than 7.
    """
    return max(1, ceil(Fraction(str(share)) * many))


def all_equal(scores: Floats) -> bool:
    """Whether several scores are one number."""
    return len(scores) > 1 and bool(scores.min() == scores.max())
