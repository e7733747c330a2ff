"""Shards over workers, simulated: how long the last worker is at work against work that is shared without a rest.

Nothing is run here: durations are numbers, and a worker builds one shard after the other.
"""

import heapq
from collections.abc import Sequence


def from_queue(durations: Sequence[float], slowness: Sequence[float]) -> float:
    """The makespan where each worker takes the next shard as soon as it is free (list scheduling).

    Args:
        durations: of the shards in their order, seconds on a worker of slowness 1.
        slowness: of the workers: 10 takes ten times as long.

    Returns:
        When the last shard is finished, in seconds.
    """
    free = [(0.0, worker) for worker in range(len(slowness))]
    end = 0.0
    for duration in durations:
        time, worker = heapq.heappop(free)
        time += duration * slowness[worker]
        heapq.heappush(free, (time, worker))
        end = max(end, time)
    return end


def dealt_out(durations: Sequence[float], slowness: Sequence[float]) -> float:
    """The makespan where shards are dealt out beforehand, one to each worker in turn; arguments as of `from_queue`."""
    return max(sum(durations[worker :: len(slowness)]) * slow for worker, slow in enumerate(slowness))


def ideal(durations: Sequence[float], slowness: Sequence[float]) -> float:
    """The time in which the workers together do the work where it can be shared to any part: no schedule is shorter."""
    return sum(durations) / sum(1 / slow for slow in slowness)
