"""The tables of the acceptance report: the paper's three with its values beside ours, and what it does not show."""

from collections.abc import Mapping

import numpy as np

from drae_acceptance.acceptance import Acceptance, Discrimination
from drae_acceptance.level_rates import LevelRates
from drae_acceptance.operating_curve import confirmation_probability
from drae_acceptance.options import PATCH, RUN, STRIP, ConfirmRule
from drae_acceptance.paper_values import TABLE_1, TABLE_2, TABLE_3
from drae_acceptance.protocol_notes import protocol_notes
from drae_acceptance.rates import Rate
from drae_acceptance.result_tables import Cell, ResultRow, ResultTable
from drae_acceptance.threshold_set import ThresholdSet
from drae_acceptance.verdict import RunVerdict

INVALID_COUNT = (
    "What is invalid never passes: a strip in a run counts as wrong in table 2 and as not rejected by type of defect, "
    "a strip over its runs as not confirmed. Patches and vials of a run that is not valid take part in no rate."
)
NOT_MEASURED = "not measured"
_RATES = (
    ("accuracy", "Accuracy"), ("accept_recall", "Accept recall (true positive ratio)"),
    ("reject_recall", "Reject recall (true negative ratio)"),
)  # fmt: skip
# What each criterion is a share of.
CRITERIA = {
    "accuracy": "strips confirmed",
    "accept_recall": "good strips confirmed",
    "reject_recall": "defective strips confirmed",
}
_CHANCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def acceptance_tables(
    acceptance: Acceptance, thresholds: ThresholdSet, rule: ConfirmRule, runs: int
) -> tuple[ResultTable, ...]:
    """All tables, in the order in which they are read.

    Args:
        acceptance: the figures.
        thresholds: of all strips.
        rule: when runs confirm a label.
        runs: of a strip, for the operating curve.
    """
    notes = protocol_notes(acceptance.protocol)
    found = [
        _patch_table(acceptance, thresholds, notes),
        _strip_table(
            "table2", "Table 2. Strips in a run", acceptance.strips, acceptance, thresholds, STRIP, TABLE_2, notes
        ),
        _strip_table("table3", _confirmed_title(rule), acceptance.runs, acceptance, thresholds, RUN, TABLE_3, notes),
        _detection_table(acceptance, notes),
        _discrimination_table(acceptance, notes),
        _curve_table(rule, runs),
    ]
    if acceptance.invalid or acceptance.uncounted:
        found.append(_set_aside(acceptance))
    return tuple(found)


def rate_cell(rate: Rate, paper: float | None = None) -> Cell:
    """A rate with its counts and intervals, and the paper's value."""
    shown = "" if paper is None else f"{paper:.4f}"
    if rate.value is None:
        return Cell("no samples", "", shown)
    detail = f"{rate.count:,} of {rate.of:,}; exact {rate.low:.3f} to {rate.high:.3f}"
    if np.isfinite(rate.strip_low):
        detail += f"; by strip {rate.strip_low:.3f} to {rate.strip_high:.3f}"
    return Cell(f"{rate.value:.4f}", detail, shown)


def criteria_table(acceptance: Acceptance) -> ResultTable:
    """What was asked, and what was reached."""
    rows = [
        ResultRow(
            f"Share of {CRITERIA[one.name]}",
            (Cell(f"{one.required:g}"), rate_cell(one.reached), Cell("yes" if one.met else "no")),
        )
        for one in acceptance.criteria
    ]
    human = {None: ("not available", "open"), True: ("yes", "yes"), False: ("no", "no")}[acceptance.human_comparison]
    rows.append(ResultRow("At least as good as human inspectors", (Cell("yes"), *map(Cell, human))))
    notes = protocol_notes(acceptance.protocol)
    return ResultTable("criteria", "Criteria", ("Asked", "Reached", "Met"), tuple(rows), notes)


def _patch_table(acceptance: Acceptance, thresholds: ThresholdSet, notes: tuple[str, ...]) -> ResultTable:
    regions = tuple(acceptance.regions)
    rows = [
        ResultRow(
            "Threshold", (*(_threshold(thresholds, PATCH, one, TABLE_1["threshold"]) for one in regions), Cell("-"))
        )
    ]
    for name, title in _RATES:
        cells = [rate_cell(getattr(acceptance.regions[one], name), TABLE_1[name].get(one)) for one in regions]
        rows.append(ResultRow(title, (*cells, rate_cell(getattr(acceptance.vials, name), TABLE_1[name]["Vial"]))))
    time = Cell(NOT_MEASURED)
    if acceptance.timing:
        time = Cell(f"{acceptance.timing.patch_milliseconds:.4f}", acceptance.timing.device)
    times = [Cell(time.text, time.detail, _paper(TABLE_1["mean_time"], one, 4)) for one in regions]
    rows.append(ResultRow("Mean inference time of a patch (ms)", (*times, Cell("-"))))
    title = "Table 1. Patches of all runs and frames, by region, and vials of a strip in a run"
    return ResultTable("table1", title, (*regions, "Vial"), tuple(rows), (*notes, *_intervals()))


