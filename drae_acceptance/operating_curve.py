"""How likely a strip is confirmed, by how often its runs are right: the operating curve of the 7-of-10 rule."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from drae_acceptance.options import ConfirmRule


def confirmation_probability(
    right: Sequence[float] | npt.NDArray[np.float64], runs: int, rule: ConfirmRule
) -> npt.NDArray[np.float64]:
    """Probability that at least the needed share of runs is right, where runs are right independently.

    sum over k >= needed of binom(runs, k) p^k (1 - p)^(runs - k); for 7 of 10 and p = 0.7 it is 0.650.

    Args:
        right: p, probability that a run is right, float [n], 0 to 1.
        runs: of a strip.
        rule: when they confirm it.

    Returns:
        float64 [n], 0 to 1; 0 where there are too few runs.
    """
    chances = np.asarray(right, np.float64)
    if runs < rule.runs_required:
        return np.zeros_like(chances)
    return np.asarray(binom.sf(rule.needed(runs) - 1, runs, chances), np.float64)
