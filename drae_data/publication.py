"""Recount, tables, commit: a version folder becomes a dataset when `dataset_info.json` is written, last of all."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import CommitError, DatasetError, QuarantineError, RecordError
from drae_data.files import STAGING_SUFFIX, Files, sha256_hex
from drae_data.manifest import (
    REASONS,
    AcquisitionRow,
    QuarantineRow,
    acquisition_row,
    read_ledger,
    table_bytes,
)
from drae_data.metadata import dataset_digest, dataset_info, features, provenance
from drae_data.options import DatasetOptions
from drae_data.records import read_records
from drae_data.shard_plan import Listing, ShardTask
from drae_data.shards import PATCHES, WORK, done_path, part_path

COMMIT_POINT = "dataset_info.json"
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class CommittedDataset:
    """What a build published.

    Attributes:
        digest: of the dataset, see `dataset_digest`.
        records: per split.
        shards: how many, and how many of them an earlier build had left good.
        reused: see `shards`.
        acquisitions: built.
        quarantine: the rows.
        bytes: of all shards.
    """

    digest: str
    records: dict[str, int]
    shards: int
    reused: int
    acquisitions: int
    quarantine: tuple[QuarantineRow, ...]
    bytes: int


def open_version(target: Files, plan: Sequence[ShardTask]) -> None:
    """Takes the commit point away and the markers of an earlier build, and writes the plan for the workers.

    From here until `commit` a reader finds no dataset; shards that are already there stay for reuse.
    """
    target.remove(COMMIT_POINT)
    target.remove(WORK)
    target.write(plan_path(), (json.dumps(task.to_json()).encode() + b"\n" for task in plan))


def committed_digest(target: Files) -> str:
    """The digest of the version that is committed in a folder; empty where none is."""
    try:
        target.read(COMMIT_POINT)
        return str(json.loads(target.read(PROVENANCE)).get("digest", ""))
    except (OSError, ValueError):
        return ""


def plan_path() -> str:
    """Where the plan of the current build lies, one shard task as JSON per line."""
    return f"{WORK}/plan.jsonl"


def commit(target: Files, options: DatasetOptions, listing: Listing, plan: Sequence[ShardTask]) -> CommittedDataset:
    """Publishes a version after its shards were built.

    Args:
        target: the version folder.
        options: of the dataset.
        listing: what was listed.
        plan: what was planned.

    Raises:
        CommitError: a shard or an acquisition is missing, or a count is not exactly what was planned.
        QuarantineError: more acquisitions are quarantined than allowed.
    """
    ledgers = [_checked_ledger(task, target, options) for task in plan]
    built, quarantine = _balance(listing, plan, ledgers, options)
    if len(quarantine) > options.max_quarantined:
        raise QuarantineError(quarantine_message(quarantine, options.max_quarantined, listing.folders))
    records: Counter[str] = Counter()
    for task, ledger in zip(plan, ledgers, strict=True):
        records[task.split] += ledger["records"]
    for split, count in records.items():
        if not count:
            raise CommitError(
                f"split {split}: every acquisition planned for it is in quarantine, so it would be empty; nothing is "
                f"committed.\n{reasons_table(quarantine)}"
            )
    _remove_strangers(target, plan)
    files = {
        "acquisitions.parquet": table_bytes("acquisitions", built),
        "quarantine.parquet": table_bytes("quarantine", quarantine),
    }
    shards = {task.name: ledger for task, ledger in zip(plan, ledgers, strict=True)}
    files["features.json"] = features(options)
    digest = dataset_digest(options, shards, files)
    files[PROVENANCE] = provenance(options, shards, digest, files)
    for path, content in files.items():
        target.write(path, [content])
    target.remove(WORK)
    target.write(COMMIT_POINT, [dataset_info(options, plan, shards)])
    return CommittedDataset(
        digest,
        dict(records),
        len(plan),
        sum(ledger["reused"] for ledger in ledgers),
        len(built),
        quarantine,
        sum(ledger["bytes"] for ledger in ledgers),
    )


def _marker(task: ShardTask, target: Files) -> dict[str, Any]:
    try:
        marker: dict[str, Any] = json.loads(target.read(done_path(task.name)))
    except FileNotFoundError as error:
        raise CommitError(
            f"shard {task.name}: planned with {len(task.acquisitions)} acquisitions, but no worker reported it built. "
            "Nothing is committed; run the build again, finished shards are kept"
        ) from error
    return marker


def _checked_ledger(task: ShardTask, target: Files, options: DatasetOptions) -> dict[str, Any]:
    """A shard's ledger after all it says was counted again; with its index's digest and whether it was reused."""
    marker = _marker(task, target)
    try:
        part = target.read(part_path(task.name))
        ledger = {**read_ledger(part), "index_sha256": sha256_hex(part), "reused": marker["reused"]}
        content = target.read(task.name)
        records = sum(1 for _ in read_records(content))
    except (OSError, DatasetError, RecordError) as error:
        raise CommitError(f"shard {task.name}: reported built, but it cannot be read back: {error}") from error
    if ledger["fingerprint"] != marker["fingerprint"]:
        raise CommitError(f"shard {task.name}: the index is not the one that the worker reported")
    found = {
        **{(row["strip"], row["run"]): row["patches"] for row in ledger["acquisitions"]},
        **{(row["strip"], row["run"]): 0 for row in ledger["quarantine"]},
    }
    planned = {(item.key.strip, item.key.run): item for item in task.acquisitions}
    if found.keys() != planned.keys():
        lost = sorted(planned.keys() - found.keys())[:5]
        raise CommitError(
            f"shard {task.name}: planned {len(planned)} acquisitions, accounted for {len(found)}; lost {lost}"
        )
    bad = {(row["strip"], row["run"]) for row in ledger["quarantine"]}
    expected = sum(
        task.patches_of(item, options.patches_per_acquisition) for key, item in planned.items() if key not in bad
    )
    if not expected == ledger["records"] == records or len(content) != ledger["bytes"]:
        raise CommitError(
            f"shard {task.name}: expected {expected} records, its ledger says {ledger['records']} in "
            f"{ledger['bytes']} bytes, the file holds {records} in {len(content)} bytes"
        )
    if sha256_hex(content) != ledger["sha256"]:
        raise CommitError(f"shard {task.name}: its bytes changed after it was written: their SHA-256 is another")
    return ledger


def _balance(
    listing: Listing, plan: Sequence[ShardTask], ledgers: Sequence[dict[str, Any]], options: DatasetOptions
) -> tuple[tuple[AcquisitionRow, ...], tuple[QuarantineRow, ...]]:
    """The rows of both tables in key order; listed = built + quarantined, and every built acquisition is whole."""
    built: dict[AcquisitionKey, AcquisitionRow] = {}
    quarantine = set(listing.refused)
    for ledger in ledgers:
        for values in ledger["acquisitions"]:
            row = acquisition_row(values)
            built[row.key] = built[row.key].merge(row) if row.key in built else row
        quarantine |= {QuarantineRow(**values) for values in ledger["quarantine"]}
    if len(built) + len(quarantine) != listing.folders:
        raise CommitError(
            f"the ledger does not balance: {listing.folders} folders listed, {len(built)} acquisitions built, "
            f"{len(quarantine)} quarantined"
        )
    for row in built.values():
        if row.patches != options.patches_per_acquisition:
            raise CommitError(
                f"acquisition {row.key}: expected {options.patches_per_acquisition} patches, got {row.patches}"
            )
    return tuple(built[key] for key in sorted(built)), tuple(sorted(quarantine))


def _remove_strangers(target: Files, plan: Sequence[ShardTask]) -> None:
    """Removes what earlier plans and killed workers left: shards and parts that are not planned, staging files."""
    keep = {task.name for task in plan} | {part_path(task.name) for task in plan}
    for folder in ("", PATCHES):
        for name in target.names(folder):
            path = f"{folder}/{name}" if folder else name
            if path not in keep and (folder == PATCHES or ".tfrecord-" in name or name.endswith(STAGING_SUFFIX)):
                target.remove(path)


def quarantine_message(rows: Sequence[QuarantineRow], allowed: int, listed: int) -> str:
    """The message of a build that quarantined too much, with the table of reasons and what to look at."""
    names = {row.reason for row in rows} <= {"missing_frame", "unmatched_name"} and len(rows) == listed
    advice = (
        "Every folder is refused for its names: compare path_template and frames with what lies in the folders"
        if names
        else "Mend or remove the folders, or raise max_quarantined; finished shards are kept"
    )
    return (
        f"{len(rows)} of {listed} acquisitions are in quarantine, max_quarantined allows {allowed}; "
        f"nothing is committed.\n"
        f"{reasons_table(rows)}\n"
        f"{advice}"
    )


def reasons_table(rows: Sequence[QuarantineRow], most: int = 20) -> str:
    """Quarantine rows for people: a line per reason, then the first rows."""
    by_reason: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        by_reason[row.reason] += 1
    lines = [f"  {count:6d}  {reason}: {REASONS[reason]}" for reason, count in sorted(by_reason.items())]
    lines += [f"  {row.folder}{'/' + row.file if row.file else ''}: {row.reason}: {row.detail}" for row in rows[:most]]
    if len(rows) > most:
        lines.append(f"  ... and {len(rows) - most} more")
    return "\n".join(lines)
