"""The stage model_card on a small line that was trained and judged; files that do not belong together are refused."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from pipelines import calibrate, model_card
from tests.acceptance_line import change, fails
from tests.small_params import load_values, read_values

OUT = "reports/model_card.md"


@pytest.mark.slow
def test_the_card_says_what_the_files_say(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert model_card.main([]) == 0
    assert "the card of model, with its acceptance" in capsys.readouterr().out
    text = (done / OUT).read_text()
    card = json.loads((done / "model/model.json").read_text())
    metrics = json.loads((done / "reports/acceptance/metrics.json").read_text())
    thresholds = json.loads((done / "thresholds/thresholds.json").read_text())
    kit = json.loads((done / "datasets/kit/1.0.0/provenance.json").read_text())
    digests = (card["dataset"]["digest"], card["saved_model_sha256"], thresholds["digest"], kit["digest"],
               thresholds["binding"]["model_digest"], thresholds["binding"]["dataset_digest"])  # fmt: skip
    assert all(digest in text for digest in digests)
    behind = metrics["run"]["behind"]["accuracy"]
    assert f"{metrics['run']['accuracy']:.4f} ({behind['count']} of {behind['of']}, " in text
    assert str(done) not in text
    assert model_card.main(["--out", "again.md"]) == 0
    assert (done / "again.md").read_text() == text
    # The commands that it gives say the digests that it names.
    block = text.split("```sh\n")[1].split("```")[0]
    found = subprocess.run(["bash", "-c", block], cwd=done / "model", capture_output=True, text=True, check=True).stdout
    assert found.split() == [thresholds["binding"]["model_digest"], "-", card["saved_model_sha256"], "-"]


@pytest.mark.slow
def test_without_a_section_evaluate_nothing_is_said_of_an_acceptance(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = read_values(done / "params.yaml")
    del values["evaluate"]
    load_values(done, values)
    assert model_card.main([]) == 0
    assert "without an acceptance" in capsys.readouterr().out
    assert "No acceptance: no labelled kit was judged" in (done / OUT).read_text()


@pytest.mark.slow
def test_an_acceptance_of_another_model_is_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras = done / "model/drae.keras"
    keras.write_bytes(keras.read_bytes() + b"\0")
    message = fails(model_card, [], capsys)
    card = hashlib.sha256((done / "model/model.json").read_bytes()).hexdigest()
    digest = hashlib.sha256(f"{hashlib.sha256(keras.read_bytes()).hexdigest()}\n{card}".encode()).hexdigest()
    assert f"thresholds.json: expected thresholds of the model {digest}, got those of" in message
    assert not (done / OUT).exists()


@pytest.mark.slow
def test_verdicts_by_other_thresholds_are_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(done, calibrate__good_quantile=0.5)
    assert calibrate.main([]) == 0
    message = fails(model_card, [], capsys)
    assert "verdicts.parquet: expected verdicts by the thresholds" in message
    assert "run python -m pipelines.evaluate" in message


@pytest.mark.slow
def test_files_that_are_absent_are_named(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (done / "reports/acceptance/metrics.json").unlink()
    assert "metrics.json: expected the figures of an acceptance" in fails(model_card, [], capsys)
    (done / "thresholds/thresholds.json").unlink()
    assert "thresholds.json: expected thresholds, got: No such file" in fails(model_card, [], capsys)
    (done / "model/model.json").unlink()
    assert "model.json: expected the card of a trained model" in fails(model_card, [], capsys)
