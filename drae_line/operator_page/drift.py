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
# An index must also be beyond what chance alone gives in 99 of 100 comparisons.
_CHANCE = 0.99
# A bin without any score counts as if it had half of one, since the logarithm of 0 is none.
_EMPTY = 0.5

AS_TRAINED, MOVED, TOO_FEW = "as_trained", "moved", "too_few"


@dataclass(frozen=True)
class RegionDrift:
    """How far the scores of a region are from the reference.

    Attributes:
        region: its name.
        state: as_trained where the index is below the limit, moved where it is not, too_few where it is not but chance
            alone could have done that.
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
    DOI 10.1098/rspa.1946.0056. Under the name population stability index, and with the usual limits 0.1 (little) and
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


def design_effect(counts: npt.NDArray[np.int64]) -> float:
    """By how much shares in bins vary more than those of independent scores: scores of a strip resemble each other.

    sum over bins of (1 - p) d / (bins - 1), with p the share in a bin and d its variance, estimated from the strips,
    over p (1 - p) / m: the first-order correction of J. N. K. Rao and A. J. Scott, The analysis of categorical data
    from complex sample surveys, J. Am. Stat. Assoc. 76 (1981) 221-230, DOI 10.1080/01621459.1981.10477633.

    Args:
        counts: scores of each strip in each bin, int64 [strips, bins], m in all.

    Returns:
        1 for independent scores, never less; about the number of scores in a strip where they are all equal; inf for
        fewer than two strips.
    """
    strips, m = len(counts), counts.sum()
    if strips < 2:
        return np.inf
    p = counts.sum(axis=0) / m
    counts, p = counts[:, p > 0], p[p > 0]
    if len(p) < 2:
        return 1.0
    apart = counts - p * counts.sum(axis=1, keepdims=True)
    variance = strips / (strips - 1) * np.sum(apart**2, axis=0) / m**2
    return max(1.0, float(np.sum(variance * m / p) / (len(p) - 1)))


def chance_index(reference: int, scores: int, bins: int, effect: float) -> float:
    """What the index stays below in 99 of 100 comparisons where nothing has moved.

    effect (1/n + 1/m) times the quantile of chi-squared with bins - 1 degrees of freedom: B. Yurdakul, Statistical
    Properties of Population Stability Index, dissertation, Western Michigan University, 2018, and the effect.

    Args:
        reference: n, 1 or more.
        scores: m, 1 or more.
        bins: 2 or more.
        effect: see `design_effect`; taken for that of the reference, too, which was made from strips of the same kind.
    """
    return float(effect * (1 / reference + 1 / scores) * special.chdtri(bins - 1, 1 - _CHANCE))


def compare_region(region: str, reference: Scores, strips: Sequence[Scores], limit: float) -> RegionDrift:
    """Compares the scores of one region.

    Args:
        region: its name.
        reference: floating [n].
        strips: of each strip, floating [scores of the strip], m in all.
        limit: index from which on scores have moved.
    """
    reference = reference[np.isfinite(reference)]
    scores = np.concatenate([np.zeros(0), *strips])
    n, m = len(reference), len(scores)
    if not n or not m:
        return RegionDrift(region, TOO_FEW, np.nan, np.inf, np.nan, np.nan, up=False, scores=m, reference=n)
    # It takes as long to load as all else of the page together, which is shown before anything is compared.
    from scipy import stats

    edges = quantile_edges(reference)
    counts = np.array([bin_counts(strip, edges) for strip in strips])
    index = stability_index(bin_counts(reference, edges), counts.sum(axis=0))
    chance = chance_index(n, m, len(edges) + 1, design_effect(counts))
    tested = stats.ks_2samp(reference.astype(np.float64), scores, method="asymp")
    state = AS_TRAINED if index < limit else MOVED if index > chance else TOO_FEW
    up = bool(np.median(scores) > np.median(reference))
    return RegionDrift(region, state, index, chance, float(tested.statistic), float(tested.pvalue), up, m, n)


def compare(reference: Mapping[str, Scores], strips: Mapping[str, Sequence[Scores]], limit: float) -> list[RegionDrift]:
    """Compares region by region; a region of which there is no reference has too few scores.

    Args:
        reference: by region, floating [n].
        strips: by region, of each strip, floating [scores of the strip].
        limit: index from which on scores have moved.
    """
    none = np.zeros(0)
    return [compare_region(region, reference.get(region, none), found, limit) for region, found in strips.items()]


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
