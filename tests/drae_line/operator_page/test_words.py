"""Each reason why a strip is not inspected has plain words and advice; tiles show the worst patches."""

import json
import math

import pytest

from drae_data.codes import REASONS
from drae_line.operator_page.ratios import ratio, share
from drae_line.operator_page.reasons import PLAIN, plain_reason
from drae_line.operator_page.strip_views import opened, tile
from drae_line.slot_verdict import FAILED, SLOT_OVERRUN, STILL_WRITTEN, LoggedVerdict
from tests.drae_line.operator_page.fake_line import THRESHOLDS, good_scores, slot_verdict, with_score

GIVEN = "1970-01-01T00:00:09.000+00:00"


@pytest.mark.parametrize("code", [*REASONS, SLOT_OVERRUN, STILL_WRITTEN, FAILED])
def test_each_reason_has_its_words(code: str) -> None:
    assert code in PLAIN
    assert all(words.endswith(".") for words in plain_reason(code))


def test_a_reason_of_a_later_version_is_named() -> None:
    assert plain_reason("melted")[0] == "The strip was not inspected: melted."


def test_a_ratio_and_a_share_by_hand() -> None:
    assert [ratio(3, 2), ratio(0.1, 0), ratio(0, 0), ratio(-2, -1)] == [1.5, math.inf, 0, 0]
    assert [share(38, 1000), share(0, 0)] == ["3.8 %", "0.0 %"]


def test_a_tile_shows_the_worst_patch_of_each_region() -> None:
    scores = {"f00": {"R0": (0.03, None), "R1": (0.01, 0.02)}, "f07": {"R0": (0.02, 0.05), "R1": (0.05, 0.01)}}
    slot = slot_verdict("A/r0", scores, thresholds={"R0": 0.04, "R1": 0.1, "R2": 0.3})
    seen = tile(LoggedVerdict(3, GIVEN, slot_verdict("A/r0", scores, thresholds=slot.thresholds, verdict="reject")))
    assert (seen["sequence"], seen["kind"], seen["given"], seen["reason"]) == (3, "rejected", 9.0, "")
    r0, r1, r2 = seen["regions"]
    assert (r0["score"], r0["ratio"], r0["over"], r0["image"], r0["vial"]) == (
        0.05,
        pytest.approx(1.25),
        True,
        "f07",
        1,
    )
    assert (r1["score"], r1["ratio"], r1["over"], r1["image"], r1["vial"]) == (
        0.05,
        pytest.approx(0.5),
        False,
        "f07",
        0,
    )
    assert (r2["score"], r2["ratio"], r2["over"]) == (None, None, False)


def test_an_opened_strip_has_a_grid_of_regions_by_vials() -> None:
    scores = with_score(good_scores(1), "R2", 4, 1.5)
    seen = opened(LoggedVerdict(1, GIVEN, slot_verdict("A/r0", scores)))
    assert (seen["vials"], len(seen["grid"]), [len(row) for row in seen["grid"]]) == (5, 4, [5] * 4)
    over = [(patch["region"], patch["vial"]) for row in seen["grid"] for patch in row if patch["over"]]
    assert over == [("R2", 4)]
    assert (seen["rejected"], seen["deciding"]) == (1, "A/r0/max/v4/R2")


def test_a_score_equal_to_its_threshold_is_not_over() -> None:
    scores = {"max": {"R0": (THRESHOLDS["R0"],)}}
    (patch,) = opened(LoggedVerdict(1, GIVEN, slot_verdict("A/r0", scores)))["grid"][0]
    assert (patch["ratio"], patch["over"]) == (1.0, False)


def test_a_score_over_a_threshold_of_zero_has_no_ratio_and_is_over() -> None:
    slot = slot_verdict("A/r0", {"max": {"R0": (0.2,)}}, thresholds={"R0": 0.0}, verdict="reject")
    (patch,) = opened(LoggedVerdict(1, GIVEN, slot))["grid"][0]
    assert (patch["ratio"], patch["over"]) == (None, True)
    json.dumps(patch, allow_nan=False)


def test_what_was_not_inspected_has_reason_and_advice_and_no_scores() -> None:
    seen = opened(LoggedVerdict(1, GIVEN, slot_verdict("A/r0", reason=STILL_WRITTEN)))
    assert (seen["kind"], seen["regions"], seen["grid"]) == ("not_inspected", [], [])
    assert seen["reason"] == "Not all frames of the strip came in time."
    assert seen["todo"].startswith("Check that the camera")
    assert seen["detail"] == "expected frame 7, got frames 0 and 15"
