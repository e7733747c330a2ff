"""The line on a small model: scores and verdicts of the stages, each acquisition once, safe where it cannot look."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drae_acceptance.judging import judge
from drae_acceptance.options import ConfirmRule
from drae_acceptance.score_files import read_score_set
from drae_acceptance.threshold_file import read_thresholds, thresholds_bytes
from drae_line import judge as judge_module
from drae_line.event_log import EVENTS
from drae_line.judge_choice import read_choice
from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.simulator import BROKEN, Delivery, deliver, plan_deliveries
from drae_line.slot_verdict import SLOT_OVERRUN, LoggedVerdict
from drae_line.verdict_log import VERDICTS, read_verdicts
from drae_model.model_folder import load_inspector
from pipelines import inspect_line, score, simulate_line, swap_judge
from pipelines.params import load_params
from pipelines.set_inputs import set_inputs
from tests.acceptance_line import change, fails
from tests.line_scene import IMAGES

INCOMING, LOG, THRESHOLDS = Path("line/incoming"), Path("line/log"), Path("thresholds/thresholds.json")
ACQUISITIONS = 10

pytestmark = pytest.mark.slow


@pytest.fixture
def line(done: Path) -> Path:
    """A place with model, thresholds and params of a line, and the test in it."""
    change(done, build__kit__images=IMAGES)
    return done


def planned(count: int, faults: float = 0.0, seed: int = 1) -> list[Delivery]:
    options = set_inputs(load_params(Path("params.yaml")), "kit").options
    return list(plan_deliveries(Path("frames/kit"), options, count, faults, seed))


def inspect(deliveries: list[Delivery], count: int | None = None) -> list[LoggedVerdict]:
    """Delivers, and runs the line until it gave so many verdicts; all that the log holds then."""
    for delivery in deliveries:
        deliver(delivery, INCOMING, pause=0.0)
    assert inspect_line.main(["--count", str(count or len(deliveries))]) == 0
    return list(read_verdicts(LOG / VERDICTS))


def scores_of(verdicts: list[LoggedVerdict]) -> dict[str, float]:
    """By key of the patch."""
    return {
        f"{logged.slot.acquisition}/{image}/v{vial}/{region}": score
        for logged in verdicts
        for image, regions in logged.slot.scores.items()
        for region, vials in regions.items()
        for vial, score in enumerate(vials)
        if score is not None
    }


def test_scores_are_those_of_the_stage_score_bit_for_bit_at_the_same_batch(line: Path) -> None:
    found = scores_of(inspect(planned(ACQUISITIONS)))
    for batch_size, allowed in ((7, 1e-6), (12, 0.0)):
        change(line, score__batch_size=batch_size)
        assert score.main(["--set", "kit"]) == 0
        table = read_score_set(Path("scores/kit")).patches
        expected = {table.key_at(row): float(table.score[row]) for row in range(len(table))}
        assert found.keys() == expected.keys()
        assert max(abs(found[key] - expected[key]) for key in found) <= allowed


def test_verdicts_are_those_of_the_stage_evaluate(line: Path) -> None:
    verdicts = inspect(planned(ACQUISITIONS))
    calibrated = read_thresholds(THRESHOLDS).calibrated
    strips = judge(read_score_set(Path("scores/kit")), calibrated, ConfirmRule(2, 7, 10)).strips
    expected = {one.key: (one.verdict, one.deciding) for one in strips if one.verdict != "invalid"}
    assert {verdict for verdict, _ in expected.values()} == {"accept", "reject"}
    found = {logged.slot.acquisition: (logged.slot.verdict, logged.slot.deciding) for logged in verdicts}
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        name: verdict for name, (verdict, _) in expected.items()
    }
    for name, (_, deciding) in found.items():
        other = expected[name][1]
        assert deciding is not None and other is not None
        assert (deciding.patch, deciding.threshold) == (other.patch, other.threshold)


def test_a_rejected_strip_has_pictures_of_its_rejected_patches_alone(line: Path) -> None:
    verdicts = inspect(planned(ACQUISITIONS))
    for logged in verdicts:
        folder = pictures_folder(LOG, logged.sequence)
        if logged.slot.verdict == "accept":
            assert not folder.exists()
            continue
        pictures = json.loads((folder / INDEX).read_text())["pictures"]
        drawn = {(one["image"], one["vial"], heat["region"]) for one in pictures for heat in one["heatmaps"]}
        assert drawn == set(logged.slot.rejected)


def test_what_is_broken_is_rejected_unseen_and_the_rest_inspected(line: Path) -> None:
    deliveries = planned(60, 0.6, seed=3)
    assert {delivery.fault for delivery in deliveries} >= set(BROKEN)
    found = {logged.slot.acquisition: logged.slot for logged in inspect(deliveries)}
    assert found.keys() == {str(delivery.key) for delivery in deliveries}
    reasons = {"missing": "missing_frame", "empty": "empty_file", "truncated": "unreadable"}
    for delivery in deliveries:
        slot = found[str(delivery.key)]
        assert slot.inspected == (delivery.fault not in BROKEN)
        assert slot.reason == reasons.get(delivery.fault, ""), (delivery, slot)
        assert slot.inspected or (slot.verdict == "reject" and slot.detail)


def test_a_line_begun_again_goes_on_and_what_came_twice_is_judged_once(line: Path) -> None:
    first = inspect(planned(ACQUISITIONS), count=4)
    deliver(planned(ACQUISITIONS)[0], INCOMING, pause=0.0)
    verdicts = inspect([], count=ACQUISITIONS - 4)
    assert verdicts[:4] == first
    assert [logged.sequence for logged in verdicts] == list(range(1, ACQUISITIONS + 1))
    assert len({logged.slot.acquisition for logged in verdicts}) == ACQUISITIONS


def test_a_slot_too_short_for_the_model_rejects_unseen(line: Path) -> None:
    change(line, line__slot_ms=0.01)
    for logged in inspect(planned(3)):
        assert (logged.slot.verdict, logged.slot.inspected, logged.slot.reason) == ("reject", False, SLOT_OVERRUN)


def raised(source: Path, target: Path, value: float) -> None:
    """Thresholds like others but for one value, with a digest of their own."""
    stored = read_thresholds(source)
    levels = {
        level: {region: replace(one, value=value) for region, one in regions.items()}
        for level, regions in stored.calibrated.thresholds.levels.items()
    }
    thresholds = replace(stored.calibrated.thresholds, levels=levels)
    target.parent.mkdir(parents=True)
    target.write_bytes(thresholds_bytes(replace(stored.calibrated, thresholds=thresholds), stored.options))


def has_verdicts(count: int) -> bool:
    return len(list(read_verdicts(LOG / VERDICTS))) == count


def has_event(name: str) -> bool:
    return name in (LOG / EVENTS).read_text()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_model_and_thresholds_are_swapped_and_rolled_back_between_strips(line: Path) -> None:
    """Once the thresholds lie above all scores everything is accepted; on the way back it is as before."""
    raised(THRESHOLDS, Path("releases/b/thresholds.json"), 9.0)
    shutil.copytree("model", "releases/b/model")
    deliveries = planned(ACQUISITIONS * 3)

    def operate() -> None:
        for part, argv in enumerate((
            ["--model", "releases/b/model", "--thresholds", "releases/b/thresholds.json"], ["--back"], None,
        )):  # fmt: skip
            for delivery in deliveries[part * ACQUISITIONS : (part + 1) * ACQUISITIONS - (argv is None)]:
                deliver(delivery, INCOMING, pause=0.0)
            if argv is not None:
                wait_for(partial(has_verdicts, (part + 1) * ACQUISITIONS))
                assert swap_judge.main(argv) == 0
                wait_for(partial(has_event, "rolled_back" if part else "swapped"))

    operator = threading.Thread(target=operate)
    operator.start()
    verdicts = inspect([], count=ACQUISITIONS * 3 - 1)
    operator.join()
    parts = [verdicts[:ACQUISITIONS], verdicts[ACQUISITIONS : 2 * ACQUISITIONS], verdicts[2 * ACQUISITIONS :]]
    digests = [{logged.slot.thresholds_digest for logged in part} for part in parts]
    first = read_thresholds(THRESHOLDS).digest
    assert digests == [{first}, {read_thresholds(Path("releases/b/thresholds.json")).digest}, {first}]
    assert {logged.slot.verdict for logged in parts[0]} == {"accept", "reject"}
    assert {logged.slot.verdict for logged in parts[1]} == {"accept"}
    before = {logged.slot.acquisition: logged.slot.verdict for logged in parts[0]}
    for logged in parts[2]:
        strip, _, run = logged.slot.acquisition.partition("/")
        assert logged.slot.verdict == before[f"{strip.partition('_')[0]}/{run}"]


def test_model_and_thresholds_that_do_not_belong_together_are_refused(
    line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("model", "other")
    card = json.loads(Path("other/model.json").read_text())
    Path("other/model.json").write_text(json.dumps({**card, "parameters": 0}))
    argv = ["--model", "other", "--thresholds", str(THRESHOLDS)]
    message = fails(swap_judge, argv, capsys)
    assert "expected thresholds of the model" in message
    assert "calibrate" in message
    assert not (LOG / "judge.json").exists()
    assert "--model with --thresholds, or --back alone" in fails(swap_judge, ["--back", *argv], capsys)
    assert "expected an earlier choice" in fails(swap_judge, ["--back"], capsys)


def test_the_first_choice_needs_no_model_of_the_params_file_and_mends_a_broken_one(line: Path) -> None:
    shutil.copytree("model", "releases/b/model")
    shutil.copyfile(THRESHOLDS, "releases/b/thresholds.json")
    change(line, train__folder="nowhere", calibrate__folder="nowhere")
    argv = ["--model", "releases/b/model", "--thresholds", "releases/b/thresholds.json"]
    LOG.mkdir(parents=True)
    (LOG / "judge.json").write_text("{broken")
    assert swap_judge.main(argv) == 0
    assert inspect(planned(1))[0].slot.thresholds_digest == read_thresholds(THRESHOLDS).digest


def test_the_same_choice_once_more_keeps_the_way_back(line: Path) -> None:
    raised(THRESHOLDS, Path("releases/b/thresholds.json"), 9.0)
    argv = ["--model", "model", "--thresholds", "releases/b/thresholds.json"]
    for _ in range(2):
        assert swap_judge.main(argv) == 0
    assert swap_judge.main(["--back"]) == 0
    now, _ = read_choice(LOG)
    assert now is not None
    assert now.thresholds == str(THRESHOLDS)


def test_a_model_that_is_replaced_while_it_is_loaded_is_refused(
    line: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def replaced(folder: Path) -> Any:
        card = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**card, "parameters": 0}))
        return load_inspector(folder)

    monkeypatch.setattr(judge_module, "load_inspector", replaced)
    assert "it was replaced while it was loaded" in fails(inspect_line, [], capsys)
    assert not (LOG / VERDICTS).read_bytes()


def test_a_choice_whose_model_was_replaced_is_refused_at_the_next_start(
    line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("model", "other")
    assert swap_judge.main(["--model", "other", "--thresholds", str(THRESHOLDS)]) == 0
    card = json.loads(Path("other/model.json").read_text())
    Path("other/model.json").write_text(json.dumps({**card, "parameters": 0}))
    message = fails(inspect_line, [], capsys)
    assert "it was replaced since" in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"line__set": "nothing"}, "line.set: expected one of"),
        ({"build__kit__images": {"frames": [0], "rank": []}}, "expected thresholds for the images ['f00'], got"),
        ({"patch__fit": "letterbox"}, "expected thresholds for patches cut as those of line.set"),
        ({"line__patience_seconds": 0.05}, "settle_seconds below patience_seconds"),
        ({"train__folder": "nowhere"}, "nowhere/model.json: expected the card of a trained model"),
        ({"calibrate__folder": "nowhere"}, "nowhere/thresholds.json: expected thresholds"),
    ],
)
def test_a_line_that_cannot_begin_says_why(
    line: Path, changes: dict[str, object], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(line, **changes)
    assert expected in fails(inspect_line, [], capsys)


def test_two_lines_do_not_share_a_log(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from drae_line.verdict_log import VerdictLog

    with VerdictLog(LOG / VERDICTS):
        assert "another line writes this log" in fails(inspect_line, [], capsys)


def test_the_simulator_delivers_what_it_says(line: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate_line.main(["--burst", "--count", "12", "--folder", "elsewhere"]) == 0
    said = capsys.readouterr().out
    assert "12 acquisitions of frames/kit to elsewhere/incoming" in said
    frames = sorted(Path("elsewhere/incoming").rglob("*.png"))
    assert len(frames) == 36
    twin = Path("frames/kit/K01/run_00/frame_00.png")
    assert Path("elsewhere/incoming/K01/run_00/frame_00.png").read_bytes() == twin.read_bytes()
    assert "more than 0" in fails(simulate_line, ["--rate", "0"], capsys)


def test_thresholds_of_the_scene_split_its_scores(line: Path) -> None:
    """Else the tests above could not tell a verdict from a constant."""
    limits = read_thresholds(THRESHOLDS).calibrated.thresholds.limits("strip")
    table = read_score_set(Path("scores/kit")).patches
    over = np.array([table.score[row] > limits[str(table.region[row])] for row in range(len(table))])
    assert 0 < over.sum() < len(over)
