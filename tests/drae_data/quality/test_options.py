"""Limits and severities that are not allowed, and rows, their order and the gate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drae_data.errors import OptionError
from drae_data.quality.options import RULES
from drae_data.quality.violation import Finding, count_severities, gate_opens, violations
from tests.drae_data.quality.made_up import LIMITS, OPTIONS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motion": -1}, r"limits\.motion: expected 0 or more, got -1"),
        ({"sharpness": 1.5}, r"limits\.sharpness: expected 0 to 1"),
        ({"misfiled_ratio": 1}, r"limits\.misfiled_ratio: expected more than 1"),
        ({"window": 0}, r"limits\.window: expected 1 or more"),
    ],
)
def test_limits_out_of_range(change: dict[str, float], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        replace(LIMITS, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severities", "words"),
    [
        ({**OPTIONS.severities, "defokus": "error"}, "severities: expected rules among frozen_camera"),
        ({"defocus": "error"}, "a severity of camera_changed too"),
        ({**OPTIONS.severities, "defocus": "fatal"}, r"severities\.defocus: expected one of error, warning, note, off"),
    ],
)
def test_severities_of_all_rules_and_no_others(severities: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        replace(OPTIONS, severities=severities)


def finding(rule: str, place: str, measured: float) -> Finding:
    return Finding(rule, place, measured, 1.0, "seen")


def test_rows_are_worst_first_and_off_is_off() -> None:
    severities = {**dict.fromkeys(RULES, "off"), "defocus": "warning", "split_leak": "error", "saturation": "note"}
    options = replace(OPTIONS, severities=severities)
    found = [
        finding("saturation", "A", 3), finding("defocus", "B", 2), finding("defocus", "A", 5),
        finding("split_leak", "A", 2), finding("light_drift", "A", 9),
    ]  # fmt: skip
    rows = violations(found, options)
    assert [(row.severity, row.rule, row.place) for row in rows] == [
        ("error", "split_leak", "A"), ("warning", "defocus", "A"), ("warning", "defocus", "B"),
        ("note", "saturation", "A"),
    ]  # fmt: skip
    assert violations(reversed(found), options) == rows
    assert count_severities(rows) == {"error": 1, "warning": 2, "note": 1}


def test_a_row_holds_six_digits_and_printable_text() -> None:
    (row,) = violations([finding("defocus", "A\n\x1b[2J", 1 / 3)], OPTIONS)
    assert (row.place, row.measured) == ("A\\n\\x1b[2J", 0.333333)


@pytest.mark.parametrize(
    ("errors", "warnings", "allowed", "opens"),
    [
        (0, 9, (0, None), True), (1, 0, (0, None), False), (2, 0, (2, None), True), (0, 3, (0, 2), False),
        (0, 2, (0, 2), True),
    ],
)  # fmt: skip
def test_the_gate_counts_errors_and_warnings(
    errors: int, warnings: int, allowed: tuple[int, int | None], opens: bool
) -> None:
    severities = {**OPTIONS.severities, "defocus": "warning"}
    options = replace(OPTIONS, severities=severities, most_errors=allowed[0], most_warnings=allowed[1])
    found = [finding("split_leak", str(n), 2) for n in range(errors)]
    found += [finding("defocus", str(n), 2) for n in range(warnings)]
    assert gate_opens(violations(found, options), options) == opens
