"""Schedules against hand calculations, an event-by-event simulation and every possible assignment."""

import itertools
import random

import pytest

from benchmarks.stragglers import dealt_out, from_queue, ideal


def test_by_hand() -> None:
    # Queue: 3 | 2, then the second worker is free at 2 and takes 2 until 4, the first at 3 takes 4 until 7.
    assert from_queue([3, 2, 2, 4], [1, 1]) == 7
    # Dealt out: 3 + 2 and 2 + 4.
    assert dealt_out([3, 2, 2, 4], [1, 1]) == 6
    assert ideal([3, 2, 2, 4], [1, 1]) == 5.5


def test_a_slow_worker_by_hand() -> None:
    # The slow one takes the second shard until 10; the other builds the remaining nine until 9.
    assert from_queue([1.0] * 10, [1, 10]) == 10
    assert dealt_out([1.0] * 10, [1, 10]) == 50
    # 10 shards at 1.1 a second.
    assert ideal([1.0] * 10, [1, 10]) == pytest.approx(10 / 1.1)


def test_more_workers_than_shards() -> None:
    assert from_queue([2, 5], [1, 1, 1]) == dealt_out([2, 5], [1, 1, 1]) == 5


def step_by_step(durations: list[int], slowness: list[int]) -> int:
    """A queue simulated second by second: whoever is free takes the next shard."""
    queue, busy_until, now = list(durations), [0] * len(slowness), 0
    while queue:
        for worker, slow in enumerate(slowness):
            if queue and busy_until[worker] <= now:
                busy_until[worker] = now + queue.pop(0) * slow
        now += 1
    return max(busy_until)


@pytest.mark.parametrize("seed", range(30))
def test_the_queue_is_what_happens_second_by_second(seed: int) -> None:
    draw = random.Random(seed)
    durations = [draw.randint(1, 9) for _ in range(draw.randint(1, 12))]
    slowness = [draw.choice([1, 1, 1, 10]) for _ in range(draw.randint(1, 5))]
    assert from_queue(durations, slowness) == step_by_step(durations, slowness)


@pytest.mark.parametrize("seed", range(10))
def test_no_assignment_beats_the_ideal_and_equal_workers_stay_below_twice_the_best(seed: int) -> None:
    draw = random.Random(seed)
    durations = [float(draw.randint(1, 9)) for _ in range(6)]
    for slowness in ([1.0, 1.0, 1.0], [1.0, 1.0, 10.0]):
        best = min(
            max(
                sum(length for length, worker in zip(durations, chosen, strict=True) if worker == number) * slow
                for number, slow in enumerate(slowness)
            )
            for chosen in itertools.product(range(3), repeat=6)
        )
        assert ideal(durations, slowness) <= best + 1e-9
        assert min(from_queue(durations, slowness), dealt_out(durations, slowness)) >= best
    # Graham 1966: list scheduling on m equal machines takes at most 2 - 1/m of the best.
    equal = [1.0, 1.0, 1.0]
    best = min(
        max(
            sum(length for length, worker in zip(durations, chosen, strict=True) if worker == number)
            for number in range(3)
        )
        for chosen in itertools.product(range(3), repeat=6)
    )
    assert from_queue(durations, equal) <= (2 - 1 / 3) * best
