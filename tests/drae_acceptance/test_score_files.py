"""Scored sets as files: what comes back, and what is refused with words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drae_acceptance.errors import BindingError, ScoreError
from drae_acceptance.score_files import acquisitions_bytes, card_bytes, read_score_set, scores_bytes
from drae_acceptance.score_table import PatchScores, ScoreSet
from tests.small_scores import SmallStrip, small_set


@pytest.fixture
def scored() -> ScoreSet:
    places = {(0, "R0"): 0.1, (0, "R1"): 0.2}
    return small_set(
        [SmallStrip("A", "good", [places] * 2), SmallStrip("B", "defective", [places], {(0, "R1"): "burn"}, 7.0)]
    )


def write(folder: Path, scored: ScoreSet) -> Path:
    tables = scores_bytes(scored.patches), acquisitions_bytes(scored.acquisitions)
    (folder / "scores.parquet").write_bytes(tables[0])
    (folder / "acquisitions.parquet").write_bytes(tables[1])
    (folder / "scores.json").write_bytes(card_bytes(scored.card, *tables, b"gallery"))
    return folder


def test_a_set_comes_back_as_it_was(tmp_path: Path, scored: ScoreSet) -> None:
    found = read_score_set(write(tmp_path, scored))
    for name, column in vars(scored.patches).items():
        came = getattr(found.patches, name)
        assert came.dtype.kind == column.dtype.kind, name
        assert np.array_equal(came, column, equal_nan=column.dtype.kind == "f"), name
    assert str(found.acquisitions) == str(scored.acquisitions)
    assert replace(found.card, scores_sha256="", acquisitions_sha256="", gallery_sha256="") == scored.card
    assert scores_bytes(found.patches) == scores_bytes(scored.patches)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_names_its_patch(scored: ScoreSet, value: float) -> None:
    scores = scored.patches.score.copy()
    scores[3] = value
    with pytest.raises(ScoreError, match=r"expected a number for every patch, got \w+ for A/r1/f00/v0/R1"):
        replace(scored.patches, score=scores)


@pytest.mark.parametrize("name", ["model_digest", "dataset_digest"])
def test_rows_of_two_sources_are_refused(scored: ScoreSet, name: str) -> None:
    values = getattr(scored.patches, name).copy()
    values[0] = "z" * 64
    with pytest.raises(BindingError, match=r"got rows of \{.*\}; score the set again"):
        replace(scored.patches, **{name: values})


def test_a_patch_that_is_there_twice_is_refused(scored: ScoreSet) -> None:
    with pytest.raises(ScoreError, match="expected each patch once"):
        scored.patches.take(np.array([0, 1, 1]))


def test_an_empty_table_and_strange_labels_are_refused(scored: ScoreSet) -> None:
    with pytest.raises(ScoreError, match="expected at least one patch"):
        scored.patches.take(np.zeros(0, np.int64))
    with pytest.raises(ScoreError, match=r"label: expected good, defective, excluded, unknown, got \['bad'\]"):
        replace(scored.patches, label=np.full(len(scored.patches), "bad"))


def test_columns_of_other_lengths_are_refused(scored: ScoreSet) -> None:
    values = {**vars(scored.patches), "score": scored.patches.score[:-1]}
    with pytest.raises(ScoreError, match="expected columns of one length"):
        PatchScores(**values)


def test_a_card_of_other_rows_is_refused(tmp_path: Path, scored: ScoreSet) -> None:
    other = ScoreSet(replace(scored.card, model_digest="z" * 64), scored.patches, scored.acquisitions)
    with pytest.raises(BindingError, match="expected rows of the model z"):
        read_score_set(write(tmp_path, other))


@pytest.mark.parametrize("name", ["scores.parquet", "acquisitions.parquet", "scores.json"])
@pytest.mark.parametrize("damage", ["absent", "cut", "other"])
def test_damaged_files_are_named(tmp_path: Path, scored: ScoreSet, name: str, damage: str) -> None:
    place = write(tmp_path, scored) / name
    if damage == "absent":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:-9] if damage == "cut" else b"{}")
    with pytest.raises((ScoreError, BindingError), match=name):
        read_score_set(tmp_path)


def test_frames_come_back_in_their_order(tmp_path: Path, scored: ScoreSet) -> None:
    rows = tuple(replace(row, frames=("b", "a")) for row in scored.acquisitions)
    found = read_score_set(write(tmp_path, replace(scored, acquisitions=rows)))
    assert {row.frames for row in found.acquisitions} == {("b", "a")}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("dataset", {}, "dataset: without name, version, digest"),
        ("dataset", {"name": 1, "version": "1", "digest": "d"}, "dataset: without name"),
        ("vials", "2", "vials: '2', which is no int"),
        ("regions", "R0", "regions: 'R0', which is no list"),
        ("score", None, "score: None, which is no dict"),
        ("set", 3, "set: 3, which is no str"),
        ("more", 3, "missing or unknown: more"),
    ],
)
def test_a_card_with_a_distorted_entry_is_refused(
    tmp_path: Path, scored: ScoreSet, name: str, value: object, words: str
) -> None:
    place = write(tmp_path, scored) / "scores.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), name: value}))
    with pytest.raises(ScoreError) as caught:
        read_score_set(tmp_path)
    assert words in str(caught.value)
    assert "scores.json" in str(caught.value)
