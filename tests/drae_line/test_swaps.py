"""What shall judge is followed between slots: loaded beside the work, taken, refused, gone back to."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drae_line.errors import JudgeError
from drae_line.event_log import EventLog
from drae_line.inspection import Engine
from drae_line.judge import Judge
from drae_line.swaps import Swaps
from tests.drae_line.fake_judge import FakeJudge, good
from tests.small_line import small_options

JUDGES = {name: FakeJudge(good, name=name) for name in "abc"}


class Scene:
    """An engine that begins with judge a, and what is wanted."""

    def __init__(self, folder: Path) -> None:
        self.wanted = "a"
        self.loads: dict[str, Callable[[], Judge]] = {name: lambda name=name: JUDGES[name] for name in JUDGES}  # type: ignore[misc]
        self.loaded: list[str] = []
        self.place = folder / "events.jsonl"
        self.engine = Engine(JUDGES["a"], small_options(), 1000.0)
        self.swaps = Swaps(self.engine, EventLog(self.place), self.want, "a")

    def want(self) -> tuple[str, Callable[[], Judge]]:
        name = self.wanted
        if name == "damaged":
            raise JudgeError("judge.json: expected a choice")

        def load() -> Judge:
            self.loaded.append(name)
            return self.loads[name]()

        return name, load

    def follow(self, wanted: str, until: Callable[[], bool] | None = None) -> None:
        """Looks until what is wanted judges, or something else has come about."""
        self.wanted = wanted
        reached = until or (lambda: self.engine.judge is JUDGES[wanted])
        end = time.monotonic() + 20
        while not reached():
            assert time.monotonic() < end
            self.swaps.look()
            time.sleep(0.001)

    def events(self) -> list[tuple[str, str]]:
        if not self.place.exists():
            return []
        values = map(json.loads, self.place.read_text().splitlines())
        return [(value["event"], value["detail"]) for value in values]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("drae_line.swaps._LOOK", 0.0)  # Seconds between looks; nothing is won by waiting here.
    found = Scene(tmp_path)
    yield found
    found.swaps.close()
    found.engine.close()


def test_as_long_as_the_same_is_wanted_nothing_is_loaded(scene: Scene) -> None:
    for _ in range(5):
        scene.swaps.look()
    assert (scene.loaded, scene.events(), scene.engine.judge) == ([], [], JUDGES["a"])


def test_what_is_wanted_is_loaded_once_and_taken(scene: Scene) -> None:
    scene.follow("b")
    for _ in range(5):
        scene.swaps.look()
    assert scene.loaded == ["b"]
    assert scene.events() == [("swapped", "b")]


def test_the_line_works_on_while_it_loads(scene: Scene) -> None:
    go = False

    def slow() -> Judge:
        while not go:
            time.sleep(0.001)
        return JUDGES["b"]

    scene.loads["b"] = slow
    scene.follow("b", until=lambda: scene.loaded == ["b"])
    for _ in range(20):
        scene.swaps.look()
        assert scene.engine.judge is JUDGES["a"]
    go = True
    scene.follow("b")


def test_the_way_back_needs_no_loading(scene: Scene) -> None:
    scene.follow("b")
    scene.follow("a")
    scene.follow("b")
    assert scene.loaded == ["b"]
    assert scene.events() == [("swapped", "b"), ("rolled_back", "a"), ("rolled_back", "b")]


def test_what_judged_two_swaps_ago_is_loaded_again(scene: Scene) -> None:
    for wanted in "bca":
        scene.follow(wanted)
    assert scene.loaded == ["b", "c", "a"]


def test_what_does_not_load_is_refused_once_and_the_line_goes_on(scene: Scene) -> None:
    def refuse() -> Judge:
        raise JudgeError("expected thresholds of the model")

    scene.loads["b"] = refuse
    scene.follow("b", until=lambda: bool(scene.events()))
    for _ in range(20):
        scene.swaps.look()
    assert scene.loaded == ["b"]
    assert scene.events() == [("swap_refused", "expected thresholds of the model")]
    assert scene.engine.judge is JUDGES["a"]
    scene.follow("c")


def test_whatever_goes_wrong_while_it_loads_the_line_goes_on(scene: Scene) -> None:
    def fails() -> Judge:
        raise ValueError("the graph cannot be made")

    scene.loads["b"] = fails
    scene.follow("b", until=lambda: bool(scene.events()))
    ((event, detail),) = scene.events()
    assert event == "swap_refused"
    assert "the graph cannot be made" in detail
    assert scene.engine.judge is JUDGES["a"]


def test_what_was_refused_is_tried_again_when_it_is_chosen_again(scene: Scene) -> None:
    def refuse() -> Judge:
        raise JudgeError("it was replaced since")

    scene.loads["b"] = refuse
    scene.follow("b", until=lambda: bool(scene.events()))
    scene.wanted = "a"
    scene.swaps.look()
    scene.loads["b"] = lambda: JUDGES["b"]
    scene.wanted = "b"
    for _ in range(500):
        scene.swaps.look()
        time.sleep(0.001)
    assert scene.engine.judge is JUDGES["b"]


def test_a_damaged_choice_is_told_of_once_and_the_line_goes_on(scene: Scene) -> None:
    scene.follow("damaged", until=lambda: bool(scene.events()))
    for _ in range(5):
        scene.swaps.look()
    assert scene.events() == [("swap_refused", "judge.json: expected a choice")]
    scene.follow("b")


def test_it_is_looked_for_now_and_then_only(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    asked = 0
    want = scene.want

    def counted() -> tuple[str, Callable[[], Judge]]:
        nonlocal asked
        asked += 1
        return want()

    swaps = Swaps(scene.engine, EventLog(scene.place), counted, "a")
    started = time.monotonic()
    for _ in range(200):
        swaps.look()
    assert asked <= 2 + (time.monotonic() - started) / 0.5
    swaps.close()
    scene.swaps.close()
    scene.engine.close()


def test_what_was_chosen_while_the_line_began_is_taken(scene: Scene) -> None:
    """The first look finds another wanted than the engine began with: it must not be taken for the one that judges."""
    scene.wanted = "b"
    scene.swaps = Swaps(scene.engine, EventLog(scene.place), scene.want, "a")
    scene.follow("b")
    assert scene.engine.judge is JUDGES["b"]
