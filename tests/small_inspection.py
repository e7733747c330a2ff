"""Inspections for tests: rules with wide limits, so that of the small line's noise only what a test plants is found."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from drae_data.dataset_card import dataset_card
from drae_data.dataset_report.page import render_dataset_report
from drae_data.quality.inspection import Inspection, inspect_version
from drae_data.quality.options import RULES, Limits, QualityOptions
from drae_data.quality.violation import ViolationRow
from drae_data.version_summary import read_version_summary
from tests.small_line import files_of

WIDE = Limits(
    motion=0.0, misfiled_ratio=100.0, misfiled_reach=0.0, duplicate_distance=0.0, duplicate_grey=0.0,
    exposure=60.0, light_drift=60.0, shift=60.0, position_drift=60.0, window=3,
    sharpness=0.1, saturated=0.5, split_deviations=100.0,
)  # fmt: skip
SEVERITIES = dict.fromkeys(RULES, "error") | {"exposure_outlier": "warning", "camera_changed": "note"}


def quality_options(severities: Mapping[str, str] | None = None, **limits: Any) -> QualityOptions:
    """Options of an inspection; any limit and severity can be changed."""
    return QualityOptions(replace(WIDE, **limits), SEVERITIES | dict(severities or {}), 0, None)


def inspected(version: Path, options: QualityOptions | None = None) -> Inspection:
    """The inspection of a version."""
    return inspect_version(files_of(version), options or quality_options())


def with_rows(inspection: Inspection, *rows: tuple[str, str, str]) -> Inspection:
    """An inspection that found what a test says: severity, rule and place of each row, the worst first."""
    found = tuple(ViolationRow(*row, measured=2.0, limit=1.0, detail=f"seen at {row[2]}") for row in rows)
    return replace(inspection, rows=found, passed=not any(row.severity == "error" for row in found))


def card_of(version: Path, inspection: Inspection) -> str:
    """The card of a version, as the stage writes it."""
    return dataset_card(read_version_summary(files_of(version), inspection.measured), inspection)


def page_of(version: Path, inspection: Inspection) -> str:
    """The dataset report of a version, as the stage writes it."""
    files = files_of(version)
    return render_dataset_report(files, inspection, read_version_summary(files, inspection.measured))
