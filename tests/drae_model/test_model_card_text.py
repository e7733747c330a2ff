"""The model card from hand-made files: every figure is one of theirs, and what is missing is said."""

import copy
import re
from typing import Any

import pytest

from drae_model.judgement import Judgement
from drae_model.model_card_text import model_card_text

CARD: dict[str, Any] = {
    "model": "DRAE",
    "code_version": "0.1.0",
    "frameworks": {"keras": "3.15.1", "tensorflow": "2.21.0"},
    "dataset": {"name": "training", "version": "1.2.0", "digest": "d" * 64},
    "regions": ["R0", "R|1"],
    "patch_size": 256,
    "input_size": 128,
    "parameters": 1234567,
    "saved_model_sha256": "e" * 64,
    "score": {"definition": "SSIM, window 11 x 11", "options": {"aggregate": "window_max", "window": 13}},
    "signatures": {"inspect": "patches -> score", "reconstruct": "patches -> reconstruction"},
    "train": {"q": 0.75, "network": {"widths": [8, 16], "linear_path": None}, "augmentation": {"border": "nearest"}},
    "metrics": {
        "validation_score": 0.0123456789,
        "best": {"epoch": 2, "val_score": 0.0123456789},
        "history": [
            {"epoch": 1, "step": 10, "val_score": 0.5, "loss": 12.5},
            {"epoch": 2, "step": 20, "val_score": 0.0123456789, "loss": 8.25},
        ],
    },
}


def rate(count: int, of: int) -> dict[str, Any]:
    ends = {"low": 0.25, "high": 0.75} if of else {"low": None, "high": None}
    return {"count": count, "of": of, **ends, "strip_low": None, "strip_high": None}


def level(**counts: tuple[int, int]) -> dict[str, Any]:
    shares = {name: count / of if of else None for name, (count, of) in counts.items()}
    return {**shares, "samples": counts["accuracy"][1], "behind": {name: rate(*pair) for name, pair in counts.items()}}


def judgement(**changes: Any) -> Judgement:
    strips = level(accuracy=(43, 44), accept_recall=(20, 20), reject_recall=(23, 24))
    metrics: dict[str, Any] = {
        "outcome": "incomplete",
        "missing": ["comparison with human inspectors not available"],
        "warnings": [],
        "optimistic": False,
        "protocol": "disjoint",
        "patch": {
            "R0": {**level(accuracy=(9, 10), accept_recall=(9, 10), reject_recall=(0, 0)), "auroc": None,
                   "ranked": {"good": 10, "defective": 0}},
            "R|1": {**level(accuracy=(19, 20), accept_recall=(9, 10), reject_recall=(10, 10)), "auroc": 0.987654,
                    "ranked": {"good": 10, "defective": 10}},
        },
        "vial": strips,
        "strip": strips,
        "run": strips,
        "invalid": 3,
        "uncounted": 1,
        "detection": {
            "burn": {"patches": {"share": 1.0, **rate(5, 5)}, "runs": {"share": 1.0, **rate(10, 10)},
                     "strips": {"share": 1.0, **rate(1, 1)}},
            "neck_bump": {"patches": {"share": 0.6, **rate(3, 5)}, "runs": {"share": 0.3, **rate(3, 10)},
                          "strips": {"share": 0.5, **rate(1, 2)}},
        },
        "knapp": {"at_least_as_good": None},
    }  # fmt: skip
    thresholds = {
        "binding": {"set": "calibration", "dataset_digest": "c" * 64, "images": ["max"]},
        "digest": "t" * 64,
        "levels": {"strip": {"R0": {"value": 0.123456789, "how": "quantile", "good": 100, "defective": 0}}},
    }
    kit = {"name": "kit", "version": "1.2.0", "digest": "k" * 64}
    criteria = {"accuracy": 0.96, "accept_recall": None, "reject_recall": None}
    return Judgement(kit, criteria, 0.95, {**metrics, **changes}, thresholds)


def rows(card: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("|")]


