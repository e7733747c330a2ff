"""The paper's values, typed off its tables 1 to 3 a second time (section 7.4), digit by digit."""

from drae_acceptance.paper_values import REGIONS, TABLE_1, TABLE_2, TABLE_3

# R0, R1, R2, R3, vial.
OVERALL = {
    "threshold": "0.015589 0.038017 0.046568 0.029593",
    "accuracy": "0.9919 0.9926 0.9957 0.9991 0.9870",
    "accept_recall": "0.9966 0.9985 0.9986 0.9994 0.9942",
    "reject_recall": "0.9093 0.9044 0.9779 0.9973 0.9581",
    "mean_time": "0.1689 0.1689 0.1689 0.1689",
}
NAMES = ("R0", "R1", "R2", "R3", "accuracy", "accept_recall", "reject_recall", "mean_time")
PER_STRIP = "0.016156 0.038584 0.046635 0.029660 0.9593 0.9694 0.9467 0.4873"
PER_RUN = "0.013222 0.034650 0.046201 0.029226 0.9641 0.9676 0.9599"


def test_table_1() -> None:
    columns = (*REGIONS, "Vial")
    assert {name: dict(values) for name, values in TABLE_1.items()} == {
        name: dict(zip(columns, map(float, text.split()), strict=False)) for name, text in OVERALL.items()
    }


def test_tables_2_and_3() -> None:
    assert dict(TABLE_2) == dict(zip(NAMES, map(float, PER_STRIP.split()), strict=True))
    assert dict(TABLE_3) == dict(zip(NAMES, map(float, PER_RUN.split()), strict=False))
