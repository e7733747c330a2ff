"""Thresholds that interact: a strip in a run is rejected where any region's greatest score exceeds its threshold.

The thresholds of all regions together are searched by exact moves. With all but one fixed, each strip has one critical
score (see `drae_acceptance.thresholds`): for a defective strip that needs k more rejected runs the k-th greatest score
among its runs that the other regions accept, for a good one that needs k accepted runs the k-th smallest. So one region
is solved exactly in O(n log n): a move. A pair move sets one region to each of its critical scores in turn (evenly
spread over at most `_MOST_CANDIDATES`) and solves another exactly. Moves are made until none improves, from several
starts: each region by itself, the thresholds of the patches, all accepted, and seeded draws. The best outcome stands.

The outcome is at least as good as the regions by themselves, for that is a start and no move loses. It is not promised
to be the best of all: docs/decisions/0018-thresholds.md says how often it was on small tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drae_acceptance.options import ConfirmRule
from drae_acceptance.thresholds import Cut, Goal, best_cut

_MOST_CANDIDATES = 200
_DRAWN_STARTS = 6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Groups:
    """Strips with the runs that judge them; at the level `strip` each strip in a run is a group of its own.

    Attributes:
        scores: float64 [g, n, r], greatest score of each region in each run; filled up with NaN where a group has
            fewer than n runs.
        runs: int [g], runs of each group, 1 or more.
        defective: bool [g].
        rule: when a group's label is confirmed.
    """

    scores: Floats
    runs: npt.NDArray[np.int64]
    defective: npt.NDArray[np.bool_]
    rule: ConfirmRule

    @property
    def needed(self) -> npt.NDArray[np.int64]:
        """Runs that must be right: int [g]."""
        return self.rule.needed(self.runs)

    def right(self, limits: Floats) -> npt.NDArray[np.bool_]:
        """Whether each group is confirmed, bool [g], with the limits, float64 [r]."""
        exists = np.arange(self.scores.shape[1]) < self.runs[:, None]
        rejected = (self.scores > limits).any(axis=2) & exists
        many = np.where(self.defective, rejected.sum(axis=1), self.runs - rejected.sum(axis=1))
        return np.asarray(many >= self.needed)


def joint_search(groups: Groups, goal: Goal, starts: Sequence[Floats], seed: int) -> Floats:
    """The thresholds of all regions together, float64 [r].

    Args:
        groups: good and defective ones.
        goal: what to reach.
        starts: further thresholds to start from, each float64 [r].
        seed: of the drawn starts.
    """
    best, found = (-1, -1), independent_start(groups, goal)
    for start in (found, *starts, *_drawn(groups, seed)):
        limits = _climb(groups, goal, start.copy())
        if (value := outcome(groups, goal, limits)) > best:
            best, found = value, limits
    return _centred(groups, goal, found)


def independent_start(groups: Groups, goal: Goal) -> Floats:
    """Each region's threshold as if the others accepted everything, float64 [r]."""
    free = np.full(groups.scores.shape[2], np.inf)
    return np.array([solve(groups, goal, free, region).threshold for region in range(len(free))])


def outcome(groups: Groups, goal: Goal, limits: Floats) -> tuple[int, int]:
    """Worth of the limits, and as a second key the defective groups that are right."""
    right = groups.right(limits)
    good, defective = int((~groups.defective).sum()), int(groups.defective.sum())
    right_good, right_defective = right[~groups.defective].sum(), right[groups.defective].sum()
    return int(goal.worth(right_good, right_defective, good, defective)), int(right_defective)


def solve(groups: Groups, goal: Goal, limits: Floats, region: int) -> Cut:
    """The best threshold of one region while the others stay, exactly."""
    good, defective = _critical(groups, limits, region)
    return best_cut(good, defective, goal)


