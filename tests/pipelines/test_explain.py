"""The command explain: from a verdict to its frames, every link computed again, and each broken one named."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_acceptance.score_files import read_score_set
from drae_acceptance.threshold_file import content_digest
from pipelines import calibrate, evaluate, explain, score
from tests.acceptance_line import build_version, change, fails, write_scores
from tests.small_line import tree_bytes

VERSION = "datasets/kit/1.0.0"


@pytest.mark.slow
def test_a_verdict_is_walked_back_to_its_frames(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ""
    for key in ("K04/r1", "K04"):
        capsys.readouterr()
        assert explain.main([key]) == 0
        said = capsys.readouterr().out
        assert f"every link from {key} to its frames holds" in said
    assert re.search(r"frame +frames/kit/K04/run_0\d/frame_0\d.png: SHA-256 [0-9a-f]{64}", said)
    assert explain.main(["K04", "--root", "frames/kit/"]) == 0
    assert capsys.readouterr().out == said
    assert "expected one of" in fails(explain, ["K77"], capsys)


def edit_table(path: Path, column: str, new: Callable[[dict[str, Any]], Any]) -> None:
    """Gives every row of a Parquet file another value in a column."""
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    values = pa.array([new(row) for row in table.to_pylist()], table.schema.field(place).type)
    pq.write_table(table.set_column(place, column, values), path)


def edit_json(path: Path, change: Callable[[Any], Any]) -> None:
    """Changes the values of a JSON file."""
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def turned(row: dict[str, Any]) -> str:
    return "accept" if row["verdict"] == "reject" else "reject"


def frames(line: Path) -> None:
    for path in (line / "frames/kit/K04/run_01").iterdir():
        path.write_bytes((line / "frames/kit/K01/run_00/frame_00.png").read_bytes())


def model(line: Path) -> None:
    (line / "model/drae.keras").write_bytes((line / "model/drae.keras").read_bytes() + b"x")


def saved_model(line: Path) -> None:
    (line / "model/saved_model/saved_model.pb").write_bytes(b"x")


def saved_model_of_another(line: Path) -> None:
    """It loads, and scores other patches alike: only its digest tells."""
    (line / "model/saved_model/assets").mkdir(exist_ok=True)
    (line / "model/saved_model/assets/more").write_bytes(b"")


def shards(line: Path) -> None:
    for shard in (line / VERSION).glob("*.tfrecord-*"):
        shard.write_bytes(bytes(reversed(shard.read_bytes())))


def index(line: Path) -> None:
    for part in (line / VERSION / "patches").glob("*.parquet"):
        table = pq.read_table(part)
        pq.write_table(table, part, compression="none")


def labels(line: Path) -> None:
    edit_table(line / VERSION / "labels.parquet", "label", lambda row: "good")


def quarantine_is_gone(line: Path) -> None:
    (line / VERSION / "quarantine.parquet").unlink()


def rebuilt(line: Path) -> None:
    """Frames and all files of the version are of another run; only what states the digests is not."""
    kept = {name: (line / VERSION / name).read_bytes() for name in ("provenance.json", "dataset_info.json")}
    other = line / "frames/kit/K04/run_01/frame_01.png"
    other.write_bytes((line / "frames/kit/K01/run_00/frame_00.png").read_bytes())
    build_version(line, "kit", "K")
    for name, content in kept.items():
        (line / VERSION / name).write_bytes(content)


def rebuilt_whole(line: Path) -> None:
    other = line / "frames/kit/K04/run_01/frame_01.png"
    other.write_bytes((line / "frames/kit/K01/run_00/frame_00.png").read_bytes())
    build_version(line, "kit", "K")


def provenance(line: Path) -> None:
    edit_json(line / VERSION / "provenance.json", lambda values: values["files"].update({"labels.parquet": "0" * 64}))


def verdicts(line: Path) -> None:
    edit_table(line / "reports/acceptance/verdicts.parquet", "verdict", turned)


def verdicts_without_keys(line: Path) -> None:
    path = line / "reports/acceptance/verdicts.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["key"]), path)


def thresholds(line: Path) -> None:
    path = line / "thresholds/thresholds.json"
    path.write_text(path.read_text().replace('"good": ', '"good": 1'))


def thresholds_with_their_digest(line: Path) -> None:
    def raised(values: Any) -> None:
        for level in values["levels"].values():
            for region in level.values():
                region["value"] += 1e-6
        values.pop("digest")
        values["digest"] = content_digest(values)

    edit_json(line / "thresholds/thresholds.json", raised)
    assert evaluate.main([]) == 0


def other_thresholds(line: Path) -> None:
    change(line, calibrate__goals__run="balanced_accuracy", calibrate__seed=5)
    assert calibrate.main([]) == 0


def no_history(line: Path) -> None:
    (line / "thresholds/history.json").unlink()


def history_of_others(line: Path) -> None:
    kept = (line / "thresholds/thresholds.json").read_bytes()
    other_thresholds(line)
    (line / "thresholds/thresholds.json").write_bytes(kept)


def edited_history(line: Path) -> None:
    edit_json(line / "thresholds/history.json", lambda entries: entries[0].update({"author": "somebody"}))


def scores(line: Path) -> None:
    path = line / "scores/kit/scores.parquet"
    path.write_bytes(path.read_bytes() + b"x")


def scores_with_their_digests(line: Path) -> None:
    found = read_score_set(line / "scores/kit")
    smaller = np.where(found.patches.strip == "K04", np.float32(0.5), np.float32(1.0)) * found.patches.score
    # The pictures say scores, too.
    by_key = {found.patches.key_at(row): float(smaller[row]) for row in range(len(smaller))}
    edit_json(
        line / "scores/kit/gallery/gallery.json",
        lambda entries: [entry.update({"score": by_key[entry["key"]]}) for entry in entries],
    )
    write_scores(line / "scores/kit", replace(found, patches=replace(found.patches, score=smaller)))
    assert evaluate.main([]) == 0


def labels_in_scores(line: Path) -> None:
    found = read_score_set(line / "scores/kit")
    patches = found.patches
    label = np.where((patches.strip == "K04") & (patches.label == "defective"), "unknown", patches.label)
    write_scores(line / "scores/kit", replace(found, patches=replace(patches, label=label)))
    assert evaluate.main([]) == 0


def acquisitions_in_scores(line: Path) -> None:
    found = read_score_set(line / "scores/kit")
    rows = tuple(replace(row, frames=("0" * 64,)) if row.strip == "K04" else row for row in found.acquisitions)
    write_scores(line / "scores/kit", replace(found, acquisitions=rows))
    assert evaluate.main([]) == 0


def card(line: Path) -> None:
    edit_json(line / "scores/kit/scores.json", lambda values: values.update({"split": "validation"}))


def card_of_no_dataset(line: Path) -> None:
    edit_json(line / "scores/kit/scores.json", lambda values: values.update({"dataset": {}}))


def calibration(line: Path) -> None:
    found = read_score_set(line / "scores/calibration")
    halved = replace(found.patches, score=found.patches.score * np.float32(0.5))
    write_scores(line / "scores/calibration", replace(found, patches=halved))


def no_calibration(line: Path) -> None:
    (line / "scores/calibration/scores.parquet").unlink()


def pictures(line: Path) -> None:
    edit_json(line / "scores/kit/gallery/gallery.json", lambda entries: entries.reverse())


def pictures_with_their_digest(line: Path) -> None:
    folder = line / "scores/kit"
    edit_json(folder / "gallery/gallery.json", lambda entries: [one.update({"score": 0.0}) for one in entries])
    write_scores(folder, read_score_set(folder))
    assert evaluate.main([]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (frames, "to its frames below frames/kit"),
        (model, "broken link, scores to model"),
        (saved_model, "broken link, saved model to model"),
        (saved_model_of_another, "expected the SavedModel that model.json names"),
        (shards, "tfrecord-"),
        (index, "expected SHA-256"),
        (labels, "labels.parquet: expected SHA-256"),
        (quarantine_is_gone, "quarantine.parquet"),
        (rebuilt, "expected SHA-256"),
        (rebuilt_whole, "broken link, scores to dataset"),
        (provenance, "broken link, scores to labels"),
        (verdicts, "broken link, verdict K04/r1: verdict is"),
        (verdicts_without_keys, "verdicts.parquet: expected the table verdicts/2"),
        (thresholds, "was changed after it was written"),
        (thresholds_with_their_digest, "broken link, thresholds to calibration scores"),
        (other_thresholds, "broken link, verdicts to thresholds"),
        (no_history, "broken link, thresholds to history"),
        (history_of_others, "broken link, thresholds to history"),
        (edited_history, "expected entry 1 to follow the one before it unchanged"),
        (scores, "expected the table of SHA-256"),
        (scores_with_their_digests, "broken link, scores to model: K04/r1"),
        (labels_in_scores, "broken link, scores to labels"),
        (acquisitions_in_scores, "broken link, scores to acquisitions of K04"),
        (card, "broken link, verdicts to scores"),
        (card_of_no_dataset, "scores.json: expected the card of a score table"),
        (calibration, "expected those of the scores"),
        (no_calibration, "scores.parquet: expected a scored set"),
        (pictures, "gallery.json: expected the file of SHA-256"),
        (pictures_with_their_digest, "broken link, pictures to scores"),
    ],
)  # fmt: skip
def test_a_broken_link_is_named(
    done: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None], words: str
) -> None:
    damage(done)
    message = fails(explain, ["K04/r1"], capsys)
    assert words in message


@pytest.mark.slow
def test_a_verdict_over_runs_compares_the_rows_of_its_runs(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = done / "reports/acceptance/verdicts.parquet"
    kept = path.read_bytes()
    edit_table(path, "verdict", lambda row: turned(row) if row["key"] == "K04/r1" else row["verdict"])
    assert "broken link, verdict K04/r1" in fails(explain, ["K04"], capsys)
    path.write_bytes(kept)
    edit_table(path, "key", lambda row: "K04/r7" if row["key"] == "K04/r1" else row["key"])
    assert "expected the rows K04, K04/r0, K04/r1 in verdicts.parquet" in fails(explain, ["K04"], capsys)


@pytest.mark.slow
def test_runs_are_judged_and_traced_at_the_level_run(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert explain.main(["K04"]) == 0
    said = capsys.readouterr().out
    limits = json.loads((done / "thresholds/thresholds.json").read_text())["levels"]["run"]
    stated = {f"{region['value']:.6f}" for region in limits.values()}
    for run in (0, 1):
        found = re.search(
            rf"K04/r{run}: \w+ by the thresholds of the level run\n +(K04/r{run}/\S+): score \S+ .* threshold (\S+)",
            said,
        )
        assert found is not None
        assert found[2] in stated
        assert re.search(rf"^patch +{found[1]}: record", said, re.MULTILINE)
    assert "scored again: 2 deciding patches" in said
    assert "saved_model, which the card names, scores them the same" in said


@pytest.mark.slow
def test_what_is_not_checked_is_said(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(done / "datasets/small")
    shutil.rmtree(done / "model/saved_model")
    capsys.readouterr()
    assert explain.main(["K04/r1"]) == 0
    said = capsys.readouterr().out
    assert "trained on small 1.0.0" in said
    assert said.count("not checked") == 2


@pytest.mark.slow
def test_a_strip_without_frames_has_no_link_to_frames(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert explain.main(["K99"]) == 0
    said = capsys.readouterr().out
    assert "labels.parquet names it, good; no acquisition of it was listed" in said
    assert "no frame of it was judged" in said
    assert "to its frames holds" not in said


@pytest.mark.slow
def test_a_run_in_quarantine_leads_to_its_reason(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (done / "frames/kit/K01/run_01/frame_01.png").write_bytes(b"no picture")
    build_version(done, "kit", "K", max_quarantined=1)
    assert score.main(["--set", "kit"]) == 0
    assert evaluate.main([]) == 0
    capsys.readouterr()
    assert explain.main(["K01/r1"]) == 0
    said = capsys.readouterr().out
    assert "K01/r1: invalid; label good" in said
    assert re.search(r"K01/r1: in quarantine\.parquet, \w+: ", said)
    assert "no frame of it was judged" in said
    found = read_score_set(done / "scores/kit")
    rows = tuple(replace(row, detail="lost") if row.state == "quarantined" else row for row in found.acquisitions)
    write_scores(done / "scores/kit", replace(found, acquisitions=rows))
    assert evaluate.main([]) == 0
    assert "broken link, scores to acquisitions of K01" in fails(explain, ["K01/r1"], capsys)


@pytest.mark.slow
def test_explaining_changes_nothing(done: Path) -> None:
    before = tree_bytes(done)
    assert explain.main(["K04"]) == 0
    assert tree_bytes(done) == before
