"""What a rule found, as rows of a table, worst first."""

from collections.abc import Iterable
from dataclasses import dataclass

from drae_data.manifest import count_by, printable
from drae_data.quality.options import SEVERITIES, QualityOptions


@dataclass(frozen=True)
class Finding:
    """What a rule found, before it is known how severe that is.

    Attributes:
        rule: a key of `drae_data.quality.options.RULES`.
        place: key of an acquisition, name of a strip, or split and region.
        measured: the value.
        limit: that it went beyond.
        detail: what was seen, and where to look.
    """

    rule: str
    place: str
    measured: float
    limit: float
    detail: str


@dataclass(frozen=True)
class ViolationRow:
    """A finding with its severity, see `Finding`."""

    severity: str
    rule: str
    place: str
    measured: float
    limit: float
    detail: str


def violations(findings: Iterable[Finding], options: QualityOptions) -> tuple[ViolationRow, ...]:
    """The rows of all rules that are on: by severity, rule, how far beyond the limit, place."""
    rows = [
        ViolationRow(
            options.severities[one.rule],
            one.rule,
            printable(one.place),
            _rounded(one.measured),
            _rounded(one.limit),
            printable(one.detail),
        )
        for one in findings
        if options.on(one.rule)
    ]
    return tuple(sorted(rows, key=_rank))


def _rounded(value: float) -> float:
    """To six digits: further ones may differ from processor to processor."""
    return float(f"{value:.6g}")


def _rank(row: ViolationRow) -> tuple[int, str, float, str, str]:
    return (SEVERITIES.index(row.severity), row.rule, -abs(row.measured - row.limit), row.place, row.detail)


def count_severities(rows: Iterable[ViolationRow]) -> dict[str, int]:
    """How many rows each severity has, all of them named."""
    return {**dict.fromkeys(SEVERITIES, 0), **count_by(row.severity for row in rows)}


def gate_opens(rows: Iterable[ViolationRow], options: QualityOptions) -> bool:
    """Whether later stages may use the version."""
    counts = count_severities(rows)
    few = options.most_warnings is None or counts["warning"] <= options.most_warnings
    return counts["error"] <= options.most_errors and few
