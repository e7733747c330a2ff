"""Thresholds that interact: on small tables as good as the best of all, never worse than each region by itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_acceptance.joint_thresholds import Groups, independent_start, joint_search, outcome, solve
from drae_acceptance.options import GOALS, ConfirmRule
from drae_acceptance.thresholds import Goal

SEVEN_OF_TEN = ConfirmRule(1, 7, 10)


def drawn_groups(seed: int, strips: int = 7, runs: int = 4, regions: int = 2, values: int = 6) -> Groups:
    """Strips with scores of few values; defective ones score a little higher, and some have fewer runs."""
    random = np.random.default_rng(seed)
    defective = np.arange(strips) % 2 == 1
    scores = random.integers(0, values, (strips, runs, regions)) / values + 0.2 * defective[:, None, None]
    counts = random.integers(1, runs + 1, strips)
    scores[np.arange(runs) >= counts[:, None]] = np.nan
    return Groups(scores, counts, defective, SEVEN_OF_TEN)


def outcome_by_hand(groups: Groups, limits: tuple[float, ...]) -> tuple[int, int]:
    """Right good and right defective groups, run by run, in whole numbers."""
    found = [0, 0]
    for group, runs in enumerate(groups.runs.tolist()):
        rejected = 0
        for run in range(runs):
            rejected += any(groups.scores[group, run, region] > limit for region, limit in enumerate(limits))
        right = rejected if groups.defective[group] else runs - rejected
        found[int(groups.defective[group])] += 10 * right >= 7 * runs
    return found[0], found[1]


def worth_by_hand(groups: Groups, goal: Goal, limits: tuple[float, ...]) -> int:
    """Worth of limits, by outcomes that are counted run by run."""
    right_good, right_defective = outcome_by_hand(groups, limits)
    good, defective = int((~groups.defective).sum()), int(groups.defective.sum())
    return int(goal.worth(np.int64(right_good), np.int64(right_defective), good, defective))  # type: ignore[arg-type]


def best_by_hand(groups: Groups, goal: Goal) -> int:
    """The greatest worth of all combinations of observed scores, and of rejecting everything."""
    regions = groups.scores.shape[2]
    columns = groups.scores.reshape(-1, regions).T
    candidates = [np.append(np.unique(column[~np.isnan(column)]), -1.0) for column in columns]
    return max(worth_by_hand(groups, goal, limits) for limits in itertools.product(*candidates))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(GOALS))
def test_two_regions_reach_the_best_of_all_combinations(seed: int, name: str) -> None:
    groups, goal = drawn_groups(seed), Goal(name, 0.3)
    found = worth_by_hand(groups, goal, tuple(joint_search(groups, goal, [], 1)))
    assert found == best_by_hand(groups, goal)
    assert worth_by_hand(groups, goal, tuple(independent_start(groups, goal))) <= found


def wandering_groups(seed: int, strips: int, runs: int, regions: int, values: int) -> Groups:
    """Strips of which each defective one shows in another region from run to run, so that regions need each other."""
    random = np.random.default_rng(seed)
    defective = np.arange(strips) % 2 == 1
    scores = random.integers(0, values, (strips, runs, regions)) / values
    for strip in np.flatnonzero(defective):
        for run in range(runs):
            scores[strip, run, random.integers(regions)] += 0.45
    return Groups(scores, np.full(strips, runs), defective, SEVEN_OF_TEN)


# Of these tables the first two need pair moves, and the others a start that is not each region by itself.
@pytest.mark.parametrize(
    ("seed", "strips", "runs", "regions", "values"),
    [(16, 12, 6, 2, 8), (20, 12, 6, 2, 8), (0, 8, 6, 3, 4), (4, 8, 6, 3, 4), (9, 8, 6, 3, 4)],
)
def test_regions_that_need_each_other_reach_the_best_of_all_combinations(
    seed: int, strips: int, runs: int, regions: int, values: int
) -> None:
    groups, goal = wandering_groups(seed, strips, runs, regions, values), Goal("accuracy", 0.0)
    found = worth_by_hand(groups, goal, tuple(joint_search(groups, goal, [], 1)))
    assert found == best_by_hand(groups, goal)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_threshold_stands_in_the_middle_of_its_gap(seed: int) -> None:
    # Of the last region, since no other moves after it. Between two neighbouring scores all groups are judged alike.
    groups = drawn_groups(seed)
    limits = joint_search(groups, Goal("accuracy", 0.0), [], 1)
    scores = np.unique(groups.scores[:, :, 1][~np.isnan(groups.scores[:, :, 1])])

    def right_at(limit: float) -> list[bool]:
        moved: list[bool] = groups.right(np.array([limits[0], limit])).tolist()
        return moved

    low, high = scores[scores <= limits[1]], scores[scores > limits[1]]
    while len(low) > 1 and right_at(low[-2]) == right_at(limits[1]):
        low = low[:-1]
    while len(high) and right_at(high[0]) == right_at(limits[1]):
        high = high[1:]
    inside = len(low) and len(high) and right_at(low[0] - 1) != right_at(limits[1])
    if inside:
        assert limits[1] == pytest.approx((low[-1] + high[0]) / 2)


@given(st.integers(0, 10**6), st.sampled_from(GOALS))
def test_a_move_is_exact(seed: int, name: str) -> None:
    groups, goal = drawn_groups(seed, regions=3), Goal(name, 0.3)
    limits = np.array([0.5, 0.6, 0.7])
    cut = solve(groups, goal, limits, 1)
    observed = groups.scores[:, :, 1]
    tried = []
    for candidate in [*np.unique(observed[~np.isnan(observed)]), -1.0]:
        moved = limits.copy()
        moved[1] = candidate
        tried.append(outcome(groups, goal, moved))
    assert (cut.worth, cut.right_defective) == max(tried)
    limits[1] = cut.threshold
    assert outcome(groups, goal, limits) == (cut.worth, cut.right_defective)


@given(st.integers(0, 10**6))
def test_outcomes_are_those_of_counting_run_by_run(seed: int) -> None:
    groups = drawn_groups(seed, runs=10)
    right = groups.right(np.array([0.5, 0.7]))
    by_hand = outcome_by_hand(groups, (0.5, 0.7))
    assert (int(right[~groups.defective].sum()), int(right[groups.defective].sum())) == by_hand


@pytest.mark.parametrize(("high", "right"), [(6, False), (7, True), (8, True)])
def test_the_border_of_seven_of_ten(high: int, right: bool) -> None:
    scores = np.full((1, 10, 1), 0.1)
    scores[0, :high] = 0.9
    groups = Groups(scores, np.array([10]), np.array([True]), SEVEN_OF_TEN)
    assert groups.right(np.array([0.5])).tolist() == [right]


def test_two_regions_help_each_other_where_each_alone_cannot() -> None:
    # Each defective strip shows in one region only. Alone, a region leaves the other's strips undetected.
    scores = np.full((6, 1, 2), 0.1)
    scores[3, 0, 0] = scores[4, 0, 0] = scores[5, 0, 1] = 0.9
    groups = Groups(scores, np.ones(6, np.int64), np.arange(6) > 2, ConfirmRule(1, 1, 1))
    limits = joint_search(groups, Goal("accuracy", 0.0), [], 1)
    assert groups.right(limits).all()
    assert limits.tolist() == pytest.approx([0.5, 0.5])


def test_the_same_seed_finds_the_same() -> None:
    groups = drawn_groups(5, strips=20, runs=10, regions=4, values=50)
    one, two = (joint_search(groups, Goal("accuracy", 0.0), [], 3) for _ in range(2))
    assert one.tolist() == two.tolist()
