"""Skew and stragglers, simulated over real plans: how much longer a build takes than its work, by size of shard."""

from dataclasses import dataclass

from benchmarks.planned_shards import Spread, first_strip, plan_strips, shard_loads, spread, validation_share
from benchmarks.stragglers import dealt_out, from_queue, ideal
from drae_data.options import DatasetOptions
from drae_data.shard_plan import Plan

HEAVY = 100
SLOW = 10.0


@dataclass(frozen=True)
class Schedule:
    """One simulated build.

    Attributes:
        shard_patches: most patches in a shard.
        case: what is simulated.
        shards: how many there are.
        largest: patches of the largest shard over those of the smallest of the same plan.
        queue: makespan over ideal where workers take shards from a queue.
        dealt: makespan over ideal where shards are dealt out beforehand.
    """

    shard_patches: int
    case: str
    shards: int
    largest: float
    queue: float
    dealt: float


@dataclass(frozen=True)
class HeavyStrip:
    """What a strip of many runs does to a plan.

    Attributes:
        side: train or validation.
        share: of acquisitions in validation.
        spread: where the strip went.
    """

    side: str
    share: float
    spread: Spread


def schedules(strips: int, workers: int, sizes: tuple[int, ...], options: DatasetOptions) -> list[Schedule]:
    """Simulates equal strips, a strip of many runs on either side, and a slow worker, at each size of shard.

    Args:
        strips: of ten runs.
        workers: that build one shard at a time each.
        sizes: of shards in patches.
        options: of the dataset, split by strip.
    """
    even = [1.0] * workers
    found = []
    for size in sizes:
        equal = plan_strips(strips, options, size)
        found.append(_schedule(size, "equal strips", equal, even, options))
        for side in ("train", "validation"):
            heavy = plan_strips(strips, options, size, first_strip(equal, side), HEAVY)
            found.append(_schedule(size, f"a strip of {HEAVY} times the runs, in {side}", heavy, even, options))
        found.append(_schedule(size, f"a worker {SLOW:.0f} times slower", equal, [*even[1:], SLOW], options))
    return found


def _schedule(size: int, case: str, plan: Plan, slowness: list[float], options: DatasetOptions) -> Schedule:
    # Every worker takes the same time for a patch, whatever it is: seconds would only scale all of these.
    loads = [float(patches) for patches in shard_loads(plan, options)]
    best = ideal(loads, slowness)
    return Schedule(
        size, case, len(loads), max(loads) / min(loads), from_queue(loads, slowness) / best,
        dealt_out(loads, slowness) / best,
    )  # fmt: skip


def heavy_strips(strips: int, shard_patches: int, options: DatasetOptions) -> tuple[float, list[HeavyStrip]]:
    """The share of validation with equal strips, and what a strip of many runs on either side does to it."""
    equal = plan_strips(strips, options, shard_patches)
    found = []
    for side in ("train", "validation"):
        strip = first_strip(equal, side)
        plan = plan_strips(strips, options, shard_patches, strip, HEAVY)
        found.append(HeavyStrip(side, validation_share(plan), spread(plan, strip)))
    return validation_share(equal), found
