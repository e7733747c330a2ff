"""The method of Knapp against a worked example, borders in whole numbers, and what holds for any counts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.inspectors import Inspected
from drae_acceptance.knapp import KnappResult, comparison, knapp, quality_factor, zone_of
from drae_acceptance.knapp_tables import knapp_metrics, knapp_tables
from drae_acceptance.verdict import INVALID, RunVerdict

COUNTS = st.integers(1, 30).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


def verdict(strip: str, rejected: int, valid: int, label: str = "good", required: int = 1) -> RunVerdict:
    """A verdict over runs as far as the comparison reads it: label, counts, and whether the runs were too few."""
    state = INVALID if valid < required else "confirmed"
    return RunVerdict(strip, label, valid, rejected, state, state, None, "", float("nan"), "")


def compared(
    machine: dict[str, tuple[int, int]], human: dict[str, tuple[int, int]] | None, required: int = 1
) -> KnappResult:
    runs = [verdict(strip, *counts, required=required) for strip, counts in machine.items()]
    return knapp(runs, None if human is None else Inspected(human, ("I", "II"), ()))


@pytest.mark.parametrize(
    ("rejects", "of", "factor"),
    [(0, 10, 0), (7, 10, 7), (10, 10, 10), (6, 8, 8), (13, 20, 7), (1, 3, 3), (2, 3, 7), (1, 20, 1)],
)
def test_the_quality_factor_is_ten_times_the_share_rounded_half_up(rejects: int, of: int, factor: int) -> None:
    # FQ = 10 p: 6 of 8 is 7.5, hence 8; 13 of 20 is 6.5, hence 7; 1 of 3 is 3.3, hence 3; 1 of 20 is 0.5, hence 1.
    assert quality_factor(Fraction(rejects, of)) == factor


@pytest.mark.parametrize(
    ("rejects", "of", "zone"),
    [(0, 10, "accept"), (2, 10, "accept"), (3, 10, "grey"), (6, 10, "grey"), (7, 10, "reject"), (29, 100, "accept"),
     (30, 100, "grey"), (69, 100, "grey"), (70, 100, "reject"), (21, 30, "reject"), (13, 20, "grey")],
)  # fmt: skip
def test_the_zones_borders(rejects: int, of: int, zone: str) -> None:
    # p of 13 of 20 is 0.65: its FQ is 7, and its zone the grey one; shares decide, rounded factors do not.
    assert zone_of(Fraction(rejects, of)) == zone


# The example of docs/knapp.md. People, 20 inspections each, and machine, 10 runs each:
#   strip   people          p     FQ  zone     machine   p    FQ
#   A       20 of 20        1.00  10  reject   10 of 10  1.0  10
#   B       15 of 20        0.75   8  reject    9 of 10  0.9   9
#   C       10 of 20        0.50   5  grey      2 of 10  0.2   2
#   D        2 of 20        0.10   1  accept    1 of 10  0.1   1
#   E        0 of 20        0.00   0  accept    0 of 10  0.0   0
# RZE over A and B: people (1 + 0.75) / 2 = 0.875, machine (1 + 0.9) / 2 = 0.95; efficiency 0.95 / 0.875 = 1.0857.
# RAG over C, D and E: people (0.5 + 0.1 + 0) / 3 = 0.2, machine (0.2 + 0.1 + 0) / 3 = 0.1; 0.1 / 0.2 = 0.5.
HUMAN = {"A": (20, 20), "B": (15, 20), "C": (10, 20), "D": (2, 20), "E": (0, 20)}
MACHINE = {"A": (10, 10), "B": (9, 10), "C": (2, 10), "D": (1, 10), "E": (0, 10)}


def test_a_worked_example() -> None:
    result = compared(MACHINE, HUMAN)
    assert result.machine is not None
    assert result.human is not None
    assert (result.human.rze, result.machine.rze) == (Fraction(7, 8), Fraction(19, 20))
    assert (result.human.rag, result.machine.rag) == (Fraction(1, 5), Fraction(1, 10))
    assert comparison(result) is True
    assert knapp_metrics(result) == {
        "at_least_as_good": True, "rze_machine": 0.95, "rze_human": 0.875, "rag_machine": 0.1, "rag_human": 0.2,
        "efficiency": 1.085714, "rag_machine_over_human": 0.5, "reject_containers": 2, "other_containers": 3,
        "invalid_containers": 0,
    }  # fmt: skip


def test_the_tables_of_the_worked_example() -> None:
    summary, containers = knapp_tables(compared(MACHINE, HUMAN), "disjoint")
    cells = {row.name[:3]: [cell.text for cell in row.cells] for row in summary.rows}
    assert cells == {"RZE": ["0.9500", "0.8750", "1.0857"], "RAG": ["0.1000", "0.2000", "0.5000"]}
    assert summary.rows[0].cells[1].detail == "sum of p 1.7500 over 2 containers"
    # Zone, FQ of people, FQ of the machine; the reject zone first.
    assert [(row.name, *(cell.text for cell in row.cells[1:])) for row in containers.rows] == [
        ("A", "reject", "10", "10"), ("B", "reject", "8", "9"), ("C", "grey", "5", "2"), ("D", "accept", "1", "1"),
        ("E", "accept", "0", "0"),
    ]  # fmt: skip
    assert containers.rows[1].cells[2].detail == "p 0.7500, 15 of 20 rejected it"


@pytest.mark.parametrize("worse", [{"B": (7, 10)}, {"E": (9, 10)}])
def test_a_machine_that_misses_or_rejects_more_is_not_as_good(worse: dict[str, tuple[int, int]]) -> None:
    assert comparison(compared(MACHINE | worse, HUMAN)) is False


@pytest.mark.parametrize(
    ("machine", "human", "as_good"),
    [((7, 10), (37, 50), False), ((74, 100), (37, 50), True), ((74, 100), (15, 20), False), ((7, 9), (7, 9), True)],
)
def test_shares_are_compared_and_not_rounded_factors(
    machine: tuple[int, int], human: tuple[int, int], as_good: bool
) -> None:
    # FQ of 37 of 50 (0.74) and of 7 of 10 (0.70) is 7, but the machine rejects less. 0.74 is less than 15 of 20, 0.75.
    assert comparison(compared({"A": machine}, {"A": human})) is as_good


def test_the_zone_is_the_peoples_and_never_the_machines() -> None:
    # The machine rejects E always; with its own zone E would be a success.
    result = compared(MACHINE | {"E": (10, 10)}, HUMAN)
    assert {one.strip: one.zone for one in result.containers} == {
        "A": "reject", "B": "reject", "C": "grey", "D": "accept", "E": "accept",
    }  # fmt: skip


def test_without_human_data_nothing_passes_and_the_machines_factors_are_shown() -> None:
    result = compared(MACHINE | {"F": (5, 5)}, None, required=10)
    assert comparison(result) is None
    assert {one.zone for one in result.containers} == {None}
    found = knapp_metrics(result)
    assert found.pop("invalid_containers") == 1
    assert set(found.values()) == {None}
    summary, containers = knapp_tables(result, "disjoint")
    assert {cell.text for row in summary.rows for cell in row.cells} == {"not available"}
    assert [(row.name, row.cells[3].text) for row in containers.rows] == [
        ("A", "10"), ("B", "9"), ("C", "2"), ("D", "1"), ("E", "0"), ("F", "not available"),
    ]  # fmt: skip


def test_an_empty_reject_zone_compares_nothing() -> None:
    assert comparison(compared(MACHINE, dict.fromkeys("ABCDE", (0, 20)))) is None


@pytest.mark.parametrize("counts", [(0, 0), (1, 1), (9, 9)])
def test_an_invalid_strip_has_the_worst_factor_of_its_zone(counts: tuple[int, int]) -> None:
    # Of 10 runs that are required too few are valid; whatever they say, A counts 0 and E 1 for the machine.
    # RZE (0 + 0.9) / 2 = 0.45; RAG (0.2 + 0.1 + 1) / 3 = 1.3 / 3.
    missed = compared(MACHINE | {"A": counts}, HUMAN, required=10)
    assert missed.machine is not None
    assert missed.machine.rze == Fraction(9, 20)
    assert comparison(missed) is False
    rejected = compared(MACHINE | {"E": counts}, HUMAN, required=10)
    assert rejected.machine is not None
    assert rejected.machine.rag == Fraction(13, 30)
    assert comparison(rejected) is False
    row = next(row for row in knapp_tables(rejected, "disjoint")[1].rows if row.name == "E")
    assert row.cells[3].text == "10"
    assert row.cells[3].detail == f"invalid, p 1 at worst; {counts[0]} of {counts[1]} valid runs rejected it"


def test_strips_of_unknown_label_take_no_part() -> None:
    runs = [verdict("A", 9, 10), verdict("B", 9, 10, "unknown")]
    assert [one.strip for one in knapp(runs, Inspected({"A": (9, 10)}, (), ("B",))).containers] == ["A"]


def test_figures_of_thresholds_that_the_kit_chose_are_called_optimistic() -> None:
    for protocol, note in (("paper", "Optimistic: "), ("folds", "By folds: "), ("disjoint", "Zones by ")):
        assert knapp_tables(compared(MACHINE, HUMAN), protocol)[0].notes[0].startswith(note)


@given(st.lists(COUNTS, min_size=1, max_size=8))
def test_equals_are_as_good(counts: list[tuple[int, int]]) -> None:
    found = {f"K{number}": pair for number, pair in enumerate(counts)}
    result = compared(found, found)
    assert result.machine == result.human
    assert comparison(result) in (True, None)
    for one in result.containers:
        share = one.rejected / one.valid
        assert one.zone == ("reject" if share >= 0.7 else "grey" if share >= 0.3 else "accept")


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=8))
def test_more_invalid_strips_never_help_the_machine(pairs: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    machine = {f"K{number}": ours for number, (ours, _) in enumerate(pairs)}
    human = {f"K{number}": theirs for number, (_, theirs) in enumerate(pairs)}
    before, after = compared(machine, human).machine, compared(machine | {"K0": (0, 0)}, human).machine
    assert before is not None
    assert after is not None
    assert after.reject_zone <= before.reject_zone
    assert after.elsewhere >= before.elsewhere
