"""All rules over one version: what a stage, a report and a card are made from."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from drae_data.files import Files
from drae_data.quality.between import between_findings
from drae_data.quality.measured import Measured, read_measured
from drae_data.quality.options import RULES, QualityOptions
from drae_data.quality.over_time import over_time_findings
from drae_data.quality.single import single_findings
from drae_data.quality.violation import ViolationRow, count_severities, gate_opens, violations


@dataclass(frozen=True)
class Inspection:
    """What was found in a version.

    Attributes:
        measured: what the rules looked at.
        options: limits and severities.
        rows: the violations, worst first.
        passed: whether later stages may use the version.
    """

    measured: Measured
    options: QualityOptions
    rows: tuple[ViolationRow, ...]
    passed: bool


def inspect_version(files: Files, options: QualityOptions) -> Inspection:
    """Applies all rules to a published version.

    Args:
        files: the version folder.
        options: limits and severities.

    Raises:
        DatasetError: not committed, or a table is not the one that was built.
    """
    measured = read_measured(files)
    findings = chain(
        single_findings(measured, options.limits), over_time_findings(measured, options.limits),
        between_findings(measured, options),
    )  # fmt: skip
    rows = violations(findings, options)
    return Inspection(measured, options, rows, gate_opens(rows, options))


def quality_metrics(inspection: Inspection) -> dict[str, Any]:
    """The figures for `dvc metrics`: counts, and violations by severity and rule."""
    measured = inspection.measured
    by_rule = {rule: sum(row.rule == rule for row in inspection.rows) for rule in RULES}
    return {
        "acquisitions": len(measured.keys),
        "strips": len(measured.strip_names),
        "patches": sum(shard.records for shard in measured.claims.shards.values()),
        "violations": count_severities(inspection.rows),
        "rules": by_rule,
    }