def _critical(groups: Groups, limits: Floats, region: int) -> tuple[Floats, Floats]:
    """Critical scores of good and of defective groups for one region while the others stay."""
    others = limits.copy()
    others[region] = np.inf
    width = groups.scores.shape[1]
    exists = np.arange(width) < groups.runs[:, None]
    open_runs = exists & ~(groups.scores > others).any(axis=2)
    many = open_runs.sum(axis=1)
    # Runs that others reject, or that do not exist, stand at the end.
    ascending = np.sort(np.where(open_runs, groups.scores[:, :, region], np.inf), axis=1)
    rows = np.arange(len(many))
    accept = groups.needed
    good = np.where(many >= accept, ascending[rows, np.clip(accept - 1, 0, width - 1)], np.inf)
    reject = groups.needed - (groups.runs - many)
    place = np.clip(many - reject, 0, width - 1)
    defective = np.where(reject <= 0, np.inf, np.where(reject > many, -np.inf, ascending[rows, place]))
    return good[~groups.defective], defective[groups.defective]


def _climb(groups: Groups, goal: Goal, limits: Floats) -> Floats:
    """Moves, then pair moves, until none improves."""
    regions = range(len(limits))
    value = outcome(groups, goal, limits)
    improved = True
    while improved:
        improved = False
        for region in regions:
            cut = solve(groups, goal, limits, region)
            if (cut.worth, cut.right_defective) > value:
                limits[region], value, improved = cut.threshold, (cut.worth, cut.right_defective), True
        if improved:
            continue
        for one in regions:
            for other in regions:
                if one == other:
                    continue
                moved, reached = _pair_move(groups, goal, limits, one, other)
                if reached > value:
                    limits, value, improved = moved, reached, True
    return limits


def _pair_move(groups: Groups, goal: Goal, limits: Floats, one: int, other: int) -> tuple[Floats, tuple[int, int]]:
    """The best of all candidates of one region, each with another region solved exactly."""
    free = limits.copy()
    free[other] = np.inf
    best, found = (-1, -1), limits
    for candidate in _candidates(groups, free, one):
        moved = limits.copy()
        moved[one] = candidate
        cut = solve(groups, goal, moved, other)
        if (cut.worth, cut.right_defective) > best:
            moved[other] = cut.threshold
            best, found = (cut.worth, cut.right_defective), moved
    return found, best


def _candidates(groups: Groups, limits: Floats, region: int) -> Floats:
    """Critical scores of a region, evenly thinned, and one number that accepts everything."""
    both = np.unique(np.concatenate(_critical(groups, limits, region)))
    finite = both[np.isfinite(both)]
    if len(finite) > _MOST_CANDIDATES:
        finite = finite[np.linspace(0, len(finite) - 1, _MOST_CANDIDATES).round().astype(int)]
    greatest = np.nanmax(groups.scores[:, :, region])
    return np.concatenate([finite, [greatest]])


def _drawn(groups: Groups, seed: int) -> list[Floats]:
    """Starts at scores drawn from those of good groups, and all accepted."""
    random = np.random.default_rng([seed, 7])
    pool = groups.scores[~groups.defective].reshape(-1, groups.scores.shape[2])
    pool = pool[~np.isnan(pool).any(axis=1)]
    drawn = [random.choice(np.sort(pool, axis=0)[len(pool) // 2 :], axis=0) for _ in range(_DRAWN_STARTS)]
    return [pool.max(axis=0), *drawn]


def _centred(groups: Groups, goal: Goal, limits: Floats) -> Floats:
    """Each threshold in the middle of the gap in which every group is judged as it is, one region after the other."""
    limits = limits.copy()
    for region in range(len(limits)):
        critical = np.concatenate(_critical(groups, limits, region))
        observed = groups.scores[:, :, region]
        finite = np.unique(critical[np.isfinite(critical)])
        low = finite[finite <= limits[region]].max(initial=-np.inf)
        high = finite[finite > limits[region]].min(initial=np.inf)
        if np.isfinite(low) and np.isfinite(high):
            limits[region] = low + (high - low) / 2
        elif np.isfinite(low):
            # Nothing ever forces a reject above: the greatest score that was seen.
            limits[region] = max(low, float(np.nanmax(observed)))
    return limits
