"""Recount, tables, commit: a version folder becomes a dataset when `dataset_info.json` is written, last of all."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from drae_data.acquisition import AcquisitionKey
from drae_data.croissant import Described, DescribedShard, croissant
from drae_data.errors import CommitError, DatasetError, QuarantineError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import AcquisitionRow, QuarantineRow
from drae_data.metadata import Extended, dataset_digest, dataset_info, features, provenance, read_json
from drae_data.options import DatasetOptions
from drae_data.patch_rows import StatisticsRow
from drae_data.quarantine_report import quarantine_message, reasons_table
from drae_data.records import count_records
from drae_data.selection import Selection
from drae_data.shard_plan import Plan, ShardTask
from drae_data.shards import finished_shard
from drae_data.statistics import RegionSums, add_sums
from drae_data.tables import TABLES, read_ledger, table_bytes
from drae_data.version_files import COMMIT_POINT, CROISSANT, PATCHES, PROVENANCE, WORK, part_path, plan_path

# What only the build that is being committed says of a shard.
_MARKED = ("reused", "ignored")


@dataclass(frozen=True)
class CommittedDataset:
    """What a build published.

    Attributes:
        digest: of the dataset, see `dataset_digest`.
        records: per split.
        shards: how many, and how many of them an earlier build had left good.
        reused: see `shards`.
        acquisitions: the rows of those that were built.
        quarantine: the rows.
        left_out: the rows, those withdrawn among them.
        bytes: of all shards.
    """

    digest: str
    records: dict[str, int]
    shards: int
    reused: int
    acquisitions: tuple[AcquisitionRow, ...]
    quarantine: tuple[QuarantineRow, ...]
    left_out: tuple[QuarantineRow, ...]
    bytes: int


def open_version(target: Files, plan: Plan) -> None:
    """Takes the commit point away and the markers of an earlier build, and writes the plan for the workers.

    From here until `commit` a reader finds no dataset; shards that are already there stay for reuse.
    """
    target.remove(COMMIT_POINT)
    target.remove(WORK)
    target.write(plan_path(), (json.dumps(task.to_json()).encode() + b"\n" for task in plan.tasks))


def committed_digest(target: Files) -> str:
    """The digest of the version that is committed in a folder; empty where none is."""
    try:
        target.read(COMMIT_POINT)
        return str(json.loads(target.read(PROVENANCE)).get("digest", ""))
    except (OSError, ValueError):
        return ""


def archive_version(version: Files, archive: Files) -> int:
    """Gives every file of a committed version a second name in another folder; the commit point comes last.

    Args:
        version: the version folder.
        archive: the other folder; what it held is removed.

    Returns:
        How many files there are.

    Raises:
        DatasetError: the version is not committed.
    """
    what = "this is no committed dataset version; run the build to its end"
    read_json(version, COMMIT_POINT, what)
    # The commit point is the first of the list and comes last.
    paths = _all_files(version)[::-1]
    for path in _all_files(archive):
        archive.remove(path)
    for path in paths:
        archive.adopt(version, path, path)
    return len(paths)


def _all_files(files: Files) -> list[str]:
    """The files of a version folder, the commit point first."""
    paths = {*files.names(""), *(f"{PATCHES}/{name}" for name in files.names(PATCHES))}
    return sorted(paths, key=lambda path: (path != COMMIT_POINT, path))


def commit(
    target: Files, options: DatasetOptions, selection: Selection, plan: Plan, extended: Extended | None = None,
    threads: int = 1, build: str = "",
) -> CommittedDataset:  # fmt: skip
    """Publishes a version after its shards were built.

    Args:
        target: the version folder.
        options: of the dataset.
        selection: what was listed and selected.
        plan: what was planned.
        extended: the earlier version that this one extends.
        threads: shards recounted at the same time.
        build: see `Roots`.

    Raises:
        CommitError: a shard or an acquisition is missing, or a count is not exactly what was planned.
        QuarantineError: more acquisitions are quarantined than allowed.
    """
    with ThreadPoolExecutor(max_workers=threads) as pool:
        checked = pool.map(lambda task: _checked_ledger(task, target, options, build), plan.tasks)
        ledgers = {task.name: ledger for task, ledger in zip(plan.tasks, checked, strict=True)}
    built, quarantine = _balance(selection, plan, ledgers, options)
    listed = selection.listing.listed
    if len(quarantine) > options.max_quarantined:
        raise QuarantineError(quarantine_message(quarantine, options.max_quarantined, listed))
    records: Counter[str] = Counter()
    for task in plan.tasks:
        records[task.split] += ledgers[task.name]["records"]
    for split, count in records.items():
        if not count:
            raise CommitError(
                f"split {split}: every acquisition planned for it is in quarantine, so it would be empty; nothing is "
                f"committed.\n{reasons_table(quarantine)}"
            )
    _remove_strangers(target, plan.tasks)
    # What is left out for a reason of its own is withdrawn by it.
    reasons = {row.key for row in selection.listing.left_out}
    withdrawn = (row for row in plan.withdrawn if row.key not in reasons)
    left_out = tuple(sorted({*selection.listing.left_out, *withdrawn}))
    rows: dict[str, Sequence[Any]] = {
        "acquisitions": built, "quarantine": quarantine, "left_out": left_out, "plan": plan.rows(),
        "labels": selection.labelling.rows, "findings": selection.labelling.findings,
        "statistics": _statistics(plan.tasks, ledgers),
    }  # fmt: skip
    files = {path: table_bytes(name, rows[name]) for name, path in TABLES.items()}
    files["features.json"] = features(options)
    digest = dataset_digest(options, ledgers, files)
    files[PROVENANCE] = provenance(options, ledgers, digest, files, selection.listing.ignored, extended)
    info = dataset_info(options, plan.tasks, ledgers)
    described = Described(options.name, options.version, digest, options.patch.size, options.patch.encoding, records)
    files[CROISSANT] = croissant(described, _described(plan.tasks, ledgers), {**files, COMMIT_POINT: info})
    for path, content in files.items():
        target.write(path, [content])
    target.remove(WORK)
    target.write(COMMIT_POINT, [info])
    return CommittedDataset(
        digest,
        dict(records),
        len(plan.tasks),
        sum(ledger["reused"] for ledger in ledgers.values()),
        built,
        quarantine,
        left_out,
        sum(ledger["bytes"] for ledger in ledgers.values()),
    )


def _described(tasks: Sequence[ShardTask], ledgers: dict[str, dict[str, Any]]) -> Iterator[DescribedShard]:
    for task in tasks:
        ledger = ledgers[task.name]
        yield DescribedShard(
            task.name, task.split, ledger["records"], ledger["bytes"], ledger["sha256"], ledger["index_bytes"],
            ledger["index_sha256"],
        )  # fmt: skip


def _statistics(tasks: Sequence[ShardTask], ledgers: dict[str, dict[str, Any]]) -> list[StatisticsRow]:
    sums: dict[str, list[RegionSums]] = {}
    for task in tasks:
        sums.setdefault(task.split, []).extend(RegionSums(**one) for one in ledgers[task.name]["statistics"])
    return [StatisticsRow.of(split, added) for split in sorted(sums) for added in add_sums(sums[split])]


def _marker(task: ShardTask, target: Files, build: str) -> dict[str, Any]:
    summary = finished_shard(task, target, build)
    if summary is None:
        raise CommitError(
            f"shard {task.name}: planned with {len(task.acquisitions)} acquisitions, but no worker reported it built. "
            "Nothing is committed; run the build again, finished shards are kept"
        )
    return asdict(summary)


def _checked_ledger(task: ShardTask, target: Files, options: DatasetOptions, build: str) -> dict[str, Any]:
    """A shard's ledger after all it says was counted again; with its index's digest and whether it was reused."""
    marker = _marker(task, target, build)
    try:
        part = target.read(part_path(task.name))
        index = {"index_sha256": sha256_hex(part), "index_bytes": len(part)}
        ledger = {**read_ledger(part), **index, **{name: marker[name] for name in _MARKED}}
        with target.open(task.name) as stream:
            count = count_records(stream)
    except (OSError, DatasetError, RecordError) as error:
        raise CommitError(f"shard {task.name}: reported built, but it cannot be read back: {error}") from error
    if ledger["fingerprint"] != marker["fingerprint"]:
        raise CommitError(f"shard {task.name}: the index is not the one that the worker reported")
    found = {
        **{AcquisitionKey.of(row): row["patches"] for row in ledger["acquisitions"]},
        **{AcquisitionKey.of(row): 0 for row in ledger["quarantine"]},
    }
    planned = {item.key: item for item in task.acquisitions}
    if found.keys() != planned.keys():
        lost = [str(key) for key in sorted(planned.keys() - found.keys())[:5]]
        raise CommitError(
            f"shard {task.name}: planned {len(planned)} acquisitions, accounted for {len(found)}; lost {lost}"
        )
    bad = {AcquisitionKey.of(row) for row in ledger["quarantine"]}
    expected = sum(
        task.patches_of(item, options.patches_per_acquisition) for key, item in planned.items() if key not in bad
    )
    if not expected == ledger["records"] == count.records or count.bytes != ledger["bytes"]:
        raise CommitError(
            f"shard {task.name}: expected {expected} records, its ledger says {ledger['records']} in "
            f"{ledger['bytes']} bytes, the file holds {count.records} in {count.bytes} bytes"
        )
    # The CRC costs a hundredth of a SHA-256, which the worker took of the same bytes.
    if count.crc32c != ledger["crc32c"]:
        raise CommitError(f"shard {task.name}: its bytes changed after it was written: their CRC-32C is another")
    return ledger


def _balance(
    selection: Selection, plan: Plan, ledgers: dict[str, dict[str, Any]], options: DatasetOptions
) -> tuple[tuple[AcquisitionRow, ...], tuple[QuarantineRow, ...]]:
    """The rows of both tables in key order, whole.

    Listed = built + quarantined + left out, and every built acquisition has every patch.
    """
    built: dict[AcquisitionKey, AcquisitionRow] = {}
    quarantine = set(selection.listing.refused)
    for task in plan.tasks:
        for values in ledgers[task.name]["acquisitions"]:
            row = replace(
                AcquisitionRow.of(values), splits=(task.split,), shards=(task.name,),
                label=selection.labelling.of[AcquisitionKey.of(values)],
                ignored_files=ledgers[task.name]["ignored"].get(str(AcquisitionKey.of(values)), 0),
            )  # fmt: skip
            built[row.key] = built[row.key].merge(row) if row.key in built else row
        quarantine |= {QuarantineRow(**values) for values in ledgers[task.name]["quarantine"]}
    listed, left_out = selection.listing.listed, len(selection.listing.left_out)
    if len(built) + len(quarantine) + left_out != listed:
        raise CommitError(
            f"the ledger does not balance: {listed} listed, {len(built)} acquisitions built, "
            f"{len(quarantine)} quarantined, {left_out} left out"
        )
    for row in built.values():
        if row.patches != options.patches_per_acquisition:
            raise CommitError(
                f"acquisition {row.key}: expected {options.patches_per_acquisition} patches, got {row.patches}"
            )
    return tuple(built[key] for key in sorted(built)), tuple(sorted(quarantine))


def _remove_strangers(target: Files, plan: Sequence[ShardTask]) -> None:
    """Removes what belongs to no shard of this plan: of earlier plans, of killed workers, of other programs."""
    keep = {task.name for task in plan} | {part_path(task.name) for task in plan}
    for folder in ("", PATCHES):
        for name in target.names(folder):
            path = f"{folder}/{name}" if folder else name
            if path not in keep:
                target.remove(path)
