"""Steps of a build on small frames: they give the shard that the build gives. What is measured is not judged here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.commit_costs import ledger_memory, listed_memory, recount, recount_seconds
from benchmarks.measure import BenchmarkError
from benchmarks.step_rates import WORKER_STEPS, Stopwatch, measure_steps
from drae_data.listing import list_acquisitions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.shard_plan import ShardTask, plan_shards
from drae_data.shards import Roots, build_shard
from drae_data.version_files import part_path
from tests.small_line import small_frame, small_options


@pytest.fixture
def shard(tmp_path: Path) -> tuple[ShardTask, DatasetOptions, Roots]:
    """A shard of two acquisitions of 3 frames and 20 patches."""
    for run in range(2):
        folder = tmp_path / "frames" / "S1" / f"run_{run}"
        folder.mkdir(parents=True)
        for frame in range(3):
            cv2.imwrite(str(folder / f"frame_{frame}.png"), small_frame("S1", run, frame))
    options = small_options()
    roots = Roots(LocalFiles(str(tmp_path / "frames")), LocalFiles(str(tmp_path / "version")))
    (task,) = plan_shards(list_acquisitions(roots.source, options).acquisitions, options).tasks
    return task, options, roots


def test_every_step_is_measured(shard: tuple[ShardTask, DatasetOptions, Roots]) -> None:
    task, options, roots = shard
    threads, told = cv2.getNumThreads(), list[str]()
    try:
        rates = measure_steps(task, options, roots, 2, 2, told.append)
    finally:
        cv2.setNumThreads(threads)

    assert set(rates.steps) == set(WORKER_STEPS)
    assert all(seconds > 0 for seconds in rates.steps.values())
    assert rates.whole > 0
    assert (rates.patches, rates.frames) == (20, 3)
    frames = sum(path.stat().st_size for path in Path(roots.source.root).rglob("*.png"))
    assert rates.frame_bytes == frames / 2
    assert rates.shard_bytes == len(roots.target.read(task.name)) / 2
    assert rates.index_bytes == len(roots.target.read(part_path(task.name))) / 2
    assert rates.recount > 0 < rates.recount_threads
    assert [line.split(", ")[1] for line in told] == ["whole", "steps", "steps", "whole"]


def test_steps_that_give_other_patches_are_found(
    shard: tuple[ShardTask, DatasetOptions, Roots], monkeypatch: pytest.MonkeyPatch
) -> None:
    def inverted(*arguments: Any) -> Any:
        return np.bitwise_not(cut_patch(*arguments))

    monkeypatch.setattr("benchmarks.step_rates.cut_patch", inverted)
    with pytest.raises(BenchmarkError, match=r"S1/r[01]: the steps give other patches"):
        measure_steps(*shard, 1, 1, lambda _: None)


def test_a_recount_finds_every_record_and_a_changed_byte(shard: tuple[ShardTask, DatasetOptions, Roots]) -> None:
    task, options, roots = shard
    build_shard(task, options, roots, 1)
    assert recount(task.name, roots.target) == 40
    assert recount_seconds(task.name, roots.target, 3) > 0
    other = Roots(roots.source, LocalFiles(f"{roots.target.root}-other"))
    build_shard(replace(task, acquisitions=task.acquisitions[:1]), options, other, 1)
    roots.target.write(task.name, [other.target.read(task.name)])
    with pytest.raises(BenchmarkError, match="expected 40 records"):
        recount(task.name, roots.target)


def test_memory_counts_what_is_kept(shard: tuple[ShardTask, DatasetOptions, Roots]) -> None:
    task, options, roots = shard
    build_shard(task, options, roots, 1)
    # Three SHA-256 as text alone are 3 x 64 characters.
    assert 3 * 64 < ledger_memory(roots.target.read(part_path(task.name))) < 50_000
    short, long = listed_memory(lambda number: f"{number:010}"), listed_memory(lambda number: f"{number:01010}")
    assert long - short == pytest.approx(1000, rel=0.05)


def test_a_stopwatch_adds_up() -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch.of("one"):
            pass
    assert watch.seconds["one"] > 0
    assert set(watch.seconds) == {"one"}
