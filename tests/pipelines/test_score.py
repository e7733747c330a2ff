"""The stage score on a small line: what it writes, that it repeats and goes on, and what cannot be scored."""

import io
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drae_acceptance.score_files import read_score_set
from drae_data.options import SplitOptions
from drae_data.patch_index import index_columns
from pipelines import score, score_parts
from pipelines.params import load_params
from pipelines.score_parts import open_parts, part_name, parts_folder
from pipelines.scoring import open_scoring
from tests.acceptance_line import build_version, change, fails
from tests.small_line import tree_bytes


@pytest.mark.slow
def test_scores_are_those_of_the_exported_model(scored: Path) -> None:
    import tensorflow as tf

    from drae_model.patch_dataset import patch_batches
    from drae_model.read_options import ReadOptions

    found = read_score_set(scored / "scores/kit").patches
    by_key = {found.key_at(row): found.score[row] for row in range(len(found))}
    model = tf.saved_model.load(str(scored / "model/saved_model"))
    seen = 0
    for batch in patch_batches(scored / "datasets/kit/1.0.0", ReadOptions("test", 16, False, 1, None)):
        pixels = tf.cast(tf.round(batch["image"] * 255), tf.uint8)
        regions = tf.constant([("R0", "R1").index(name.decode()) for name in batch["region"].numpy()])
        expected = model.signatures["inspect"](patches=pixels, regions=regions)["score"].numpy()
        keys = [key.decode() for key in batch["key"].numpy()]
        assert np.allclose([by_key[key] for key in keys], expected, atol=1e-6)
        seen += len(keys)
    # 5 strips x 2 runs x 3 frames x 2 vials x 2 regions
    assert seen == len(found) == 120
    card = json.loads((scored / "model/model.json").read_text())
    assert card["regions"] == ["R0", "R1"]
    assert card["signatures"]["inspect"].startswith("patches uint8 [n, p, p, 1], regions int32 [n] -> ")


@pytest.mark.slow
def test_a_scored_set_says_what_labels_say(scored: Path) -> None:
    found = read_score_set(scored / "scores/kit")
    patches = found.patches
    marked = patches.label == "defective"
    assert set(zip(patches.strip[marked], patches.vial[marked], patches.region[marked], strict=True)) == {
        ("K04", 1, "R1"), ("K05", 1, "R1"),
    }  # fmt: skip
    assert set(patches.defect[marked].tolist()) == {"burn"}
    assert sorted(set(patches.size[marked].tolist())) == [9.0, 14.0]
    assert (patches.label[~marked] == "good").all()
    states = {row.acquisition: (row.state, row.run) for row in found.acquisitions}
    assert states.pop("K99") == ("absent", -1)
    assert set(states.values()) == {("valid", 0), ("valid", 1)}
    keys = [patches.key_at(row) for row in range(len(patches))]
    assert keys == sorted(keys)


