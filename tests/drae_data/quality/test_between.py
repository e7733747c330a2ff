"""Rules that compare acquisitions with each other, on measurements made up by hand, and distances by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from drae_data.quality.alike import grey_difference, nearest, telling_bits, twins
from drae_data.quality.between import between_findings
from drae_data.quality.measured import STATISTICS, Measured
from tests.drae_data.quality.made_up import LIMITS, OPTIONS, claims, made_up, with_row


def found(measured: Measured) -> list[tuple[str, str]]:
    return [(one.rule, one.place) for one in between_findings(measured, OPTIONS)]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_line_has_nothing(seed: int) -> None:
    assert found(made_up(seed=seed)) == []
    assert found(made_up(strips=6, runs=1, seed=seed)) == []
    assert found(made_up(strips=20, runs=2, seed=seed)) == []


def test_nearest_is_what_a_search_by_hand_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = made_up()
    members = np.arange(len(measured.keys))
    whole = nearest(measured, members)
    monkeypatch.setattr("drae_data.quality.alike._BLOCK", 5)
    blocks = nearest(measured, members)
    grey = measured.statistics[:, :, :2].reshape(len(members), -1)
    away = np.concatenate([grey[measured.strips == s] - np.median(grey[measured.strips == s], 0) for s in range(12)])
    grey = grey / (1.4826 * np.median(np.abs(away), 0))
    for n in members:
        distance = [float(np.sqrt(np.mean((grey[n] - other) ** 2))) for other in grey]
        same = [m for m in members if measured.strips[m] == measured.strips[n] and m != n]
        others = [m for m in members if measured.strips[m] != measured.strips[n]]
        for result in (whole, blocks):
            assert result.own[n] == pytest.approx(min(distance[m] for m in same))
            assert result.other[n] == pytest.approx(min(distance[m] for m in others))
            assert distance[result.which[n]] == pytest.approx(result.other[n])


def moved(measured: Measured, place: int, strip: int) -> Measured:
    """The same, with what an acquisition shows filed under another strip."""
    numbers = measured.strips.copy()
    numbers[place] = strip
    return replace(measured, strips=numbers)


def test_a_run_under_another_strip_is_the_stranger() -> None:
    """S05/r1 lies with S07, which then has four runs: the one that is unlike the others is named."""
    measured = made_up()
    assert found(moved(measured, 16, 7)) == [("misfiled_run", "S05/r1")]


def test_with_two_runs_the_larger_strip_has_the_stranger() -> None:
    measured = made_up(strips=20, runs=2)
    # S08/r1 lies with S12: S08/r0 is alone now, and is not blamed.
    assert found(moved(measured, 17, 12)) == [("misfiled_run", "S08/r1")]


def test_what_is_like_no_strip_is_not_misfiled() -> None:
    """A run that is unlike all strips may be ill lit, but lies under no wrong one."""
    measured = made_up()
    statistics = measured.statistics.copy()
    statistics[10, :, 0] += 80
    assert found(replace(measured, statistics=statistics)) == []


def twin_line(strip: int, of: int, flipped: int) -> Measured:
    """A strip that is a copy of another, with other light and some bits of its signature changed."""
    measured = made_up()
    signatures, statistics = measured.signatures.copy(), measured.statistics.copy()
    signatures[measured.strips == strip] = signatures[measured.strips == of]
    signatures[measured.strips == strip, :flipped] ^= 1
    statistics[measured.strips == strip] = statistics[measured.strips == of]
    statistics[measured.strips == strip, :, 0] = 1.02 * statistics[measured.strips == of, :, 0] - 1.5
    return replace(measured, signatures=signatures, statistics=statistics)


@pytest.mark.parametrize(("flipped", "hits"), [(0, 1), (5, 1), (6, 0)])
def test_strips_that_differ_in_few_bits_are_twins(flipped: int, hits: int) -> None:
    """5 of 576 bits are 0.0087, 6 are 0.0104: the limit is 0.01. Strips 5 and 9 are both in train."""
    measured = twin_line(9, 5, flipped)
    assert found(measured) == [("duplicated_strip", "S09")] * hits
    pairs = twins(measured, np.arange(len(measured.keys)), LIMITS)
    assert [(one.first, one.second, one.pairs) for one in pairs] == [(5, 9, 3)][:hits]
    assert [one.distance for one in pairs] == pytest.approx([flipped / 576][:hits])


def test_short_signatures_say_nothing_but_files_do() -> None:
    """Seven boxes have 448 bits; one file under two strips is a twin whatever the signatures."""
    measured = twin_line(9, 5, 0)
    short = replace(measured, signatures=measured.signatures[:, :448])
    assert found(short) == []
    files = [{**file, "sha256": f"{measured.keys[16]}/0"} for file in measured.rows[28]["frames"]]
    assert found(with_row(short, 28, frames=files)) == [("duplicated_strip", "S09")]


def test_an_exact_copy_of_a_strip_is_no_misfiled_run_and_its_leak_is_told() -> None:
    """Strip 2, three runs in validation, once more as strip 9 in train: each run lies nearest to its copy."""
    measured = made_up()
    signatures, statistics = measured.signatures.copy(), measured.statistics.copy()
    signatures[measured.strips == 9] = signatures[measured.strips == 2]
    statistics[measured.strips == 9] = statistics[measured.strips == 2]
    copied = replace(measured, signatures=signatures, statistics=statistics)
    assert found(copied) == [("duplicated_strip", "S09"), ("split_leak", "S09")]


def test_signatures_alike_are_no_copy_where_grey_values_differ() -> None:
    measured = twin_line(9, 5, 0)
    statistics = measured.statistics.copy()
    statistics[measured.strips == 9, 4, 0] += 1.0
    assert found(replace(measured, statistics=statistics)) == []


def test_flat_boxes_tell_nothing() -> None:
    """All bits of seven boxes are 0: what is left is too short, and nothing is called a copy."""
    measured = made_up()
    signatures, statistics = measured.signatures.copy(), measured.statistics.copy()
    signatures[:, 128:] = 0
    statistics[:] = statistics[0]
    flat = replace(measured, signatures=signatures, statistics=statistics)
    assert twins(flat, np.arange(len(measured.keys)), LIMITS) == []
    assert telling_bits(signatures).shape == (len(measured.keys), 128)


def test_grey_difference_is_what_gain_and_offset_leave() -> None:
    one = np.array([10.0, 20.0, 30.0, 40.0])
    assert grey_difference(one, 1.1 * one + 3) == pytest.approx(0, abs=1e-9)
    # Of residuals that are orthogonal to a line nothing can be fitted away.
    assert grey_difference(one, one + np.array([1, -1, -1, 1])) == pytest.approx(1)


def test_of_three_alike_two_are_named() -> None:
    measured = twin_line(9, 5, 0)
    signatures = measured.signatures.copy()
    statistics = measured.statistics.copy()
    signatures[measured.strips == 11] = signatures[measured.strips == 5]
    statistics[measured.strips == 11] = statistics[measured.strips == 5]
    assert found(replace(measured, signatures=signatures, statistics=statistics)) == [
        ("duplicated_strip", "S09"),
        ("duplicated_strip", "S11"),
    ]


def test_twins_on_both_sides_leak() -> None:
    """Strip 2 is in validation, 9 in train."""
    assert found(twin_line(9, 2, 0)) == [("duplicated_strip", "S09"), ("split_leak", "S09")]


def test_a_strip_on_both_sides_leaks_where_the_split_keeps_strips_whole() -> None:
    measured = with_row(made_up(), 30, splits=["validation"])
    assert found(measured) == [("split_leak", "S10")]
    assert found(replace(measured, claims=claims(split_by="acquisition"))) == []


def test_validation_that_differs_by_more_than_chance() -> None:
    measured = made_up()
    statistics = measured.statistics.copy()
    column = STATISTICS.index("mean")
    random = np.random.default_rng(3)
    levels = 180 + random.normal(0, 1, 12)
    levels[:4] += 10
    statistics[:, 6:, column] = levels[measured.strips][:, None]
    (one,) = [one for one in between_findings(replace(measured, statistics=statistics), OPTIONS) if "split" in one.rule]
    assert (one.rule, one.place) == ("split_shift", "R2")
    chance = stats.ttest_ind(levels[4:], levels[:4]).pvalue
    assert one.measured == pytest.approx(stats.norm.isf(chance / 2))


@pytest.mark.parametrize("rule", ["misfiled_run", "duplicated_strip"])
def test_pairs_are_not_compared_for_a_rule_that_is_off(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = {"misfiled_run": "nearest", "duplicated_strip": "twins"}[rule]

    def compared(*_: object) -> None:
        raise RuntimeError("compared")

    monkeypatch.setattr(f"drae_data.quality.between.{name}", compared)
    options = replace(OPTIONS, severities={**OPTIONS.severities, rule: "off"})
    assert list(between_findings(made_up(), options)) == []
    with pytest.raises(RuntimeError, match="compared"):
        list(between_findings(made_up(), OPTIONS))
