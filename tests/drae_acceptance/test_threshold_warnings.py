"""What is said of thresholds that rest on less than they should."""

from drae_acceptance.calibration import calibrate
from drae_acceptance.threshold_warnings import calibration_warnings
from tests.small_calibration import options, small, strip
from tests.small_scores import SmallStrip, small_set


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert calibration_warnings(calibrate(small(), options())) == ()


def test_equal_scores_are_named_by_level_and_region() -> None:
    scored = small_set([strip("A", "good", 0.5, 0.1), strip("C", "defective", 0.5, 0.9, "R1")])
    found = calibration_warnings(calibrate(scored, options()))
    assert [text.split(":")[0] for text in found[:3]] == [
        f"Level {level}, region R0" for level in ("patch", "strip", "run")
    ]
    assert "all scores of the calibration are equal, 0.5; its threshold is that score" in found[0]
    assert all("R1" not in text for text in found)


def test_a_region_without_labelled_defects_is_named_at_every_level() -> None:
    found = calibration_warnings(calibrate(small_set([
        strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2), strip("C", "defective", 0.6, 0.1, "R0"),
    ]), options()))  # fmt: skip
    assert found == (
        "Level patch, no labelled defects in region R1: the threshold is the stated quantile of good scores.",
        "Level strip, no labelled defects in region R1: the threshold was searched by labels of whole strips alone.",
        "Level run, no labelled defects in region R1: the threshold was searched by labels of whole strips alone.",
    )


def test_without_defective_strips_levels_say_so() -> None:
    found = calibration_warnings(
        calibrate(small_set([strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2)]), options())
    )
    assert found[1:] == tuple(
        f"Level {level}, no defective strips: thresholds accept the stated share of good ones."
        for level in ("strip", "run")
    )
    assert "regions R0, R1" in found[0]


def test_folds_say_what_they_lack_beyond_the_whole() -> None:
    # Of two strips with a defect in R1 and two in R0, a fold of one each leaves the others one each: nothing to say.
    # With one strip that shows in R1 alone, its fold has none left there.
    strips = [strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2), strip("C", "defective", 0.6, 0.1, "R0")]
    lone = SmallStrip("D", "defective", [{(0, "R0"): 0.1, (0, "R1"): 0.9}] * 2, {(0, "R1"): "burn"})
    found = calibration_warnings(calibrate(small_set([*strips, lone]), options(protocol="folds")))
    assert any(text.startswith("Fold") and "no labelled defects in region R1" in text for text in found)
    assert not any(text.startswith("Level") for text in found)
