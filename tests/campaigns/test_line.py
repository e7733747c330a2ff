"""The line, killed at random moments while a camera's computer writes, faults included: each acquisition once.

KILLS kills of `python -m pipelines.inspect_line`, most of them while it judges; then it runs on until nothing is left.
"""

import json
import os
import random
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from drae_acceptance.score_files import read_score_set
from drae_line.event_log import EVENTS
from drae_line.simulator import BROKEN, Delivery, deliver, plan_deliveries
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VERDICTS, read_verdicts
from pipelines.params import load_params
from pipelines.set_inputs import set_inputs
from tests.campaigns.killing import Command
from tests.line_scene import make_line_scene

KILLS, SEED = int(os.environ.get("KILLS", "50")), int(os.environ.get("SEED", "1"))
INSPECT = [sys.executable, "-m", "pipelines.inspect_line"]
INCOMING, LOG = Path("line/incoming"), Path("line/log")
# Of ten kills so many come before the line is ready, while it loads the model or draws what an earlier kill left.
EARLY = 2
_LEAST_SECONDS, _MOST_SECONDS, _END_SECONDS = 0.02, 1.2, 300.0

pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_line_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def place(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(scene, tmp_path / "line")
    monkeypatch.chdir(tmp_path / "line")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    return tmp_path / "line"


def planned(count: int, faults: float, seed: int) -> list[Delivery]:
    params = load_params(Path("params.yaml"))
    options = set_inputs(params, "kit").options
    return list(plan_deliveries(Path("frames/kit"), options, count, faults, seed))


def deliver_all(deliveries: list[Delivery], seconds: float, seed: int) -> None:
    """Delivers over some seconds, and now and then something again that was there before."""
    draws, started = random.Random(seed), time.monotonic()
    for number, delivery in enumerate(deliveries):
        time.sleep(max(0.0, started + seconds * number / len(deliveries) - time.monotonic()))
        deliver(delivery, INCOMING, pause=0.15)
        again = draws.choice(deliveries[: number + 1])
        if draws.random() < 0.1 and not again.fault:
            deliver(again, INCOMING, pause=0.0)


def is_ready(command: Command, poll: float) -> bool:
    """Waits until a line watches; False where it ended before."""
    return command.until(lambda: "line: ready" in command.said(), poll)


def finish(deliveries: list[Delivery], log: Path) -> list[LoggedVerdict]:
    """Lets the line run until all have their verdicts, and stops it."""
    command = Command(INSPECT, Path.cwd(), log)
    try:
        started = time.monotonic()
        while len(list(read_verdicts(LOG / VERDICTS))) < len(deliveries):
            assert command.group(), command.tail()
            assert time.monotonic() - started < _END_SECONDS, command.tail()
            time.sleep(0.2)
        # Long enough for a second verdict on something to come, if one could.
        time.sleep(1.5)
    finally:
        command.kill()
    return list(read_verdicts(LOG / VERDICTS))


def check(deliveries: list[Delivery], verdicts: list[LoggedVerdict]) -> None:
    """Each acquisition once; the broken ones rejected unseen, the whole ones inspected, with the stage's scores."""
    assert [logged.sequence for logged in verdicts] == list(range(1, len(deliveries) + 1))
    by_name = {logged.slot.acquisition: logged.slot for logged in verdicts}
    assert len(by_name) == len(verdicts)
    assert set(by_name) == {str(delivery.key) for delivery in deliveries}
    table = read_score_set(Path("scores/kit")).patches
    expected = {table.key_at(row): float(table.score[row]) for row in range(len(table))}
    for delivery in deliveries:
        slot = by_name[str(delivery.key)]
        assert slot.inspected == (delivery.fault not in BROKEN), (delivery, slot)
        over = [
            score > slot.thresholds[region]
            for regions in slot.scores.values() for region, vials in regions.items() for score in vials if score
        ]  # fmt: skip
        assert slot.verdict == ("accept" if over and not any(over) else "reject")
        source = f"{delivery.key.strip.partition('_')[0]}/r{delivery.key.run}"
        for image, regions in slot.scores.items():
            for region, vials in regions.items():
                for vial, score in enumerate(vials):
                    assert score == pytest.approx(expected[f"{source}/{image}/v{vial}/{region}"], abs=1e-6)


def test_kills_lose_no_verdict_and_give_none_twice(place: Path, tmp_path: Path) -> None:
    draws = random.Random(SEED)
    deliveries = planned(6 * KILLS, 0.3, SEED)
    assert {delivery.fault for delivery in deliveries} >= set(BROKEN)
    INCOMING.mkdir(parents=True)
    # As long as the kills take, so that something comes in at each.
    writer = threading.Thread(target=deliver_all, args=(deliveries, 9.0 * KILLS, SEED))
    writer.start()
    counts = []
    for number in range(KILLS):
        command = Command(INSPECT, place, tmp_path / f"killed_{number}.txt")
        if number % 10 < EARLY:
            command.sleep(draws.uniform(0.5, 8.0))
        else:
            assert is_ready(command, 0.01), command.tail()
            command.sleep(draws.uniform(_LEAST_SECONDS, _MOST_SECONDS))
        assert command.kill(), command.tail()
        assert "Traceback" not in command.said(), command.tail()
        counts.append(len(list(read_verdicts(LOG / VERDICTS))))
    writer.join()
    verdicts = finish(deliveries, tmp_path / "last.txt")
    check(deliveries, verdicts)
    rejected = [logged for logged in verdicts if logged.slot.rejected]
    undrawn = [one.sequence for one in rejected if not (LOG / f"pictures/{one.sequence:06d}/index.json").exists()]
    assert not undrawn
    events = [json.loads(line)["event"] for line in (LOG / EVENTS).read_text().splitlines()]
    told = f"{KILLS} kills, verdicts at each {counts}, unfinished lines {events.count('log_repaired')}\n"
    sys.stderr.write(told)


def test_a_burst_of_200_acquisitions(place: Path, tmp_path: Path) -> None:
    deliveries = planned(200, 0.2, SEED + 1)
    INCOMING.mkdir(parents=True)
    writer = threading.Thread(target=deliver_all, args=(deliveries, 0.0, SEED))
    command = Command(INSPECT, place, tmp_path / "line.txt")
    try:
        assert is_ready(command, 0.05), command.tail()
        writer.start()
        assert command.until(lambda: len(list(read_verdicts(LOG / VERDICTS))) >= 200, 0.2), command.tail()
        time.sleep(1.5)
    finally:
        writer.join()
        command.kill()
    check(deliveries, list(read_verdicts(LOG / VERDICTS)))
