"""One threshold: against trying every candidate one after the other, on thousands of small tables."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import GOALS
from drae_acceptance.thresholds import Goal, at_least, best_cut, region_threshold

# Few values, so that most samples tie with others.
SCORES = st.lists(st.integers(0, 8).map(lambda value: value / 8), max_size=12)


def worth_by_hand(good: list[float], defective: list[float], threshold: float, name: str, ceiling: float) -> float:
    """What a threshold is worth, sample by sample; a score above it is rejected."""
    accepted = sum(1 for score in good if not score > threshold)
    rejected = sum(1 for score in defective if score > threshold)
    if name == "accuracy":
        return accepted + rejected
    if name == "balanced_accuracy":
        return (accepted / len(good) + rejected / len(defective)) / 2
    return rejected if len(good) - accepted <= ceiling * len(good) + 1e-9 else -1.0


@settings(max_examples=1500)
@given(SCORES.filter(len), SCORES.filter(len), st.sampled_from(GOALS), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_no_candidate_is_better_than_the_one_that_is_found(
    good: list[float], defective: list[float], name: str, ceiling: float
) -> None:
    cut = best_cut(np.array(good), np.array(defective), Goal(name, ceiling))
    candidates = [*good, *defective, min(good + defective) - 1]
    best = max(worth_by_hand(good, defective, candidate, name, ceiling) for candidate in candidates)
    assert worth_by_hand(good, defective, cut.threshold, name, ceiling) == pytest.approx(best)
    assert cut.right_good == sum(score <= cut.threshold for score in good)
    assert cut.right_defective == sum(score > cut.threshold for score in defective)


@given(SCORES.filter(len), SCORES.filter(len), st.sampled_from(GOALS))
def test_the_gap_holds_no_score_and_the_threshold_lies_in_it(
    good: list[float], defective: list[float], name: str
) -> None:
    cut = best_cut(np.array(good), np.array(defective), Goal(name, 0.1))
    assert cut.threshold < cut.high
    assert cut.low <= cut.threshold
    assert not any(cut.low < score < cut.high for score in good + defective)


def test_the_threshold_stands_in_the_middle_of_the_gap() -> None:
    cut = best_cut(np.array([0.1, 0.2]), np.array([0.4, 0.9]), Goal("accuracy", 0.0))
    assert cut.threshold == pytest.approx(0.3)
    assert (cut.low, cut.high) == (0.2, 0.4)


def test_of_equal_gaps_the_one_that_misses_fewer_defective_ones_is_taken() -> None:
    # 0.2 accepts one good and one defective; below both, one false reject instead of one missed reject.
    cut = best_cut(np.array([0.1, 0.3]), np.array([0.2, 0.9]), Goal("accuracy", 0.0))
    assert cut.right_defective == 2
    assert cut.threshold == pytest.approx(0.15)


def test_where_all_scores_are_equal_the_larger_side_wins() -> None:
    equal = best_cut(np.full(5, 0.5), np.full(2, 0.5), Goal("accuracy", 0.0))
    assert (equal.threshold, equal.right_good, equal.right_defective) == (0.5, 5, 0)
    other = best_cut(np.full(2, 0.5), np.full(5, 0.5), Goal("accuracy", 0.0))
    assert other.threshold < 0.5
    assert (other.right_good, other.right_defective) == (0, 5)


def test_single_precision_scores_never_pass_the_threshold_between_them() -> None:
    low = np.float32(0.1)
    high = np.nextafter(low, np.float32(1))
    cut = best_cut(np.array([low], float), np.array([high], float), Goal("accuracy", 0.0))
    assert float(low) <= cut.threshold < float(high)
    # As float64: NumPy would round a Python number to the array's float32 before it compares.
    assert best_cut(np.array([low], float), np.array([high], float), Goal("accuracy", 0.0)).right_defective == 1


def test_without_defective_samples_it_is_an_observed_quantile_of_the_good_ones() -> None:
    good = np.arange(1, 101) / 100
    found = region_threshold(good, np.array([]), Goal("accuracy", 0.0), 0.95, "level patch, region R0")
    # 95 of 100 scores are at most 0.95: the smallest observed score that accepts the share.
    assert (found.value, found.how, found.good, found.defective) == (0.95, "quantile", 100, 0)


@given(st.integers(1, 300), st.integers(1, 100))
def test_a_share_of_samples_is_counted_in_fractions(many: int, hundredths: int) -> None:
    # In whole numbers: hundredths / 100 of many, rounded up.
    assert at_least(hundredths / 100, many) == max(1, -(-hundredths * many // 100))


def test_a_share_is_no_floating_point_number() -> None:
    # 0.07 x 100 is 7.000000000000001 as floating-point numbers.
    assert ceil(0.07 * 100) == 8
    assert at_least(0.07, 100) == 7


@given(st.floats(0, 1), st.integers(2, 9), st.integers(0, 9), st.sampled_from(GOALS))
def test_where_all_scores_are_equal_the_threshold_is_that_score_and_nothing_is_rejected(
    score: float, good: int, defective: int, goal: str
) -> None:
    found = region_threshold(np.full(good, score), np.full(defective, score), Goal(goal, 0.1), 0.9, "here")
    assert (found.value, found.how) == (score, "equal scores")


@given(SCORES.filter(len), SCORES.filter(len), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_of_equal_reject_recall_within_the_ceiling_the_fewest_false_rejects_are_taken(
    good: list[float], defective: list[float], ceiling: float
) -> None:
    cut = best_cut(np.array(good), np.array(defective), Goal("reject_recall", ceiling))
    outcomes = [
        (sum(score > limit for score in defective), sum(score > limit for score in good))
        for limit in [*good, *defective, min(good + defective) - 1]
    ]
    allowed = [(recall, false) for recall, false in outcomes if false <= ceiling * len(good) + 1e-9]
    most = max(recall for recall, _ in allowed)
    fewest = min(false for recall, false in allowed if recall == most)
    assert (cut.right_defective, len(good) - cut.right_good) == (most, fewest)


def test_a_false_reject_that_buys_nothing_is_not_made() -> None:
    # From 0.8 on the one above is rejected; a threshold below 0.8 would reject a good one for nothing.
    cut = best_cut(np.array([0.1, 0.2, 0.8]), np.array([0.9]), Goal("reject_recall", 0.34))
    assert (cut.right_good, cut.right_defective) == (3, 1)
    assert cut.threshold == pytest.approx(0.85)


def test_the_ceiling_is_counted_in_fractions() -> None:
    # 0.29 x 100 is 28.999999999999996 as floating-point numbers; 29 false rejects are allowed, and buy the last recall.
    assert int(0.29 * 100) == 28
    good, defective = np.arange(100) / 100, np.array([0.705, 0.9])
    cut = best_cut(good, defective, Goal("reject_recall", 0.29))
    assert (100 - cut.right_good, cut.right_defective) == (29, 2)


@pytest.mark.parametrize(
    ("good", "expected"), [([], "expected good samples"), ([0.1, float("nan")], "expected finite scores")]
)
def test_what_cannot_be_searched_is_said(good: list[float], expected: str) -> None:
    with pytest.raises(CalibrationError, match=f"level patch, region R0: {expected}"):
        region_threshold(np.array(good), np.array([0.5]), Goal("accuracy", 0.0), 0.95, "level patch, region R0")
