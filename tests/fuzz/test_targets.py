"""The fuzzing itself, in the normal suite: a few inputs for every target; crashes, hangs and deaths are seen."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from drae_data.errors import RecordError
from tests.fuzz import test_fuzz, worker
from tests.fuzz.damage import damaged
from tests.fuzz.target import Feeder, Target, promise
from tests.fuzz.worker import TARGETS, run_target

FEW = 25


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """Gives the process its alarm back."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, before)


def test_together_the_targets_take_a_hundred_thousand_inputs() -> None:
    assert sum(target.inputs for target in TARGETS.values()) >= 100_000
    assert {name.partition(" ")[0] for name in TARGETS} >= {"frames", "record", "tables", "claims", "params"}


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_inputs_crash_no_reader(name: str) -> None:
    found = run_target(TARGETS[name], FEW, 1)
    assert found["crashes"] == 0, "\n\n".join(found["said"])
    assert found["inputs"] == FEW == found["accepted"] + found["refused"]


def target(feed: Callable[[bytes], None]) -> Target:
    return Target("one", 10, lambda _: Feeder(lambda draw: damaged(draw, b"abc"), feed, (RecordError,)))


def test_an_exception_that_was_not_promised_is_a_crash() -> None:
    def stumble(data: bytes) -> None:
        raise RecordError("refused") if len(data) % 2 else IndexError("stumbled")

    found = run_target(target(stumble), 40, 1)
    assert found["crashes"] + found["refused"] == 40
    assert 0 < found["crashes"] < 40
    assert "IndexError: stumbled" in found["said"][0]
    assert "input: b'" in found["said"][0]
    # What crashed comes back by its number alone.
    number = int(found["said"][0].partition("input ")[2].partition(" ")[0])
    assert run_target(target(stumble), 1, 1, only=number)["said"] == found["said"][:1]


def test_a_broken_promise_is_a_crash_also_for_hypothesis() -> None:
    numbers = Target("two", 10, lambda _: Feeder(st.integers(), lambda number: promise(number < 0, "not below 0")))
    found = run_target(numbers, 50, 1)
    assert found["inputs"] == 50 == found["accepted"] + found["crashes"]
    assert 0 < found["accepted"] < 50


def test_an_input_that_keeps_a_reader_busy_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.05)

    def dawdle(_: bytes) -> None:
        while True:
            try:
                time.sleep(1)
            except Exception:  # noqa: BLE001  # Nothing that a reader catches ends it.
                continue

    found = run_target(target(dawdle), 2, 1)
    assert found["crashes"] == 2
    assert "TooSlow" in found["said"][0]


def test_a_process_that_dies_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker of this test kills itself; what a crash of a library does."""
    module = tmp_path / "tests/fuzz/worker.py"
    module.parent.mkdir(parents=True)
    module.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr(test_fuzz, "ROOT", tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(AssertionError, match=f"ended with -{signal.SIGSEGV.value}"):
        test_fuzz.run_worker("frames png", "--count", "1")


def test_a_worker_ends_in_counts() -> None:
    found = test_fuzz.run_worker("examples", "--count", "50", "--seed", str(os.getpid()))
    assert found["inputs"] == 50 == found["accepted"] + found["refused"]
