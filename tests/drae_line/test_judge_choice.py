"""What was chosen to judge: it comes back, and what was replaced or damaged since is refused in words."""

import json
from pathlib import Path

import pytest

from drae_acceptance.calibration import calibrate
from drae_acceptance.threshold_file import thresholds_bytes
from drae_line.errors import JudgeError
from drae_line.judge_choice import CHOICE, JudgeChoice, choice_of, read_choice, write_choice
from tests.small_calibration import options, small

ONE = JudgeChoice("models/ä 1", "1" * 64, "models/ä 1/thresholds.json", "2" * 64)
OTHER = JudgeChoice("models/2", "3" * 64, "models/2/thresholds.json", "4" * 64)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, Path]:
    """What stands for a model, and thresholds."""
    model, thresholds = tmp_path / "model", tmp_path / "thresholds.json"
    model.mkdir()
    (model / "drae.keras").write_bytes(b"weights")
    (model / "model.json").write_text("{}")
    thresholds.write_bytes(thresholds_bytes(calibrate(small(), options()), options()))
    return model, thresholds


def test_without_a_choice_there_is_none(tmp_path: Path) -> None:
    assert read_choice(tmp_path) == read_choice(tmp_path / "absent") == (None, None)


@pytest.mark.parametrize("before", [None, OTHER])
def test_a_choice_comes_back_with_what_was_before(tmp_path: Path, before: JudgeChoice | None) -> None:
    write_choice(tmp_path / "line", ONE, before)
    assert read_choice(tmp_path / "line") == (ONE, before)
    assert [path.name for path in (tmp_path / "line").iterdir()] == [CHOICE]


def test_a_new_choice_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write_choice(tmp_path, ONE, None)
    write_choice(tmp_path, OTHER, ONE)
    assert read_choice(tmp_path) == (OTHER, ONE)


def test_what_lies_there_as_it_was_chosen_passes(stored: tuple[Path, Path]) -> None:
    chosen = choice_of(*stored)
    assert (chosen.model, chosen.thresholds) == (str(stored[0]), str(stored[1]))
    assert len({chosen.model_digest, chosen.thresholds_digest}) == 2
    chosen.check()


@pytest.mark.parametrize("name", ["drae.keras", "model.json"])
def test_a_model_that_changed_after_the_choice_is_refused(stored: tuple[Path, Path], name: str) -> None:
    chosen = choice_of(*stored)
    (stored[0] / name).write_text('{"trained": "again"}')
    with pytest.raises(
        JudgeError, match=r"model: expected the digest .*replaced since.*pipelines\.swap_judge"
    ) as caught:
        chosen.check()
    assert chosen.model_digest in str(caught.value)
    assert choice_of(*stored).model_digest in str(caught.value)


def test_thresholds_that_changed_after_the_choice_are_refused(stored: tuple[Path, Path]) -> None:
    chosen = choice_of(*stored)
    stored[1].write_bytes(thresholds_bytes(calibrate(small(), options(seed=2)), options(seed=2)))
    with pytest.raises(JudgeError, match=r"thresholds\.json: expected the digest .*replaced since"):
        chosen.check()


@pytest.mark.parametrize("name", ["model/drae.keras", "model/model.json", "thresholds.json"])
def test_what_is_absent_or_damaged_is_refused(stored: tuple[Path, Path], name: str) -> None:
    chosen, place = choice_of(*stored), stored[1].parent / name
    if name != "model/drae.keras":  # Its bytes are its own; only the digest knows them.
        place.write_text("[]")
        with pytest.raises(JudgeError, match=place.name):
            chosen.check()
    place.unlink()
    with pytest.raises(JudgeError, match=place.name):
        chosen.check()
    with pytest.raises(JudgeError, match=place.name):
        choice_of(*stored)


NOW = {"model": "m", "model_digest": "1", "thresholds": "t", "thresholds_digest": "2"}


def refuses(folder: Path, content: bytes) -> None:
    (folder / CHOICE).write_bytes(content)
    with pytest.raises(JudgeError, match=r"judge\.json: expected a choice of model and thresholds.*remove it"):
        read_choice(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff", b"null", b"[]", b'"text"', b"{}", json.dumps({"now": NOW}).encode(),
        json.dumps({"before": None}).encode(), json.dumps({"now": None, "before": None}).encode(),
        json.dumps({"now": {**NOW, "more": 1}, "before": None}).encode(),
        json.dumps({"now": {"model": "m"}, "before": None}).encode(),
        json.dumps({"now": NOW, "before": {}}).encode(), json.dumps({"now": NOW, "before": "m"}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_choice_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    refuses(tmp_path, content)


@pytest.mark.parametrize("entry", sorted(NOW))
def test_a_choice_with_an_entry_of_another_type_is_refused_in_words(tmp_path: Path, entry: str) -> None:
    values: tuple[object, ...] = (5, None, ["m"], {})
    for value in values:
        refuses(tmp_path, json.dumps({"now": {**NOW, entry: value}, "before": None}).encode())
        refuses(tmp_path, json.dumps({"now": NOW, "before": {**NOW, entry: value}}).encode())


def test_a_choice_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / CHOICE).mkdir()
    with pytest.raises(JudgeError, match=r"judge\.json"):
        read_choice(tmp_path)
