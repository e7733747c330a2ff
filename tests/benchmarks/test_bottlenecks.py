"""What is used up first, against limits worked out by hand."""

from dataclasses import replace

import pytest

from benchmarks.bottlenecks import MEMORY, RESOURCES, alone, bottleneck, memory_limits
from benchmarks.projection import launcher_memory, times
from tests.benchmarks.projection_values import ASSUMED, COSTS


def test_the_most_that_fits_into_the_launcher() -> None:
    # 10^9 bytes: 200 bytes of objects an acquisition; the last line of plans is 5 x 10^7 + 50,000 n, with ledgers
    # 5 x 10^7 + 60,000 n.
    assert memory_limits(COSTS, ASSUMED) == {
        "memory_list": 5_000_000, "memory_plan": 19_000, "memory_commit": 15_833,
    }  # fmt: skip


def test_the_longest_resource_is_first_where_memory_lasts() -> None:
    found = bottleneck(1000, COSTS, ASSUMED)
    assert (found.first, found.slowest) == ("recount", "recount")
    # With more of everything that recounts the workers are next.
    fast = bottleneck(1000, replace(COSTS, recount=0.01), ASSUMED)
    assert (fast.first, fast.slowest) == ("worker_cpu", "worker_cpu")


def test_memory_that_does_not_last_comes_first() -> None:
    assert bottleneck(15_833, COSTS, ASSUMED).first == "recount"
    found = bottleneck(15_834, COSTS, ASSUMED)
    assert (found.first, found.slowest) == ("memory_commit", "recount")
    assert bottleneck(15_834, replace(COSTS, listed_bytes=1e9), ASSUMED).first == "memory_list"


def test_with_the_useful_workers_both_take_as_long() -> None:
    # 4 workers build 500 s, the launcher works 1,003 s alone.
    workers = bottleneck(1000, COSTS, ASSUMED).useful_workers
    assert workers == pytest.approx(4 * 500 / 1003)
    exact = times(1000, COSTS, replace(ASSUMED, workers=2))
    assert exact.build == pytest.approx(1000.0)
    assert alone(exact) == pytest.approx(1003.0)


def test_every_resource_has_its_words() -> None:
    took = times(1000, COSTS, ASSUMED)
    assert all(getattr(took, name) >= 0 for name in RESOURCES)
    assert launcher_memory(1000, COSTS).keys() == MEMORY.keys()