def _strip_table(
    key: str, title: str, rates: LevelRates, acceptance: Acceptance, thresholds: ThresholdSet, level: str,
    paper: Mapping[str, float], notes: tuple[str, ...],
) -> ResultTable:  # fmt: skip
    rows = [
        ResultRow(f"Threshold {region}", (_threshold(thresholds, level, region, paper),))
        for region in acceptance.regions
    ]
    rows += [ResultRow(name, (rate_cell(getattr(rates, key), paper[key]),)) for key, name in _RATES]
    if level == STRIP:
        timing, text = acceptance.timing, "Mean inference time of a product (s)"
        mean = Cell(f"{timing.mean_seconds:.4f}", f"{timing.products} products; {timing.device}") if timing else None
        most = Cell(f"{timing.max_seconds:.4f}") if timing else None
        rows.append(ResultRow(text, (Cell(*_parts(mean), paper=_paper(paper, "mean_time", 4)),)))
        rows.append(ResultRow("Maximum inference time of a product (s)", (Cell(*_parts(most)),)))
    return ResultTable(key, title, ("Score",), tuple(rows), (*notes, *_intervals()))


def _parts(cell: Cell | None) -> tuple[str, str]:
    return (cell.text, cell.detail) if cell else (NOT_MEASURED, "")


def _intervals() -> tuple[str, ...]:
    return ("Exact: Clopper-Pearson, every sample by itself. By strip: bootstrap that draws whole strips.",)


def _confirmed_title(rule: ConfirmRule) -> str:
    return f"Table 3. Strips over their runs, confirmed by at least {rule.at_least} of {rule.of}"


def _threshold(thresholds: ThresholdSet, level: str, region: str, paper: Mapping[str, float]) -> Cell:
    found = thresholds.levels[level][region]
    return Cell(
        f"{found.value:.6f}",
        f"{found.how}; {found.good:,} good, {found.defective:,} defective",
        _paper(paper, region, 6),
    )


def _paper(values: Mapping[str, float], name: str, places: int) -> str:
    return f"{values[name]:.{places}f}" if name in values else ""


def _detection_table(acceptance: Acceptance, notes: tuple[str, ...]) -> ResultTable:
    rows = [
        ResultRow(one.defect, (rate_cell(one.patches), rate_cell(one.runs), rate_cell(one.strips)))
        for one in acceptance.detections
    ]
    columns = ("Labelled patches rejected", "Strips in a run rejected", "Strips confirmed")
    return ResultTable("defects", "Detection by type of defect", columns, tuple(rows), (*notes, INVALID_COUNT))


def _discrimination_table(acceptance: Acceptance, notes: tuple[str, ...]) -> ResultTable:
    strips = acceptance.discriminations[STRIP]
    rows = [_discrimination_row(f"patches of {name}", one) for name, one in acceptance.region_discriminations.items()]
    rows.append(_discrimination_row("strips in a run, by score over threshold", strips))
    return ResultTable(
        "discrimination", "How well scores tell defective from good", ("Samples", "AUROC", "Average precision"),
        tuple(rows), (*notes, "Whatever the threshold; 0.5 of AUROC is chance. Runs that are not valid take no part."),
    )  # fmt: skip


def _discrimination_row(title: str, found: Discrimination) -> ResultRow:
    counts = Cell(f"{found.good:,} good, {found.defective:,} defective")
    return ResultRow(title, (counts, Cell(number(found.auroc)), Cell(number(found.average_precision))))


def number(value: float) -> str:
    """A figure with four places; `no samples` where there is none."""
    return f"{value:.4f}" if np.isfinite(value) else "no samples"


def _curve_table(rule: ConfirmRule, runs: int) -> ResultTable:
    chances = confirmation_probability(_CHANCES, runs, rule)
    rows = [
        ResultRow(f"{chance:.2f}", (Cell(f"{confirmed:.3f}"),))
        for chance, confirmed in zip(_CHANCES, chances, strict=True)
    ]
    title = f"How often a strip is confirmed by at least {rule.at_least} of {rule.of} of its {runs} runs"
    notes = ("Where runs are right independently of each other; runs of one strip are not quite.",)
    return ResultTable("operating_curve", title, ("Confirmed",), tuple(rows), notes)


def _set_aside(acceptance: Acceptance) -> ResultTable:
    rows = [ResultRow(one.key, (Cell("invalid"), Cell(one.detail or _too_few(one)))) for one in acceptance.invalid]
    rows += [
        ResultRow(one.strip, (Cell("counts in no rate"), Cell(f"its label is {one.label}")))
        for one in acceptance.uncounted
    ]
    title = "Invalid and uncounted strips"
    return ResultTable("set_aside", title, ("State", "Why"), tuple(rows), (INVALID_COUNT,))


def _too_few(one: object) -> str:
    return f"{one.valid} valid runs are too few" if isinstance(one, RunVerdict) else ""
