"""Thresholds of strips and runs where nothing is defective, or nothing differs: against counting strip by strip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_acceptance.joint_thresholds import Groups
from drae_acceptance.level_thresholds import common_quantile, level_thresholds
from drae_acceptance.options import ConfirmRule
from drae_acceptance.thresholds import Goal

ACCURACY = Goal("accuracy", 0.0)


def good_groups(seed: int, strips: int, runs: int, regions: int, rule: ConfirmRule) -> Groups:
    """Good strips with scores of few values, some with fewer runs."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 9, (strips, runs, regions)) / 9
    counts = random.integers(1, runs + 1, strips)
    scores[np.arange(runs) >= counts[:, None]] = np.nan
    return Groups(scores, counts, np.zeros(strips, np.bool_), rule)


def accepted_by_hand(groups: Groups, limits: list[float]) -> int:
    """Strips of which at least 7 of 10 runs have no region above its limit, run by run in whole numbers."""
    found = 0
    for strip, runs in enumerate(groups.runs.tolist()):
        right = sum(
            all(groups.scores[strip, run, region] <= limit for region, limit in enumerate(limits))
            for run in range(runs)
        )
        found += 10 * right >= 7 * runs
    return found


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 10), st.integers(1, 4))
def test_the_stated_share_of_good_strips_is_accepted_by_the_lowest_common_quantile(
    seed: int, strips: int, tenths: int, regions: int
) -> None:
    groups = good_groups(seed, strips, 5, regions, ConfirmRule(1, 7, 10))
    limits = common_quantile(groups, tenths / 10)
    seen = np.sort(
        groups.scores.reshape(-1, regions)[~np.isnan(groups.scores.reshape(-1, regions)).any(axis=1)], axis=0
    )
    enough = [row for row in seen.tolist() if 10 * accepted_by_hand(groups, row) >= tenths * strips]
    assert limits.tolist() == enough[0]


def test_four_regions_together_accept_what_one_of_them_would() -> None:
    # 200 strips in a run with four regions of random scores: 0.9 of them are 180; a rank may accept a few more at once.
    scores = np.random.default_rng(0).random((200, 1, 4))
    groups = Groups(scores, np.ones(200, np.int64), np.zeros(200, np.bool_), ConfirmRule(1, 1, 1))
    limits = common_quantile(groups, 0.9)
    accepted = int((scores[:, 0] <= limits).all(axis=1).sum())
    assert 180 <= accepted <= 184
    # Each region by itself at 0.9 accepts 0.9 to the power of 4, two thirds.
    alone = np.sort(scores[:, 0], axis=0)[179]
    assert (scores[:, 0] <= alone).all(axis=1).mean() < 0.7


def test_only_good_strips_set_a_common_quantile() -> None:
    scores = np.array([[[0.1]], [[0.2]], [[0.9]]])
    groups = Groups(scores, np.ones(3, np.int64), np.array([False, False, True]), ConfirmRule(1, 1, 1))
    assert common_quantile(groups, 1.0).tolist() == [0.2]


def test_a_region_whose_scores_are_all_equal_takes_no_part_in_the_search() -> None:
    # More defective than good, and R1 has them the wrong way round: to reject all is best. By R0 that would be a
    # rounding error below the score that all have.
    scores = np.array([[[0.5, 0.9]], [[0.5, 0.2]], [[0.5, 0.1]]])
    groups = Groups(scores, np.ones(3, np.int64), np.array([False, True, True]), ConfirmRule(1, 1, 1))
    found = level_thresholds(groups, ("R0", "R1"), ACCURACY, np.array([0.5, 0.4]), 0.9, 1)
    assert (found["R0"].value, found["R0"].how) == (0.5, "equal scores")


def test_beside_a_region_whose_scores_are_all_equal_the_others_are_searched() -> None:
    scores = np.array([[[0.5, 0.1]], [[0.5, 0.7]], [[0.5, 0.8]]])
    groups = Groups(scores, np.ones(3, np.int64), np.array([False, True, True]), ConfirmRule(1, 1, 1))
    found = level_thresholds(groups, ("R0", "R1"), ACCURACY, np.array([0.5, 0.4]), 0.9, 1)
    assert (found["R0"].value, found["R0"].how, found["R1"].how) == (0.5, "equal scores", "searched")
    assert found["R1"].value == pytest.approx(0.4)
    assert (found["R0"].good, found["R0"].defective) == (1, 2)


@pytest.mark.parametrize("defective", [True, False])
def test_where_every_region_has_equal_scores_nothing_is_rejected(defective: bool) -> None:
    groups = Groups(
        np.full((3, 2, 2), 0.5), np.full(3, 2), np.array([False, defective, defective]), ConfirmRule(1, 7, 10)
    )
    found = level_thresholds(groups, ("R0", "R1"), ACCURACY, np.array([0.5, 0.5]), 0.9, 1)
    assert [(one.value, one.how) for one in found.values()] == [(0.5, "equal scores")] * 2
