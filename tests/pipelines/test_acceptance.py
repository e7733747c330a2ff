"""The stages calibrate and evaluate on a small line that was scored: the report, and what does not belong together."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from drae_acceptance.score_files import read_score_set
from pipelines import calibrate, evaluate, score
from tests.acceptance_line import BAD, GOOD, build_version, change, fails, write_scores
from tests.small_line import tree_bytes


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
    # Every link of the gallery leads from the page to a frame that is there.
    links = re.findall(r'<a href="([^"]+)"', page)
    assert links
    assert all((done / "reports" / unquote(link)).is_file() for link in links)
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
def test_scores_of_another_model_or_dataset_are_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = done / "scores/kit"
    found = read_score_set(folder)
    for name, what in (("model_digest", "model"), ("dataset_digest", "dataset version")):
        values = getattr(found.patches, name).copy()
        values[:5] = "f" * 64
        other = found.patches.take(np.arange(len(values)))
        object.__setattr__(other, name, values)
        write_scores(folder, replace(found, patches=other))
        assert f"expected the scores of one {what}" in fails(evaluate, [], capsys)


@pytest.mark.slow
def test_the_papers_protocol_needs_the_kit(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(done, calibrate__protocol="folds")
    assert "calibrate.set: expected the kit itself, 'kit'" in fails(calibrate, [], capsys)
    change(done, calibrate__protocol="disjoint", calibrate__set="kit")
    assert calibrate.main([]) == 0
    assert "expected other strips in kit than in kit" in fails(evaluate, [], capsys)


@pytest.mark.slow
def test_scores_that_the_thresholds_were_not_searched_on_are_refused(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = read_score_set(done / "scores/calibration")
    halved = replace(found.patches, score=found.patches.score * np.float32(0.5))
    write_scores(done / "scores/calibration", replace(found, patches=halved))
    message = fails(evaluate, [], capsys)
    assert "thresholds: expected those of the scores" in message
    assert "run python -m pipelines.calibrate" in message
    assert calibrate.main([]) == 0
    assert evaluate.main([]) == 0


@pytest.mark.slow
def test_what_labels_do_not_name_counts_alike_in_both_sets(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(done, score__unlabelled_parts="unknown")
    assert score.main(["--set", "kit"]) == 0
    message = fails(evaluate, [], capsys)
    assert "labels counted alike (score.unlabelled_parts), got good in calibration and unknown in kit" in message


@pytest.mark.slow
def test_calibration_strips_under_other_names_are_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(done / "frames/kit/K02")
    shutil.copytree(done / "frames/calibration/C03", done / "frames/kit/K02")
    build_version(done, "kit", "K")
    assert score.main(["--set", "kit"]) == 0
    message = fails(evaluate, [], capsys)
    assert "got 1 with the same frame files under other names: K02/r1 as C03/r1" in message


@pytest.mark.slow
def test_pictures_that_are_not_those_of_the_scoring_are_not_printed(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = done / "scores/kit/gallery"
    picture = min(gallery.glob("*_vial.png"))
    kept = picture.read_bytes()
    picture.write_bytes(b"")
    assert f"{picture.name}: expected the file of SHA-256" in fails(evaluate, [], capsys)
    picture.unlink()
    assert f"{picture.name}: expected the pictures of a scored set" in fails(evaluate, [], capsys)
    picture.write_bytes(kept)
    index = gallery / "gallery.json"
    index.write_text(index.read_text().replace('"label": "good"', '"label": "unknown"', 1))
    assert "gallery.json: expected the file of SHA-256" in fails(evaluate, [], capsys)


@pytest.mark.slow
def test_an_experiment_changes_thresholds_without_a_reason_of_its_own(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(done, calibrate__goals__run="balanced_accuracy")
    assert calibrate.main([]) == 0
    assert "first (carried over from the entry before)" in capsys.readouterr().out
    entries = json.loads((done / "thresholds/history.json").read_text())
    assert entries[1]["changed"] == {"options.goals.run": ["accuracy", "balanced_accuracy"]}
