"""Detection's benchmark on small lines: what it judges is what the stages judge, and what does not belong is refused.

The model has random weights: how good it is is not judged here.
"""

import contextlib
import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import detection
from benchmarks.figures import pair
from drae_acceptance.score_files import read_score_set
from drae_acceptance.score_table import ScoreSet
from pipelines import calibrate
from pipelines.acceptance_run import judge_kit
from pipelines.params import load_params
from tests.acceptance_line import change, fails, write_scores

KIT = ["--params", "params.yaml"]


def last_line(text: str) -> Any:
    return json.loads(text.splitlines()[-1])


def test_the_kit_is_judged_as_the_stages_judge_it(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detection.main(KIT) == 0

    said = capsys.readouterr().out
    levels = last_line(said)["kit"]
    assert set(levels) == {"patch", "vial", "strip", "run", *(f"{one}_by_defect" for one in ("patch", "strip", "run"))}
    for figures in levels.values():
        assert all(set(leaf) == {"model", "pca"} for leaf in figures.values())
    assert set(levels["run_by_defect"]) == {"burn"}
    # Every choice of the rival is shown, one of them as chosen.
    rows = [row for row in said.splitlines() if len(row.split()) >= 4 and row.split()[0] in ("8", "16", "24", "32")]
    assert len(rows) == 8
    assert sum("chosen" in row for row in rows) == 1

    assert calibrate.main([]) == 0
    expected = judge_kit(load_params(Path("params.yaml"))).acceptance
    for level, rates in (("vial", expected.vials), ("strip", expected.strips), ("run", expected.runs)):
        for name in ("accuracy", "accept_recall", "reject_recall"):
            assert levels[level][name]["model"] == pytest.approx(getattr(rates, name).value, abs=1e-4)
    burn = expected.detections[0]
    assert levels["strip_by_defect"]["burn"]["model"] == pytest.approx(burn.runs.value, abs=1e-4)


@pytest.mark.parametrize(("protocol", "words"), [("folds", "By folds"), ("paper", "Optimistic")])
def test_the_kit_may_be_its_own_calibration_set(
    line: Path, capsys: pytest.CaptureFixture[str], protocol: str, words: str
) -> None:
    change(line, calibrate__set="kit", calibrate__protocol=protocol)
    assert detection.main(KIT) == 0
    said = capsys.readouterr().out
    assert words in said
    assert "run" in last_line(said)["kit"]


def test_the_kit_may_not_be_its_own_calibration_set_unsaid(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(line, calibrate__set="kit")
    assert "expected other strips in kit than in kit" in fails(detection, KIT, capsys)


def test_scores_that_the_model_does_not_give_are_refused(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scored = read_score_set(line / "scores/kit")
    other = scored.patches.score.copy()
    other[3] += np.float32(1e-3)
    write_scores(line / "scores/kit", ScoreSet(scored.card, replace(scored.patches, score=other), scored.acquisitions))
    message = fails(detection, KIT, capsys)
    assert f"scores of kit: expected {other[3]:.7f} for {scored.patches.key_at(3)}" in message
    assert "and 0 more that differ; run python -m pipelines.score --set kit" in message


def test_another_model_is_refused(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads((line / "model/model.json").read_text())
    (line / "model/model.json").write_text(json.dumps({**card, "note": "trained again"}))
    message = fails(detection, KIT, capsys)
    assert "scores of calibration: expected those by the model in model, digest" in message


def test_another_version_is_refused(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(line / "datasets/kit")
    shutil.copytree(line / "datasets/calibration", line / "datasets/kit")
    message = fails(detection, KIT, capsys)
    assert "scores of kit: expected those of the version in datasets/kit/1.0.0, digest" in message


def test_a_model_of_another_version_is_refused(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(line / "datasets/small")
    shutil.copytree(line / "datasets/calibration", line / "datasets/small")
    message = fails(detection, KIT, capsys)
    assert "datasets/small/1.0.0: expected the version that the model in model was trained on" in message


def test_strips_labelled_by_their_path_are_judged(labelled_by_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(labelled_by_path):
        figures = detection.compare(load_params(Path("params.yaml")), "aliens")["patch"]

    assert "aliens: 4 good and 5 defective patches" in capsys.readouterr().out
    patches = read_score_set(labelled_by_path / "scores/aliens").patches
    assert (patches.label[patches.strip_label == "defective"] == "unknown").all()
    sides = {label: patches.score[patches.strip_label == label] for label in ("good", "defective")}
    won = [(bad > good) + (bad == good) / 2 for good, bad in itertools.product(sides["good"], sides["defective"])]
    assert len(won) == 20
    assert figures["auroc_mean"]["model"] == figures["auroc"]["model"] == pytest.approx(np.mean(won), abs=1e-4)
    assert set(figures) == {"auroc", "auroc_mean", "auroc_percentile_99"}
    # The rival of the figure auroc is the best of all that it tried.
    assert figures["auroc"]["pca"] == max(figures[name]["pca"] for name in figures)


def test_real_sets_need_their_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "aliens: expected --data FOLDER" in fails(detection, ["--sets", "aliens"], capsys)
    arguments = ["--sets", "aliens", "--data", str(tmp_path)]
    assert f"the folder in which aliens lies, got {tmp_path}" in fails(detection, arguments, capsys)


def test_a_pair_has_no_number_where_there_is_none() -> None:
    assert pair(0.123456, None) == {"model": 0.1235, "pca": None}
    assert pair(float("nan"), 1.0) == {"model": None, "pca": 1.0}
