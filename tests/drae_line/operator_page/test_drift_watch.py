"""Which strips are compared with which reference, and what is said where they cannot be."""

from collections.abc import Sequence

import numpy as np
import pytest

from drae_line.operator_page import drift_watch
from drae_line.operator_page.drift import AS_TRAINED, MOVED
from drae_line.operator_page.drift_watch import (
    FEW_ACCEPTED,
    NOT_AVAILABLE,
    NOT_ENOUGH,
    AcceptedWindow,
    Compared,
    DriftWatch,
    Reference,
)
from drae_line.slot_verdict import LoggedVerdict
from tests.drae_line.operator_page.fake_line import MODEL, THRESHOLDS, good_scores, slot_verdict

NEW = "c3" * 32
GIVEN = "2026-01-01T10:00:00.000+00:00"


def accepted(sequence: int, model: str = MODEL, level: float = 0.5) -> LoggedVerdict:
    return LoggedVerdict(
        sequence, GIVEN, slot_verdict(f"A{sequence}/r0", good_scores(sequence, level=level), model_digest=model)
    )


def reference(model: str = MODEL) -> Reference:
    """Scores of 100 strips like those that `accepted` makes, of other seeds."""
    strips = [accepted(number + 5000).slot.scores["max"] for number in range(100)]
    scores = {name: np.array([strip[name] for strip in strips], np.float32).ravel() for name in THRESHOLDS}
    return Reference(model, scores)


def compared(strips: Sequence[LoggedVerdict], newest: int = 0, window: int = 100) -> Compared:
    taken = AcceptedWindow(window)
    for logged in strips:
        taken.add(logged)
    return taken.take(newest or strips[-1].sequence)


def test_the_last_accepted_strips_of_the_newest_model() -> None:
    strips = [accepted(1, "other"), *(accepted(sequence) for sequence in range(2, 9))]
    taken = compared(strips, newest=10, window=5)
    assert (taken.model_digest, taken.strips, taken.spanned) == (MODEL, 5, 7)
    assert [scores.tolist() for scores in taken.scores["R1"]] == [
        list(logged.slot.scores["max"]["R1"]) for logged in strips[-5:]
    ]
    back = compared([*strips, accepted(9, "other")], window=5)
    assert (back.model_digest, back.strips) == ("other", 1)


def test_what_has_no_score_is_left_out() -> None:
    scores = {"f00": {"R0": (0.01, None), "R1": (None, None)}, "f07": {"R0": (0.02, 0.03)}}
    slot = slot_verdict("A/r0", scores, thresholds={"R0": 0.1, "R1": 0.1})
    taken = compared([LoggedVerdict(1, GIVEN, slot)])
    assert {name: strip.tolist() for name, (strip,) in taken.scores.items()} == {"R0": [0.01, 0.02, 0.03], "R1": []}


def test_as_in_training_and_moved() -> None:
    watch = DriftWatch(reference, 100, 0.25)
    said = watch.judge(compared([accepted(number) for number in range(1, 101)]))
    assert (said["state"], said["text"]) == (AS_TRAINED, "Scores are as in training.")
    assert [one["region"] for one in said["regions"]] == list(THRESHOLDS)
    assert said["regions"][0]["scores"] == said["regions"][0]["reference"] == 500
    dim = watch.judge(compared([accepted(number, level=0.6) for number in range(1, 101)]))
    assert dim["state"] == MOVED
    assert "regions R0, R1, R2 and R3 have moved up" in dim["text"]


def test_not_enough_strips_yet() -> None:
    watch = DriftWatch(reference, 100, 0.25)
    assert watch.judge(Compared("", 0, 0, {}))["state"] == NOT_ENOUGH
    said = watch.judge(compared([accepted(number) for number in range(1, 100)]))
    assert (said["state"], said["text"]) == (NOT_ENOUGH, "Not enough strips yet: 99 of 100 accepted.")


def test_where_most_strips_are_rejected_the_accepted_ones_cannot_tell() -> None:
    watch = DriftWatch(reference, 100, 0.25)
    strips = [accepted(number) for number in range(1, 101)]
    assert watch.judge(compared(strips, newest=200))["state"] == AS_TRAINED
    said = watch.judge(compared(strips, newest=201))
    assert said["state"] == FEW_ACCEPTED
    assert said["text"].startswith("Only 100 of the last 201 strips were accepted")
    # A line that rejects nearly everything never accepts enough.
    assert watch.judge(compared(strips[:5], newest=120))["state"] == FEW_ACCEPTED


def test_without_a_reference_and_with_that_of_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    strips = [accepted(number) for number in range(1, 101)]
    missing = DriftWatch(lambda: Reference(why="no scores; train the model again"), 100, 0.25).judge(compared(strips))
    assert missing == {
        "state": NOT_AVAILABLE, "text": "Not available: no scores; train the model again", "regions": [],
    }  # fmt: skip
    asked: list[str] = []

    def read() -> Reference:
        asked.append("")
        return reference(NEW if len(asked) < 3 else MODEL)

    watch = DriftWatch(read, 100, 0.25)
    other = watch.judge(compared(strips))
    assert other == {
        "state": NOT_AVAILABLE, "text": "Not available: the line judges with another model (a1a1a1a1a1a1) than the one "
        "this page compares with (c3c3c3c3c3c3).", "regions": [],
    }  # fmt: skip
    watch.judge(compared(strips))
    assert len(asked) == 1
    # The line takes the new model: nothing has to be read again.
    new = [accepted(number, NEW) for number in range(101, 201)]
    assert watch.judge(compared(new))["state"] == AS_TRAINED
    assert len(asked) == 1
    # Back to the earlier model: asked at once, and again a while later, when its folder has its scores.
    assert watch.judge(compared(strips))["state"] == NOT_AVAILABLE
    assert watch.judge(compared(strips))["state"] == NOT_AVAILABLE
    assert len(asked) == 2
    monkeypatch.setattr(drift_watch, "_AGAIN_SECONDS", -1.0)
    assert watch.judge(compared(strips))["state"] == AS_TRAINED
    assert len(asked) == 3
