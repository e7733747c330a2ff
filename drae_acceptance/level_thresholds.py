"""The thresholds of all regions at the levels strip and run, where any region's greatest score rejects."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drae_acceptance.joint_thresholds import Groups, joint_search
from drae_acceptance.threshold_set import QUANTILE, SEARCHED, RegionThreshold
from drae_acceptance.thresholds import EQUAL, Goal, all_equal, at_least

Floats = npt.NDArray[np.float64]


def level_thresholds(
    groups: Groups, regions: Sequence[str], goal: Goal, start: Floats, good_quantile: float, seed: int
) -> dict[str, RegionThreshold]:
    """The thresholds of all regions together.

    A region whose scores are all equal tells nothing apart: its threshold is that score, and the search is over the
    others. Without defective groups the thresholds are a common quantile.

    Args:
        groups: strips in a run, or strips with their runs; some of them good.
        regions: names of the regions, in the order of the groups' scores.
        goal: what to reach.
        start: thresholds to start the search from beside others, float64 [r].
        good_quantile: without defective groups the share of good ones that is accepted at least.
        seed: of the search.
    """
    seen = _seen(groups)
    equal = np.array([all_equal(seen[:, region]) for region in range(len(regions))])
    limits, how = seen.max(axis=0), QUANTILE
    if groups.defective.any():
        how = SEARCHED
        if not equal.all():
            limits[~equal] = joint_search(_only(groups, ~equal), goal, [start[~equal]], seed)
    else:
        limits = common_quantile(groups, good_quantile)
    good, defective = int((~groups.defective).sum()), int(groups.defective.sum())
    return {
        region: RegionThreshold(limit, EQUAL if same else how, good, defective)
        for region, limit, same in zip(regions, limits.tolist(), equal.tolist(), strict=True)
    }


def common_quantile(groups: Groups, share: float) -> Floats:
    """Thresholds at the lowest common quantile of all regions with which at least a share of good groups is right.

    A quantile of each region by itself would accept less: of four regions that each accept 0.9 of the strips, chance
    rejections add up to nearly 0.35 of them. So all regions' thresholds stand at the same rank among the scores of the
    good groups' runs, observed scores, and the lowest rank is taken that accepts enough. A higher one never accepts
    less, and the highest accepts all.

    Args:
        groups: with good ones among them.
        share: of good groups that must be right, above 0, at most 1.

    Returns:
        float64 [r].
    """
    chosen = ~groups.defective
    good = Groups(groups.scores[chosen], groups.runs[chosen], groups.defective[chosen], groups.rule)
    seen = np.sort(_seen(good), axis=0)
    enough = at_least(share, len(good.runs))
    low, high = 0, len(seen) - 1
    while low < high:
        middle = (low + high) // 2
        if good.right(seen[middle]).sum() >= enough:
            high = middle
        else:
            low = middle + 1
    return np.asarray(seen[low], np.float64)


def _seen(groups: Groups) -> Floats:
    """The scores of all runs that there are: float64 [runs, r]."""
    exists = np.arange(groups.scores.shape[1]) < groups.runs[:, None]
    return np.asarray(groups.scores[exists], np.float64)


def _only(groups: Groups, chosen: npt.NDArray[np.bool_]) -> Groups:
    """The same groups with some of the regions."""
    return Groups(groups.scores[:, :, chosen], groups.runs, groups.defective, groups.rule)
