"""The stages score, calibrate and evaluate and the command explain on a small line, from frames to report and back."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_acceptance.score_files import acquisitions_bytes, card_bytes, read_score_set, scores_bytes
from drae_data.labels import LabelOptions
from drae_data.local_files import LocalFiles
from drae_data.options import SplitOptions, select_images
from drae_data.patches import PatchOptions
from pipelines import calibrate, evaluate, explain, score
from pipelines.train import main as train
from tests.small_line import build_dataset, small_options, tree_bytes, write_line
from tests.small_params import LINE, TRAIN, set_value

GOOD = ("K01", "K02", "K03")
BAD = ("K04", "K05")
LABELS = "strip,vial,region,defect,size,label\n{good}\n{bad}\nK99,,,,,good\n"
ACCEPTANCE = """
score:
  folder: scores
  batch_size: 7
  unlabelled_parts: good
  timed_products: 2
  sets:
    kit: {split: test, trained_strips: refuse}
    calibration: {split: test, trained_strips: refuse}
acceptance: {runs_required: 2, confirm: {at_least: 7, of: 10}}
calibrate:
  set: calibration
  folder: thresholds
  protocol: disjoint
  goals: {patch: balanced_accuracy, strip: accuracy, run: accuracy}
  false_reject_ceiling: 0.05
  good_quantile: 0.9
  folds: 2
  seed: 1
  reason: first
  author: A. Nother
evaluate:
  set: kit
  folder: reports/acceptance
  page: reports/acceptance.html
  tables: frames/kit_tables
  inspectors: null
  confidence: 0.95
  bootstrap: {resamples: 200, seed: 1}
  criteria: {accuracy: 0.5, accept_recall: null, reject_recall: null}
  gallery: 4
"""


def labels_of(letter: str) -> bytes:
    """Three good strips, two defective ones with a place, and one that was never acquired."""
    good = "\n".join(f"{name.replace('K', letter)},,,,,good" for name in GOOD)
    bad = "\n".join(
        f"{name.replace('K', letter)},1,R1,burn,{size},defective" for name, size in zip(BAD, (9, 14), strict=True)
    )
    return LABELS.format(good=good, bad=bad).replace("K99", f"{letter}99").encode()


def build(folder: Path, name: str, letter: str) -> None:
    """A version of a set of the small line; production's strips are P01 and so on, all good."""
    strips = [strip.replace("K", letter) for strip in (*GOOD, *BAD)]
    write_line(folder / "frames" / name, strips, runs=2)
    options = small_options(
        name=name, patch=PatchOptions(32, "stretch", "linear", 0, "png"), images=select_images([0, 1, 2], []),
        split=SplitOptions("none", Fraction(0), 1), labels=LabelOptions(
            "labels.csv", {}, (), "", {"good": "good", "defective": "defective"}, ()),
    )  # fmt: skip
    if letter == "P":
        options = replace(options, labels=None, split=SplitOptions("strip", Fraction(1, 5), 7))
    tables = {} if letter == "P" else {"labels.csv": labels_of(letter)}
    build_dataset(folder / "frames" / name, folder / "datasets" / name / "1.0.0", options, tables=tables)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with frames, versions, a model and params, where nothing is scored yet."""
    folder = tmp_path_factory.mktemp("scene")
    for name, letter in (("small", "P"), ("calibration", "C"), ("kit", "K")):
        build(folder, name, letter)
    values = YAML(typ="safe", pure=True).load(LINE + TRAIN + ACCEPTANCE)
    set_value(values, "patch.size", 32)
    values["train"] |= {"epochs": 1, "panels": 1, "validation_patches": 8}
    for name in ("calibration", "kit"):
        values["build"][name] = {**values["build"]["small"], "root": f"frames/{name}"}
    YAML(typ="safe", pure=True).dump(values, folder / "params.yaml")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert train([]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def place(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scene, and the test in it."""
    shutil.copytree(scene, tmp_path / "line")
    monkeypatch.chdir(tmp_path / "line")
    return tmp_path / "line"


