"""Which resource of a build is used up first: by time, by memory, by more workers, by more patches. Pure arithmetic."""

from dataclasses import dataclass

from benchmarks.projection import Assumptions, Costs, Times, launcher_memory, times

RESOURCES = {
    "list_objects": "launcher: LIST requests, one after the other",
    "plan": "launcher: planning, one core",
    "worker_cpu": "workers: processors",
    "worker_in": "workers: network in, frames",
    "worker_out": "workers: network out, shards",
    "recount": "launcher: recount, one core",
    "launcher_in": "launcher: network in, shards read back",
}
MEMORY = {
    "memory_list": "launcher: memory, objects listed",
    "memory_plan": "launcher: memory, plan",
    "memory_commit": "launcher: memory, ledgers of the commit",
}
# Finds the border of a memory to an acquisition: more than anybody has.
_MOST = 1 << 50


@dataclass(frozen=True)
class Bottleneck:
    """What is used up first.

    Attributes:
        first: where a phase needs more memory than the launcher has, the phase that is full at the fewest acquisitions;
            otherwise the resource that is at work the longest. A key of `MEMORY` or `RESOURCES`.
        slowest: the resource that is at work the longest, whatever the memory.
        useful_workers: with so many workers these build as long as the launcher works alone; twice as many end the
            whole a quarter sooner.
    """

    first: str
    slowest: str
    useful_workers: float


def bottleneck(acquisitions: int, costs: Costs, assumed: Assumptions) -> Bottleneck:
    """Compares what each resource needs with what there is."""
    took = times(acquisitions, costs, assumed)
    slowest = max(RESOURCES, key=lambda name: float(getattr(took, name)))
    limits = memory_limits(costs, assumed)
    tightest = min(limits, key=lambda phase: limits[phase])
    return Bottleneck(
        first=tightest if limits[tightest] < acquisitions else slowest,
        slowest=slowest,
        useful_workers=assumed.workers * took.build / alone(took),
    )


def alone(took: Times) -> float:
    """Seconds in which the launcher works and the workers wait."""
    return took.list_objects + took.plan + took.commit


def memory_limits(costs: Costs, assumed: Assumptions) -> dict[str, int]:
    """The most acquisitions that fit into the launcher's memory, by phase."""
    room = assumed.launcher_gb * 1e9
    found = {}
    for phase in MEMORY:
        fits, too_many = 0, _MOST
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if launcher_memory(middle, costs)[phase] <= room:
                fits = middle
            else:
                too_many = middle
        found[phase] = fits
    return found
