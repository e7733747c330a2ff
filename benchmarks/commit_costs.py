"""What falls to the launcher, one process: the recount of a shard, and the memory that lists and ledgers take."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from apache_beam.io.filesystem import FileMetadata

from benchmarks.measure import BenchmarkError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import AcquisitionRow
from drae_data.records import count_records
from drae_data.tables import read_ledger
from drae_data.version_files import part_path

_Kept = TypeVar("_Kept")
_LISTED = 10_000


def recount(shard: str, target: Files) -> int:
    """What the commit does to a shard: index read, ledger taken, records counted, checked and summed.

    Args:
        shard: its file name.
        target: the version folder.

    Returns:
        How many records it has.

    Raises:
        BenchmarkError: the ledger says another number.
    """
    part = target.read(part_path(shard))
    ledger = read_ledger(part)
    sha256_hex(part)
    with target.open(shard) as stream:
        count = count_records(stream)
    if (count.records, count.crc32c) != (ledger["records"], ledger["crc32c"]):
        raise BenchmarkError(f"{shard}: expected {ledger['records']} records as its ledger says, got {count}")
    return count.records


def recount_seconds(shard: str, target: Files, threads: int) -> float:
    """Seconds for one shard, where `threads` of them are counted at the same time, as the commit does."""
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: recount(shard, target), range(threads)))
    return (time.perf_counter() - started) / threads


def ledger_memory(part: bytes) -> float:
    """Bytes of memory that the commit keeps of one acquisition until its end: the ledger's values, the manifest's row.

    The tables' own bytes come on top.

    Args:
        part: a shard's part of the patch index.
    """
    kept, size = _traced(lambda: _ledger_and_rows(part))
    return size / len(kept[1])


def listed_memory(name: Callable[[int], str]) -> float:
    """Bytes of memory per object that Beam's filesystems give of a remote folder.

    Args:
        name: the object's URL, by its number.
    """
    _, size = _traced(lambda: [FileMetadata(name(number), number, float(number)) for number in range(_LISTED)])
    return size / _LISTED


def rows_of(ledger: dict[str, Any]) -> list[AcquisitionRow]:
    """The manifest's rows as the commit makes them of a ledger."""
    return [
        replace(AcquisitionRow.of(values), splits=("train",), shards=("",), label="", ignored_files=0)
        for values in ledger["acquisitions"]
    ]


def _ledger_and_rows(part: bytes) -> tuple[dict[str, Any], list[AcquisitionRow]]:
    ledger = read_ledger(part)
    return ledger, rows_of(ledger)


def _traced(make: Callable[[], _Kept]) -> tuple[_Kept, int]:
    """What a function makes, and the bytes of Python's memory that it takes while it is kept."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return kept, size
