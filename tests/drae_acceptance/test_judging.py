"""Verdicts on small sets that are followed by hand: every border, every level, and what is not valid."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.errors import BindingError
from drae_acceptance.judging import judge
from drae_acceptance.options import LEVELS, ConfirmRule
from drae_acceptance.score_table import ABSENT, INCOMPLETE, QUARANTINED, Acquired, ScoreSet
from drae_acceptance.threshold_set import Binding, Calibrated, Fold, RegionThreshold, ThresholdSet
from drae_acceptance.verdict import Verdicts
from tests.small_scores import SmallStrip, small_set

RULE = ConfirmRule(10, 7, 10)
PLACES = ((0, "R0"), (0, "R1"), (1, "R0"), (1, "R1"))


def scores(**changes: float) -> dict[tuple[int, str], float]:
    """Scores of a strip of two vials with two regions, 0.1 everywhere but where `v1R0=0.9` says otherwise."""
    found = dict.fromkeys(PLACES, 0.1)
    for name, value in changes.items():
        found[int(name[1]), name[2:]] = value
    return found


def thresholds(r0: float = 0.5, r1: float = 0.5) -> ThresholdSet:
    regions = {"R0": RegionThreshold(r0, "searched", 1, 1), "R1": RegionThreshold(r1, "searched", 1, 1)}
    return ThresholdSet(dict.fromkeys(LEVELS, regions))


def calibrated(found: ThresholdSet | None = None, folds: tuple[Fold, ...] = ()) -> Calibrated:
    binding = Binding("calibration", "m", "a", ("f00",), "d", "l", "s", "c")
    return Calibrated("folds" if folds else "disjoint", binding, ("C1",), found or thresholds(), folds)


def judged(scored: ScoreSet, rule: ConfirmRule = RULE) -> Verdicts:
    return judge(scored, calibrated(), rule)


def of_runs(rejected: int, runs: int, label: str) -> ScoreSet:
    """A strip of which some runs have a patch above the threshold, and another that keeps the set from being odd."""
    strip = SmallStrip("K1", label, [scores(v1R0=0.9)] * rejected + [scores()] * (runs - rejected))
    return small_set([strip])


@pytest.mark.parametrize(
    ("rejected", "runs", "label", "state", "verdict"),
    [
        (7, 10, "defective", "confirmed", "reject"), (6, 10, "defective", "not_confirmed", "undecided"),
        (4, 10, "defective", "not_confirmed", "undecided"), (3, 10, "defective", "not_confirmed", "accept"),
        (3, 10, "good", "confirmed", "accept"), (4, 10, "good", "not_confirmed", "undecided"),
        (7, 10, "good", "not_confirmed", "reject"), (0, 10, "good", "confirmed", "accept"),
        (8, 11, "defective", "confirmed", "reject"), (7, 11, "defective", "not_confirmed", "undecided"),
        (9, 9, "defective", "invalid", "invalid"), (10, 10, "unknown", "not_confirmed", "reject"),
    ],
)  # fmt: skip
def test_a_strip_over_its_runs(rejected: int, runs: int, label: str, state: str, verdict: str) -> None:
    (found,) = judged(of_runs(rejected, runs, label)).runs
    assert (found.valid, found.rejected, found.state, found.verdict) == (runs, rejected, state, verdict)


def test_a_score_at_the_threshold_is_accepted_and_one_above_it_rejected() -> None:
    # 0.5 is the same number in float32 and float64.
    above = float(np.nextafter(np.float32(0.5), np.float32(1)))
    found = judged(small_set([SmallStrip("K1", "good", [scores(v0R1=0.5), scores(v0R1=above)])]), ConfirmRule(1, 7, 10))
    assert [one.verdict for one in found.strips] == ["accept", "reject"]
    assert found.rejected.sum() == 1


def test_the_patch_with_the_greatest_score_over_its_own_threshold_decides() -> None:
    scored = small_set([SmallStrip("K1", "defective", [scores(v0R0=0.6, v1R1=0.4)])])
    one = judge(scored, calibrated(thresholds(0.8, 0.2)), RULE).strips[0]
    assert one.deciding is not None
    assert (one.deciding.patch, one.deciding.region, one.verdict) == ("K1/r0/f00/v1/R1", "R1", "reject")
    assert one.deciding.ratio == pytest.approx(2.0)


def test_a_threshold_of_zero_gives_no_division() -> None:
    scored = small_set([SmallStrip("K1", "good", [scores(v0R0=0.6)])])
    one = judge(scored, calibrated(thresholds(0.0, 0.5)), RULE).strips[0]
    assert one.deciding is not None
    assert (one.verdict, one.deciding.ratio, one.deciding.region) == ("reject", float("inf"), "R0")


def test_a_vial_is_rejected_where_any_of_its_patches_is() -> None:
    strip = SmallStrip("K1", "defective", [scores(v1R0=0.9), scores()], {(1, "R0"): "burn"})
    found = judged(small_set([strip]), ConfirmRule(1, 7, 10)).vials
    assert [(one.run, one.vial, one.label, one.rejected) for one in found] == [
        (0, 0, "good", False), (0, 1, "defective", True), (1, 0, "good", False), (1, 1, "defective", False),
    ]  # fmt: skip


def test_a_run_that_is_not_valid_counts_for_nothing() -> None:
    scored = of_runs(7, 10, "defective")
    broken = replace(scored.acquisitions[0], state=INCOMPLETE, detail="3 of 4 patches")
    found = judged(ScoreSet(scored.card, scored.patches, (broken, *scored.acquisitions[1:])))
    assert [one.verdict for one in found.strips[:2]] == ["invalid", "reject"]
    assert {one.run for one in found.vials} == set(range(1, 10))
    (over_runs,) = found.runs
    assert (over_runs.valid, over_runs.state) == (9, "invalid")
    assert "K1/r0: incomplete, 3 of 4 patches" in over_runs.detail


def test_a_strip_that_only_labels_name_is_invalid_and_listed() -> None:
    scored = of_runs(0, 10, "good")
    absent = Acquired("K9", "K9", -1, "defective", "", float("nan"), ABSENT, "")
    found = judged(ScoreSet(scored.card, scored.patches, (*scored.acquisitions, absent)))
    assert [(one.strip, one.state, one.valid) for one in found.runs] == [("K1", "confirmed", 10), ("K9", "invalid", 0)]


def test_two_stations_see_one_strip_in_one_run() -> None:
    one = small_set([SmallStrip("K1", "defective", [scores()])])
    two = small_set([SmallStrip("K1", "defective", [scores(v0R0=0.9)])])
    key = "station=2/K1/r0"
    patches = replace(two.patches, acquisition=np.array([key] * len(two.patches)))
    both = type(patches)(**{
        name: np.concatenate([getattr(one.patches, name), getattr(patches, name)]) for name in vars(patches)
    })  # fmt: skip
    acquired = (*one.acquisitions, replace(two.acquisitions[0], acquisition=key))
    (found,) = judged(ScoreSet(one.card, both, acquired), ConfirmRule(1, 7, 10)).strips
    assert found.verdict == "reject"
    assert found.deciding is not None
    assert found.deciding.patch == "station=2/K1/r0/f00/v0/R0"


def test_with_folds_a_strip_is_judged_by_thresholds_that_never_saw_it() -> None:
    strips = [SmallStrip(name, "good", [scores(v0R0=0.6)]) for name in ("K1", "K2")]
    found = judge(small_set(strips), calibrated(folds=(Fold(("K2",), thresholds(0.7)),)), ConfirmRule(1, 7, 10))
    assert [(one.strip, one.verdict) for one in found.strips] == [("K1", "reject"), ("K2", "accept")]


def test_other_regions_are_refused() -> None:
    regions = {"R0": RegionThreshold(0.5, "searched", 1, 1)}
    with pytest.raises(BindingError, match="expected one for each of the regions R0, R1, got R0"):
        judge(of_runs(0, 10, "good"), calibrated(ThresholdSet(dict.fromkeys(LEVELS, regions))), RULE)


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_never_rejects_less(seed: int, one: float, other: float) -> None:
    random = np.random.default_rng(seed)
    runs = [dict(zip(PLACES, random.random(4).tolist(), strict=True)) for _ in range(3)]
    scored = small_set([SmallStrip("K1", "good", runs)])
    low, high = sorted((one, other))
    rule = ConfirmRule(1, 7, 10)
    strict, lenient = (judge(scored, calibrated(thresholds(limit, limit)), rule) for limit in (low, high))
    assert (strict.rejected >= lenient.rejected).all()
    assert strict.runs[0].rejected >= lenient.runs[0].rejected


@given(st.permutations(range(12)))
def test_the_order_of_rows_changes_no_verdict(order: list[int]) -> None:
    scored = small_set([SmallStrip("K1", "defective", [scores(v0R0=0.9), scores(v1R1=0.9), scores()])])
    mixed = ScoreSet(scored.card, scored.patches.take(np.array(order)), scored.acquisitions)
    rule = ConfirmRule(1, 7, 10)
    assert str(judged(mixed, rule).strips) == str(judged(scored, rule).strips)
    assert str(judged(mixed, rule).runs) == str(judged(scored, rule).runs)


def test_patches_of_a_run_that_is_not_valid_are_told_and_judged_in_no_vial() -> None:
    scored = small_set([SmallStrip("K1", "good", [scores(v0R0=0.9), scores()])])
    broken = replace(scored.acquisitions[0], state=INCOMPLETE, detail="3 of 4 patches")
    found = judged(replace(scored, acquisitions=(broken, scored.acquisitions[1])), ConfirmRule(1, 7, 10))
    assert found.valid.tolist() == [False] * 4 + [True] * 4
    assert found.rejected.sum() == 1
    assert {one.run for one in found.vials} == {1}


def test_a_strips_types_of_defect_are_those_of_all_its_runs() -> None:
    scored = small_set([SmallStrip("K1", "defective", [scores(v0R0=0.9)] * 3, {(0, "R0"): "burn"}, 7.0)])
    first, second, third = scored.acquisitions
    refused = replace(first, state=QUARANTINED, defect="", size=float("nan"), detail="truncated")
    rows = (refused, second, replace(third, defect="scratch", size=9.0))
    kept = scored.patches.take(scored.patches.run > 0)
    found = judged(ScoreSet(scored.card, kept, rows), ConfirmRule(1, 7, 10))
    assert [(one.defect, one.size) for one in found.runs] == [("burn,scratch", 9.0)]
    assert [one.defect for one in found.strips] == ["burn,scratch", "burn", "scratch"]
    assert found.runs[0].valid == 2


def test_a_strip_whose_runs_have_other_labels_has_none() -> None:
    scored = small_set([SmallStrip("K1", "good", [scores()] * 2)])
    labels = np.array(["unknown"] * 4 + ["good"] * 4)
    rows = (replace(scored.acquisitions[0], strip_label="unknown"), scored.acquisitions[1])
    found = judged(ScoreSet(scored.card, replace(scored.patches, strip_label=labels), rows), ConfirmRule(1, 7, 10))
    assert [one.label for one in found.strips] == ["unknown", "good"]
    assert [(one.label, one.state) for one in found.runs] == [("unknown", "not_confirmed")]
