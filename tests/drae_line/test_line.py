"""The line at work on a folder that is truly written, with a judge whose scores the test writes down."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drae_acceptance.verdict import ACCEPT, REJECT
from drae_data.errors import AcquisitionError
from drae_data.options import select_images
from drae_line.errors import LineError
from drae_line.event_log import EventLog
from drae_line.folder_watch import FileEvent, FolderWatch
from drae_line.incoming import Arrival, Incoming
from drae_line.inspection import Engine
from drae_line.judge import Judge
from drae_line.line import Line, LineOptions
from drae_line.simulator import BROKEN, deliver, plan_deliveries
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VerdictLog, read_verdicts
from tests.drae_line.fake_judge import FakeJudge, good, one_bad
from tests.small_line import small_options, write_line

OPTIONS = small_options(images=select_images([0, 1, 2], []))
SETTLE, PATIENCE = 0.15, 1.5


class Scene:
    """A line on a folder; each `run` is a new beginning of it."""

    def __init__(self, folder: Path) -> None:
        self.options = LineOptions(folder / "incoming", folder / "line", SETTLE, PATIENCE)
        self.options.incoming.mkdir()
        self.log_place, self.events_place = folder / "line/verdicts.jsonl", folder / "line/events.jsonl"
        self.judge = FakeJudge(good)
        self.engine = Engine(self.judge, OPTIONS, 20_000)
        self.told: list[LoggedVerdict] = []
        self.wanted: Callable[[], tuple[str, Callable[[], Judge]]] = lambda: ("a", lambda: self.judge)

    def run(self, count: int, camera: Callable[[], None] = lambda: None) -> int:
        """Judges until there are so many verdicts, while a camera's computer is at work."""
        with VerdictLog(self.log_place) as log:
            line = Line(
                self.engine, OPTIONS, self.options, log, EventLog(self.events_place), self.wanted, "a", self.told.append
            )
            limit = threading.Timer(25, line.stop)
            work = threading.Thread(target=camera)
            limit.start()
            work.start()
            try:
                return line.run(count)
            finally:
                limit.cancel()
                work.join()

    def verdicts(self) -> dict[str, tuple[str, str]]:
        return {one.slot.acquisition: (one.slot.verdict, one.slot.reason) for one in read_verdicts(self.log_place)}

    def events(self) -> list[tuple[str, str]]:
        if not self.events_place.exists():
            return []
        values = map(json.loads, self.events_place.read_text(encoding="utf-8").splitlines())
        return [(value["event"], value["detail"]) for value in values]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = Scene(tmp_path)
    yield found
    found.engine.close()


def test_each_acquisition_has_its_verdict_once_and_broken_ones_are_rejected_unseen(
    scene: Scene, tmp_path: Path
) -> None:
    source = write_line(tmp_path / "source", strips="AB", runs=2)
    # With this seed every fault occurs.
    deliveries = list(plan_deliveries(source, OPTIONS, 24, 0.6, 1))
    assert {item.fault for item in deliveries} >= {*BROKEN, "", "duplicate", "slow"}

    def camera() -> None:
        for item in deliveries:
            deliver(item, scene.options.incoming, pause=0.05)

    assert scene.run(24, camera) == 24
    assert [one.sequence for one in scene.told] == list(range(1, 25))
    assert list(read_verdicts(scene.log_place)) == scene.told
    found = scene.verdicts()
    assert set(found) == {str(item.key) for item in deliveries}
    reasons = {"missing": {"missing_frame"}, "empty": {"empty_file"}}
    for item in deliveries:
        verdict, reason = found[str(item.key)]
        if item.fault in BROKEN:
            assert verdict == REJECT
            assert reason in reasons.get(item.fault, {reason})
            assert reason
        else:
            assert (verdict, reason) == (ACCEPT, "")


def test_a_line_that_begins_again_goes_on(scene: Scene) -> None:
    write_line(scene.options.incoming, strips="ABC", runs=2)
    assert scene.run(2) == 2
    first = scene.verdicts()
    assert scene.run(4) == 4
    assert len(first) == 2
    assert len(scene.verdicts()) == 6
    assert list(scene.verdicts().items())[:2] == list(first.items())


def test_the_verdict_is_on_the_disk_before_anybody_is_told(scene: Scene) -> None:
    write_line(scene.options.incoming, strips="AB", runs=1)
    logged: list[bool] = []

    class Told(list[LoggedVerdict]):
        def append(self, one: LoggedVerdict) -> None:
            logged.append(one in list(read_verdicts(scene.log_place)))

    scene.told = Told()
    scene.run(2)
    assert logged == [True, True]


def test_a_rejected_strip_has_its_pictures_when_the_line_has_ended(scene: Scene) -> None:
    write_line(scene.options.incoming, strips="A", runs=2)
    scene.judge.scoring = one_bad(0)
    scene.run(2)
    assert sorted(path.parent.name for path in scene.options.folder.glob("pictures/*/index.json")) == [
        "000001",
        "000002",
    ]


