"""Real plans of made-up names for the simulation: strips of equal runs, or one of them with many times as many."""

from collections import Counter
from dataclasses import dataclass, replace

from drae_data.listing import list_folders
from drae_data.options import DatasetOptions
from drae_data.selection import select
from drae_data.shard_plan import Plan, plan_shards
from pipelines.collector import collector_paused

RUNS = 10


@dataclass(frozen=True)
class Spread:
    """Where a strip's acquisitions went.

    Attributes:
        acquisitions: of the strip.
        shards: how many shards hold some of them.
        split_shards: how many shards its side has.
        most: acquisitions of the strip in the shard that has most of them.
        sides: how many sides it is on.
    """

    acquisitions: int
    shards: int
    split_shards: int
    most: int
    sides: int


def plan_strips(strips: int, options: DatasetOptions, shard_patches: int, heavy: str = "", factor: int = 1) -> Plan:
    """Plans strips of ten runs.

    Args:
        strips: how many.
        options: of the dataset, whose template is `{strip}/run_{run}/...`.
        shard_patches: most patches in a shard.
        heavy: the id of a strip with more runs; empty where there is none.
        factor: how many times as many.
    """
    names = [
        f"{strip}/run_{run}"
        for strip in map(strip_name, range(strips))
        for run in range(RUNS * (factor if strip == heavy else 1))
    ]
    options = replace(options, shard_patches=shard_patches)
    with collector_paused():
        selection = select(list_folders(names, options, "made up"), options, {})
        return plan_shards(selection.listing.acquisitions, options, selection.sides)


def strip_name(number: int) -> str:
    """The id of a made-up strip."""
    return f"S{number:07d}"


def first_strip(plan: Plan, split: str) -> str:
    """The id of the first strip of a split by its name: more runs of it change no side, which hashes of ids decide."""
    return min(item.key.strip_id for task in plan.tasks if task.split == split for item in task.acquisitions)


def shard_loads(plan: Plan, options: DatasetOptions) -> list[int]:
    """Patches of the shards, in the plan's order."""
    patches = options.patches_per_acquisition
    return [sum(task.patches_of(item, patches) for item in task.acquisitions) for task in plan.tasks]


def validation_share(plan: Plan) -> float:
    """The share of acquisitions, and so of patches, that are validation, where whole strips are."""
    counts: Counter[str] = Counter()
    for task in plan.tasks:
        counts[task.split] += len(task.acquisitions)
    return counts["validation"] / counts.total()


def spread(plan: Plan, strip: str) -> Spread:
    """Where a strip's acquisitions went."""
    found = [sum(item.key.strip_id == strip for item in task.acquisitions) for task in plan.tasks]
    sides = {task.split for task, count in zip(plan.tasks, found, strict=True) if count}
    return Spread(sum(found), sum(map(bool, found)), _shards_of(plan, sides), max(found), len(sides))


def _shards_of(plan: Plan, sides: set[str]) -> int:
    return sum(task.split in sides for task in plan.tasks)
