"""A calibration small enough to follow by hand: two good and two defective strips, and options."""

from drae_acceptance.options import CalibrationOptions, ConfirmRule
from drae_acceptance.score_table import ScoreSet
from tests.small_scores import SmallStrip, small_set

RULE = ConfirmRule(2, 7, 10)


def options(**changes: object) -> CalibrationOptions:
    values: dict[str, object] = {
        "protocol": "disjoint", "goals": dict.fromkeys(("patch", "strip", "run"), "accuracy"),
        "false_reject_ceiling": 0.05, "good_quantile": 0.9, "folds": 2, "seed": 1, "confirm": RULE,
    }  # fmt: skip
    return CalibrationOptions(**{**values, **changes})  # type: ignore[arg-type]


def strip(name: str, label: str, r0: float, r1: float, marked: str = "", runs: int = 2) -> SmallStrip:
    places = {(0, marked): "burn"} if marked else {}
    return SmallStrip(name, label, [{(0, "R0"): r0, (0, "R1"): r1}] * runs, places)


def small() -> ScoreSet:
    """Good strips up to 0.2 and 0.3; one defect shows in R0 at 0.6, one in R1 at 0.9."""
    return small_set([
        strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2),
        strip("C", "defective", 0.6, 0.1, "R0"), strip("D", "defective", 0.1, 0.9, "R1"),
    ], name="calibration")  # fmt: skip
