"""The method of Knapp against a worked example, borders in whole numbers, and what holds for any counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.inspectors import Inspected
from drae_acceptance.knapp import comparison, knapp, knapp_metrics, knapp_tables, quality_factor, zone_of

COUNTS = st.integers(1, 30).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(
    ("rejects", "of", "factor"),
    [(0, 10, 0), (7, 10, 7), (10, 10, 10), (6, 8, 8), (13, 20, 7), (1, 3, 3), (2, 3, 7), (1, 20, 1)],
)
def test_the_quality_factor_is_ten_times_the_share_rounded_half_up(rejects: int, of: int, factor: int) -> None:
    assert quality_factor(rejects, of) == factor


@pytest.mark.parametrize(
    ("rejects", "of", "zone"),
    [(0, 10, "accept"), (2, 10, "accept"), (3, 10, "grey"), (6, 10, "grey"), (7, 10, "reject"), (29, 100, "accept"),
     (30, 100, "grey"), (69, 100, "grey"), (70, 100, "reject"), (21, 30, "reject")],
)  # fmt: skip
def test_the_zones_borders(rejects: int, of: int, zone: str) -> None:
    assert zone_of(rejects, of) == zone


# People, 20 inspections each:  A 20 (1.0), B 15 (0.75), C 10 (0.5), D 2 (0.1), E 0.   FQ 10, 8, 5, 1, 0
# Machine, 10 runs each:        A 10,       B 9,         C 2,        D 1,       E 0.   FQ 10, 9, 2, 1, 0
# Reject zone A and B: people 18 / 20 = 0.9, machine 19 / 20 = 0.95.
# Elsewhere: people 6 / 30 = 0.2, machine 3 / 30 = 0.1.
HUMAN = {"A": (20, 20), "B": (15, 20), "C": (10, 20), "D": (2, 20), "E": (0, 20)}
MACHINE = {"A": (10, 10), "B": (9, 10), "C": (2, 10), "D": (1, 10), "E": (0, 10)}
LABELS = dict(zip("ABCDE", ["defective"] * 3 + ["good"] * 2, strict=True))


def test_a_worked_example() -> None:
    result = knapp(MACHINE, LABELS, Inspected(HUMAN, ("I", "II"), ()))
    assert result.machine is not None
    assert result.human is not None
    assert (result.human.rze, result.machine.rze) == (0.9, 0.95)
    assert (result.human.rag, result.machine.rag) == (0.2, 0.1)
    assert comparison(result) is True
    cells = {row.name[:3]: [cell.text for cell in row.cells] for row in knapp_tables(result)[0].rows}
    assert cells == {"RZE": ["0.9500", "0.9000", "1.0556"], "RAG": ["0.1000", "0.2000", "0.5000"]}
    assert [row.name for row in knapp_tables(result)[1].rows] == ["A", "B"]


@pytest.mark.parametrize("worse", [{"B": (7, 10)}, {"E": (9, 10)}])
def test_a_machine_that_misses_or_rejects_more_is_not_as_good(worse: dict[str, tuple[int, int]]) -> None:
    assert comparison(knapp(MACHINE | worse, LABELS, Inspected(HUMAN, (), ()))) is False


def test_the_zone_is_the_peoples_and_never_the_machines() -> None:
    # The machine rejects E always; with its own zone E would be a success.
    result = knapp(MACHINE | {"E": (10, 10)}, LABELS, Inspected(HUMAN, (), ()))
    assert {one.strip: one.zone for one in result.containers} == {
        "A": "reject", "B": "reject", "C": "grey", "D": "accept", "E": "accept",
    }  # fmt: skip


def test_without_human_data_nothing_passes() -> None:
    result = knapp(MACHINE, LABELS, None)
    assert comparison(result) is None
    assert set(knapp_metrics(result).values()) == {None}
    (table,) = knapp_tables(result)
    assert {cell.text for row in table.rows for cell in row.cells} == {"not available"}


def test_an_empty_reject_zone_compares_nothing() -> None:
    human = dict.fromkeys("ABCDE", (0, 20))
    assert comparison(knapp(MACHINE, LABELS, Inspected(human, (), ()))) is None


def test_a_strip_without_valid_runs_counts_against_the_machine() -> None:
    result = knapp(MACHINE | {"A": (0, 0)}, LABELS, Inspected(HUMAN, (), ()))
    assert result.machine is not None
    assert result.machine.rze == 0.45
    assert comparison(result) is False


@given(st.lists(COUNTS, min_size=1, max_size=8))
def test_equals_are_as_good(counts: list[tuple[int, int]]) -> None:
    found = {f"K{number}": pair for number, pair in enumerate(counts)}
    result = knapp(found, dict.fromkeys(found, "good"), Inspected(found, (), ()))
    assert result.machine == result.human
    assert comparison(result) in (True, None)
    for one in result.containers:
        rejects, of = one.machine
        share = rejects / of
        assert one.zone == ("reject" if share >= 0.7 else "grey" if share >= 0.3 else "accept")
        assert 0 <= quality_factor(rejects, of) <= 10
