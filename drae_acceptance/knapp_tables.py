"""The comparison by the method of Knapp as tables of the report, and as figures for `metrics.json`."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from drae_acceptance.knapp import (
    ACCEPT_ZONE,
    GREY_ZONE,
    REJECT_ZONE,
    Container,
    Efficiency,
    KnappResult,
    comparison,
    over,
    quality_factor,
)
from drae_acceptance.protocol_notes import protocol_notes
from drae_acceptance.result_tables import Cell, ResultRow, ResultTable

NOT_AVAILABLE = "not available"
_ZONES = (REJECT_ZONE, GREY_ZONE, ACCEPT_ZONE, None)


def knapp_tables(result: KnappResult, protocol: str) -> tuple[ResultTable, ...]:
    """The comparison, and every container with its shares and quality factors.

    Args:
        result: of the comparison.
        protocol: of the calibration, a member of `drae_acceptance.options.PROTOCOLS`.
    """
    notes = protocol_notes(protocol)
    return _summary(result, notes), _containers(result, notes)


def _summary(result: KnappResult, notes: tuple[str, ...]) -> ResultTable:
    rows = (
        ResultRow(
            "RZE, reject zone efficiency",
            _cells(result, lambda one: one.rze, lambda one: (one.reject_zone, one.reject_containers)),
        ),
        ResultRow(
            "RAG, rejects in accept and grey zone",
            _cells(result, lambda one: one.rag, lambda one: (one.elsewhere, one.other_containers)),
        ),
    )
    notes = (
        *notes,
        "Zones by the people's share of rejects p: accept below 0.3, grey from 0.3, reject from 0.7.",
        "At least as good: RZE not smaller and RAG not greater than the people's, on exact shares. An invalid strip "
        "counts as its worst for the machine: p = 0 in the reject zone, 1 elsewhere.",
    )
    if result.human is None:
        notes = (
            *notes,
            "Without the results of human inspectors there is no reject zone to compare on, hence no pass.",
        )
    columns = ("Machine", "Human inspectors", "Machine over human")
    return ResultTable("knapp", "Knapp: machine against human inspectors", columns, rows, notes)


def _cells(
    result: KnappResult, value: Callable[[Efficiency], Fraction | None],
    behind: Callable[[Efficiency], tuple[Fraction, int]],
) -> tuple[Cell, ...]:  # fmt: skip
    if result.machine is None or result.human is None:
        return (Cell(NOT_AVAILABLE),) * 3

    def cell(one: Efficiency) -> Cell:
        found, (total, many) = value(one), behind(one)
        return Cell("no containers" if found is None else f"{float(found):.4f}",
                    f"sum of p {float(total):.4f} over {many} container{'' if many == 1 else 's'}")  # fmt: skip

    ratio = over(value(result.machine), value(result.human))
    return cell(result.machine), cell(result.human), Cell(NOT_AVAILABLE if ratio is None else f"{float(ratio):.4f}")


def _containers(result: KnappResult, notes: tuple[str, ...]) -> ResultTable:
    listed = sorted(result.containers, key=lambda one: (_ZONES.index(one.zone), one.strip))
    rows = tuple(
        ResultRow(
            one.strip,
            (Cell(one.label), Cell(one.zone or NOT_AVAILABLE), _human(one), _machine(one)),
        )
        for one in listed
    )
    columns = ("Label", "Zone", "FQ of human inspectors", "FQ of the machine")
    return ResultTable("containers", "Containers and their quality factors", columns, rows, notes)


def _human(one: Container) -> Cell:
    share = one.human_share
    if share is None or one.human is None:
        return Cell(NOT_AVAILABLE)
    return Cell(f"{quality_factor(share)}", f"p {float(share):.4f}, {one.human[0]} of {one.human[1]} rejected it")


def _machine(one: Container) -> Cell:
    counts = f"{one.rejected} of {one.valid} valid runs rejected it"
    if one.machine_share is None:
        return Cell(NOT_AVAILABLE, f"invalid, {counts}")
    share = float(one.machine_share)
    return Cell(
        f"{quality_factor(one.machine_share)}",
        f"invalid, p {share:.0f} at worst; {counts}" if one.invalid else f"p {share:.4f}, {counts}",
    )


def knapp_metrics(result: KnappResult) -> dict[str, Any]:
    """The figures for `metrics.json`; None where they are not available."""
    machine, human = result.machine, result.human
    figures: dict[str, Fraction | None] = {
        "rze_machine": machine.rze if machine else None,
        "rze_human": human.rze if human else None,
        "rag_machine": machine.rag if machine else None,
        "rag_human": human.rag if human else None,
    }
    figures["efficiency"] = over(figures["rze_machine"], figures["rze_human"])
    figures["rag_machine_over_human"] = over(figures["rag_machine"], figures["rag_human"])
    return {
        "at_least_as_good": comparison(result),
        **{name: None if value is None else round(float(value), 6) for name, value in figures.items()},
        "reject_containers": human.reject_containers if human else None,
        "other_containers": human.other_containers if human else None,
        "invalid_containers": sum(one.invalid for one in result.containers),
    }
