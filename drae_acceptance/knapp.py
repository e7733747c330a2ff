"""The method of Knapp: are the containers that people reliably reject rejected by the machine at least as well?

Every container, here a strip, is inspected many times; p is the share of inspections that reject it. Its quality factor
FQ is 10 p, rounded to a whole number. Containers with p of at least 0.7 form the reject zone, those below 0.3 the
accept zone, those between the grey zone. The people's p fix the zones; then people and machine are compared on them:

    RZE = sum of FQ over the reject zone / (10 x containers in it)     reject zone efficiency
    RAG = sum of FQ over accept and grey zone / (10 x containers in them)

The machine is at least as good where its RZE is not smaller, and its RAG not greater, than the people's.

J. Z. Knapp and H. K. Kushner, Generalized methodology for evaluation of parenteral inspection procedures, Journal of
the Parenteral Drug Association 34 (1980) 14-61. Borders of the zones and reading of RZE and RAG: docs/knapp.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drae_acceptance.inspectors import Inspected
from drae_acceptance.result_tables import Cell, ResultRow, ResultTable

ACCEPT_ZONE, GREY_ZONE, REJECT_ZONE = "accept", "grey", "reject"
NOT_AVAILABLE = "not available"
# Tenths: the zones' borders.
_GREY_FROM, _REJECT_FROM = 3, 7


@dataclass(frozen=True)
class Container:
    """A strip as people and machine see it.

    Attributes:
        strip: its name.
        label: good or defective.
        machine: runs rejected, and valid runs.
        human: inspections that rejected it, and inspections; None without human data.
        zone: by the human data; by the machine's own where there are none.
    """

    strip: str
    label: str
    machine: tuple[int, int]
    human: tuple[int, int] | None
    zone: str


@dataclass(frozen=True)
class Efficiency:
    """Sums of quality factors over the zones that the human data fix.

    Attributes:
        reject_zone: sum of FQ over the reject zone.
        reject_containers: in the reject zone.
        elsewhere: sum of FQ over accept and grey zone.
        other_containers: in accept and grey zone.
    """

    reject_zone: int
    reject_containers: int
    elsewhere: int
    other_containers: int

    @property
    def rze(self) -> float | None:
        """Reject zone efficiency, 0 to 1; None where the zone is empty."""
        return self.reject_zone / (10 * self.reject_containers) if self.reject_containers else None

    @property
    def rag(self) -> float | None:
        """Reject rate of accept and grey zone, 0 to 1; None where they are empty."""
        return self.elsewhere / (10 * self.other_containers) if self.other_containers else None


@dataclass(frozen=True)
class KnappResult:
    """Machine against people.

    Attributes:
        containers: every strip that could be judged, sorted by name.
        machine: None without human data: the machine must not choose the zone that it is judged on.
        human: None without human data.
        inspectors: their names.
    """

    containers: tuple[Container, ...]
    machine: Efficiency | None
    human: Efficiency | None
    inspectors: tuple[str, ...]


def quality_factor(rejects: int, inspections: int) -> int:
    """FQ = 10 p rounded half up, 0 to 10, in whole numbers: 6 of 8 is 8, 13 of 20 is 7.

    Args:
        rejects: 0 to `inspections`.
        inspections: 1 or more.
    """
    return (20 * rejects + inspections) // (2 * inspections)


def zone_of(rejects: int, inspections: int) -> str:
    """The zone of a container by its share of rejects, in whole numbers: below 0.3, from 0.3, from 0.7 on."""
    if 10 * rejects >= _REJECT_FROM * inspections:
        return REJECT_ZONE
    return GREY_ZONE if 10 * rejects >= _GREY_FROM * inspections else ACCEPT_ZONE


def knapp(
    machine: Mapping[str, tuple[int, int]], labels: Mapping[str, str], inspected: Inspected | None
) -> KnappResult:
    """Compares the machine with people.

    Args:
        machine: by strip, runs rejected and valid runs.
        labels: by strip, good or defective.
        inspected: by strip what people found; None where nobody did.

    A strip without a valid run was rejected by the machine in none of them: in the reject zone that counts against it.
    """
    containers = []
    for strip, found in sorted(machine.items()):
        human = inspected.counts[strip] if inspected else None
        zone = zone_of(*(human or (found[0], max(found[1], 1))))
        containers.append(Container(strip, labels[strip], found, human, zone))
    if inspected is None:
        return KnappResult(tuple(containers), None, None, ())
    ours = _efficiency([(one.zone, *one.machine) for one in containers])
    theirs = _efficiency([(one.zone, *one.human) for one in containers if one.human])
    return KnappResult(tuple(containers), ours, theirs, inspected.inspectors)


def _efficiency(containers: Sequence[tuple[str, int, int]]) -> Efficiency:
    """Of containers: zone, rejects, inspections."""
    inside = [quality_factor(rejects, max(of, 1)) for zone, rejects, of in containers if zone == REJECT_ZONE]
    outside = [quality_factor(rejects, max(of, 1)) for zone, rejects, of in containers if zone != REJECT_ZONE]
    return Efficiency(sum(inside), len(inside), sum(outside), len(outside))


def comparison(result: KnappResult) -> bool | None:
    """Whether the machine is at least as good; None where it is not known: no human data, or nothing in the zone."""
    machine, human = result.machine, result.human
    if machine is None or human is None or machine.rze is None or human.rze is None:
        return None
    # Over the same containers: sums compare as the rates do, in whole numbers.
    return machine.reject_zone >= human.reject_zone and machine.elsewhere <= human.elsewhere


def knapp_tables(result: KnappResult) -> tuple[ResultTable, ...]:
    """The comparison, and the containers of the reject zone."""
    notes: tuple[str, ...] = (
        "Zones by the people's share of rejects: accept below 0.3, grey from 0.3, reject from 0.7.",
        "At least as good: RZE not smaller and RAG not greater than the people's.",
    )
    if result.machine is None or result.human is None:
        rows = [
            ResultRow(name, (Cell(NOT_AVAILABLE), Cell(NOT_AVAILABLE), Cell(NOT_AVAILABLE))) for name in ("RZE", "RAG")
        ]
        notes = (
            *notes,
            "Without the results of human inspectors there is no reject zone to compare on, hence no pass.",
        )
    else:
        rows = [
            ResultRow(
                "RZE, reject zone efficiency", _cells(result.machine.rze, result.human.rze, _sums(result, inside=True))
            ),
            ResultRow(
                "RAG, rejects in accept and grey zone",
                _cells(result.machine.rag, result.human.rag, _sums(result, inside=False)),
            ),
        ]
    columns = ("Machine", "Human inspectors", "Machine over human")
    summary = ResultTable("knapp", "Knapp: machine against human inspectors", columns, tuple(rows), notes)
    if result.human is None:
        return (summary,)
    zone = [one for one in result.containers if one.zone == REJECT_ZONE and one.human]
    listed = tuple(ResultRow(one.strip, (_share(one.human), _share(one.machine), Cell(one.label))) for one in zone)
    return summary, ResultTable("reject_zone", "Containers of the reject zone", ("Human", "Machine", "Label"), listed)


def _sums(result: KnappResult, *, inside: bool) -> tuple[str, str]:
    found = []
    for one in (result.machine, result.human):
        if one is not None:
            pair = (one.reject_zone, one.reject_containers) if inside else (one.elsewhere, one.other_containers)
            found.append(f"sum of FQ {pair[0]} over {pair[1]} containers")
    return found[0], found[1]


def _cells(machine: float | None, human: float | None, sums: tuple[str, str]) -> tuple[Cell, ...]:
    def text(value: float | None) -> str:
        return "no containers" if value is None else f"{value:.4f}"

    ratio = NOT_AVAILABLE if machine is None or not human else f"{machine / human:.4f}"
    return Cell(text(machine), sums[0]), Cell(text(human), sums[1]), Cell(ratio)


def _share(counts: tuple[int, int] | None) -> Cell:
    if counts is None or not counts[1]:
        return Cell(NOT_AVAILABLE)
    return Cell(f"{counts[0] / counts[1]:.2f}", f"{counts[0]} of {counts[1]} rejected it")


def knapp_metrics(result: KnappResult) -> dict[str, float | bool | None]:
    """The figures for `metrics.json`; None where they are not available."""
    machine, human = result.machine, result.human
    return {
        "at_least_as_good": comparison(result),
        "rze_machine": machine.rze if machine else None,
        "rze_human": human.rze if human else None,
        "rag_machine": machine.rag if machine else None,
        "rag_human": human.rag if human else None,
    }
