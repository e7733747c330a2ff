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

from drae_data.acquisition_patches import (
    BuiltAcquisition,
    EncodedPatch,
    build_acquisition,
    read_frame_digests,
)
from drae_data.errors import DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import AcquisitionRow, FrameFile, PatchRow, read_ledger, table_bytes
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
    frames: Iterable[tuple[PlannedAcquisition, tuple[FrameFile, ...]]],
) -> str:
    """SHA-256 of everything that decides a shard's bytes.

    That is: its name and split, the options' content, and for each acquisition its key, folder and the names and
    SHA-256 of its frames. No time, path above the root, host or machine enters.
    """
    sources = [
        [
            item.key.strip,
            item.key.run,
            item.folder,
            item.validation_patches,
            sorted([file.file, file.sha256] for file in files),
        ]
        for item, files in frames
    ]
    identity = {
        "shard": task.name,
        "split": task.split,
        "content": options.content(),
        "acquisitions": sources,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _reuse(
    task: ShardTask, options: DatasetOptions, source: Files, target: Files, pool: ThreadPoolExecutor
) -> ShardSummary | None:
    try:
        ledger = read_ledger(target.read(part_path(task.name)))
    except (OSError, DatasetError):
        return None
    digests = list(pool.map(lambda item: read_frame_digests(item, options, source), task.acquisitions))
    if any(not file.sha256 for files in digests for file in files):
        return None
    fingerprint = shard_fingerprint(task, options, zip(task.acquisitions, digests, strict=True))
    if ledger.get("fingerprint") != fingerprint:
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
        "fingerprint": shard_fingerprint(task, options, ((item.planned, item.frames) for item in built)),
        "sha256": digest.hexdigest(),
        "bytes": sum(row.length + RECORD_OVERHEAD for row in rows),
        "records": len(rows),
        "acquisitions": [asdict(_acquisition_row(task, item)) for item in built if item.quarantine is None],
        "quarantine": [asdict(item.quarantine) for item in built if item.quarantine is not None],
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


def _acquisition_row(task: ShardTask, item: BuiltAcquisition) -> AcquisitionRow:
    key = item.planned.key
    return AcquisitionRow(
        key.strip, key.run, item.planned.folder, item.height, item.width, len(item.patches), (task.split,),
        (task.name,), item.ignored_files, item.frames,
    )  # fmt: skip


def _summary(ledger: dict[str, Any], reused: bool) -> ShardSummary:
    return ShardSummary(
        ledger["shard"], ledger["fingerprint"], reused, ledger["records"], len(ledger["acquisitions"]),
        len(ledger["quarantine"]),
    )  # fmt: skip
