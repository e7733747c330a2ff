"""The report's plots: the same bytes each time, drawn also where there is little, and outlines of equal area."""

import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from drae_data.dataset_report.advice import ADVICE, limit_text
from drae_data.dataset_report.figures import course_figures, distribution_figures
from drae_data.dataset_report.plots import Course, draw_courses, draw_distributions
from drae_data.path_template import PathTemplate
from drae_data.quality.distributions import EDGES, Counts
from drae_data.quality.options import RULES, Limits
from tests.small_inspection import WIDE, inspected, with_rows
from tests.small_line import build_dataset, small_options, write_line


def counts(**filled: list[int]) -> dict[str, dict[str, Counts]]:
    """Counts of one statistic by split, all in the bins from 100 on; the others are empty."""
    found: dict[str, dict[str, Counts]] = {}
    for name in EDGES:
        found[name] = {split: np.zeros(len(EDGES[name]) - 1, np.int64) for split in filled}
    for split, values in filled.items():
        found["mean"][split][100 : 100 + len(values)] = values
    return found


def outlines(svg: str) -> list[list[tuple[float, float]]]:
    """The closed outlines of `stairs`, as points."""
    paths = re.findall(r'<g id="patch_\d+">\s*<path d="([^"]+)"', svg)
    points = [[(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)] for path in paths]
    return [path for path in points if len(path) > 6]


def area(points: list[tuple[float, float]]) -> float:
    closed = [*points, points[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(closed))) / 2


def test_outlines_have_the_same_area_whatever_the_number_of_patches() -> None:
    svg = draw_distributions(counts(train=[10, 40, 200, 50], validation=[0, 3, 3, 6]))
    train, validation = outlines(svg)
    assert area(train) == pytest.approx(area(validation), rel=0.01)
    assert draw_distributions(counts(train=[10, 40, 200, 50], validation=[0, 3, 3, 6])) == svg


def test_a_statistic_without_values_says_so() -> None:
    svg = draw_distributions(counts(test=[5]))
    assert svg.count(">none</text>") == len(EDGES) - 1
    assert len(outlines(svg)) == 0  # one bin has four corners


def test_few_odd_values_do_not_press_the_others_together() -> None:
    wide = counts(train=[100] * 20)
    wide["mean"]["train"][250] = 1
    assert draw_distributions(wide) == draw_distributions(counts(train=[100] * 20))


def course(values: list[float], marked: list[int]) -> Course:
    flags = np.zeros(len(values), bool)
    flags[marked] = True
    found = np.array(values, float)
    return Course("grey", found, flags, np.array([1.0]), np.array([found.mean()]), (-1e6, 1e6), (0.0, 1.0))


def test_many_acquisitions_keep_their_extremes() -> None:
    values = [0.0] * 5000
    values[3333] = 50.0
    svg = draw_courses([course(values, [3333])], np.array([10], np.int64), "order")
    assert len(svg) < 150_000
    spans = [abs(float(a) - float(b)) for a, b in re.findall(r"M \S+ (\S+) \nL \S+ (\S+) \n", svg)]
    assert max(spans) > 50


def test_a_limit_far_away_is_not_drawn() -> None:
    near = draw_courses([course([0.0, 1.0, 0.5], [])], np.zeros(0, np.int64), "order")
    # The two of the drift, at 0 and 1, and not those at a million.
    assert near.count("stroke-dasharray") == 2


def test_figures_of_a_version(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames", "ABCDEFGHI"), tmp_path / "out")
    found = with_rows(
        inspected(tmp_path / "out"), ("error", "exposure_outlier", "B/r1"), ("note", "camera_changed", "C/r0")
    )
    assert [region for region, _ in distribution_figures(found.measured)] == ["R0", "R1"]
    (figure,) = course_figures(found)
    assert (figure.name, figure.acquisitions, figure.window) == ("", 18, 3)
    assert (figure.first, figure.last) == ("A/r0", "I/r1")
    assert "acquisitions in the order of their names" in figure.svg


def test_every_rule_has_advice_and_every_limit_is_named() -> None:
    assert list(ADVICE) == list(RULES)
    named = {name for advice in ADVICE.values() for name, _ in advice.limits}
    assert named == {field.name for field in fields(Limits)}
    assert limit_text("misfiled_run", WIDE) == "misfiled_ratio 100 times; misfiled_reach 0 usual distances"
    assert limit_text("camera_changed", WIDE) == "any change"


def test_recipes_and_stations_have_plots_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "frames"
    for station in ("1", "2"):
        write_line(root / station, "ABC")
    options = small_options(template=PathTemplate("{station}/{strip}/run_{run}/frame_{frame}.png"))
    build_dataset(root, tmp_path / "out", options)
    assert [figure.name for figure in course_figures(inspected(tmp_path / "out"))] == ["station 1", "station 2"]
