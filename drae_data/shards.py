"""One shard, whole: read its acquisitions, build, order, write; beside it its part of the patch index.

The part's metadata holds the shard's ledger (fingerprint, digest, acquisitions, quarantine). A shard whose ledger has
the fingerprint of today's inputs and whose bytes have the ledger's digest is not built again: so a killed build
resumes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from drae_data.acquisition_folder import Source, read_source
from drae_data.acquisition_patches import BuiltAcquisition, EncodedPatch, build_acquisition
from drae_data.errors import AcquisitionError, DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import AcquisitionRow, PatchRow, QuarantineRow, read_ledger, table_bytes
from drae_data.options import DatasetOptions
from drae_data.records import RECORD_OVERHEAD, frame_record
from drae_data.shard_plan import PlannedAcquisition, ShardTask, hash_order

# Bytes of a TFRecord before its data: length and the length's checksum.
_BEFORE_DATA = RECORD_OVERHEAD - 4
WORK = ".work"
PATCHES = "patches"


@dataclass(frozen=True)
class ShardSummary:
    """What became of one shard task; small enough to travel.

    Attributes:
        name: the shard's file name.
        fingerprint: of its inputs, see `shard_fingerprint`.
        reused: whether an earlier build's shard was found good.
        patches: records in the shard.
        acquisitions: built ones.
        quarantined: the others.
    """

    name: str
    fingerprint: str
    reused: bool
    patches: int
    acquisitions: int
    quarantined: int


@dataclass(frozen=True)
class StartedShard:
    """A shard whose acquisitions are in work.

    Attributes:
        task: the shard.
        built: what its acquisitions will give, in order.
        reused: the summary where an earlier build's shard was found good; `built` is empty then.
    """

    task: ShardTask
    built: tuple[Future[BuiltAcquisition], ...]
    reused: ShardSummary | None


def part_path(shard: str) -> str:
    """Where a shard's part of the patch index lies, relative to the version folder."""
    return f"{PATCHES}/{shard}.parquet"


def done_path(shard: str) -> str:
    """Where the marker lies that a shard was built or checked in the current build."""
    return f"{WORK}/done/{shard}.json"


def build_shard(task: ShardTask, options: DatasetOptions, source: Files, target: Files, threads: int) -> ShardSummary:
    """Builds one shard and its part of the patch index, or finds them good.

    Args:
        task: which acquisitions.
        options: of the dataset.
        source: the root of the frames.
        target: the version folder.
        threads: acquisitions in work at the same time; results are taken in order, so bytes do not depend on it.
    """
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return finish_shard(start_shard(task, options, source, target, pool), options, target)


def start_shard(
    task: ShardTask, options: DatasetOptions, source: Files, target: Files, pool: ThreadPoolExecutor
) -> StartedShard:
    """Hands a shard's acquisitions to a pool that may still be at work on the shard before; see `build_shard`."""
    reused = _reuse(task, options, source, target, pool)
    if reused is not None:
        return StartedShard(task, (), reused)
    built = tuple(pool.submit(build_acquisition, item, task, options, source) for item in task.acquisitions)
    return StartedShard(task, built, None)


def finish_shard(started: StartedShard, options: DatasetOptions, target: Files) -> ShardSummary:
    """Waits for a shard's acquisitions and writes it; see `build_shard`."""
    task = started.task
    summary = started.reused or _write_shard(task, options, [future.result() for future in started.built], target)
    target.write(done_path(task.name), [json.dumps(asdict(summary), sort_keys=True).encode()])
    return summary


