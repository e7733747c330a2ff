"""Verdicts written down by hand, for tests of the log: accepted, rejected, not inspected."""

from typing import Any

from drae_acceptance.verdict import ACCEPT, REJECT, Deciding
from drae_line.slot_verdict import SlotVerdict

THRESHOLDS = {"R0": 0.5, "R1": 0.25}


def accepted(name: str = "A/r0", **changes: Any) -> SlotVerdict:
    """Two vials, two regions, no patch over its threshold; any field can be changed."""
    values: dict[str, Any] = {
        "acquisition": name, "folder": "A/run_00", "verdict": ACCEPT, "inspected": True, "reason": "", "detail": "",
        "model_digest": "m" * 64, "thresholds_digest": "t" * 64, "thresholds": THRESHOLDS,
        "scores": {"f00": {"R0": (0.25, 0.125), "R1": (0.125, 0.25)}},
        "deciding": Deciding(f"{name}/f00/v1/R1", "R1", 0.25, 0.25, 1.0), "frames_sha256": {"frame_00.png": "0" * 64},
        "milliseconds": {"waited": 1.0, "read": 2.0, "cut": 3.0, "model": 4.0, "judge": 0.5, "slot": 9.5},
        "slot_ms": 500.0,
    }  # fmt: skip
    return SlotVerdict(**{**values, **changes})


def rejected(name: str = "A/r0", **changes: Any) -> SlotVerdict:
    """The same, but vial 0 is over the threshold of R1."""
    values: dict[str, Any] = {
        "verdict": REJECT, "scores": {"f00": {"R0": (0.25, 0.125), "R1": (0.5, 0.25)}},
        "deciding": Deciding(f"{name}/f00/v0/R1", "R1", 0.5, 0.25, 2.0),
    }  # fmt: skip
    return accepted(name, **{**values, **changes})


def not_inspected(name: str = "A/r0", reason: str = "missing_frame", **changes: Any) -> SlotVerdict:
    """Rejected without having been seen."""
    values: dict[str, Any] = {
        "verdict": REJECT, "inspected": False, "reason": reason, "detail": "expected frame 2", "scores": {},
        "deciding": None, "frames_sha256": {},
    }  # fmt: skip
    return accepted(name, **{**values, **changes})
