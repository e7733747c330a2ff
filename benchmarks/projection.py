"""What a build of any number of patches comes to: the cost model. Pure arithmetic over measured costs and assumptions.

Everything that is not measured is an attribute of `Assumptions`, with its name in the command's flags. Seconds are
seconds, bytes are bytes; a core and a vCPU are told apart by `core_share` alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Of the object store's interface and of Beam's client for S3, not of its price list: names per LIST request; a HEAD and
# a GET for each object read; begin, part and end for each object written (a part may have 5 GB).
LISTED_AT_ONCE = 1000
GETS_PER_OBJECT = 2
PUTS_PER_OBJECT = 3
# A shard, its index, its marker.
OBJECTS_PER_SHARD = 3
_HOUR = 3600.0
_GB = 1e9
_GBIT = 1e9 / 8


@dataclass(frozen=True)
class PlanPoint:
    """A plan that was measured.

    Attributes:
        acquisitions: in it.
        seconds: to list names, select, plan and write it.
        memory: peak of the process in bytes.
    """

    acquisitions: int
    seconds: float
    memory: float


@dataclass(frozen=True)
class Costs:
    """What was measured, of one acquisition unless it says otherwise; seconds are those of one core.

    Attributes:
        patches: in it.
        frames: files of it.
        frame_bytes: of these files.
        shard_bytes: of its records.
        index_bytes: of its rows in the patch index and in the ledger.
        steps: seconds by step of a worker.
        build: seconds of a whole build by a worker; what `steps` do not explain is in it.
        recount: seconds of the commit.
        ledger_bytes: of memory that the commit keeps.
        listed_bytes: of memory for each object listed.
        plan_bytes: of the plan's file.
        shuffle_bytes: that Beam moves.
        plans: what planning took, ascending.
    """

    patches: int
    frames: int
    frame_bytes: float
    shard_bytes: float
    index_bytes: float
    steps: Mapping[str, float]
    build: float
    recount: float
    ledger_bytes: float
    listed_bytes: float
    plan_bytes: float
    shuffle_bytes: float
    plans: Sequence[PlanPoint]


@dataclass(frozen=True)
class Assumptions:
    """What was not measured.

    Attributes:
        workers: machines that build.
        vcpus: of each worker.
        launcher_vcpus: of the machine that lists, plans and commits.
        launcher_gb: its memory in 10^9 bytes.
        core_share: what a vCPU does of what the measured core does.
        gbit_per_vcpu: network into a machine, and as much out of it, in 10^9 bits per second.
        list_seconds: a LIST request takes; they come one after the other.
        shard_patches: most patches in a shard.
        score_rate: patches scored per second and core.
        price_core_hour: of a vCPU for an hour.
        price_gb_month: of 10^9 bytes in an object store for a month.
        price_put_1000: of 1,000 requests that write or list.
        price_get_1000: of 1,000 requests that read.
    """

    workers: int
    vcpus: int
    launcher_vcpus: int
    launcher_gb: float
    core_share: float
    gbit_per_vcpu: float
    list_seconds: float
    shard_patches: int
    score_rate: float
    price_core_hour: float
    price_gb_month: float
    price_put_1000: float
    price_get_1000: float


@dataclass(frozen=True)
class Requests:
    """Requests to an object store."""

    lists: int
    gets: int
    puts: int


@dataclass(frozen=True)
class Times:
    """Seconds that each resource is at work, were it alone.

    Attributes:
        list_objects: the launcher, one LIST after the other.
        plan: the launcher, one core.
        worker_cpu: all workers.
        worker_in: network into all workers, frames.
        worker_out: network out of all workers, shards and index.
        recount: the launcher, one core.
        launcher_in: network into the launcher, which reads every shard back.
    """

    list_objects: float
    plan: float
    worker_cpu: float
    worker_in: float
    worker_out: float
    recount: float
    launcher_in: float

    @property
    def build(self) -> float:
        """Seconds of the workers: a thread reads while others work, so the slowest resource decides."""
        return max(self.worker_cpu, self.worker_in, self.worker_out)

    @property
    def commit(self) -> float:
        """Seconds of the recount: one thread counts while others read."""
        return max(self.recount, self.launcher_in)

    @property
    def whole(self) -> float:
        """Seconds from the command's start to the commit point."""
        return self.list_objects + self.plan + self.build + self.commit


@dataclass(frozen=True)
class Money:
    """In the unit of the prices."""

    processors: float
    requests: float
    storage_month: float


