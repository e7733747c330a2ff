"""Whether scores have moved away from those that the model was validated on: stability index and two-sample test.

The reference are the scores of the training's validation patches, which are all of good strips. Against them stand
those of the last accepted strips, judged by the same model: nearly all of them are good. Rejected strips would put
defects into the upper bins; what a threshold cuts off is the far end of the last bin and weighs little. Where most
strips are rejected the accepted ones cannot tell, and the page says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Scores = npt.NDArray[np.floating]

BINS = 10
# An index of the limit must be beyond what chance alone gives in 99 of 100 comparisons, or nothing is said.
_CHANCE = 0.99
# A bin without any score counts as if it had half of one, since the logarithm of 0 is none.
_EMPTY = 0.5

AS_TRAINED, MOVED, TOO_FEW = "as_trained", "moved", "too_few"


@dataclass(frozen=True)
class RegionDrift:
    """How far the scores of a region are from the reference.

    Attributes:
        region: its name.
        state: as_trained, moved, or too_few where chance alone could give an index of the limit.
        index: population stability index; NaN where there are no scores.
        chance: what it stays below in 99 of 100 comparisons where nothing has moved.
        statistic: of the two-sample Kolmogorov-Smirnov test, 0 to 1; NaN as above.
        p_value: of the same, for information.
        up: whether the median of the scores is above that of the reference.
        scores: how many there are.
        reference: how many scores the reference has.
    """

    region: str
    state: str
    index: float
    chance: float
    statistic: float
    p_value: float
    up: bool
    scores: int
    reference: int


def quantile_edges(reference: Scores, bins: int = BINS) -> npt.NDArray[np.float64]:
    """Edges between bins that hold equal shares of the reference; fewer where many of its scores are equal.

    Args:
        reference: floating [n], n at least 1.
        bins: how many.

    Returns:
        float64 [at most bins - 1], rising.
    """
    return np.unique(np.quantile(reference.astype(np.float64), np.arange(1, bins) / bins))


def bin_counts(scores: Scores, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How many scores lie in each bin; a bin holds its upper edge. int64 [edges + 1]."""
    return np.bincount(np.searchsorted(edges, scores.astype(np.float64), side="left"), minlength=len(edges) + 1)


def stability_index(expected: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> float:
    """The population stability index, sum over bins of (a - e) ln(a / e).

    With e the share of the reference in a bin and a that of the scores; it is the symmetric divergence of H. Jeffreys,
    An invariant form for the prior probability in estimation problems, Proc. R. Soc. Lond. A 186 (1946) 453-461,
    DOI 10.1098/rspa.1946.0056. Under the name population stability index, and with the usual marks 0.1 (little) and
    0.25 (much), it stands in N. Siddiqi, Credit Risk Scorecards, Wiley 2006.

    Args:
        expected: scores of the reference in each bin, int64 [bins].
        found: scores in each bin, the same shape; an empty bin counts as half a score.

    Returns:
        0 where the shares are the same; larger the further they are apart.
    """
    e = np.maximum(expected, _EMPTY) / expected.sum()
    a = np.maximum(found, _EMPTY) / found.sum()
    return float(np.sum((a - e) * np.log(a / e)))


def chance_index(reference: int, scores: int, bins: int) -> float:
    """What the index stays below in 99 of 100 comparisons of independent scores where nothing has moved.

    (1/n + 1/m) times the quantile of chi-squared with bins - 1 degrees of freedom: B. Yurdakul, Statistical Properties
    of Population Stability Index, dissertation, Western Michigan University, 2018.

    Args:
        reference: n, 1 or more.
        scores: m, 1 or more.
        bins: 2 or more.
    """
    return float((1 / reference + 1 / scores) * special.chdtri(bins - 1, 1 - _CHANCE))


def compare_region(region: str, reference: Scores, scores: Scores, limit: float) -> RegionDrift:
    """Compares the scores of one region.

    Args:
        region: its name.
        reference: floating [n].
        scores: floating [m].
        limit: index from which on scores have moved.
    """
    reference, scores = reference[np.isfinite(reference)], scores[np.isfinite(scores)]
    n, m = len(reference), len(scores)
    if not n or not m:
        return RegionDrift(region, TOO_FEW, np.nan, np.inf, np.nan, np.nan, up=False, scores=m, reference=n)
    # It takes as long to load as all else of the page together, which is shown before anything is compared.
    from scipy import stats

    edges = quantile_edges(reference)
    index = stability_index(bin_counts(reference, edges), bin_counts(scores, edges))
    chance = chance_index(n, m, len(edges) + 1)
    tested = stats.ks_2samp(reference.astype(np.float64), scores.astype(np.float64), method="asymp")
    state = TOO_FEW if chance >= limit else MOVED if index >= limit else AS_TRAINED
    up = bool(np.median(scores) > np.median(reference))
    return RegionDrift(region, state, index, chance, float(tested.statistic), float(tested.pvalue), up, m, n)


def compare(reference: Mapping[str, Scores], scores: Mapping[str, Scores], limit: float) -> list[RegionDrift]:
    """Compares region by region; a region of which there is no reference has too few scores.

    Args:
        reference: by region, floating [n].
        scores: by region, floating [m].
        limit: index from which on scores have moved.
    """
    none = np.zeros(0)
    return [compare_region(region, reference.get(region, none), found, limit) for region, found in scores.items()]


def drift_words(regions: Sequence[RegionDrift]) -> str:
    """What is to be said and done, in a plain sentence."""
    moved = [one for one in regions if one.state == MOVED]
    few = [one.region for one in regions if one.state == TOO_FEW]
    unsaid = f" Too few scores to tell of {_names(few)}." if few else ""
    if not moved:
        return f"Scores are as in training.{unsaid}" if len(few) < len(regions) else "Too few scores to tell."
    names = _names([one.region for one in moved])
    directions = {one.up for one in moved}
    where = "" if len(directions) == 2 else " up" if directions == {True} else " down"
    if len(moved) == len(regions):
        cause = "Light or focus seem to have changed: check lamp, lens and exposure."
    else:
        cause = "Light, focus or position seem to have changed there: check lamp, lens and how the strip lies."
    return f"Scores of {names} have moved{where}. {cause}{unsaid}"


def _names(regions: Sequence[str]) -> str:
    first = ", ".join(regions[:-1])
    return f"{'regions' if first else 'region'} {f'{first} and ' if first else ''}{regions[-1]}"
