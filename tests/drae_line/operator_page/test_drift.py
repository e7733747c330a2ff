"""Drift against hand calculations, a loop over bins, SciPy, and simulated scores that have not moved."""

import math

import numpy as np
import pytest
from scipy import stats

from drae_line.operator_page.drift import (
    AS_TRAINED,
    MOVED,
    TOO_FEW,
    RegionDrift,
    bin_counts,
    chance_index,
    compare,
    compare_region,
    design_effect,
    drift_words,
    quantile_edges,
    stability_index,
)


def test_the_index_by_hand() -> None:
    # Shares 1/2, 1/4, 1/4 against 1/4, 1/4, 1/2: (1/4 - 1/2) ln(1/2) + 0 + (1/2 - 1/4) ln 2 = 1/2 ln 2.
    index = stability_index(np.array([4, 2, 2]), np.array([2, 2, 4]))
    assert index == pytest.approx(0.5 * math.log(2))


def test_an_empty_bin_counts_as_half_a_score() -> None:
    # Shares 1/2, 1/2 against 1 and half of one score of four: (1 - 1/2) ln 2 + (1/8 - 1/2) ln(1/4) = 5/4 ln 2.
    assert stability_index(np.array([5, 5]), np.array([4, 0])) == pytest.approx(1.25 * math.log(2))


def test_the_same_shares_give_zero() -> None:
    assert stability_index(np.array([10, 20, 30]), np.array([1, 2, 3])) == 0


def test_the_index_is_symmetric() -> None:
    a, b = np.array([7, 1, 2]), np.array([3, 4, 3])
    assert stability_index(a, b) == pytest.approx(stability_index(b, a))


def test_edges_and_counts_by_hand() -> None:
    # Quantiles 1/4, 1/2, 3/4 of 0 to 8 are 2, 4, 6; a bin holds its upper edge.
    edges = quantile_edges(np.arange(9, dtype=np.float32), bins=4)
    assert edges.tolist() == [2, 4, 6]
    assert bin_counts(np.array([-1.0, 2, 2.5, 4, 6, 6.1, 99]), edges).tolist() == [2, 2, 1, 2]


def test_equal_scores_make_fewer_bins() -> None:
    edges = quantile_edges(np.array([0.0] * 8 + [1.0, 2.0]), bins=10)
    assert len(edges) == len(set(edges.tolist())) < 9
    assert compare_region("R0", np.zeros(500), [np.zeros(5)] * 100, 0.25).index == 0


def test_against_a_loop_over_bins() -> None:
    random = np.random.default_rng(3)
    reference, scores = random.gamma(4, 0.02, 900).astype(np.float32), random.gamma(5, 0.02, 500)
    edges = [float(np.quantile(reference.astype(np.float64), q / 10)) for q in range(1, 10)]
    expected = 0.0
    for low, high in zip([-math.inf, *edges], [*edges, math.inf], strict=True):
        e = sum(low < score <= high for score in reference.tolist()) / 900
        a = sum(low < score <= high for score in scores.tolist()) / 500
        expected += (a - e) * math.log(a / e)
    found = compare_region("R0", reference, np.split(scores, 100), 0.25)
    assert found.index == pytest.approx(expected)
    tested = stats.ks_2samp(reference, scores)
    assert found.statistic == pytest.approx(tested.statistic)
    assert found.up
    assert found.p_value == pytest.approx(tested.pvalue, rel=0.05)


def test_the_effect_of_strips_by_hand() -> None:
    # Two strips of two scores; both shares are 1/2, each strip is 1 from its expectation, so that the variance is
    # 2/1 (1 + 1) / 16 = 1/4 against 1/4 / 4: 4 in each bin, and (1/2 4 + 1/2 4) / 1 = 4.
    assert design_effect(np.array([[2, 0], [0, 2]])) == pytest.approx(4)
    # No strip differs from the others.
    assert design_effect(np.array([[1, 1], [1, 1]])) == 1
    assert design_effect(np.array([[5, 0], [5, 0]])) == 1
    assert design_effect(np.array([[5, 1]])) == math.inf