def acquisitions_of(patches: int, costs: Costs) -> int:
    """How many acquisitions give so many patches, the last one begun counted whole."""
    return -(-patches // costs.patches)


def core_hours(acquisitions: int, costs: Costs) -> dict[str, float]:
    """Hours of one measured core by step of a worker; `rest` is what the steps do not explain."""
    rest = costs.build - sum(costs.steps.values())
    return {name: acquisitions * seconds / _HOUR for name, seconds in {**costs.steps, "rest": rest}.items()}


def scoring_core_hours(patches: int, assumed: Assumptions) -> float:
    """Hours of one core that scores as many patches."""
    return patches / assumed.score_rate / _HOUR


def planning(acquisitions: int, plans: Sequence[PlanPoint]) -> tuple[float, float]:
    """Seconds and bytes of memory of a plan: on straight lines between what was measured, and on the last line beyond.

    With one measurement both are taken to grow in proportion.
    """
    ends = [PlanPoint(0, 0.0, 0.0), *plans] if len(plans) == 1 else list(plans)
    lines = list(pairwise(ends))
    before, after = next((line for line in lines if acquisitions <= line[1].acquisitions), lines[-1])
    way = (acquisitions - before.acquisitions) / (after.acquisitions - before.acquisitions)
    seconds = before.seconds + way * (after.seconds - before.seconds)
    return max(0.0, seconds), before.memory + way * (after.memory - before.memory)


def shards_of(acquisitions: int, costs: Costs, assumed: Assumptions) -> int:
    """How many shards, on one side of the split."""
    return -(-acquisitions // max(1, assumed.shard_patches // costs.patches))


def shard_seconds(size: int, costs: Costs, assumed: Assumptions) -> float:
    """How long a worker builds a shard of so many patches: what is done anew where one is lost."""
    return size / costs.patches * costs.build / (assumed.vcpus * assumed.core_share)


def shard_memory(size: int, costs: Costs) -> float:
    """Bytes of encoded patches that a worker keeps: of the shard that is written and of the next, which is begun."""
    return 2 * size / costs.patches * costs.shard_bytes


def requests(acquisitions: int, costs: Costs, assumed: Assumptions) -> Requests:
    """Requests of a build from an object store into one; the tables' few and those of the progress line are not in it.

    Each acquisition is listed once more by its worker; the commit reads shard, index and marker back.
    """
    objects = acquisitions * costs.frames
    written = shards_of(acquisitions, costs, assumed) * OBJECTS_PER_SHARD
    return Requests(
        lists=-(-objects // LISTED_AT_ONCE) + acquisitions,
        gets=(objects + written) * GETS_PER_OBJECT,
        puts=written * PUTS_PER_OBJECT,
    )


def times(acquisitions: int, costs: Costs, assumed: Assumptions) -> Times:
    """How long each resource is at work."""
    cores = assumed.workers * assumed.vcpus * assumed.core_share
    bandwidth = assumed.gbit_per_vcpu * _GBIT
    into_workers = assumed.workers * assumed.vcpus * bandwidth
    written = acquisitions * (costs.shard_bytes + costs.index_bytes)
    return Times(
        list_objects=math.ceil(acquisitions * costs.frames / LISTED_AT_ONCE) * assumed.list_seconds,
        plan=planning(acquisitions, costs.plans)[0] / assumed.core_share,
        worker_cpu=acquisitions * costs.build / cores,
        worker_in=acquisitions * costs.frame_bytes / into_workers,
        worker_out=written / into_workers,
        recount=acquisitions * costs.recount / assumed.core_share,
        launcher_in=written / (assumed.launcher_vcpus * bandwidth),
    )


def launcher_memory(acquisitions: int, costs: Costs) -> dict[str, float]:
    """Bytes of the launcher's memory by phase; the plan stays while the commit keeps the ledgers."""
    plan = planning(acquisitions, costs.plans)[1]
    return {
        "memory_list": acquisitions * costs.frames * costs.listed_bytes,
        "memory_plan": plan,
        "memory_commit": plan + acquisitions * costs.ledger_bytes,
    }


def money(acquisitions: int, costs: Costs, assumed: Assumptions) -> Money:
    """What it costs: workers are paid while they build, the launcher all the time, storage by the month."""
    took, asked = times(acquisitions, costs, assumed), requests(acquisitions, costs, assumed)
    vcpu_seconds = assumed.workers * assumed.vcpus * took.build + assumed.launcher_vcpus * took.whole
    return Money(
        processors=vcpu_seconds / _HOUR * assumed.price_core_hour,
        requests=(
            (asked.lists + asked.puts) / 1000 * assumed.price_put_1000 + asked.gets / 1000 * assumed.price_get_1000
        ),
        storage_month=acquisitions * (costs.shard_bytes + costs.index_bytes) / _GB * assumed.price_gb_month,
    )
