"""One shard, whole: read its acquisitions, build, order, write; beside it its part of the patch index.

The part's metadata holds the shard's ledger (fingerprint, digest, acquisitions, quarantine). A shard whose ledger has
the fingerprint of today's inputs and whose bytes have the ledger's digest is not built again: so a killed build
resumes, and a version that extends another takes over that one's shards. Neither file names itself, so that both can
be taken over under another name.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import Source, read_source
from drae_data.acquisition_patches import BuiltAcquisition, EncodedPatch, build_acquisition
from drae_data.content import content
from drae_data.errors import AcquisitionError, DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.frame_log import FrameLog, read_frame_log
from drae_data.manifest import QuarantineRow
from drae_data.options import DatasetOptions
from drae_data.patch_rows import PatchRow
from drae_data.records import RECORD_OVERHEAD, extend_crc
from drae_data.shard_plan import PlannedAcquisition, ShardTask, hash_order
from drae_data.statistics import RegionSums, region_sums
from drae_data.tables import read_ledger, table_bytes
from drae_data.version_files import done_path, part_path

# Bytes of a TFRecord before its data: length and the length's checksum.
_BEFORE_DATA = RECORD_OVERHEAD - 4


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
        ignored: other files in the folders of acquisitions, by key, where there are any. They decide no byte of the
            shard: a leftover of a system that appears later builds nothing anew.
    """

    name: str
    fingerprint: str
    reused: bool
    patches: int
    acquisitions: int
    quarantined: int
    ignored: dict[str, int]


@dataclass(frozen=True)
class Roots:
    """Where a build reads and writes.

    Attributes:
        source: the root of the frames.
        target: the version folder.
        earlier: the folder of the version that this one extends; None where it extends none.
        logs: where it is kept which files were read, see `drae_data.frame_log`; None for nowhere.
        build: a name of this very build in the markers of its shards. A worker of an earlier one, which nobody told
            that its build is over, leaves markers that do not count.
    """

    source: Files
    target: Files
    earlier: Files | None = None
    logs: Files | None = None
    build: str = ""


@dataclass(frozen=True)
class StartedShard:
    """A shard whose acquisitions are in work.

    Attributes:
        task: the shard.
        built: what its acquisitions will give, in order.
        reused: the summary where an earlier build's shard was found good; `built` is empty then.
        log: what was read of the frames.
    """

    task: ShardTask
    built: tuple[Future[BuiltAcquisition], ...]
    reused: ShardSummary | None
    log: FrameLog


def build_shard(task: ShardTask, options: DatasetOptions, roots: Roots, threads: int) -> ShardSummary:
    """Builds one shard and its part of the patch index, or finds them good.

    Args:
        task: which acquisitions.
        options: of the dataset.
        roots: where it reads and writes.
        threads: acquisitions in work at the same time; results are taken in order, so bytes do not depend on it.
    """
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return finish_shard(start_shard(task, options, roots, pool), options, roots)


def start_shard(task: ShardTask, options: DatasetOptions, roots: Roots, pool: ThreadPoolExecutor) -> StartedShard:
    """Hands a shard's acquisitions to a pool that may still be at work on the shard before; see `build_shard`."""
    reused = _reuse(task, options, roots, pool)
    if reused is not None:
        return StartedShard(task, (), *reused)
    log = FrameLog(roots.source, {})
    built = tuple(pool.submit(build_acquisition, item, task, options, roots.source, log) for item in task.acquisitions)
    return StartedShard(task, built, None, log)


def finish_shard(started: StartedShard, options: DatasetOptions, roots: Roots) -> ShardSummary:
    """Waits for a shard's acquisitions and writes it; see `build_shard`."""
    task, target = started.task, roots.target
    summary = started.reused or _write_shard(task, options, [future.result() for future in started.built], target)
    if roots.logs is not None:
        started.log.write(roots.logs, summary.fingerprint)
    marker = {"build": roots.build, "summary": asdict(summary)}
    target.write(done_path(task.name), [json.dumps(marker, sort_keys=True).encode()])
    return summary


def finished_shard(task: ShardTask, target: Files, build: str) -> ShardSummary | None:
    """The summary of a shard that this very build finished before; None where it did not.

    Args:
        task: the shard.
        target: the version folder.
        build: see `Roots`.

    Raises:
        OSError: its marker cannot be read.
    """
    try:
        marker = json.loads(target.read(done_path(task.name)))
    except FileNotFoundError:
        return None
    return ShardSummary(**marker["summary"]) if marker["build"] == build else None


def shard_fingerprint(
    task: ShardTask,
    options: DatasetOptions,
    found: Iterable[tuple[PlannedAcquisition, Source | QuarantineRow]],
) -> str:
    """SHA-256 of everything that decides the bytes of a shard and of its rows in the tables.

    That is: its split, the options' content, and for each acquisition its key, folder and time in the name, and what
    was found there: names and SHA-256 of the files that were read, names of those that only had to be there; or its
    quarantine row. No time of the build, path above the root, host or machine enters, and no
    file name of the shard, which depends on how many there are.
    """
    sources = [
        [str(item.key), item.folder, item.time, item.validation_patches, type(source).__name__, _identity(source)]
        for item, source in found
    ]
    identity = {"split": task.split, "content": content(options), "acquisitions": sources}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _identity(found: Source | QuarantineRow) -> dict[str, Any]:
    """What of an acquisition decides bytes."""
    return {name: value for name, value in asdict(found).items() if name != "ignored"}


