"""The dataset report: everything that is said of a version, and the page that says it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drae_data.codes import FINDINGS, LEFT_OUT, NOTES, REASONS
from drae_data.dataset_report.advice import ADVICE, Advice, limit_text
from drae_data.dataset_report.figures import CourseFigure, course_figures, distribution_figures
from drae_data.dataset_report.offender_pictures import PicturedOffender, picture_offenders
from drae_data.dataset_report.offenders import choose_offenders
from drae_data.dataset_report.plots import BEYOND
from drae_data.dataset_report.rank_gallery import RankPictures, gallery_places, rank_gallery
from drae_data.dataset_report.sheets import COLUMNS, Sheet, contact_sheets, sheet_places
from drae_data.dataset_report.tiles import SIDE, read_tiles
from drae_data.files import Files
from drae_data.named_values import value_text
from drae_data.pages import fill_page
from drae_data.quality.inspection import Inspection
from drae_data.quality.options import OFF, RULES, SEVERITIES
from drae_data.quality.violation import ViolationRow, count_severities
from drae_data.version_summary import VersionSummary

# Rows of the table of violations, and of shards, that stand on the page.
_MOST_ROWS = 200
_MOST_SHARDS = 60


@dataclass(frozen=True)
class RuleLine:
    """A rule in the tables of rules.

    Attributes:
        rule: its name.
        looks_for: what it looks for.
        severity: error, warning, note or off.
        limits: with their names and units.
        found: rows that it gave.
        worst: the worst of them; None where there is none.
        advice: what it means and what to do.
    """

    rule: str
    looks_for: str
    severity: str
    limits: str
    found: int
    worst: ViolationRow | None
    advice: Advice

    @property
    def rank(self) -> tuple[int, str]:
        """From the most severe on."""
        return (*SEVERITIES, OFF).index(self.severity), self.rule


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page.

    Attributes:
        summary: the counts.
        headline: whether the version passed, in a few words.
        sentence: the counts behind it.
        tone: met, open or unmet.
        rows: the violations, worst first, as many as are shown.
        rows_all: how many there are.
        offenders: the worst of them with pictures.
        outlines: (region, SVG element).
        splits: those that the outlines show.
        courses: values over the acquisitions, each with its plot.
        groups: recipes and stations that there are; the first ones have such plots.
        sheets: patches of each region, by split.
        gallery: rank images.
        rules: all rules.
        parameters: (name, value, whether it decides bytes).
    """

    summary: VersionSummary
    headline: str
    sentence: str
    tone: str
    rows: tuple[ViolationRow, ...]
    rows_all: int
    offenders: tuple[PicturedOffender, ...]
    outlines: tuple[tuple[str, Markup], ...]
    splits: tuple[str, ...]
    courses: tuple[tuple[CourseFigure, Markup], ...]
    groups: int
    sheets: Mapping[str, list[Sheet]]
    gallery: tuple[RankPictures, ...]
    rules: tuple[RuleLine, ...]
    parameters: tuple[tuple[str, str, bool], ...]


def render_dataset_report(files: Files, inspection: Inspection, summary: VersionSummary) -> str:
    """The page: one HTML file with everything in it; every name that comes from outside is escaped.

    Args:
        files: the version folder.
        inspection: of the same version.
        summary: of the same version.

    Raises:
        DatasetError: an index is not the one that was built.
        RecordError: a record is not the one that its index names.
    """
    content = report_content(files, inspection, summary)
    return fill_page(
        "drae_data",
        "dataset_report.html",
        content=content,
        summary=content.summary,
        codes={**REASONS, **LEFT_OUT, **NOTES, **FINDINGS},
        side=SIDE,
        columns=COLUMNS,
        beyond=BEYOND,
        shards=list(inspection.measured.claims.shards.values())[:_MOST_SHARDS],
    )


def report_content(files: Files, inspection: Inspection, summary: VersionSummary) -> ReportContent:
    """What the page says; raises like `render_dataset_report`."""
    measured = inspection.measured
    chosen = choose_offenders(inspection)
    places = {n for own in sheet_places(measured).values() for n, _ in own} | set(gallery_places(measured))
    places |= {n for one in chosen for n in (one.acquisition, *(other for _, other in one.beside))}
    tiles = read_tiles(files, measured, places)
    counts = count_severities(inspection.rows)
    return ReportContent(
        summary=summary,
        headline="passed: the gate is open" if inspection.passed else "the gate is shut",
        sentence=_sentence(inspection, counts),
        tone="unmet" if not inspection.passed else "open" if counts["error"] or counts["warning"] else "met",
        rows=inspection.rows[:_MOST_ROWS],
        rows_all=len(inspection.rows),
        offenders=tuple(picture_offenders(chosen, tiles)),
        outlines=tuple((region, Markup(svg)) for region, svg in distribution_figures(measured)),  # drawn here
        splits=tuple(summary.split_patches),
        courses=tuple((figure, Markup(figure.svg)) for figure in course_figures(inspection)),  # drawn here
        groups=sum(1 for _ in measured.groups()),
        sheets=contact_sheets(tiles),
        gallery=tuple(rank_gallery(tiles, summary.provenance)),
        rules=tuple(_rules(inspection)),
        parameters=tuple(_parameters(summary.provenance)),
    )


def _sentence(inspection: Inspection, counts: Mapping[str, int]) -> str:
    found = ", ".join(f"{count:,} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items())
    options = inspection.options
    allowed = f"{options.most_errors:,} errors" + (
        "" if options.most_warnings is None else f" and {options.most_warnings:,} warnings"
    )
    what = "Later stages may use this version" if inspection.passed else "No later stage uses this version"
    return f"{found} in {len(inspection.measured.keys):,} acquisitions; the gate lets {allowed} through. {what}."


def _rules(inspection: Inspection) -> Iterator[RuleLine]:
    options = inspection.options
    for rule, looks_for in RULES.items():
        rows = [row for row in inspection.rows if row.rule == rule]
        yield RuleLine(
            rule=rule,
            looks_for=looks_for,
            severity=options.severities[rule],
            limits=limit_text(rule, options.limits),
            found=len(rows),
            worst=rows[0] if rows else None,
            advice=ADVICE[rule],
        )


def _parameters(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    content = set(provenance["content_parameters"])
    for name, value in sorted(provenance["parameters"].items()):
        yield name, value_text(value), name in content