def test_the_card_of_a_model_that_was_judged() -> None:
    card = model_card_text(CARD, "m" * 64, judgement())
    assert card.startswith("# Model card: DRAE on training 1.2.0\n")
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == [
        "What it is for, and what not", "What it was trained on", "How it is built and trained", "The score",
        "Validation", "Acceptance", "Thresholds", "Known limits", "How to verify it",
    ]  # fmt: skip
    for letter in "demkct":
        assert letter * 64 in card, letter
    found = rows(card)
    assert ["regions", "R0, R\\|1"] in found
    assert ["`network.widths`", "`[8, 16]`"] in found
    assert ["`network.linear_path`", "`null`"] in found
    assert "1,234,567 weights; patches are averaged down to 128 x 128" in card
    assert "0.012346, of epoch 2, the best of 2" in card
    assert ["epoch", "step", "validation score", "loss"] in found
    assert ["2", "20", "0.012346", "8.25"] in found
    assert "**incomplete**, on kit 1.2.0" in card
    assert "Asked of strips over their runs: accuracy 0.96." in card
    assert "- comparison with human inspectors not available" in card
    assert ["strips over their runs", "0.9773 (43 of 44, 0.250 to 0.750)", "1.0000 (20 of 20, 0.250 to 0.750)",
            "0.9583 (23 of 24, 0.250 to 0.750)"] in found  # fmt: skip
    assert ["R0", "0.9000 (9 of 10, 0.250 to 0.750)", "0.9000 (9 of 10, 0.250 to 0.750)", "no samples",
            "no samples"] in found  # fmt: skip
    assert [row[-1] for row in found if row[0] == "R\\|1"] == ["0.9877"]
    assert ["strip", "R0", "quantile", "100", "0", "0.123457"] in found
    assert "Invalid verdicts, of which none passes: 3. Strips that count in no rate: 1." in card
    assert "neck_bump (50% of its strips)" in card
    assert "burn (" not in card
    assert "No labelled defects in the regions R0:" in card
    assert "The kit holds 20 good and 24 defective strips" in card


def test_the_card_of_a_model_that_was_not_judged() -> None:
    card = model_card_text(CARD, "m" * 64, None)
    assert "No acceptance: no labelled kit was judged with this model." in card
    assert "## Thresholds" not in card
    assert "Nothing is known of how well it finds defects." in card


@pytest.mark.parametrize(
    ("protocol", "optimistic", "words"),
    [
        ("paper", True, "protocol paper: optimistic, since the judged strips chose the thresholds."),
        ("folds", False, "protocol folds: each strip was judged by thresholds that were searched without it."),
        ("disjoint", False, "protocol disjoint."),
    ],
)
def test_the_protocol_is_said_in_words(protocol: str, optimistic: bool, words: str) -> None:
    card = model_card_text(CARD, "m" * 64, judgement(protocol=protocol, optimistic=optimistic))
    assert words in card
    assert ("every figure is too good" in card) is optimistic


def test_people_are_compared_where_they_looked() -> None:
    knapp = {"at_least_as_good": True, "rze_machine": 0.95, "rze_human": 0.9, "rag_machine": 0.01, "rag_human": 0.02}
    card = model_card_text(CARD, "m" * 64, judgement(knapp=knapp))
    assert "at least as good as human inspectors: reject zone efficiency 0.9500 against 0.9000" in card
    assert "not as good as human inspectors" in model_card_text(
        CARD, "m" * 64, judgement(knapp={**knapp, "at_least_as_good": False})
    )


def test_names_from_outside_stay_text() -> None:
    hostile = "<script>`|\n# x"
    detection = {hostile: judgement().metrics["detection"]["neck_bump"]}
    card = copy.deepcopy(CARD)
    card["regions"] = [hostile]
    text = model_card_text(card, "m" * 64, judgement(detection=detection, warnings=[hostile]))
    assert "<script>`" not in text
    assert "\n# x" not in text
    assert text.count("\\<script\\>\\`\\|\\\\n\\# x") == 5


def test_it_never_claims_compliance() -> None:
    for judged in (None, judgement()):
        text = model_card_text(CARD, "m" * 64, judged).lower()
        assert not re.search(r"complian|complies|certif|approved", text)
        assert "supports evidence for" in text
