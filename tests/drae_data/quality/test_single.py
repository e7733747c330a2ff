"""Rules that look at each acquisition, on measurements made up by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drae_data.quality.measured import STATISTICS
from drae_data.quality.single import single_findings
from tests.drae_data.quality.made_up import LIMITS, made_up, with_row


def found(measured) -> list[tuple[str, str, float]]:
    return [(one.rule, one.place, one.measured) for one in single_findings(measured, LIMITS)]


def motions(*values: float) -> list[dict[str, object]]:
    return [{"frame": n, "vial": -1, "region": "", "mean": 180.0, "motion": value} for n, value in enumerate(values)]


def test_a_clean_line_has_nothing() -> None:
    assert found(made_up()) == []


@pytest.mark.parametrize(
    ("values", "rule"),
    [((-1, 0, 0), "frozen_camera"), ((-1, 2, 0), "repeated_frame"), ((-1, 0.001, 2), ""), ((-1,), "")],
)
def test_frames_that_do_not_move(values: tuple[float, ...], rule: str) -> None:
    measured = with_row(made_up(), 4, frame_statistics=motions(*values))
    assert found(measured) == ([(rule, "S01/r1", 0.0)] if rule else [])


def test_views_are_frozen_each_for_itself() -> None:
    """Where frames come already cut, one box of a strip may stand still while the others move."""
    views = [{**one, "vial": vial} for vial in (0, 1) for one in motions(-1, 0 if vial else 3)]
    assert found(with_row(made_up(), 0, frame_statistics=views)) == [("frozen_camera", "S00/r0", 0.0)]


def test_one_file_twice_is_a_repeated_frame() -> None:
    files = [{"frame": n, "vial": -1, "region": "", "sha256": "ab"[n % 2]} for n in range(3)]
    details = [one.detail for one in single_findings(with_row(made_up(), 0, frames=files), LIMITS)]
    assert details == ["frames that are the same file: 0, 2"]


def test_a_file_twice_in_views_is_told_once_and_where() -> None:
    statistics = [{**one, "vial": vial} for vial in range(3) for one in motions(-1, 2, 2)]
    files = [
        {"frame": n, "vial": vial, "region": "", "sha256": f"{vial}/{0 if vial == 1 else n}"}
        for vial in range(3) for n in range(3)
    ]  # fmt: skip
    measured = with_row(with_row(made_up(), 0, frames=files), 0, frame_statistics=statistics)
    details = [one.detail for one in single_findings(measured, LIMITS)]
    assert details == ["vial 1: frames that are the same file: 0, 1, 2"]


def test_a_run_that_is_a_copy_of_another_of_its_strip() -> None:
    measured = made_up()
    measured = with_row(measured, 5, frames=measured.rows[3]["frames"])
    (one,) = single_findings(measured, LIMITS)
    assert (one.rule, one.place) == ("repeated_frame", "S01/r2")
    assert "frame 0 is a file of S01/r0 too" in one.detail


def test_what_is_flat_everywhere_cannot_be_less_sharp() -> None:
    measured = made_up()
    statistics = measured.statistics.copy()
    statistics[:, :3, STATISTICS.index("sharpness")] = 0
    assert found(replace(measured, statistics=statistics)) == []


@pytest.mark.parametrize(("level", "hits"), [(196.5, 1), (163.5, 1), (194.0, 0)])
def test_exposure_is_compared_with_the_median(level: float, hits: int) -> None:
    measured = made_up()
    brightness = np.full(len(measured.keys), 180.0)
    brightness[7] = level
    rows = found(replace(measured, brightness=brightness))
    assert rows == [("exposure_outlier", "S02/r1", abs(level - 180))][:hits]


@pytest.mark.parametrize(("aligned", "hits"), [(True, 1), (False, 0)])
def test_a_shift_says_something_where_boxes_were_aligned(aligned: bool, hits: int) -> None:
    measured = made_up()
    shift = np.zeros((len(measured.keys), 2))
    shift[3] = (-9, 2)
    assert found(replace(measured, shift=shift, aligned=aligned)) == [("shifted_strip", "S01/r0", 9.0)][:hits]


@pytest.mark.parametrize(("vials", "hits"), [((0, 1), 1), ((0,), 0)])
def test_defocus_is_a_regions_not_one_vials(vials: tuple[int, ...], hits: int) -> None:
    measured = made_up()
    statistics = measured.statistics.copy()
    statistics[:, :, STATISTICS.index("sharpness")] = 1000
    statistics[5, list(vials), STATISTICS.index("sharpness")] = 500
    assert found(replace(measured, statistics=statistics)) == [("defocus", "S01/r2", 0.5)][:hits]


@pytest.mark.parametrize("name", ["saturated", "black"])
def test_saturation_counts_both_ends(name: str) -> None:
    measured = made_up()
    statistics = measured.statistics.copy()
    statistics[5, 6:, STATISTICS.index(name)] = 0.06
    assert found(replace(measured, statistics=statistics)) == [("saturation", "S01/r2", 0.06)]


def test_recipes_are_not_compared_with_each_other() -> None:
    """A second product may be darker and less sharp in all its acquisitions."""
    measured = made_up()
    half = len(measured.keys) // 2
    keys = tuple(key._replace(recipe="B") if n >= half else key for n, key in enumerate(measured.keys))
    brightness, statistics = measured.brightness.copy(), measured.statistics.copy()
    brightness[half:] -= 60
    statistics[half:, :, STATISTICS.index("sharpness")] *= 0.3
    other = replace(measured, brightness=brightness, statistics=statistics)
    assert found(replace(other, keys=keys)) == []
    assert found(other) != []
