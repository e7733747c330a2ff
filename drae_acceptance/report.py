"""The acceptance report: one HTML page with everything in it, which opens offline and prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from drae_acceptance.acceptance import INCOMPLETE, SUPPORTED, Acceptance
from drae_acceptance.acceptance_tables import CRITERIA, criteria_table
from drae_acceptance.protocol_notes import protocol_notes, with_protocol
from drae_acceptance.report_gallery import GalleryEntry
from drae_acceptance.result_tables import ResultTable
from drae_data.pages import fill_page


@dataclass(frozen=True)
class Plot:
    """A plot with the words around it.

    Attributes:
        title: what it shows.
        svg: an SVG element that this project drew.
        caption: what to see in it.
    """

    title: str
    svg: str
    caption: str


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page.

    Attributes:
        name: of the kit.
        acceptance: the figures.
        tables: in the order in which they are read.
        plots: the same.
        gallery: strips with pictures, and invalid ones with words.
        gallery_all: how many strips there would have been to show.
        sources: (name, value): what the verdicts were made from.
        parameters: (name, value): what decided them.
    """

    name: str
    acceptance: Acceptance
    tables: Sequence[ResultTable]
    plots: Sequence[Plot]
    gallery: Sequence[GalleryEntry]
    gallery_all: int
    sources: Sequence[tuple[str, str]]
    parameters: Sequence[tuple[str, str]]


def render(content: ReportContent) -> str:
    """The page; every name that comes from outside is escaped."""
    return fill_page(
        "drae_acceptance",
        "report.html",
        content=content,
        headline=headline(content.acceptance),
        sentence=verdict_sentence(content.acceptance),
        warnings=report_warnings(content.acceptance),
        tone={SUPPORTED: "met", INCOMPLETE: "open"}.get(content.acceptance.outcome, "unmet"),
        criteria=criteria_table(content.acceptance),
        svgs=[Markup(plot.svg) for plot in content.plots],  # drawn by this project, not from outside
    )


def headline(acceptance: Acceptance) -> str:
    """The outcome in a few words, for titles: never without `optimistic` where the kit chose its own thresholds."""
    return with_protocol(acceptance.outcome, acceptance.protocol)


def verdict_sentence(acceptance: Acceptance) -> str:
    """The verdict in one sentence, with the counts behind it and what the evidence lacks."""
    rate = acceptance.runs.accuracy
    words = {
        SUPPORTED: "The evidence supports acceptance",
        INCOMPLETE: "The evidence is incomplete",
    }.get(acceptance.outcome, "The evidence does not support acceptance")
    reasons = [
        f"{one.reached.value:.4f} of {CRITERIA[one.name]}, {one.required:g} asked" if one.reached.value is not None
        else f"no {CRITERIA[one.name]} to count, {one.required:g} asked"
        for one in acceptance.criteria
    ]  # fmt: skip
    if acceptance.human_comparison is not None:
        reasons.append(f"{'at least' if acceptance.human_comparison else 'not'} as good as human inspectors")
    return f"{words}: {rate.count} of {rate.of} strips confirmed; {'; '.join([*reasons, *acceptance.missing])}."


def report_warnings(acceptance: Acceptance) -> list[str]:
    """What a reader must know before the figures, a sentence each."""
    found = [*protocol_notes(acceptance.protocol), *acceptance.warnings]
    if acceptance.invalid:
        found.append(f"Invalid verdicts: {len(acceptance.invalid)}. None of them passes; they are listed below.")
    if acceptance.uncounted:
        found.append(f"Strips that count in no rate, neither good nor defective: {len(acceptance.uncounted)}.")
    return found
