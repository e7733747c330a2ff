"""The cost model against sums worked out by hand from round numbers."""

from dataclasses import replace

import pytest

from benchmarks.projection import (
    PlanPoint,
    Requests,
    acquisitions_of,
    core_hours,
    launcher_memory,
    money,
    planning,
    requests,
    scoring_core_hours,
    shard_memory,
    shard_seconds,
    shards_of,
    times,
)
from tests.benchmarks.projection_values import ASSUMED, COSTS


def test_the_last_acquisition_begun_counts_whole() -> None:
    assert [acquisitions_of(patches, COSTS) for patches in (1, 10, 11, 36_000)] == [1, 1, 2, 3600]


def test_core_hours_by_step_and_what_they_do_not_explain() -> None:
    # 3,600 acquisitions: 0.8, 1.0 and 2.0 - 1.8 seconds each are as many hours.
    assert core_hours(3600, COSTS) == pytest.approx({"decode": 0.8, "encode": 1.0, "rest": 0.2})
    assert sum(core_hours(3600, COSTS).values()) == pytest.approx(2.0)


def test_scoring_is_patches_over_the_rate() -> None:
    assert scoring_core_hours(72_000, ASSUMED) == pytest.approx(1.0)  # 72,000 / 20 = 3,600 s


@pytest.mark.parametrize(
    ("acquisitions", "seconds", "memory"),
    [
        (1000, 1.0, 1e8),
        (1500, 2.0, 1.25e8),  # half way on the first line
        (3000, 5.5, 2e8),  # half way on the second
        (4000, 8.0, 2.5e8),
        (8000, 18.0, 4.5e8),  # on the second line, twice its length further
        (500, 0.0, 0.75e8),  # before the first: 0 s on the first line
        (100, 0.0, 0.55e8),  # never less than nothing
    ],
)
def test_planning_lies_on_straight_lines(acquisitions: int, seconds: float, memory: float) -> None:
    assert planning(acquisitions, COSTS.plans) == pytest.approx((seconds, memory))


def test_one_plan_is_taken_in_proportion() -> None:
    assert planning(500, [PlanPoint(1000, 4.0, 1e8)]) == pytest.approx((2.0, 5e7))


def test_shards_are_filled_with_whole_acquisitions() -> None:
    # 55 patches take 5 acquisitions; a shard smaller than one acquisition takes it whole.
    assert [shards_of(count, COSTS, ASSUMED) for count in (1, 5, 6, 1000)] == [1, 1, 2, 200]
    assert shards_of(7, COSTS, replace(ASSUMED, shard_patches=3)) == 7


def test_a_shard_on_a_worker() -> None:
    # 5 acquisitions of 2 s on 2 vCPU of half a core; twice 5 x 200,000 bytes.
    assert shard_seconds(50, COSTS, ASSUMED) == pytest.approx(10.0)
    assert shard_memory(50, COSTS) == pytest.approx(2e6)


def test_requests_of_every_object() -> None:
    # 1,000 acquisitions: 2,000 objects are 2 LIST, and one for each acquisition; 200 shards are 600 objects written.
    assert requests(1000, COSTS, ASSUMED) == Requests(lists=1002, gets=(2000 + 600) * 2, puts=600 * 3)
    # One object more begins another LIST.
    assert requests(501, COSTS, ASSUMED).lists == 2 + 501


def test_times_of_every_resource() -> None:
    took = times(1000, COSTS, ASSUMED)
    assert took.list_objects == pytest.approx(1.0)  # 2 LIST of 0.5 s
    assert took.plan == pytest.approx(2.0)  # 1 s on half a core
    assert took.worker_cpu == pytest.approx(500.0)  # 2,000 s on 4 x 2 x 0.5 cores
    assert took.worker_in == pytest.approx(0.125)  # 10^9 bytes at 8 x 10^9 a second
    assert took.worker_out == pytest.approx(0.03125)  # 2.5 x 10^8 bytes
    assert took.recount == pytest.approx(1000.0)  # 500 s on half a core
    assert took.launcher_in == pytest.approx(0.25)  # 2.5 x 10^8 bytes at 10^9 a second
    assert took.build == took.worker_cpu
    assert took.commit == took.recount
    assert took.whole == pytest.approx(1.0 + 2.0 + 500.0 + 1000.0)


def test_the_slowest_of_what_runs_at_the_same_time_decides() -> None:
    slow = times(1000, replace(COSTS, frame_bytes=1e10, index_bytes=2e9), ASSUMED)
    assert slow.build == slow.worker_in == pytest.approx(1250.0)
    assert slow.commit == slow.launcher_in == pytest.approx(2000.2)


def test_memory_of_the_launcher() -> None:
    assert launcher_memory(4000, COSTS) == pytest.approx(
        {"memory_list": 8e5, "memory_plan": 2.5e8, "memory_commit": 2.9e8}
    )


def test_money() -> None:
    price = money(1000, COSTS, ASSUMED)
    # 8 vCPU for 500 s and one for 1,503 s are 5,503 vCPU seconds at 0.0001 each.
    assert price.processors == pytest.approx(0.5503)
    assert price.requests == pytest.approx((1002 + 1800) / 1000 * 5.0 + 5200 / 1000 * 0.5)
    assert price.storage_month == pytest.approx(0.25 * 0.02)


def test_everything_but_planning_grows_in_proportion() -> None:
    one, ten = times(1000, COSTS, ASSUMED), times(10_000, COSTS, ASSUMED)
    for name in ("list_objects", "worker_cpu", "worker_in", "worker_out", "recount", "launcher_in"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))