@pytest.mark.slow
@pytest.mark.beam
def test_scores_are_the_same_bytes_on_two_workers(scored: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = scored / "scores/kit"
    monkeypatch.chdir(place)
    command = [sys.executable, "-m", "pipelines.score", "--set", "kit", "--direct_running_mode=multi_processing"]
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [*command, "--direct_num_workers=2"], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert tree_bytes(place / "scores/kit") == tree_bytes(kept)
    # A lock for the set stays, whatever was scored.
    assert [path.name for path in (place / "logs/scoring").iterdir()] == [".kit.lock"]


@pytest.mark.slow
def test_what_cannot_be_scored_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "score.sets: expected one of ['calibration', 'kit'], got 'kitt'" in fails(score, ["--set", "kitt"], capsys)
    card = place / "model/model.json"
    kept = card.read_text()
    card.write_text(kept.replace('"patch_size": 32', '"patch_size": 64'))
    assert "expected a model for patches of side 32" in fails(score, ["--set", "kit"], capsys)
    card.write_text(kept)
    (place / "model/drae.keras").rename(place / "model/away")
    assert "expected a trained model" in fails(score, ["--set", "kit"], capsys)
    (place / "model/away").rename(place / "model/drae.keras")
    shutil.rmtree(place / "datasets/kit")
    assert "there is no such folder" in fails(score, ["--set", "kit"], capsys)


@pytest.mark.slow
def test_strips_that_the_model_was_trained_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The kit's strip K01 becomes a copy of the training's P01, frame by frame.
    shutil.rmtree(place / "frames/kit/K01")
    shutil.copytree(place / "frames/small/P01", place / "frames/kit/K01")
    build_version(place, "kit", "K")
    message = fails(score, ["--set", "kit"], capsys)
    assert "got 1 that it was: K01" in message
    assert "leave_out" in message
    change(place, score__sets__kit__trained_strips="leave_out", score__timed_products=0)
    assert score.main(["--set", "kit"]) == 0
    assert "left out, the model was trained on them: K01" in capsys.readouterr().out
    found = read_score_set(place / "scores/kit")
    assert found.card.left_out == ("K01",)
    assert "K01" not in set(found.patches.strip.tolist())


@pytest.fixture
def parts(place: Path) -> Any:
    """The folder where the kit's parts lie, with the shards, and a function that keeps scores for one of them."""
    scoring = open_scoring(load_params(place / "params.yaml"), "kit")
    found = open_parts(parts_folder("kit"), scoring.version.claims.digest, scoring.model.digest, 7)

    def keep(values: Any, number: int = 0) -> Path:
        target = Path(found.root, part_name(scoring.shards[number].name))
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.save(stream, values)
        target.write_bytes(stream.getvalue())
        return target

    keep.records = scoring.shards[0].records  # type: ignore[attr-defined]
    return keep


@pytest.mark.slow
def test_a_stopped_scoring_takes_the_parts_that_are_there(place: Path, parts: Any) -> None:
    parts(np.full(parts.records, 0.123, np.float32))
    assert score.main(["--set", "kit"]) == 0
    found = read_score_set(place / "scores/kit").patches.score
    assert int((found == np.float32(0.123)).sum()) == parts.records < len(found)
    assert not (place / "logs/scoring/kit").exists()


@pytest.mark.slow
def test_parts_of_another_scoring_are_never_taken(place: Path, parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = parts(np.full(parts.records, 0.123, np.float32))
    monkeypatch.setattr(score_parts, "_code", lambda: "other code")
    assert score.main(["--set", "kit"]) == 0
    assert not (read_score_set(place / "scores/kit").patches.score == np.float32(0.123)).any()
    assert not kept.exists()


def test_the_parts_of_other_scorings_of_the_set_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = Path(open_parts(parts_folder("kit"), "d", "m", 7).root)
    other = Path(open_parts(parts_folder("calibration"), "d", "m", 7).root)
    for folder in (first, other):
        folder.mkdir(parents=True)
    assert open_parts(parts_folder("kit"), "d", "m", 7).root == str(first)
    assert first.exists()
    for changed in (("e", "m", 7), ("d", "n", 7), ("d", "m", 8)):
        assert open_parts(parts_folder("kit"), *changed).root != str(first)
    assert not first.exists()
    assert other.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "expected the scores of a shard"),
        (np.full(3, 0.1, np.float32), "numbers of the type float32, got"),
        (float("nan"), "expected finite scores, got nan for record 0"),
    ],
)
def test_a_damaged_part_is_named(parts: Any, capsys: pytest.CaptureFixture[str], values: Any, words: str) -> None:
    filled = values if isinstance(values, np.ndarray) else np.full(parts.records, values, np.float32)
    place = parts(filled)
    if values is None:
        place.write_bytes(b"junk")
    message = fails(score, ["--set", "kit"], capsys)
    assert words in message
    assert f"{place.name}: " in message
    assert "remove that file and score the set again" in message


@pytest.mark.slow
def test_a_shard_that_is_not_the_one_that_was_built_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard = min((place / "datasets/kit/1.0.0").glob("*.tfrecord-*"))
    data, records = shard.read_bytes(), []
    while data:
        size = 16 + int.from_bytes(data[:8], "little")
        records.append(data[:size])
        data = data[size:]
    # Whole records, each with the right checksums, in another order.
    shard.write_bytes(b"".join([records[1], records[0], *records[2:]]))
    assert f"{shard.name}: expected SHA-256" in fails(score, ["--set", "kit"], capsys)


@pytest.mark.slow
def test_records_that_are_not_those_of_the_index_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(*args: Any) -> Any:
        found = index_columns(*args)
        return {name: values[[1, 0, *range(2, len(values))]] for name, values in found.items()}

    monkeypatch.setattr("drae_model.score_patches.index_columns", swapped)
    message = fails(score, ["--set", "kit"], capsys)
    assert "in record 0, as its index says, got" in message
    assert "kit-test.tfrecord-" in message


@pytest.mark.slow
def test_a_model_card_without_an_entry_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = place / "model/model.json"
    kept = json.loads(card.read_text())
    for name in ("dataset", "score", "regions", "patch_size"):
        card.write_text(json.dumps({key: value for key, value in kept.items() if key != name}))
        assert f"model.json: {name}: expected" in fails(score, ["--set", "kit"], capsys)
    card.write_text(json.dumps({**kept, "dataset": {"name": "small"}}))
    assert "model.json: dataset: expected version, digest" in fails(score, ["--set", "kit"], capsys)


@pytest.mark.slow
def test_patches_of_a_vial_may_lie_in_two_splits(place: Path) -> None:
    build_version(place, "kit", "K", split=SplitOptions("patch", Fraction(1, 2), 3))
    change(place, score__sets__kit__split="validation", score__timed_products=2)
    assert score.main(["--set", "kit"]) == 0
    found = read_score_set(place / "scores/kit")
    assert {row.state for row in found.acquisitions if row.run >= 0} == {"incomplete"}
    assert not (place / "logs/timing/kit.json").exists()
