"""Strips in a run: the greatest score of each region, what is valid, and what a strip is over its runs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.score_table import ABSENT, INCOMPLETE, QUARANTINED, Acquired, ScoreSet
from drae_acceptance.strip_runs import padded, strip_runs
from tests.small_scores import SmallStrip, small_set

PLACES = ((0, "R0"), (1, "R0"), (2, "R0"))


def scored(*runs: tuple[float, float, float], label: str = "defective") -> ScoreSet:
    """One strip with three vials of one region."""
    marked = {(0, "R0"): "burn"} if label == "defective" else {}
    return small_set([SmallStrip("K1", label, [dict(zip(PLACES, run, strict=True)) for run in runs], marked, 7.0)])


@given(st.permutations(range(6)))
def test_of_equal_scores_the_first_patch_by_its_key_stands(order: list[int]) -> None:
    found = scored((0.1, 0.9, 0.9), (0.4, 0.4, 0.4))
    mixed = replace(found, patches=found.patches.take(np.array(order)))
    runs = strip_runs(mixed)
    assert runs.greatest.ravel().tolist() == pytest.approx([0.9, 0.4])
    keys = [mixed.patches.key_at(row) for row in runs.patch.ravel().tolist()]
    assert keys == ["K1/r0/f00/v1/R0", "K1/r1/f00/v0/R0"]


def test_patches_of_a_run_that_is_not_valid_are_told() -> None:
    found = scored((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    rows = (replace(found.acquisitions[0], state=INCOMPLETE, detail="2 of 3"), found.acquisitions[1])
    runs = strip_runs(replace(found, acquisitions=rows))
    assert runs.valid.tolist() == [False, True]
    assert runs.detail.tolist() == ["K1/r0: incomplete, 2 of 3", ""]
    assert runs.valid_patches.tolist() == [False] * 3 + [True] * 3


def test_a_strip_has_the_defects_of_all_its_runs() -> None:
    found = scored((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), (0.1, 0.1, 0.1))
    refused = Acquired("K1/r0", "K1", 0, "defective", "", float("nan"), QUARANTINED, "truncated")
    other = replace(found.acquisitions[2], defect="scratch,burn", size=9.0)
    patches = found.patches.take(found.patches.run > 0)
    runs = strip_runs(ScoreSet(found.card, patches, (refused, found.acquisitions[1], other)))
    whole = runs.strips["K1"]
    assert (whole.label, whole.defect, whole.size) == ("defective", "burn,scratch", 9.0)
    assert whole.detail == "K1/r0: quarantined, truncated"
    # The run that was refused states no type: it counts for those of its strip, and the others for their own.
    assert runs.defect.tolist() == ["burn,scratch", "burn", "burn,scratch"]


@pytest.mark.parametrize("state", ["valid", INCOMPLETE])
def test_a_label_is_that_of_all_runs_valid_or_not(state: str) -> None:
    found = scored((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), label="good")
    labels = np.array(["unknown"] * 3 + ["good"] * 3)
    rows = (replace(found.acquisitions[0], strip_label="unknown", state=state), found.acquisitions[1])
    runs = strip_runs(ScoreSet(found.card, replace(found.patches, strip_label=labels), rows))
    assert runs.label.tolist() == ["unknown", "good"]
    assert runs.strips["K1"].label == "unknown"


def test_a_strip_that_only_labels_name_has_no_run() -> None:
    found = scored((0.1, 0.2, 0.3))
    absent = Acquired("K9", "K9", -1, "defective", "crack", 3.0, ABSENT, "never seen")
    runs = strip_runs(replace(found, acquisitions=(*found.acquisitions, absent)))
    assert runs.strip.tolist() == ["K1"]
    assert list(runs.strips) == ["K1", "K9"]
    assert (runs.strips["K9"].label, runs.strips["K9"].defect, runs.strips["K9"].size) == ("defective", "crack", 3.0)
    assert runs.strips["K9"].detail == "K9: absent, never seen"


def test_groups_are_filled_up_at_the_end() -> None:
    found = padded([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])], 2, math.nan)
    assert found[0, 0].tolist() == [1.0, 2.0]
    assert np.isnan(found[0, 1]).all()
    assert found[1].tolist() == [[3.0, 4.0], [5.0, 6.0]]
