"""Calibration: levels, folds, what takes no part, and what is refused with words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_acceptance.calibration import calibrate
from drae_acceptance.errors import CalibrationError
from drae_acceptance.judging import judge
from drae_acceptance.options import GOALS, LEVELS, ConfirmRule
from drae_acceptance.score_table import INCOMPLETE, ScoreSet
from tests.small_calibration import RULE, options, small, strip
from tests.small_scores import SmallStrip, small_set


def test_thresholds_stand_in_the_middle_between_good_and_defective() -> None:
    found = calibrate(small(), options())
    for level in ("patch", "strip", "run"):
        assert found.thresholds.limits(level) == pytest.approx({"R0": 0.4, "R1": 0.6}), level
    assert found.strips == ("A", "B", "C", "D")
    counts = {level: (one["R0"].good, one["R0"].defective) for level, one in found.thresholds.levels.items()}
    # Patches: of R0 seven are good, those of strip D among them; strips in a run; strips.
    assert counts == {"patch": (6, 2), "strip": (4, 4), "run": (2, 2)}


def test_a_region_without_defective_patches_takes_a_quantile_and_says_so() -> None:
    scored = small_set([strip("A", "good", 0.1, 0.3), strip("C", "defective", 0.6, 0.1, "R0")], name="calibration")
    found = calibrate(scored, options()).thresholds.levels["patch"]
    assert (found["R0"].how, found["R1"].how) == ("searched", "quantile")
    assert found["R1"].value == pytest.approx(0.3)


def test_without_any_defective_strip_every_level_takes_quantiles() -> None:
    found = calibrate(small_set([strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2)]), options())
    assert {one.how for level in found.thresholds.levels.values() for one in level.values()} == {"quantile"}
    assert found.thresholds.limits("run") == pytest.approx({"R0": 0.2, "R1": 0.3})


def test_only_defective_strips_are_refused() -> None:
    with pytest.raises(CalibrationError, match="level strip: expected good strips"):
        scored = small_set([strip("C", "defective", 0.6, 0.1, "R0"), strip("D", "defective", 0.1, 0.9, "R1")])
        calibrate(scored, options())


def test_what_is_not_valid_or_unknown_takes_no_part() -> None:
    scored = small()
    rows = tuple(
        replace(row, state=INCOMPLETE) if row.strip == "B" and row.run == 0 else row for row in scored.acquisitions
    )
    found = calibrate(ScoreSet(scored.card, scored.patches, rows), options()).thresholds
    assert (found.levels["strip"]["R0"].good, found.levels["run"]["R0"].good) == (3, 1)


def test_folds_judge_each_strip_by_the_others() -> None:
    scored = small()
    found = calibrate(scored, options(protocol="folds"))
    assert sorted(name for fold in found.folds for name in fold.strips) == ["A", "B", "C", "D"]
    for fold in found.folds:
        # One good and one defective strip in each, hence the others' thresholds know one of each.
        assert fold.thresholds.levels["run"]["R0"].good == 1
        assert found.thresholds_for(fold.strips[0]) == fold.thresholds
    assert calibrate(scored, options(protocol="folds")) == found


def test_too_few_strips_for_folds() -> None:
    scored = small_set([strip("A", "good", 0.1, 0.3), strip("C", "defective", 0.6, 0.1, "R0")])
    with pytest.raises(CalibrationError, match="expected at least 2 defective strips, got 1"):
        calibrate(scored, options(protocol="folds"))


def test_thresholds_of_a_calibration_judge_it_as_the_search_counted() -> None:
    scored = small()
    verdicts = judge(scored, calibrate(scored, options(protocol="paper")), RULE)
    assert all(one.state == "confirmed" for one in verdicts.runs)


def test_patches_of_a_run_that_is_not_valid_take_no_part_at_the_level_patch() -> None:
    # B is the good strip with 0.2 in R0 and R1; without it the middle of R0's gap is that of 0.1 and 0.6.
    scored = small()
    rows = tuple(replace(row, state=INCOMPLETE) if row.strip == "B" else row for row in scored.acquisitions)
    found = calibrate(replace(scored, acquisitions=rows), options(confirm=ConfirmRule(1, 7, 10))).thresholds
    assert found.levels["patch"]["R0"].good == 4
    assert found.limits("patch")["R0"] == pytest.approx(0.35)


@pytest.mark.parametrize("state", ["valid", INCOMPLETE])
def test_a_strip_has_one_label_in_search_and_judgement(state: str) -> None:
    # A run of A is of unknown label, valid or not: over its runs the strip has none, and no part at the level run.
    scored = small()
    labels = np.where(scored.patches.acquisition == "A/r1", "unknown", scored.patches.strip_label)
    rows = tuple(
        replace(row, strip_label="unknown", state=state) if row.acquisition == "A/r1" else row
        for row in scored.acquisitions
    )
    mixed = ScoreSet(scored.card, replace(scored.patches, strip_label=labels), rows)
    rule = ConfirmRule(1, 7, 10)
    found = calibrate(mixed, options(confirm=rule, protocol="paper"))
    assert found.thresholds.levels["run"]["R0"].good == 1
    # The other run of A counts at the level strip, by its own label, beside two of B.
    assert found.thresholds.levels["strip"]["R0"].good == 3
    assert {one.strip: one.label for one in judge(mixed, found, rule).runs}["A"] == "unknown"


def test_the_stated_share_of_good_strips_is_accepted_at_every_level() -> None:
    # 40 good strips of one run with four regions. At a share of 0.9, 36 of them at least; each region by itself would
    # accept 0.9 to the power of 4 of them, 26.
    random = np.random.default_rng(0)
    strips = [
        SmallStrip(f"G{n:02}", "good", [{(0, f"R{k}"): float(random.random()) for k in range(4)}]) for n in range(40)
    ]
    scored, rule = small_set(strips), ConfirmRule(1, 7, 10)
    verdicts = judge(scored, calibrate(scored, options(confirm=rule, protocol="paper")), rule)
    for level in (verdicts.strips, verdicts.runs):
        assert 36 <= sum(one.verdict == "accept" for one in level) <= 38
    assert sum(~verdicts.rejected) == 4 * 36


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(GOALS), st.integers(1, 4))
def test_judging_counts_what_the_search_counted(seed: int, goal: str, required: int) -> None:
    """Every threshold set judges its own calibration as the search says, also with runs that are not valid."""
    random = np.random.default_rng(seed)
    strips = [
        SmallStrip(
            f"K{number}", label := ("good", "defective")[number % 2],
            [{(0, f"R{k}"): float(random.integers(0, 9)) / 10 + 0.15 * (number % 2) for k in range(2)}
             for _ in range(random.integers(1, 6))],
            {(0, "R0"): "burn"} if label == "defective" else {},
        )
        for number in range(8)
    ]  # fmt: skip
    scored, rule = small_set(strips), ConfirmRule(required, 7, 10)
    states = random.random(len(scored.acquisitions)) < 0.15
    rows = tuple(
        replace(row, state=INCOMPLETE) if out else row for row, out in zip(scored.acquisitions, states, strict=True)
    )
    scored = replace(scored, acquisitions=rows)
    try:
        found = calibrate(scored, options(protocol="paper", confirm=rule, goals=dict.fromkeys(LEVELS, goal)))
    except CalibrationError:
        return
    verdicts = judge(scored, found, rule)
    searched = {level: (one["R0"].good, one["R0"].defective) for level, one in found.thresholds.levels.items()}
    valid = [one for one in verdicts.strips if one.verdict != "invalid"]
    judged = [one for one in verdicts.runs if one.state != "invalid"]
    patches = scored.patches.label[verdicts.valid & (scored.patches.region == "R0")].tolist()
    for level, labels in (
        ("patch", patches), ("strip", [one.label for one in valid]), ("run", [one.label for one in judged]),
    ):  # fmt: skip
        assert searched[level] == (labels.count("good"), labels.count("defective")), level
    # Rejecting nothing, or everything, is never better than what was found, for accuracy.
    if goal == "accuracy":
        right = sum((one.verdict == "reject") == (one.label == "defective") for one in valid)
        assert right >= max(searched["strip"])
        assert sum(one.state == "confirmed" for one in judged) >= max(searched["run"])