def test_the_effect_of_strips_that_do_and_do_not_matter() -> None:
    random = np.random.default_rng(8)
    bins = np.arange(1, 10) / 10
    alone = [bin_counts(random.random(5), bins) for _ in range(4000)]
    same = [bin_counts(np.repeat(random.random(), 5), bins) for _ in range(4000)]
    assert design_effect(np.array(alone)) == pytest.approx(1, abs=0.05)
    assert design_effect(np.array(same)) == pytest.approx(5, abs=0.05)


def draw(random: np.random.Generator, strips: int, alike: float) -> list[np.ndarray]:
    """Scores of strips whose five vials are alike to a degree."""
    return [np.exp(alike * random.normal() + (1 - alike**2) ** 0.5 * random.normal(size=5)) for _ in range(strips)]


@pytest.mark.parametrize("alike", [0.0, 0.7, 1.0])
def test_where_nothing_has_moved_99_of_100_stay_below_chance(alike: float) -> None:
    random = np.random.default_rng(4)
    over = 0
    for _ in range(300):
        found = compare_region("R0", np.concatenate(draw(random, 110, alike)), draw(random, 100, alike), 0.25)
        over += found.index > found.chance
    # Binomial with 300 and 0.01: more than 10 in one of a thousand trials.
    assert over <= 10


def test_chance_by_hand() -> None:
    # The 0.99 quantile of chi-squared with 9 degrees of freedom is 21.666.
    assert chance_index(540, 500, 10, 2.0) == pytest.approx(2 * (1 / 540 + 1 / 500) * 21.666, rel=1e-4)


def test_a_shift_has_moved_and_none_has_not() -> None:
    random = np.random.default_rng(5)
    reference = {region: np.concatenate(draw(random, 110, 0.3)).astype(np.float32) for region in ("R0", "R1")}
    strips = {"R0": draw(random, 100, 0.3), "R1": [2 * scores for scores in draw(random, 100, 0.3)]}
    still, moved = compare(reference, strips, 0.25)
    assert (still.state, moved.state, moved.up) == (AS_TRAINED, MOVED, True)
    assert compare_region("R1", reference["R1"], [scores / 4 for scores in strips["R1"]], 0.25).up is False


def test_an_index_that_chance_could_have_made_is_not_called_moved() -> None:
    random = np.random.default_rng(6)
    reference, strips = random.random(20), np.split(random.random(40) ** 2, 8)
    few = compare_region("R0", reference, strips, 0.25)
    assert 0.25 < few.index < few.chance
    assert few.state == TOO_FEW
    # Where it is below the limit nothing has moved, however few there are.
    assert compare_region("R0", reference, strips, 2 * few.index).state == AS_TRAINED
    assert compare({}, {"R0": strips}, 0.25)[0].state == TOO_FEW
    assert compare_region("R0", np.array([np.nan]), strips, 0.25).reference == 0
    assert compare_region("R0", reference, [], 0.25).state == TOO_FEW


def region(name: str, state: str, up: bool = True) -> RegionDrift:
    return RegionDrift(name, state, 0.3, 0.1, 0.2, 0.01, up, 500, 540)


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([region("R0", AS_TRAINED), region("R1", AS_TRAINED)], "Scores are as in training."),
        ([region("R0", TOO_FEW)], "Too few scores to tell."),
        (
            [region("R0", MOVED), region("R1", MOVED)],
            "Scores of regions R0 and R1 have moved up. Light or focus seem to have changed: check lamp, lens "
            "and exposure.",
        ),
        (
            [region("R0", MOVED, up=False), region("R1", AS_TRAINED), region("R2", TOO_FEW)],
            "Scores of region R0 have moved down. Light, focus or position seem to have changed there: check lamp, "
            "lens and how the strip lies. Too few scores to tell of region R2.",
        ),
        (
            [region("R0", MOVED, up=False), region("R1", MOVED), region("R2", MOVED), region("R3", AS_TRAINED)],
            "Scores of regions R0, R1 and R2 have moved. Light, focus or position seem to have changed there: check "
            "lamp, lens and how the strip lies.",
        ),
    ],
)
def test_words(regions: list[RegionDrift], words: str) -> None:
    assert drift_words(regions) == words
