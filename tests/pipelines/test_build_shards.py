"""The plan's way to workers, and shards that an attempt before finished."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from drae_data.errors import CommitError
from drae_data.local_files import LocalFiles
from drae_data.publication import commit, open_version
from drae_data.shard_plan import Plan
from drae_data.shards import Roots, build_shard, finished_shard
from drae_data.version_files import done_path, plan_path
from pipelines.build_shards import PlanPart, plan_parts, read_plan
from tests.small_line import build_dataset, plan_line, small_options, tree_bytes, write_line


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Plan, LocalFiles]:
    """A plan of 20 shards, and the version folder that a build has just opened with it."""
    root = write_line(tmp_path / "frames", strips=[f"S{number:02d}" for number in range(20)], runs=2)
    plan = plan_line(LocalFiles(str(root)), small_options())[1]
    target = LocalFiles(str(tmp_path / "version"))
    open_version(target, plan)
    return plan, target


@pytest.mark.parametrize(("shards", "parts"), [(0, 1), (1, 1), (7, 7), (20, 20), (256, 256), (100_000, 256)])
def test_there_are_as_many_parts_as_shards_but_not_too_many(shards: int, parts: int) -> None:
    found = plan_parts("plan", shards)
    assert found == [PlanPart("plan", number, parts) for number in range(parts)]


@pytest.mark.parametrize("parts", [1, 3, 20, 256])
def test_the_parts_together_are_the_plan(parts: int, planned: tuple[Plan, LocalFiles]) -> None:
    plan, target = planned
    found = [list(read_plan(part, target)) for part in plan_parts(plan_path(), parts)]
    assert len(plan.tasks) == 20
    assert sorted((task for tasks in found for task in tasks), key=lambda task: task.name) == sorted(
        plan.tasks, key=lambda task: task.name
    )
    # None has two more than another: engines spread parts, not shards.
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_a_finished_shard_is_known_by_its_marker(tmp_path: Path, planned: tuple[Plan, LocalFiles]) -> None:
    plan, target = planned
    first, second = plan.tasks[:2]
    roots = Roots(LocalFiles(str(tmp_path / "frames")), target, build="this one")
    assert finished_shard(first, target, "this one") is None
    built = build_shard(first, small_options(), roots, 1)
    assert finished_shard(first, target, "this one") == built
    assert json.loads(target.read(done_path(first.name))) == {"build": "this one", "summary": asdict(built)}
    assert finished_shard(second, target, "this one") is None
    # Neither what another build finished counts, nor what this one did before it wrote its plan anew.
    assert finished_shard(first, target, "another") is None
    open_version(target, plan)
    assert finished_shard(first, target, "this one") is None


def test_a_worker_that_outlives_its_build_adds_nothing_to_the_next(tmp_path: Path) -> None:
    """Its launcher was killed, the job went on: shards cut otherwise lie under the names that this build plans."""
    source = LocalFiles(str(write_line(tmp_path / "frames")))
    options = small_options()
    other = small_options(patch=replace(options.patch, encoding="raw"))
    selection, plan = plan_line(source, options)
    target = LocalFiles(str(tmp_path / "version"))
    open_version(target, plan)
    mine, theirs = (Roots(source, target, build=name) for name in ("mine", "theirs"))
    for task in plan.tasks[1:]:
        build_shard(task, options, mine, 1)
    build_shard(plan.tasks[0], other, theirs, 1)
    assert finished_shard(plan.tasks[0], target, "mine") is None
    with pytest.raises(CommitError, match="no worker reported it built"):
        commit(target, options, selection, plan, build="mine")
    build_shard(plan.tasks[0], options, mine, 1)
    commit(target, options, selection, plan, build="mine")
    build_dataset(tmp_path / "frames", tmp_path / "plain", options)
    assert tree_bytes(tmp_path / "version") == tree_bytes(tmp_path / "plain")
