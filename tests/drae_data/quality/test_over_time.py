"""Rules that follow strips in time, on measurements made up by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drae_data.quality.over_time import over_time_findings, running_median
from tests.drae_data.quality.made_up import LIMITS, made_up, with_row


def found(measured) -> list[tuple[str, str, float]]:
    return [(one.rule, one.place, round(one.measured, 6)) for one in over_time_findings(measured, LIMITS)]


def test_a_clean_line_has_nothing() -> None:
    assert found(made_up()) == []


def test_a_running_median_is_that_of_each_window() -> None:
    values = np.array([5.0, 1.0, 4.0, 9.0, 2.0])
    assert running_median(values, 3).tolist() == [4.0, 4.0, 4.0]
    assert running_median(values, 1).tolist() == values.tolist()


def test_light_that_fades_is_found_where_it_goes_too_far() -> None:
    """Two grey levels a strip: the first four have the median 177; 167 lies 10 below, and 165 is the first beyond."""
    measured = made_up()
    fading = replace(measured, brightness=180.0 - 2 * measured.strips.astype(float))
    # Medians of four strips: 177, 175, ... 161; from 165 on, that of S06 to S09, they are more than 10 away.
    assert found(fading) == [("light_drift", "S09", 16.0)]


def test_of_few_strips_one_odd_one_is_no_drift() -> None:
    measured = made_up(strips=8)
    assert found(replace(measured, brightness=np.where(measured.strips > 5, 100.0, 180.0))) == []


def test_one_strip_is_no_drift() -> None:
    measured = made_up()
    brightness = np.where(measured.strips == 5, 100.0, 180.0)
    assert found(replace(measured, brightness=brightness)) == []


def test_the_order_is_that_of_times_where_they_are_known() -> None:
    measured = made_up()
    # By name the light alternates; by time it falls once.
    brightness = np.where(measured.strips % 2, 150.0, 180.0)
    order = np.argsort(measured.strips % 2, kind="stable")
    assert found(replace(measured, brightness=brightness)) == []
    timed = replace(measured, brightness=brightness, order=order, timed=True)
    assert [(rule, measured) for rule, _, measured in found(timed)] == [("light_drift", 30.0)]
    assert "order of times" in next(iter(over_time_findings(timed, LIMITS))).detail


def test_position_drifts_in_either_direction() -> None:
    measured = made_up()
    shift = np.zeros((len(measured.keys), 2))
    for axis, word in enumerate(("right", "down")):
        shift[:] = 0
        shift[:, axis] = -measured.strips
        (one,) = over_time_findings(replace(measured, shift=shift), LIMITS)
        assert (one.rule, one.measured, word in one.detail) == ("position_drift", 8.0, True)
    assert found(replace(measured, shift=shift, aligned=False)) == []


def test_each_change_of_the_camera_is_told() -> None:
    measured = made_up(strips=3, runs=2)
    for place in (2, 3, 4, 5):
        measured = with_row(measured, place, exposure="0.004")
    measured = with_row(measured, 5, exposure="0.004", serial="B")
    assert found(measured) == [("camera_changed", "S01/r0", 1.0), ("camera_changed", "S02/r1", 1.0)]
    assert "exposure from '' to '0.004', after S00/r1" in next(iter(over_time_findings(measured, LIMITS))).detail
