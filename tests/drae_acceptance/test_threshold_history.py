"""`history.json`: an entry where thresholds change, with what changed beside them, and no entry that can be changed."""

import json
from dataclasses import replace

import pytest

from drae_acceptance.calibration import calibrate
from drae_acceptance.errors import CalibrationError
from drae_acceptance.threshold_file import thresholds_bytes
from drae_acceptance.threshold_history import CARRIED_OVER, history_bytes, read_history
from tests.small_calibration import options, small


def test_the_history_grows_where_thresholds_change_and_nowhere_else() -> None:
    first, other = options(), options(seed=2)
    one, two = (thresholds_bytes(calibrate(small(), chosen), chosen) for chosen in (first, other))
    history = history_bytes(None, one, "first", "A. Nother")
    assert history_bytes(history, one, "nothing changed", "somebody") == history
    longer = history_bytes(history, two, "", "")
    entries = read_history(longer)
    assert [(entry["number"], entry["reason"], entry["author"]) for entry in entries] == [
        (1, "first", "A. Nother"), (2, "not stated", "not stated"),
    ]  # fmt: skip
    assert entries[1]["previous"] == entries[0]["digest"]


def test_a_history_that_was_changed_is_refused() -> None:
    chosen = options()
    history = history_bytes(None, thresholds_bytes(calibrate(small(), chosen), chosen), "first", "A")
    for entries in (
        [{**read_history(history)[0], "reason": "another"}],
        [{**read_history(history)[0], "number": 2}],
        [1],
    ):
        with pytest.raises(CalibrationError, match="history"):
            read_history(json.dumps(entries).encode())


def test_an_entry_says_what_changed_and_whose_reason_it_has() -> None:
    first, other = options(), options(goals={"patch": "accuracy", "strip": "accuracy", "run": "balanced_accuracy"})
    scored = small()
    rescored = replace(scored, card=replace(scored.card, model_digest="n" * 64))
    history = history_bytes(None, thresholds_bytes(calibrate(scored, first), first), "first", "A")
    history = history_bytes(history, thresholds_bytes(calibrate(scored, other), other), "first", "A")
    history = history_bytes(history, thresholds_bytes(calibrate(rescored, other), other), "new model", "A")
    one, two, three = read_history(history)
    assert (one["changed"], one["reason_note"]) == ({}, "")
    assert two["changed"] == {"options.goals.run": ["accuracy", "balanced_accuracy"]}
    assert two["reason_note"] == CARRIED_OVER
    assert three["changed"]["binding.model_digest"] == ["m" * 64, "n" * 64]
    # The card holds the model's digest.
    assert set(three["changed"]) == {"binding.model_digest", "binding.card_digest"}
    assert three["reason_note"] == ""


def test_no_reason_twice_is_not_called_carried_over() -> None:
    first, other = options(), options(seed=2)
    history = history_bytes(None, thresholds_bytes(calibrate(small(), first), first), "", "")
    entries = read_history(history_bytes(history, thresholds_bytes(calibrate(small(), other), other), " ", ""))
    assert [(entry["reason"], entry["reason_note"]) for entry in entries] == [("not stated", "")] * 2
