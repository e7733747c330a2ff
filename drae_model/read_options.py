"""How patches are read back: split, filters, batches, order; checked at birth."""

from dataclasses import dataclass

from drae_data.errors import OptionError
from drae_data.options import SPLITS
from drae_model.option_checks import check_one_of, check_whole


@dataclass(frozen=True)
class Shuffle:
    """An order that looks random; it depends on these values, the version's shards and the epoch, and on nothing else.

    Records lie in their shard in an order that the build shuffled already. On top of that each epoch puts the shards
    in an order of its own, takes records from `mixed_shards` of them in turn, and draws each next record from
    `buffer` waiting ones. So a batch mixes that many shards and neighbours differ from epoch to epoch, but a patch
    moves about as far as `buffer` records within its group of shards; only a buffer that holds every patch gives a
    draw from all orders.

    Attributes:
        seed: of all that is drawn.
        buffer: records that wait in memory, still encoded (65 kB each as raw, some 25 to 35 kB as PNG).
        mixed_shards: shards that are read in turn, a record from each.
    """

    seed: int
    buffer: int
    mixed_shards: int

    def __post_init__(self) -> None:
        check_whole("shuffle.seed", self.seed, 0)
        check_whole("shuffle.buffer", self.buffer, 1)
        check_whole("shuffle.mixed_shards", self.mixed_shards, 1)


@dataclass(frozen=True)
class ReadOptions:
    """How a version is read.

    Attributes:
        split: train, validation or test.
        batch_size: patches in a batch.
        drop_remainder: leave out the last batch of an epoch where it would be smaller.
        parallel_reads: shards that are read at the same time, at most `shuffle.mixed_shards`; never changes the order.
        shuffle: None gives the order of shards and records.
        regions: names of the regions to take; empty takes all.
        vials: numbers of the vials to take; empty takes all.
        shards: names of the shards to take; empty takes all.
    """

    split: str
    batch_size: int
    drop_remainder: bool
    parallel_reads: int
    shuffle: Shuffle | None
    regions: tuple[str, ...] = ()
    vials: tuple[int, ...] = ()
    shards: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_one_of("split", self.split, SPLITS)
        check_whole("batch_size", self.batch_size, 1)
        check_whole("parallel_reads", self.parallel_reads, 1)
        _each_once("regions", self.regions)
        _each_once("vials", self.vials)
        _each_once("shards", self.shards)


def _each_once(key: str, values: object) -> None:
    # A text is a sequence too: 'R1' would mean the regions R and 1.
    if not isinstance(values, tuple) or len(set(values)) != len(values):
        raise OptionError(key, values, "a tuple, each value once; empty for all")
