"""Which of the places that rules named are shown with pictures, and what stands beside each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from drae_data.dataset_report.sampling import usual
from drae_data.manifest import printable
from drae_data.quality.alike import Nearest, Twins, nearest, twins
from drae_data.quality.inspection import Inspection
from drae_data.quality.measured import Ints, Measured
from drae_data.quality.options import SEVERITIES, Limits
from drae_data.quality.violation import ViolationRow

_MOST = 12
# Of one rule: more of the same would say no more.
_MOST_OF_RULE = 5
# What these name is compared with another strip; what those name with the strips that came first.
_TWIN_RULES = ("duplicated_strip", "split_leak")
_DRIFT_RULES = ("light_drift", "position_drift")

# Whether it is a strip or an acquisition, and its number.
Place = tuple[bool, int]


@dataclass(frozen=True)
class Offender:
    """A place that rules named.

    Attributes:
        rows: what was found there, worst first.
        acquisition: whose patches are shown: its place in `Measured`.
        beside: (what it is, place in `Measured`) of those that stand beside it.
    """

    rows: tuple[ViolationRow, ...]
    acquisition: int
    beside: tuple[tuple[str, int], ...]


def choose_offenders(inspection: Inspection) -> list[Offender]:
    """Those that are shown: the most severe first, of each rule the worst before any rule's second.

    Of one strip a rule is shown once, since its other runs look the same.
    """
    known = _Known(inspection.measured, inspection.options.limits)
    rows = [(place, row) for row in inspection.rows if (place := known.place(row)) is not None]
    chosen: dict[Place, Offender] = {}
    shown: Counter[str] = Counter()
    strips: set[tuple[str, int]] = set()
    for place, row in _in_turn(rows):
        if place in chosen or len(chosen) == _MOST or shown[row.rule] == _MOST_OF_RULE:
            continue
        acquisition, beside = known.show(row.rule, place)
        strip = (row.rule, int(inspection.measured.strips[acquisition]))
        if strip not in strips:
            strips.add(strip)
            shown[row.rule] += 1
            chosen[place] = Offender(tuple(one for other, one in rows if other == place), acquisition, beside)
    return list(chosen.values())


def _in_turn(rows: Sequence[tuple[Place, ViolationRow]]) -> list[tuple[Place, ViolationRow]]:
    """Rows by severity; within one, the first row of each rule, then their second ones."""
    turns: Counter[tuple[str, str]] = Counter()
    ranked = []
    for number, (place, row) in enumerate(rows):
        turns[row.severity, row.rule] += 1
        rank = (SEVERITIES.index(row.severity), turns[row.severity, row.rule], row.rule, number)
        ranked.append((rank, place, row))
    return [(place, row) for _, place, row in sorted(ranked, key=lambda entry: entry[0])]


@dataclass
class _Known:
    """Acquisitions and strips by the names that stand in rows; what resembles what, found once."""

    measured: Measured
    limits: Limits
    acquisitions: dict[str, int] = field(init=False)
    strips: dict[str, int] = field(init=False)
    near: dict[int, Nearest] = field(default_factory=dict)
    alike: dict[int, list[Twins]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.acquisitions = {printable(str(key)): n for n, key in enumerate(self.measured.keys)}
        self.strips = {printable(name): number for number, name in enumerate(self.measured.strip_names)}

    def place(self, row: ViolationRow) -> Place | None:
        """What a row names; None where that is neither an acquisition nor a strip."""
        if row.rule not in _TWIN_RULES and row.place in self.acquisitions:
            return False, self.acquisitions[row.place]
        return (True, self.strips[row.place]) if row.place in self.strips else None

    def show(self, rule: str, place: Place) -> tuple[int, tuple[tuple[str, int], ...]]:
        """The acquisition to show and what stands beside it."""
        is_strip, number = place
        n = int(np.flatnonzero(self.measured.strips == number)[0]) if is_strip else number
        if rule not in _TWIN_RULES:
            return n, self._beside(rule, n)
        pair = self._twin(number)
        return (n, ()) if pair is None else (pair[0], (("the strip that shows the same", pair[1]),))

    def _beside(self, rule: str, n: int) -> tuple[tuple[str, int], ...]:
        measured = self.measured
        group = next(members for members in measured.groups() if n in members)
        order = measured.order[np.isin(measured.order, group)]
        own = group[(measured.strips[group] == measured.strips[n]) & (group != n)]
        if rule == "misfiled_run" and len(own):
            return ("what it looks like", self._like(group, n)), ("another run of its strip", int(own[0]))
        if rule == "camera_changed":
            return (("the acquisition before", int(order[max(int(np.flatnonzero(order == n)[0]) - 1, 0)])),)
        if rule in _DRIFT_RULES:
            return (("one of the first", int(order[0])),)
        return (("usual here", usual(measured, group, n)),)

    def _like(self, group: Ints, n: int) -> int:
        """The acquisition of another strip that the rule compared this one with."""
        first = int(group[0])
        if first not in self.near:
            self.near[first] = nearest(self.measured, group)
        return int(group[self.near[first].which[int(np.flatnonzero(group == n)[0])]])

    def _twin(self, strip: int) -> tuple[int, int] | None:
        """The two acquisitions that look most alike of a strip and those that the rules call its twins."""
        measured, found = self.measured, []
        for members in measured.groups():
            first = int(members[0])
            if first not in self.alike:
                self.alike[first] = twins(measured, members, self.limits)
            pairs = {(one.first, one.second) for one in self.alike[first]}
            others = members[[bool({(strip, other), (other, strip)} & pairs) for other in measured.strips[members]]]
            for n in members[measured.strips[members] == strip] if len(others) else ():
                shares = (measured.signatures[others] != measured.signatures[n]).mean(axis=1)
                found.append((float(shares.min()), int(n), int(others[shares.argmin()])))
        return min(found)[1:] if found else None
