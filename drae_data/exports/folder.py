"""The folder of an export: written beside its name, then put in its place; `export.json` says what is in it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drae_data import __version__
from drae_data.croissant import Described, DescribedFile
from drae_data.errors import OptionError
from drae_data.exports.array_record_export import (
    array_record_info,
    array_record_module,
    array_record_path,
    write_array_record,
)
from drae_data.exports.card import export_croissant, export_readme
from drae_data.exports.parquet_export import parquet_path, read_acquisition_labels, write_parquet
from drae_data.exports.shard_patches import ExportedShard, published_file, shards_of
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from drae_data.metadata import json_bytes
from drae_data.staged_folder import staged_folder
from drae_data.verification.claims import Claims, read_claims
from drae_data.version_files import COMMIT_POINT, CROISSANT, FEATURES

FORMATS = ("parquet", "arrayrecord")
EXPORT = "export.json"
_KIND = "drae export 1"


@dataclass(frozen=True)
class ExportOptions:
    """What is exported, and how.

    Attributes:
        format: one of `FORMATS`.
        splits: by name; empty for all.
        license: as the user gives it, for the README and the metadata of a Parquet export; empty for none.
        threads: that encode patches at the same time.
    """

    format: str
    splits: tuple[str, ...] = ()
    license: str = ""
    threads: int = 1

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise OptionError("--format", self.format, f"one of {', '.join(FORMATS)}")
        if not self.license.isprintable():
            raise OptionError("--license", self.license, "one line, such as apache-2.0")
        if self.license and self.format != "parquet":
            raise OptionError("--license", self.license, "nothing but for --format parquet, where it has a place")


@dataclass(frozen=True)
class Export:
    """What an export left.

    Attributes:
        dataset: name and version.
        digest: of the dataset.
        records: per split.
        files: how many.
        bytes: of all files.
    """

    dataset: str
    digest: str
    records: dict[str, int]
    files: int
    bytes: int


def exported_records(files: Files, splits: tuple[str, ...]) -> int:
    """How many patches some splits of a version hold; raises like `export_dataset`."""
    claims = read_claims(files)
    return sum(_records(claims, _chosen(claims, splits)).values())


def export_dataset(
    files: Files, target: Path, options: ExportOptions, written: Callable[[int], None] = lambda _: None
) -> Export:
    """Exports a published version; one shard is in work at a time.

    Args:
        files: the version folder.
        target: the export's folder: absent, empty, or an earlier export, which this one replaces.
        options: see there.
        written: called now and then with the number of patches since it was called last.

    Raises:
        OptionError: the folder holds something else, or there is no such split.
        DatasetError: the version is not committed, or not what its files claim.
        RecordError: a record is not the one that the index names.
        BusyError: another export is at work on the folder.
        OSError: something cannot be written.
    """
    claims = read_claims(files)
    splits = _chosen(claims, options.splits)
    with LocalFiles(str(target)).locked():
        check_target(target, files)
        with staged_folder(target) as folder:
            shards, listed = shards_of(claims, splits), list[DescribedFile]()
            if options.format == "parquet":
                sources = _write_parquet(folder, files, claims, shards, options, written)
                listed = _write_card(folder, claims, splits, options.license)
            else:
                sources = _write_array_records(folder, files, claims, shards, written)
                (folder / COMMIT_POINT).write_bytes(array_record_info(files.read(COMMIT_POINT), splits))
                (folder / FEATURES).write_bytes(published_file(files, claims, FEATURES))
            listed = _described_files(folder, listed)
            (folder / EXPORT).write_bytes(_export_json(claims, splits, options.format, listed, sources))
    records = _records(claims, splits)
    size = sum(file.bytes for file in listed)
    return Export(f"{claims.info.name} {claims.info.version}", claims.digest, records, len(listed) + 1, size)


def check_target(target: Path, files: Files) -> None:
    """Whether an export may take the place of what is there.

    Args:
        target: the export's folder.
        files: the version folder.

    Raises:
        OptionError: it is a file, lies in the version folder, or holds what no export wrote.
    """
    if isinstance(files, LocalFiles) and target.resolve().is_relative_to(Path(files.root).resolve()):
        raise OptionError("--out", str(target), f"a folder outside of the dataset {files.root}")
    if target.exists() and not target.is_dir():
        raise OptionError("--out", str(target), "a folder, it is a file")
    there = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    if not there:
        return
    strangers = sorted(there - _own_files(target))
    if strangers:
        raise OptionError(
            "--out", str(target), f"a new or empty folder, or an earlier export; {strangers[0]} in it is of no export"
        )


def _own_files(target: Path) -> set[str]:
    """The files that an earlier export wrote."""
    try:
        values = json.loads((target / EXPORT).read_bytes())
        if values["kind"] != _KIND:
            return set()
        return {EXPORT, *(str(file["path"]) for file in values["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _chosen(claims: Claims, splits: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(split.name for split in claims.info.splits)
    for split in splits:
        if split not in names:
            raise OptionError("--split", split, f"one of {', '.join(names)}")
    return tuple(name for name in names if name in splits) if splits else names


def _records(claims: Claims, splits: tuple[str, ...]) -> dict[str, int]:
    return {
        split.name: sum(length for _, length in split.shards) for split in claims.info.splits if split.name in splits
    }


def _write_parquet(
    folder: Path, files: Files, claims: Claims, shards: list[ExportedShard], options: ExportOptions,
    written: Callable[[int], None],
) -> dict[str, ExportedShard]:  # fmt: skip
    labels = read_acquisition_labels(files, claims)
    with ThreadPoolExecutor(max_workers=options.threads) as pool:
        for shard in shards:
            write_parquet(folder / parquet_path(shard), files, claims, shard, labels, pool, written)
    return {parquet_path(shard): shard for shard in shards}


def _write_card(folder: Path, claims: Claims, splits: tuple[str, ...], license_text: str) -> list[DescribedFile]:
    """Writes README and metadata of a Parquet export; returns what the metadata names."""
    info = claims.info
    described = Described(info.name, info.version, claims.digest, claims.size, "png", _records(claims, splits))
    (folder / "README.md").write_bytes(export_readme(described, license_text))
    listed = _described_files(folder, [])
    (folder / CROISSANT).write_bytes(export_croissant(described, listed, license_text))
    return listed


def _write_array_records(
    folder: Path, files: Files, claims: Claims, shards: list[ExportedShard], written: Callable[[int], None]
) -> dict[str, ExportedShard]:
    array_record_module()
    for shard in shards:
        write_array_record(folder / array_record_path(claims, shard), files, shard, written)
    return {array_record_path(claims, shard): shard for shard in shards}


def _described_files(folder: Path, known: list[DescribedFile]) -> list[DescribedFile]:
    """Every file of a folder, in the order of paths; those that are known already are not read again."""
    found = {file.path: file for file in known}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in found:
            with path.open("rb") as stream:
                found[name] = DescribedFile(
                    name, path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()
                )
    return [found[name] for name in sorted(found)]


def _export_json(
    claims: Claims, splits: tuple[str, ...], kind: str, listed: list[DescribedFile],
    sources: Mapping[str, ExportedShard],
) -> bytes:  # fmt: skip
    def entry(file: DescribedFile) -> dict[str, Any]:
        values: dict[str, Any] = {"path": file.path, "bytes": file.bytes, "sha256": file.sha256}
        if file.path not in sources:
            return values
        shard = sources[file.path].claim
        return {**values, "records": shard.records, "shard": shard.name, "shard_sha256": shard.sha256}

    return json_bytes({
        "kind": _KIND,
        "format": kind,
        "dataset": claims.info.name,
        "version": claims.info.version,
        "digest": claims.digest,
        "code_version": __version__,
        "records": _records(claims, splits),
        "files": [entry(file) for file in listed],
    })  # fmt: skip
