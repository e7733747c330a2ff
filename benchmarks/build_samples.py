"""What was seen of a build that is at work: patches done, memory, free disk; how its end compares with its start."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_TENTHS = 10


@dataclass(frozen=True)
class Sample:
    """One look.

    Attributes:
        seconds: since the command's start.
        patches: in finished shards.
        memory: of the process tree in bytes.
        free: bytes of the disk.
    """

    seconds: float
    patches: int
    memory: int
    free: int


@dataclass(frozen=True)
class Tenth:
    """A tenth of a build, as near as the looks and the shards' ends come.

    Attributes:
        patches: finished in it.
        rate: patches per second; None where no two looks lie in it.
        peak: of memory in bytes; 0 where no look lies in it.
    """

    patches: int
    rate: float | None
    peak: int


def tenths(samples: Sequence[Sample], total: int) -> list[Tenth]:
    """Splits a build in ten by patches done.

    The first one begins where the first shards are finished: before that imports, listing and planning take their time.
    A border lies at the first look at which so many patches are done.

    Args:
        samples: in the order of time.
        total: patches of the whole build.
    """
    begun = [sample for sample in samples if sample.patches]
    if not begun:
        return [Tenth(0, None, 0)] * _TENTHS
    first = begun[0].patches
    borders = [_first_at(begun, first + (total - first) * number / _TENTHS) for number in range(_TENTHS + 1)]
    return [_tenth(begun[start : end + 1]) for start, end in pairwise(borders)]


def _first_at(samples: Sequence[Sample], patches: float) -> int:
    """The index of the first look at which so many patches are done; the last look where there is none."""
    return next((index for index, sample in enumerate(samples) if sample.patches >= patches), len(samples) - 1)


def _tenth(samples: Sequence[Sample]) -> Tenth:
    patches = samples[-1].patches - samples[0].patches
    seconds = samples[-1].seconds - samples[0].seconds
    return Tenth(patches, patches / seconds if seconds else None, max(sample.memory for sample in samples))


def ratio(last: float | None, first: float | None) -> float | None:
    """Last over first; None where one of them is not known."""
    return round(last / first, 3) if last and first else None
