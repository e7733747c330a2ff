"""The training benchmark's parts: ratios are of one round, a clock counts what it saw, an absent version is one line.

What is measured is not judged here: times on a test machine say nothing.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.training import (
    INPUT,
    LOOP,
    PAPER_INPUT,
    STEP,
    LoopClock,
    TrainingBenchOptions,
    main,
    ratio,
    timed_rounds,
)
from tests.small_training import NETWORK, small_training, training_version

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_ratio_is_the_median_of_rounds() -> None:
    # 10/5, 30/10, 40/40: 2, 3 and 1.
    assert ratio([10, 30, 40], [5, 10, 40]) == 2


def test_the_clock_counts_from_the_first_step_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 11.0, 14.0, 100.0, 101.0])
    monkeypatch.setattr("benchmarks.training.time.perf_counter", lambda: next(times))
    turns: list[int] = []
    clock = LoopClock(8, lambda: turns.append(1))

    for steps in (3, 2):
        for step in range(steps):
            clock.stepped(step)
        clock.epoch_ended({}, None)

    # 2 steps of 8 patches in 4 s, then one in 1 s.
    assert clock.rates == [4.0, 8.0]
    assert len(turns) == 2


def test_an_absent_version_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    params, paper = REPOSITORY / "params.yaml", REPOSITORY / "params.paper.yaml"
    assert main(["--params", str(params), "--paper", str(paper)]) == 1

    said = capsys.readouterr().err
    assert "datasets/training/1.0.0: expected the version" in said
    assert "run make repro first" in said


@pytest.mark.slow
def test_a_tiny_run_measures_every_side(tmp_path: Path) -> None:
    options = small_training()
    larger = replace(options, network=replace(NETWORK, input_size=32))
    bench = TrainingBenchOptions(Path(), Path(), rounds=2, steps=2, batches=2)

    rates = timed_rounds(training_version(tmp_path), options, larger, bench)

    assert set(rates) == {LOOP, STEP, INPUT, PAPER_INPUT}
    assert all(len(values) == 2 and min(values) > 0 for values in rates.values())
