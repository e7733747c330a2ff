"""The acceptance report: one HTML page with everything in it, which opens offline and prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drae_acceptance.acceptance import INCOMPLETE, SUPPORTED, Acceptance
from drae_acceptance.acceptance_tables import BY_FOLDS, OPTIMISTIC
from drae_acceptance.report_gallery import GalleryEntry
from drae_acceptance.result_tables import ResultTable

_NAMES = {
    "accuracy": "strips confirmed",
    "accept_recall": "good strips confirmed",
    "reject_recall": "defective strips confirmed",
}


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
        gallery: strips with pictures.
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
    environment = Environment(
        loader=PackageLoader("drae_acceptance"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("report.html").render(
        content=content,
        acceptance=content.acceptance,
        sentence=verdict_sentence(content.acceptance),
        warnings=_warnings(content.acceptance),
        tone={SUPPORTED: "met", INCOMPLETE: "open"}.get(content.acceptance.outcome, "unmet"),
        criteria=_NAMES,
        svgs=[Markup(plot.svg) for plot in content.plots],  # drawn by this project, not from outside
    )


def verdict_sentence(acceptance: Acceptance) -> str:
    """The verdict in one sentence, with the counts behind it."""
    rate = acceptance.runs.accuracy
    words = {
        SUPPORTED: "The evidence supports acceptance",
        INCOMPLETE: "The evidence is incomplete",
    }.get(acceptance.outcome, "The evidence does not support acceptance")
    reasons = [
        f"{one.reached.value:.4f} of {_NAMES[one.name]}, {one.required:g} asked" if one.reached.value is not None
        else f"no {_NAMES[one.name]} to count, {one.required:g} asked"
        for one in acceptance.criteria
    ]  # fmt: skip
    human = {None: "comparison with human inspectors not available", True: "at least as good as human inspectors",
             False: "not as good as human inspectors"}[acceptance.human_comparison]  # fmt: skip
    return f"{words}: {rate.count} of {rate.of} strips confirmed; {'; '.join([*reasons, human])}."


def _warnings(acceptance: Acceptance) -> list[str]:
    found = []
    if acceptance.optimistic:
        found.append(OPTIMISTIC)
    if acceptance.protocol == "folds":
        found.append(BY_FOLDS)
    if acceptance.invalid:
        found.append(f"{len(acceptance.invalid)} verdicts are invalid; they count as wrong and are listed below.")
    if acceptance.uncounted:
        found.append(f"{len(acceptance.uncounted)} strips count in no rate, since they are neither good nor defective.")
    return found