@pytest.fixture(scope="module")
def scored(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the scene in which both sets are scored."""
    folder = tmp_path_factory.mktemp("scored") / "line"
    shutil.copytree(scene, folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert score.main(["--set", "kit"]) == 0
        assert score.main(["--set", "calibration"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def done(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scored scene, calibrated and evaluated, and the test in it."""
    shutil.copytree(scored, tmp_path / "line")
    monkeypatch.chdir(tmp_path / "line")
    assert calibrate.main([]) == 0
    assert evaluate.main([]) == 0
    return tmp_path / "line"


def change(folder: Path, **changes: Any) -> None:
    """Changes params at places such as `calibrate__protocol`."""
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(folder / "params.yaml")
    for name, value in changes.items():
        set_value(values, name.replace("__", "."), value)
    yaml.dump(values, folder / "params.yaml")


def fails(command: Any, argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a command that must fail."""
    capsys.readouterr()
    assert command.main(argv) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


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
        expected = model.inspect(pixels)["score"].numpy()
        keys = [key.decode() for key in batch["key"].numpy()]
        assert np.allclose([by_key[key] for key in keys], expected, atol=1e-6)
        seen += len(keys)
    # 5 strips x 2 runs x 3 frames x 2 vials x 2 regions
    assert seen == len(found) == 120


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
def test_scores_are_the_same_bytes_on_two_workers_and_after_a_stop(
    scored: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = scored / "scores/kit"
    # A stop after the first shard leaves its scores; they are taken, not computed again.
    monkeypatch.setattr("pipelines.score._write", lambda *_: (_ for _ in ()).throw(OSError("stop")))
    assert score.main(["--set", "kit"]) == 1
    parts = sorted(next((place / "logs/scoring").iterdir()).glob("*.npy"))
    assert len(parts) == 4
    parts[0].unlink()
    monkeypatch.undo()
    monkeypatch.chdir(place)
    command = [sys.executable, "-m", "pipelines.score", "--set", "kit", "--direct_running_mode=multi_processing"]
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [*command, "--direct_num_workers=2"], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert tree_bytes(place / "scores/kit") == tree_bytes(kept)
    assert not list((place / "logs/scoring").glob("[!.]*"))


@pytest.mark.slow
def test_the_report_and_what_lies_beside_it(done: Path) -> None:
    values = json.loads((done / "reports/acceptance/metrics.json").read_text())
    assert values["run"]["samples"] == 6
    assert values["outcome"] in ("incomplete", "does not support acceptance")
    assert values["knapp"]["at_least_as_good"] is None
    page = (done / "reports/acceptance.html").read_text()
    assert "K99" in page
    assert "not available" in page
    assert str(done) not in page
    names = {path.name for path in (done / "reports/acceptance/plots").iterdir()}
    assert names == {"scores.csv", "roc.csv", "detection.csv", "operating_curve.csv"}
    timing = json.loads((done / "logs/timing/kit.json").read_text())
    assert (timing["products"], timing["patches"]) == (2, 12)
    # Without the timing file all else is the same, and the page says that nothing was measured.
    before = tree_bytes(done / "reports/acceptance")
    shutil.rmtree(done / "logs/timing")
    assert evaluate.main([]) == 0
    assert tree_bytes(done / "reports/acceptance") == before
    assert "not measured" in (done / "reports/acceptance.html").read_text()


@pytest.mark.slow
def test_the_papers_protocol_is_called_optimistic_everywhere(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(done, calibrate__set="kit", calibrate__protocol="paper")
    assert calibrate.main([]) == 0
    assert "optimistic" in capsys.readouterr().out
    assert evaluate.main([]) == 0
    assert "optimistic" in capsys.readouterr().out
    assert json.loads((done / "reports/acceptance/metrics.json").read_text())["optimistic"] is True
    assert json.loads((done / "thresholds/thresholds.json").read_text())["optimistic"] is True
    assert (done / "reports/acceptance.html").read_text().count("Optimistic: the judged strips") >= 4
    assert [entry["number"] for entry in json.loads((done / "thresholds/history.json").read_text())] == [1, 2]


@pytest.mark.slow
def test_human_inspectors_fix_the_zone(done: Path) -> None:
    tables = done / "frames/kit_tables"
    tables.mkdir()
    lines = [
        "strip,inspections,rejects",
        *(f"{name},10,1" for name in (*GOOD, "K99")),
        *(f"{name},10,9" for name in BAD),
    ]
    (tables / "inspectors.csv").write_text("\n".join(lines))
    change(done, evaluate__inspectors="inspectors.csv")
    assert evaluate.main([]) == 0
    values = json.loads((done / "reports/acceptance/metrics.json").read_text())["knapp"]
    assert values["rze_human"] == 0.9
    assert values["rag_human"] == 0.1
    assert isinstance(values["at_least_as_good"], bool)


@pytest.mark.slow
def test_a_verdict_is_walked_back_to_its_frames(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ""
    for key in ("K04/r1", "K04"):
        capsys.readouterr()
        assert explain.main([key]) == 0
        said = capsys.readouterr().out
        assert f"every link from {key} to its frames holds" in said
    assert re.search(r"frame +frames/kit/K04/run_0\d/frame_0\d.png: SHA-256 [0-9a-f]{64}", said)
    assert "expected one of" in fails(explain, ["K77"], capsys)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("frames", "to its frames below frames/kit"), ("model", "broken link, scores to model"),
        ("dataset", "broken link, score"), ("verdicts", "broken link, verdict"), ("thresholds", "was changed after"),
        ("scores", "expected the table of SHA-256"), ("other thresholds", "broken link, verdicts to thresholds"),
    ],
)  # fmt: skip
def test_a_broken_link_is_named(done: Path, capsys: pytest.CaptureFixture[str], broken: str, words: str) -> None:
    if broken == "frames":
        for path in (done / "frames/kit/K04/run_01").iterdir():
            path.write_bytes((done / "frames/kit/K01/run_00/frame_00.png").read_bytes())
    elif broken == "model":
        (done / "model/drae.keras").write_bytes((done / "model/drae.keras").read_bytes() + b"x")
    elif broken == "dataset":
        for shard in (done / "datasets/kit/1.0.0").glob("*.tfrecord-*"):
            shard.write_bytes(bytes(reversed(shard.read_bytes())))
    elif broken == "verdicts":
        _change_verdict(done / "reports/acceptance/verdicts.parquet")
    elif broken == "thresholds":
        path = done / "thresholds/thresholds.json"
        path.write_text(path.read_text().replace('"good": ', '"good": 1'))
    elif broken == "scores":
        path = done / "scores/kit/scores.parquet"
        path.write_bytes(path.read_bytes() + b"x")
    else:
        change(done, calibrate__goals__run="balanced_accuracy", calibrate__seed=5)
        assert calibrate.main([]) == 0
    assert words in fails(explain, ["K04/r1"], capsys)


def _change_verdict(path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    values = table.column("verdict").to_pylist()
    other = ["accept" if value == "reject" else "reject" for value in values]
    table = table.set_column(table.schema.get_field_index("verdict"), "verdict", [other])
    pq.write_table(table, path)


@pytest.mark.slow
def test_scores_of_another_model_or_dataset_are_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = done / "scores/kit"
    found = read_score_set(folder)
    for name, what in (("model_digest", "model"), ("dataset_digest", "dataset version")):
        values = getattr(found.patches, name).copy()
        values[:5] = "f" * 64
        other = found.patches.take(np.arange(len(values)))
        object.__setattr__(other, name, values)
        tables = scores_bytes(other), acquisitions_bytes(found.acquisitions)
        files = LocalFiles(str(folder))
        files.write("scores.parquet", [tables[0]])
        files.write("scores.json", [card_bytes(found.card, *tables)])
        assert f"expected the scores of one {what}" in fails(evaluate, [], capsys)


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
    shutil.rmtree(place / "datasets/kit")
    options = small_options(
        name="kit", patch=PatchOptions(32, "stretch", "linear", 0, "png"), images=select_images([0, 1, 2], []),
        split=SplitOptions("none", Fraction(0), 1),
        labels=LabelOptions("labels.csv", {}, (), "", {"good": "good", "defective": "defective"}, ()),
    )  # fmt: skip
    build_dataset(place / "frames/kit", place / "datasets/kit/1.0.0", options, tables={"labels.csv": labels_of("K")})
    message = fails(score, ["--set", "kit"], capsys)
    assert "got 1 that it was: K01" in message
    assert "leave_out" in message
    change(place, score__sets__kit__trained_strips="leave_out", score__timed_products=0)
    assert score.main(["--set", "kit"]) == 0
    assert "left out, the model was trained on them: K01" in capsys.readouterr().out
    found = read_score_set(place / "scores/kit")
    assert found.card.left_out == ("K01",)
    assert "K01" not in set(found.patches.strip.tolist())


@pytest.mark.slow
def test_the_papers_protocol_needs_the_kit(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(done, calibrate__protocol="folds")
    assert "calibrate.set: expected the kit itself, 'kit'" in fails(calibrate, [], capsys)
    change(done, calibrate__protocol="disjoint", calibrate__set="kit")
    assert calibrate.main([]) == 0
    assert "expected other strips in kit than in kit" in fails(evaluate, [], capsys)
