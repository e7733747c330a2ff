"""Rates and their intervals against SciPy's beta quantiles, simulation, pairs counted one by one, and hand sums."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from drae_acceptance.discrimination import auroc, average_precision, roc
from drae_acceptance.operating_curve import confirmation_probability
from drae_acceptance.options import ConfirmRule
from drae_acceptance.rates import clustered_rate, exact_rate

SCORES = st.lists(st.integers(0, 6).map(lambda value: value / 6), min_size=1, max_size=9)


@given(st.integers(1, 200).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_exact_interval_is_that_of_beta_quantiles(pair: tuple[int, int]) -> None:
    count, of = pair
    rate = exact_rate(count, of, 0.95)
    low = 0.0 if count == 0 else beta.ppf(0.025, count, of - count + 1)
    high = 1.0 if count == of else beta.ppf(0.975, count + 1, of - count)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-9)
    assert rate.value == count / of


def test_no_samples_have_no_rate() -> None:
    rate = exact_rate(0, 0, 0.95)
    assert rate.value is None
    assert clustered_rate([], [], 0.95, 200, 1).value is None


def test_strips_that_are_all_alike_leave_the_interval_by_strip_wide() -> None:
    # 10 strips of 10 runs, each strip wholly right or wholly wrong: 10 independent samples, not 100.
    hits = np.repeat(np.arange(10) < 8, 10)
    strips = np.repeat([f"K{number}" for number in range(10)], 10)
    rate = clustered_rate(hits, strips, 0.95, 4000, 1)
    assert (rate.count, rate.of) == (80, 100)
    assert rate.strip_low == pytest.approx(0.5, abs=0.1)
    assert rate.strip_low < rate.low
    # A binomial of 10 draws at 0.8 has its 2.5 % quantile at 5.
    assert clustered_rate(hits, strips, 0.95, 4000, 1) == rate


def test_runs_that_differ_within_strips_narrow_it() -> None:
    hits = np.tile(np.arange(10) < 8, 10)
    strips = np.repeat([f"K{number}" for number in range(10)], 10)
    rate = clustered_rate(hits, strips, 0.95, 500, 1)
    assert (rate.strip_low, rate.strip_high) == (0.8, 0.8)


def test_strips_are_drawn_with_all_their_samples() -> None:
    # A has 1 of 1 right, B 0 of 9. Of two draws both are A with chance 1/4: 2 of 2; both B: 0 of 18; else 1 of 10.
    rate = clustered_rate([True] + [False] * 9, ["A"] + ["B"] * 9, 0.95, 4000, 1)
    assert (rate.strip_low, rate.strip_high) == (0.0, 1.0)
    # The quantiles 0.35 and 0.65 lie in the half of the draws that have both.
    rate = clustered_rate([True] + [False] * 9, ["A"] + ["B"] * 9, 0.3, 4000, 1)
    assert (rate.strip_low, rate.strip_high) == (0.1, 0.1)


def test_one_strip_drawn_anew_says_nothing() -> None:
    rate = clustered_rate([True] * 8 + [False] * 2, ["A"] * 10, 0.95, 200, 1)
    assert (rate.count, rate.of) == (8, 10)
    assert np.isnan([rate.strip_low, rate.strip_high]).all()


@given(SCORES, SCORES)
def test_auroc_is_the_share_of_pairs_in_order(good: list[float], defective: list[float]) -> None:
    pairs = [(d > g) + 0.5 * (d == g) for g, d in itertools.product(good, defective)]
    assert auroc(np.array(good), np.array(defective)) == pytest.approx(sum(pairs) / len(pairs))


@given(SCORES, SCORES)
def test_the_area_under_the_roc_points_is_auroc(good: list[float], defective: list[float]) -> None:
    x, y = roc(np.array(good), np.array(defective), 1000)
    assert np.trapezoid(y, x) == pytest.approx(auroc(np.array(good), np.array(defective)))
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


@given(SCORES, SCORES)
def test_average_precision_sums_threshold_by_threshold(good: list[float], defective: list[float]) -> None:
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(good + defective), reverse=True):
        hits = sum(score >= threshold for score in defective)
        precision = hits / (hits + sum(score >= threshold for score in good))
        total += (hits / len(defective) - recall_before) * precision
        recall_before = hits / len(defective)
    assert average_precision(np.array(good), np.array(defective)) == pytest.approx(total)


def test_an_empty_side_has_no_figure() -> None:
    assert np.isnan([auroc(np.array([]), np.array([1.0])), average_precision(np.array([1.0]), np.array([]))]).all()


def test_few_points_of_a_roc_keep_its_ends() -> None:
    x, y = roc(np.arange(100) / 100, np.arange(50, 150) / 100, 7)
    assert len(x) == 7
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize(("right", "confirmed"), [(0.6, 0.382), (0.7, 0.650), (0.8, 0.879), (0.9, 0.987)])
def test_the_operating_curve_of_seven_of_ten(right: float, confirmed: float) -> None:
    assert confirmation_probability([right], 10, ConfirmRule(10, 7, 10))[0] == pytest.approx(confirmed, abs=5e-4)


@given(st.integers(1, 15), st.integers(6, 10), st.floats(0, 1))
def test_the_operating_curve_counts_every_outcome(runs: int, at_least: int, right: float) -> None:
    by_hand = sum(
        comb(runs, k) * right**k * (1 - right) ** (runs - k) for k in range(runs + 1) if 10 * k >= at_least * runs
    )
    found = confirmation_probability([right], runs, ConfirmRule(1, at_least, 10))[0]
    assert found == pytest.approx(by_hand, abs=1e-9)


def test_too_few_runs_are_never_confirmed() -> None:
    assert confirmation_probability([1.0], 9, ConfirmRule(10, 7, 10))[0] == 0