def test_a_frame_that_is_broken_is_read_again_when_it_is_replaced(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_line(scene.options.incoming, strips="A", runs=1)
    frame = scene.options.incoming / "A/run_00/frame_01.png"
    whole, tried, put_back = frame.read_bytes(), threading.Event(), Incoming.put_back
    frame.write_bytes(whole[: len(whole) // 2])

    def spy(incoming: Incoming, arrival: Arrival, problem: AcquisitionError) -> None:
        put_back(incoming, arrival, problem)
        tried.set()

    def camera() -> None:
        tried.wait(10)
        frame.write_bytes(whole)

    monkeypatch.setattr(Incoming, "put_back", spy)
    scene.options = replace(scene.options, patience_seconds=10.0)
    scene.run(1, camera)
    assert scene.verdicts() == {"A/r0": (ACCEPT, "")}


def test_strange_files_and_late_ones_are_told_of_once(scene: Scene) -> None:
    write_line(scene.options.incoming, strips="A", runs=1)
    (scene.options.incoming / "C" / "first").mkdir(parents=True)

    def camera() -> None:
        while not scene.told:
            time.sleep(0.01)
        for _ in range(3):
            (scene.options.incoming / "readme.txt").write_bytes(b"text")
            (scene.options.incoming / "A/run_00/frame_03.png").write_bytes(b"late")
        write_line(scene.options.incoming, strips="B", runs=1)

    scene.run(2, camera)
    details = sorted(detail.partition(": ")[::2] for event, detail in scene.events() if event == "strange_file")
    assert [name for name, _ in details] == ["A/run_00/frame_03.png", "C/first", "readme.txt"]
    assert "came or changed after the turn of A/r0" in details[0][1]


def test_what_cannot_be_prepared_is_rejected_and_the_line_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = scene.engine.prepare

    def fails(key, *arguments):
        if key.strip == "A":
            raise MemoryError("no memory for the frames")
        return prepare(key, *arguments)

    monkeypatch.setattr(scene.engine, "prepare", fails)
    write_line(scene.options.incoming, strips="AB", runs=1)
    scene.run(2)
    assert scene.verdicts() == {"A/r0": (REJECT, "failed"), "B/r0": (ACCEPT, "")}


def test_it_follows_what_shall_judge(scene: Scene) -> None:
    write_line(scene.options.incoming, strips="A", runs=1)
    scene.run(1)
    other = FakeJudge(one_bad(0), name="b")
    wanted = iter(["a"])
    scene.wanted = lambda: (next(wanted, "b"), lambda: other)

    def camera() -> None:
        while scene.engine.judge is not other:
            time.sleep(0.01)
        write_line(scene.options.incoming, strips="B", runs=1)

    scene.run(1, camera)
    assert scene.verdicts() == {"A/r0": (ACCEPT, ""), "B/r0": (REJECT, "")}
    assert scene.events() == [("swapped", "b")]


def test_a_disk_that_is_full_ends_the_line_with_advice_and_nothing_is_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_line(scene.options.incoming, strips="A", runs=1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    append = VerdictLog.append

    def without_room(log: VerdictLog, slot) -> LoggedVerdict:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            return append(log, slot)

    with monkeypatch.context() as patch:
        patch.setattr(VerdictLog, "append", without_room)
        with pytest.raises(LineError, match=r"A/r0 cannot be written: No space left on device; make room and start"):
            scene.run(1)
    assert (scene.verdicts(), scene.told) == ({}, [])
    scene.run(1)
    assert scene.verdicts() == {"A/r0": (ACCEPT, "")}


def test_a_folder_that_is_not_there_ends_the_line_with_advice(scene: Scene) -> None:
    scene.options.incoming.rmdir()
    with pytest.raises(LineError, match="the folder cannot be watched"):
        scene.run(1)


def test_whatever_ends_the_reader_is_a_message(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Incoming, "take", lambda *_: 1 // 0)
    with pytest.raises(LineError, match=r"cannot be read any more: ZeroDivisionError.*; start the line again"):
        scene.run(1)


def test_a_folder_whose_files_the_system_does_not_tell_of_is_looked_at_and_told_of_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a folder of another computer."""

    def silent(_: FolderWatch, wait: float) -> list[FileEvent]:
        time.sleep(wait)
        return []

    monkeypatch.setattr(FolderWatch, "events", silent)
    write_line(scene.options.incoming, strips="A", runs=1)

    before = list[tuple[str, str]]()

    def camera() -> None:
        while not scene.told:
            time.sleep(0.01)
        before.extend(scene.events())
        write_line(scene.options.incoming, strips="BC", runs=1)

    assert scene.run(3, camera) == 3
    # What lay there before could not be told of.
    assert before == []
    assert set(scene.verdicts().values()) == {(ACCEPT, "")}
    ((event, detail),) = scene.events()
    assert event == "unannounced"
    assert "the system does not tell of every file there" in detail


# A camera's computer that writes names in Latin-1.
@pytest.mark.parametrize("below", [b"Pr\xfcfung.bmp", b"Pr\xfcfung/run_00/frame_00.png", b"C/run_00/Pr\xfcfung.png"])
def test_a_name_that_is_no_utf_8_does_not_end_the_line(scene: Scene, below: bytes) -> None:
    write_line(scene.options.incoming, strips="A", runs=1)

    def camera() -> None:
        while not scene.told:  # From then on the folder is watched.
            time.sleep(0.01)
        path = Path(os.fsdecode(os.fsencode(scene.options.incoming) + b"/" + below))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"frame")
        write_line(scene.options.incoming, strips="B", runs=1)

    count = 3 if below.startswith(b"C/") else 2
    assert scene.run(count, camera) == count
    assert scene.verdicts()["B/r0"] == (ACCEPT, "")
    assert scene.verdicts().get("C/r0", (REJECT, "missing_frame")) == (REJECT, "missing_frame")


def test_pictures_that_cannot_be_drawn_do_not_end_the_line(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> np.ndarray:
        raise RuntimeError("the device ran out of memory")

    monkeypatch.setattr(scene.judge, "heatmaps", fails)
    scene.judge.scoring = one_bad(0)
    write_line(scene.options.incoming, strips="ABC", runs=1)
    assert scene.run(3) == 3
    assert "pictures_failed" in {event for event, _ in scene.events()}
