"""Rules that compare acquisitions with each other, on measurements made up by hand, and distances by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from drae_data.quality.alike import nearest, twins
from drae_data.quality.between import between_findings
from drae_data.quality.measured import STATISTICS, Measured
from tests.drae_data.quality.made_up import OPTIONS, claims, made_up, with_row


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
    measured = made_up()
    signatures = measured.signatures.copy()
    signatures[measured.strips == strip] = signatures[measured.strips == of]
    signatures[measured.strips == strip, :flipped] ^= 1
    return replace(measured, signatures=signatures)


@pytest.mark.parametrize(("flipped", "hits"), [(0, 1), (5, 1), (6, 0)])
def test_strips_that_differ_in_few_bits_are_twins(flipped: int, hits: int) -> None:
    """5 of 576 bits are 0.0087, 6 are 0.0104: the limit is 0.01. Strips 5 and 9 are both in train."""
    measured = twin_line(9, 5, flipped)
    assert found(measured) == [("duplicated_strip", "S09")] * hits
    pairs = twins(measured, np.arange(len(measured.keys)), 0.01)
    assert [(one.first, one.second, one.pairs) for one in pairs] == [(5, 9, 3)][:hits]
    assert [one.distance for one in pairs] == pytest.approx([flipped / 576][:hits])


def test_short_signatures_say_nothing_but_files_do() -> None:
    """Seven boxes have 448 bits; one file under two strips is a twin whatever the signatures."""
    measured = twin_line(9, 5, 0)
    short = replace(measured, signatures=measured.signatures[:, :448])
    assert found(short) == []
    files = [{**file, "sha256": f"{measured.keys[16]}/0"} for file in measured.rows[28]["frames"]]
    assert found(with_row(short, 28, frames=files)) == [("duplicated_strip", "S09")]


def test_of_three_alike_two_are_named() -> None:
    measured = twin_line(9, 5, 0)
    signatures = measured.signatures.copy()
    signatures[measured.strips == 11] = signatures[measured.strips == 5]
    assert found(replace(measured, signatures=signatures)) == [("duplicated_strip", "S09"), ("duplicated_strip", "S11")]


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
