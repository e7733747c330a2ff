"""The plots' figures as CSV, and the plots: no score is lost, every row says its protocol, and any name is drawn."""

import csv
import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.plot_tables import (
    DetectionPoint,
    RocCurve,
    curve_table,
    detection_table,
    histogram,
    histogram_table,
    roc_table,
)
from drae_acceptance.report_plots import draw_detection, draw_histograms, draw_operating_curve, draw_roc

SCORES = st.lists(st.floats(0, 2) | st.sampled_from([0.0, 1e-9, 1e-6, -1e-8]), max_size=9).map(np.array)
NONE = np.zeros(0)
LIMITS = {"strip": {"R0": 0.25}, "run": {"R0": 0.5}}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@given(SCORES, SCORES)
def test_every_score_is_in_a_bin(good: Sequence[float], defective: Sequence[float]) -> None:
    if not len(good) and not len(defective):
        return
    sides = np.array(good, float), np.array(defective, float)
    edges, counts = histogram(sides)
    assert [side.sum() for side in counts] == [len(good), len(defective)]
    assert (np.diff(edges) > 0).all()
    rows = rows_of(histogram_table({"R0": sides}, LIMITS, "disjoint"))
    assert sum(int(row["count"]) for row in rows) == len(good) + len(defective)


def test_scores_below_the_axis_stand_in_the_first_bin() -> None:
    rows = rows_of(histogram_table({"R0": (np.array([0.0, 1e-9, 0.5]), np.array([0.2]))}, LIMITS, "paper"))
    assert int(rows[0]["count"]) == 2
    limits = [(row["name"], row["score"], row["count"]) for row in rows if "threshold" in row["name"]]
    assert limits == [("R0 threshold strip", "0.25", "0"), ("R0 threshold run", "0.5", "0")]
    assert {row["name"] for row in rows[:96]} == {"R0 good", "R0 defective"}


def test_a_region_without_samples_has_no_rows() -> None:
    assert rows_of(histogram_table({"R0": (NONE, NONE)}, LIMITS, "disjoint")) == []
    assert rows_of(histogram_table({}, {}, "disjoint")) == []


def test_shares_of_runs_rejected() -> None:
    points = [DetectionPoint("burn", 12.34, 3, 10), DetectionPoint("a,b", float("nan"), 2, 2)]
    assert detection_table(points, "folds").splitlines() == [
        "name,size,rejected,valid,share,protocol", "burn,12.3,3,10,0.3000,folds", '"a,b",,2,2,1.0000,folds',
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", ["disjoint", "paper", "folds"])
def test_every_row_says_how_its_thresholds_came_about(protocol: str) -> None:
    half = np.array([0.0, 0.5, 1.0])
    for text in (
        histogram_table({"R0": (half, half)}, LIMITS, protocol),
        roc_table([RocCurve("patches of R0", half, half, 0.5)], protocol),
        detection_table([DetectionPoint("burn", 1.0, 1, 2)], protocol), curve_table(half, half, protocol),
    ):  # fmt: skip
        assert {row["protocol"] for row in rows_of(text)} == {protocol}


def test_curves_of_the_same_name_are_both_there() -> None:
    one, other = np.array([0.0, 1.0]), np.array([0.0, 0.5])
    rows = rows_of(roc_table([RocCurve("strips", one, one, 0.5), RocCurve("strips", other, other, 0.5)], "disjoint"))
    assert [row["reject_recall"] for row in rows] == ["0.000000", "1.000000", "0.000000", "0.500000"]
    assert rows_of(curve_table(one, other, "disjoint"))[1] == {
        "right": "1.000", "confirmed": "0.500000", "protocol": "disjoint",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cost $\\foo$ 5", "a $x$ b", "_burn", "$", "\\$ 5 \\$", "1", "  "])
def test_names_of_defects_and_regions_are_drawn_as_they_are(name: str) -> None:
    half = np.array([0.1, 0.5])
    drawn = draw_detection([DetectionPoint(name, 3.0, 1, 2), DetectionPoint("burn", float("nan"), 1, 1)], 0.7)
    assert f">{name}</text>" in drawn or not name.strip()
    assert ">burn</text>" in drawn
    assert f">{name}, AUROC 0.500</text>" in draw_roc([RocCurve(name, half, half, 0.5)])
    assert f">{name}</text>" in draw_histograms({name: (half, half)}, {"run": {name: 0.3}}) or not name.strip()


def test_names_cannot_leave_their_text() -> None:
    drawn = draw_detection([DetectionPoint("--><script>alert(1)</script>", 1.0, 1, 2)], 0.7)
    assert "<script" not in drawn


@pytest.mark.parametrize(
    "sides", [(NONE, NONE), (np.full(5, 0.5), NONE), (NONE, np.full(2, 0.0)), (np.zeros(3), np.zeros(1))]
)
def test_regions_without_samples_of_a_label_are_drawn(sides: tuple[np.ndarray, np.ndarray]) -> None:
    drawn = draw_histograms({"R0": sides}, LIMITS)
    assert ("no samples" in drawn) == (not len(sides[0]) and not len(sides[1]))
    assert ">R0</text>" in drawn


def test_plots_without_anything_say_so() -> None:
    assert "no samples" in draw_histograms({}, {})
    assert "no samples" in draw_detection([], 0.7)
    assert "no samples of both labels" in draw_roc([])


def test_the_same_figures_are_the_same_bytes() -> None:
    curve = np.linspace(0, 1, 5)
    for draw in (
        lambda: draw_roc([RocCurve("R0", curve, curve, 0.5)]), lambda: draw_operating_curve(curve, curve, "7 of 10"),
        lambda: draw_histograms({"R0": (curve, curve)}, LIMITS),
        lambda: draw_detection([DetectionPoint("burn", 1.0, 1, 2)], 0.7),
    ):  # fmt: skip
        assert draw() == draw()