def _reuse(
    task: ShardTask, options: DatasetOptions, roots: Roots, pool: ThreadPoolExecutor
) -> tuple[ShardSummary, FrameLog] | None:
    """The summary of a shard that is there already, in this version or the earlier one; None where there is none."""
    places = [(roots.target, task.name)]
    if roots.earlier is not None and task.earlier:
        places.append((roots.earlier, task.earlier))
    for files, name in places:
        good = _good_ledger(files, name, task, options, roots, pool)
        if good is not None:
            ledger, found, log = good
            if files is not roots.target:
                roots.target.adopt(files, name, task.name)
                roots.target.adopt(files, part_path(name), part_path(task.name))
            return _summary(task, ledger, found, reused=True), log
    return None


def _good_ledger(
    files: Files, name: str, task: ShardTask, options: DatasetOptions, roots: Roots, pool: ThreadPoolExecutor
) -> tuple[dict[str, Any], list[Source | QuarantineRow], FrameLog] | None:
    """The ledger of a shard whose inputs are today's and whose bytes are whole, and these inputs; None otherwise.

    An acquisition in quarantine is judged again, whole: what was wrong may have been a copy still under way.
    """
    try:
        ledger = read_ledger(files.read(part_path(name)))
        members = {AcquisitionKey.of(row) for rows in ("acquisitions", "quarantine") for row in ledger[rows]}
        quarantined = {AcquisitionKey.of(row) for row in ledger["quarantine"]}
    except (OSError, DatasetError, KeyError):
        return None
    if members != {item.key for item in task.acquisitions}:
        return None
    source, log = roots.source, read_frame_log(roots.source, roots.logs, str(ledger["fingerprint"]))

    def find(item: PlannedAcquisition) -> Source | QuarantineRow | None:
        if item.key in quarantined:
            return build_acquisition(item, task, options, source, log).found
        try:
            return read_source(item.folder, item.files, options, source, log)
        except AcquisitionError:
            return None

    found = list(pool.map(find, task.acquisitions))
    known = [(item, what) for item, what in zip(task.acquisitions, found, strict=True) if what is not None]
    if len(known) < len(found) or shard_fingerprint(task, options, known) != ledger["fingerprint"]:
        return None
    try:
        whole = sha256_hex(files.read(name)) == ledger["sha256"]
    except OSError:
        return None
    return (ledger, [what for _, what in known], log) if whole else None


def _write_shard(
    task: ShardTask, options: DatasetOptions, built: list[BuiltAcquisition], target: Files
) -> ShardSummary:
    patches = [patch for item in built for patch in item.patches]
    patches.sort(key=lambda patch: hash_order(options.split.seed, "record", str(patch.key)))
    written = _Written()
    target.write(task.name, written.through(piece for patch in patches for piece in patch.record))
    rows = list(_patch_rows(task, patches))
    ledger = {
        "fingerprint": shard_fingerprint(task, options, ((item.planned, item.found) for item in built)),
        "sha256": written.sha256.hexdigest(),
        "crc32c": written.crc32c,
        "bytes": sum(row.length + RECORD_OVERHEAD for row in rows),
        "records": len(rows),
        "acquisitions": [asdict(item.row) for item in built if item.row is not None],
        "quarantine": [asdict(item.found) for item in built if isinstance(item.found, QuarantineRow)],
        "statistics": [asdict(sums) for sums in _region_sums(patches)],
    }
    target.write(part_path(task.name), [table_bytes("patches", rows, ledger)])
    return _summary(task, ledger, [item.found for item in built], reused=False)


class _Written:
    """SHA-256 and CRC-32C of bytes on their way into a file."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.crc32c = 0

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The same parts."""
        for part in parts:
            self.sha256.update(part)
            self.crc32c = extend_crc(self.crc32c, part)
            yield part


def _patch_rows(task: ShardTask, patches: list[EncodedPatch]) -> Iterator[PatchRow]:
    offset = _BEFORE_DATA
    for index, patch in enumerate(patches):
        key, of = patch.key, patch.key.acquisition
        length = sum(map(len, patch.record)) - RECORD_OVERHEAD
        yield PatchRow(
            str(key), of.strip, of.run, of.batch, of.recipe, of.station, str(key.image), key.vial, key.region,
            task.split, index, offset, length, patch.sha256, **vars(patch.statistics),
        )  # fmt: skip
        offset += length + RECORD_OVERHEAD


def _region_sums(patches: Iterable[EncodedPatch]) -> list[RegionSums]:
    return region_sums((patch.key.region, patch.key.image.rank, patch.statistics) for patch in patches)


def _summary(
    task: ShardTask, ledger: dict[str, Any], found: Sequence[Source | QuarantineRow], reused: bool
) -> ShardSummary:
    ignored = {
        str(item.key): what.ignored
        for item, what in zip(task.acquisitions, found, strict=True)
        if isinstance(what, Source) and what.ignored
    }
    return ShardSummary(
        task.name, ledger["fingerprint"], reused, ledger["records"], len(ledger["acquisitions"]),
        len(ledger["quarantine"]), ignored,
    )  # fmt: skip
