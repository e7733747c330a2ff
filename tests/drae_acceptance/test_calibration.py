"""Calibration: levels, folds, what takes no part; binding, history, and everything that is refused with words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from drae_acceptance.calibration import bind, calibrate, check_binding, check_protocol
from drae_acceptance.errors import BindingError, CalibrationError
from drae_acceptance.judging import judge
from drae_acceptance.options import CalibrationOptions, ConfirmRule
from drae_acceptance.score_table import INCOMPLETE, ScoreSet
from drae_acceptance.threshold_file import history_bytes, read_history, read_thresholds, thresholds_bytes
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


def test_thresholds_stand_in_the_middle_between_good_and_defective() -> None:
    found = calibrate(small(), options())
    for level in ("patch", "strip", "run"):
        assert found.thresholds.limits(level) == pytest.approx({"R0": 0.4, "R1": 0.6}), level
    assert found.strips == ("A", "B", "C", "D")
    counts = {level: (one["R0"].good, one["R0"].defective) for level, one in found.thresholds.levels.items()}
    # Patches: of R0 seven are good, those of strip D among them; strips in a run; strips.
    assert counts == {"patch": (6, 2), "strip": (4, 4), "run": (2, 2)}


def test_a_region_without_defective_patches_takes_a_quantile_and_says_so() -> None:
    scored = small_set([strip("A", "good", 0.1, 0.3), strip("C", "defective", 0.6, 0.1, "R0")], name="calibration")
    found = calibrate(scored, options()).thresholds.levels["patch"]
    assert (found["R0"].how, found["R1"].how) == ("searched", "quantile")
    assert found["R1"].value == pytest.approx(0.3)


def test_without_any_defective_strip_every_level_takes_quantiles() -> None:
    found = calibrate(small_set([strip("A", "good", 0.1, 0.3), strip("B", "good", 0.2, 0.2)]), options())
    assert {one.how for level in found.thresholds.levels.values() for one in level.values()} == {"quantile"}
    assert found.thresholds.limits("run") == pytest.approx({"R0": 0.2, "R1": 0.3})


def test_only_defective_strips_are_refused() -> None:
    with pytest.raises(CalibrationError, match="level strip: expected good strips"):
        scored = small_set([strip("C", "defective", 0.6, 0.1, "R0"), strip("D", "defective", 0.1, 0.9, "R1")])
        calibrate(scored, options())


def test_what_is_not_valid_or_unknown_takes_no_part() -> None:
    scored = small()
    rows = tuple(
        replace(row, state=INCOMPLETE) if row.strip == "B" and row.run == 0 else row for row in scored.acquisitions
    )
    found = calibrate(ScoreSet(scored.card, scored.patches, rows), options()).thresholds
    assert (found.levels["strip"]["R0"].good, found.levels["run"]["R0"].good) == (3, 1)


def test_folds_judge_each_strip_by_the_others() -> None:
    scored = small()
    found = calibrate(scored, options(protocol="folds"))
    assert sorted(name for fold in found.folds for name in fold.strips) == ["A", "B", "C", "D"]
    for fold in found.folds:
        # One good and one defective strip in each, hence the others' thresholds know one of each.
        assert fold.thresholds.levels["run"]["R0"].good == 1
        assert found.thresholds_for(fold.strips[0]) == fold.thresholds
    assert calibrate(scored, options(protocol="folds")) == found


def test_too_few_strips_for_folds() -> None:
    scored = small_set([strip("A", "good", 0.1, 0.3), strip("C", "defective", 0.6, 0.1, "R0")])
    with pytest.raises(CalibrationError, match="expected at least 2 defective strips, got 1"):
        calibrate(scored, options(protocol="folds"))


def test_shared_strips_are_refused_and_named() -> None:
    found = calibrate(small(), options())
    kit = small_set([strip("A", "good", 0.1, 0.3), strip("X", "good", 0.1, 0.3)], dataset="k" * 64)
    with pytest.raises(BindingError, match=r"got 1 in both: A\. Take other strips, or set calibrate\.protocol"):
        check_protocol(found, kit)
    check_protocol(found, small_set([strip("X", "good", 0.1, 0.3)], dataset="k" * 64))


def test_the_protocols_of_the_kit_itself_need_the_kit() -> None:
    for protocol in ("paper", "folds"):
        found = calibrate(small(), options(protocol=protocol))
        assert found.optimistic == (protocol == "paper")
        check_protocol(found, small())
        with pytest.raises(BindingError, match=f"protocol {protocol}: expected calibrate.set to be the kit itself"):
            check_protocol(found, small_set([strip("X", "good", 0.1, 0.3)], dataset="k" * 64))


@pytest.mark.parametrize(
    ("whose", "name", "words"),
    [
        ("kit", "model_digest", "expected those of the model zz"), ("kit", "layout_digest", "of the strip layout zz"),
        ("kit", "score", "expected scores of one kind"), ("calibration", "labels_digest", "of the labels zz"),
        ("calibration", "dataset", "of the dataset zz"), ("calibration", "set", "of the calibration set zz"),
    ],
)  # fmt: skip
def test_anything_else_than_what_they_were_searched_on_is_refused(whose: str, name: str, words: str) -> None:
    card = small().card
    found = calibrate(small(), options())
    check_binding(found, card, card)
    value: object = {"dataset": {"digest": "zz"}, "score": {"definition": "another"}}.get(name, "zz")
    cards = {"kit": card, "calibration": card, whose: replace(card, **{name: value})}  # type: ignore[arg-type]
    with pytest.raises(BindingError, match=words):
        check_binding(found, cards["kit"], cards["calibration"])


def test_the_file_gives_the_thresholds_back(tmp_path: Path) -> None:
    for protocol in ("disjoint", "folds"):
        found = calibrate(small(), options(protocol=protocol))
        (tmp_path / "thresholds.json").write_bytes(thresholds_bytes(found, options(protocol=protocol)))
        assert read_thresholds(tmp_path / "thresholds.json")[0] == found
        assert found.binding == bind(small().card)


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "thresholds.json"
    values = json.loads(thresholds_bytes(calibrate(small(), options()), options()))
    values["levels"]["run"]["R0"]["value"] = 0.99
    place.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match="the file was changed after it was written"):
        read_thresholds(place)
    for content in ("", "[]", "{}"):
        place.write_text(content)
        with pytest.raises(CalibrationError, match="expected thresholds"):
            read_thresholds(place)
    with pytest.raises(CalibrationError, match=r"run python -m pipelines\.calibrate"):
        read_thresholds(tmp_path / "absent.json")


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


def test_thresholds_of_a_calibration_judge_it_as_the_search_counted() -> None:
    scored = small()
    verdicts = judge(scored, calibrate(scored, options(protocol="paper")), RULE)
    assert all(one.state == "confirmed" for one in verdicts.runs)
