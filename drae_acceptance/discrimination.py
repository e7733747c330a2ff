"""How well scores tell defective from good, whatever the threshold."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]


def auroc(good: Floats, defective: Floats) -> float:
    """The probability that a defective sample has the greater score, ties counting half; NaN where a side is empty.

    Mann and Whitney 1947, DOI 10.1214/aoms/1177730491.

    Args:
        good: scores of good samples, float [n].
        defective: scores of defective samples, float [m].
    """
    if not len(good) or not len(defective):
        return float("nan")
    ranks = float(rankdata(np.concatenate([good, defective]))[len(good) :].sum())
    return (ranks - len(defective) * (len(defective) + 1) / 2) / (len(good) * len(defective))


def average_precision(good: Floats, defective: Floats) -> float:
    """Mean precision of rejecting, over the defective samples in falling order of scores; NaN where a side is empty.

    Samples of equal score are rejected together: the sum over thresholds of (recall gained) x (precision there).

    Args:
        good: scores of good samples, float [n].
        defective: scores of defective samples, float [m].
    """
    if not len(good) or not len(defective):
        return float("nan")
    rejected_good, rejected = _rejected(good, defective)
    precision = rejected / (rejected + rejected_good)
    return float(np.sum(np.diff(rejected, prepend=0) / len(defective) * precision))


def roc(good: Floats, defective: Floats, points: int) -> tuple[Floats, Floats]:
    """Share of good and share of defective samples rejected, threshold by threshold, from none to all.

    Args:
        good: scores of good samples, float [n], n at least 1.
        defective: scores of defective samples, float [m], m at least 1.
        points: most points to keep, evenly spread.

    Returns:
        False rejects and reject recall, float [k] each, 0 to 1.
    """
    rejected_good, rejected = _rejected(good, defective)
    false_reject = np.concatenate([[0.0], rejected_good / len(good)])
    recall = np.concatenate([[0.0], rejected / len(defective)])
    if len(recall) > points:
        kept = np.unique(np.linspace(0, len(recall) - 1, points).round().astype(int))
        false_reject, recall = false_reject[kept], recall[kept]
    return false_reject, recall


def _rejected(good: Floats, defective: Floats) -> tuple[Floats, Floats]:
    """Good and defective samples at least as great as each observed score, from the greatest down: float [k] each."""
    scores = np.unique(np.concatenate([good, defective]))[::-1]
    counts = (len(side) - np.searchsorted(np.sort(side), scores, side="left") for side in (good, defective))
    many_good, many = counts
    return many_good.astype(np.float64), many.astype(np.float64)