def shard_fingerprint(
    task: ShardTask,
    options: DatasetOptions,
    found: Iterable[tuple[PlannedAcquisition, Source | QuarantineRow]],
) -> str:
    """SHA-256 of everything that decides the bytes of a shard and of its rows in the tables.

    That is: its name and split, the options' content, and for each acquisition its key and folder, and what was found
    there: names and SHA-256 of the frames that were read, names of those that only had to be there, the number of other
    files; or its quarantine row. No time, path above the root, host or machine enters.
    """
    sources = [
        [item.key.strip, item.key.run, item.folder, item.validation_patches, type(source).__name__, asdict(source)]
        for item, source in found
    ]
    identity = {"shard": task.name, "split": task.split, "content": options.content(), "acquisitions": sources}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _reuse(
    task: ShardTask, options: DatasetOptions, source: Files, target: Files, pool: ThreadPoolExecutor
) -> ShardSummary | None:
    """The summary of a shard that an earlier build left good; None where there is none or its inputs changed.

    An acquisition in quarantine is judged again, whole: what was wrong may have been a copy still under way.
    """
    try:
        ledger = read_ledger(target.read(part_path(task.name)))
    except (OSError, DatasetError):
        return None
    quarantined = {(row["strip"], row["run"]) for row in ledger["quarantine"]}

    def find(item: PlannedAcquisition) -> Source | QuarantineRow | None:
        if (item.key.strip, item.key.run) in quarantined:
            return build_acquisition(item, task, options, source).found
        try:
            return read_source(item.folder, options, source)
        except AcquisitionError:
            return None

    found = list(pool.map(find, task.acquisitions))
    known = [(item, what) for item, what in zip(task.acquisitions, found, strict=True) if what is not None]
    if len(known) < len(found) or shard_fingerprint(task, options, known) != ledger["fingerprint"]:
        return None
    try:
        if sha256_hex(target.read(task.name)) != ledger["sha256"]:
            return None
    except OSError:
        return None
    return _summary(ledger, reused=True)


def _write_shard(
    task: ShardTask, options: DatasetOptions, built: list[BuiltAcquisition], target: Files
) -> ShardSummary:
    patches = [patch for item in built for patch in item.patches]
    patches.sort(key=lambda patch: hash_order(options.split.seed, "record", str(patch.key)))
    digest = hashlib.sha256()
    target.write(task.name, _hashed((frame_record(patch.example) for patch in patches), digest.update))
    rows = list(_patch_rows(task, patches))
    ledger = {
        "shard": task.name,
        "fingerprint": shard_fingerprint(task, options, ((item.planned, item.found) for item in built)),
        "sha256": digest.hexdigest(),
        "bytes": sum(row.length + RECORD_OVERHEAD for row in rows),
        "records": len(rows),
        "acquisitions": [
            asdict(_acquisition_row(task, item, item.found)) for item in built if isinstance(item.found, Source)
        ],
        "quarantine": [asdict(item.found) for item in built if isinstance(item.found, QuarantineRow)],
    }
    target.write(part_path(task.name), [table_bytes("patches", rows, ledger)])
    return _summary(ledger, reused=False)


def _hashed(parts: Iterable[bytes], update: Any) -> Iterator[bytes]:
    for part in parts:
        update(part)
        yield part


def _patch_rows(task: ShardTask, patches: list[EncodedPatch]) -> Iterator[PatchRow]:
    offset = _BEFORE_DATA
    for index, patch in enumerate(patches):
        key = patch.key
        yield PatchRow(
            str(key), key.acquisition.strip, key.acquisition.run, str(key.image), key.vial, key.region, task.split,
            task.name, index, offset, len(patch.example), patch.sha256,
            patch.mean, patch.std, patch.minimum, patch.maximum,
        )  # fmt: skip
        offset += len(patch.example) + RECORD_OVERHEAD


def _acquisition_row(task: ShardTask, item: BuiltAcquisition, source: Source) -> AcquisitionRow:
    key = item.planned.key
    return AcquisitionRow(
        key.strip, key.run, item.planned.folder, item.height, item.width, len(item.patches), (task.split,),
        (task.name,), source.ignored, source.frames,
    )  # fmt: skip


def _summary(ledger: dict[str, Any], reused: bool) -> ShardSummary:
    return ShardSummary(
        ledger["shard"], ledger["fingerprint"], reused, ledger["records"], len(ledger["acquisitions"]),
        len(ledger["quarantine"]),
    )  # fmt: skip
