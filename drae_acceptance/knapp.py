"""The method of Knapp: are the containers that people reliably reject rejected by the machine at least as well?

Every container, here a strip, is inspected many times; p is the share of inspections that reject it. Its quality factor
FQ is 10 p, rounded to a whole number. Containers with p of at least 0.7 form the reject zone, those below 0.3 the
accept zone, those between the grey zone. The people's p fix the zones; then people and machine are compared on them:

    RZE = sum of p over the reject zone / containers in it     reject zone efficiency
    RAG = sum of p over accept and grey zone / containers in them

The machine is at least as good where its RZE is not smaller, and its RAG not greater, than the people's. Shares are
fractions, and FQ is for reading: rounded, people's 37 of 50 and a machine's 7 of 10 would both be 7, and a machine that
rejects less than they do would count as equal.

J. Z. Knapp and H. K. Kushner, Generalized methodology for evaluation of parenteral inspection procedures, Journal of
the Parenteral Drug Association 34 (1980) 14-61. Borders of the zones and reading of RZE and RAG: docs/knapp.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from drae_acceptance.inspectors import Inspected
from drae_acceptance.verdict import INVALID, RunVerdict
from drae_data.labels import DEFECTIVE, GOOD

ACCEPT_ZONE, GREY_ZONE, REJECT_ZONE = "accept", "grey", "reject"
_GREY_FROM, _REJECT_FROM = Fraction(3, 10), Fraction(7, 10)


@dataclass(frozen=True)
class Container:
    """A strip as people and machine see it.

    Attributes:
        strip: its name.
        label: good or defective.
        rejected: runs in which the machine rejected it.
        valid: its valid runs.
        invalid: whether these are too few for a verdict.
        human: inspections that rejected it, and inspections; None without human data.
        zone: by the human data; None without them, for the machine must not choose the zone that it is judged on.
    """

    strip: str
    label: str
    rejected: int
    valid: int
    invalid: bool
    human: tuple[int, int] | None
    zone: str | None

    @property
    def machine_share(self) -> Fraction | None:
        """The machine's p. An invalid strip has the worst: 0 in the reject zone, 1 elsewhere; None without a zone."""
        if not self.invalid:
            return Fraction(self.rejected, self.valid)
        return None if self.zone is None else Fraction(int(self.zone != REJECT_ZONE))

    @property
    def human_share(self) -> Fraction | None:
        """The people's p; None without human data."""
        return None if self.human is None else Fraction(*self.human)


@dataclass(frozen=True)
class Efficiency:
    """Sums of p over the zones that the human data fix.

    Attributes:
        reject_zone: over the reject zone.
        reject_containers: in the reject zone.
        elsewhere: over accept and grey zone.
        other_containers: in accept and grey zone.
    """

    reject_zone: Fraction
    reject_containers: int
    elsewhere: Fraction
    other_containers: int

    @property
    def rze(self) -> Fraction | None:
        """Reject zone efficiency, 0 to 1; None where the zone is empty."""
        return self.reject_zone / self.reject_containers if self.reject_containers else None

    @property
    def rag(self) -> Fraction | None:
        """Share of rejects in accept and grey zone, 0 to 1; None where they are empty."""
        return self.elsewhere / self.other_containers if self.other_containers else None


@dataclass(frozen=True)
class KnappResult:
    """Machine against people.

    Attributes:
        containers: every good and defective strip, sorted by name.
        machine: None without human data.
        human: None without human data.
        inspectors: their names.
    """

    containers: tuple[Container, ...]
    machine: Efficiency | None
    human: Efficiency | None
    inspectors: tuple[str, ...]


def quality_factor(share: Fraction) -> int:
    """FQ = 10 p rounded half up, 0 to 10: of 3/4 it is 8, of 13/20 it is 7."""
    return int(10 * share + Fraction(1, 2))


def zone_of(share: Fraction) -> str:
    """The zone of a container by its share of rejects: below 0.3, from 0.3, from 0.7 on."""
    if share >= _REJECT_FROM:
        return REJECT_ZONE
    return GREY_ZONE if share >= _GREY_FROM else ACCEPT_ZONE


def judged_strips(runs: Iterable[RunVerdict]) -> list[RunVerdict]:
    """The strips that the comparison is about: good and defective ones, valid or not."""
    return [one for one in runs if one.label in (GOOD, DEFECTIVE)]


def knapp(runs: Iterable[RunVerdict], inspected: Inspected | None) -> KnappResult:
    """Compares the machine with people.

    Args:
        runs: the machine's verdicts on strips over their runs; those of other labels take no part.
        inspected: what people found, of every good and defective strip; None where nobody did.
    """
    containers = tuple(_container(one, inspected) for one in sorted(judged_strips(runs), key=lambda one: one.strip))
    if inspected is None:
        return KnappResult(containers, None, None, ())
    ours = _efficiency([(one.zone, one.machine_share) for one in containers])
    theirs = _efficiency([(one.zone, one.human_share) for one in containers])
    return KnappResult(containers, ours, theirs, inspected.inspectors)


def _container(one: RunVerdict, inspected: Inspected | None) -> Container:
    human = inspected.counts[one.strip] if inspected else None
    zone = zone_of(Fraction(*human)) if human else None
    return Container(one.strip, one.label, one.rejected, one.valid, one.state == INVALID, human, zone)


def _efficiency(containers: Sequence[tuple[str | None, Fraction | None]]) -> Efficiency:
    """Of containers: zone and p."""
    inside = [share for zone, share in containers if zone == REJECT_ZONE and share is not None]
    outside = [share for zone, share in containers if zone != REJECT_ZONE and share is not None]
    return Efficiency(sum(inside, Fraction(0)), len(inside), sum(outside, Fraction(0)), len(outside))


def comparison(result: KnappResult) -> bool | None:
    """Whether the machine is at least as good; None where it is not known: no human data, or nothing in the zone."""
    machine, human = result.machine, result.human
    if machine is None or human is None or not human.reject_containers:
        return None
    # Over the same containers: sums compare as the shares do.
    return machine.reject_zone >= human.reject_zone and machine.elsewhere <= human.elsewhere


def over(machine: Fraction | None, human: Fraction | None) -> Fraction | None:
    """Machine over human: of RZE the efficiency of the machine; None where either is not known, or human is 0."""
    return None if machine is None or not human else machine / human
