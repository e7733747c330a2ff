"""What of a published version is compared with another: read from provenance and tables alone, no shard is opened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drae_data.acquisition import AcquisitionKey
from drae_data.files import Files, sha256_hex
from drae_data.manifest import LabelRow, QuarantineRow
from drae_data.metadata import read_json
from drae_data.named_values import named_values
from drae_data.patch_rows import StatisticsRow
from drae_data.tables import TABLES
from drae_data.verification.claims import Claims, ShardClaim, read_claims
from drae_data.version_files import PROVENANCE
from drae_data.version_tables import version_table


@dataclass(frozen=True)
class FileContent:
    """A table or `features.json`.

    Attributes:
        sha256: of the file.
        rows: SHA-256 of each row of a table, where shards stand without the dataset's name; empty of `features.json`.
    """

    sha256: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class VersionContent:
    """What is compared of a version.

    Attributes:
        name: of the dataset.
        version: of the dataset.
        digest: of the dataset.
        parameters: as `provenance.json` states them, by dotted names.
        decisive: names of those that decide bytes.
        acquisitions: the rows, by key.
        shards: as `provenance.json` states them.
        statistics: the rows, by split, region and kind of image.
        refused: reason of each acquisition in quarantine or left out, by its name.
        label_rows: what the table of labels says, by place: a strip, an acquisition, or a vial or region of one.
        files: the tables and `features.json`, by path.
    """

    name: str
    version: str
    digest: str
    parameters: Mapping[str, str]
    decisive: frozenset[str]
    acquisitions: Mapping[AcquisitionKey, Mapping[str, Any]]
    shards: tuple[ShardClaim, ...]
    statistics: Mapping[tuple[str, str, str], StatisticsRow]
    refused: Mapping[str, str]
    label_rows: Mapping[str, str]
    files: Mapping[str, FileContent]

    def by_strip(self, column: str) -> dict[str, tuple[str, ...]]:
        """Values of a column of the acquisitions, a text or several, over the runs of each strip."""
        found: dict[str, set[str]] = {}
        for key, row in self.acquisitions.items():
            values = row[column]
            found.setdefault(key.strip_id, set()).update([values] if isinstance(values, str) else values)
        return {strip: tuple(sorted(values)) for strip, values in sorted(found.items())}

    def records(self) -> dict[str, int]:
        """Patches by split."""
        counts: dict[str, int] = {}
        for shard in self.shards:
            counts[shard.split] = counts.get(shard.split, 0) + shard.records
        return dict(sorted(counts.items()))


def read_version_content(files: Files) -> VersionContent:
    """Reads what is compared of a version.

    Args:
        files: the version folder.

    Raises:
        DatasetError: not committed, or a table is not the one that was built.
    """
    claims = read_claims(files)
    parameters = read_json(files, PROVENANCE, "the version was not made by this project's build")["parameters"]
    tables = {name: version_table(files, claims, name) for name in TABLES}
    refused = [QuarantineRow(**row) for name in ("quarantine", "left_out") for row in tables[name]]
    rows = [StatisticsRow(**row) for row in tables["statistics"]]
    return VersionContent(
        claims.info.name,
        claims.info.version,
        claims.digest,
        {name: text for entry, value in sorted(parameters.items()) for name, text in named_values(entry, value)},
        frozenset(name for entry in claims.content for name, _ in named_values(entry, parameters[entry])),
        {AcquisitionKey.of(row): row for row in tables["acquisitions"]},
        tuple(claims.shards.values()),
        {(row.split, row.region, row.image): row for row in rows},
        {str(row.key) if row.run >= 0 else row.folder: row.reason for row in refused},
        _label_rows(tables["labels"]),
        _file_contents(claims, tables),
    )


def _label_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the table of labels says, by place; several rows of one place stand one behind the other."""
    said: dict[str, list[str]] = {}
    for row in (LabelRow(**values) for values in rows):
        key = AcquisitionKey(row.strip, row.run, row.batch, row.recipe, row.station)
        place = str(key) if row.run >= 0 else str(key).removesuffix(f"/r{row.run}")
        vial = f"/v{row.vial}" if row.vial >= 0 else ""
        region = f"/{row.region}" if row.region else ""
        size = f"{row.size:g} pixels" if row.size else ""
        text = " ".join(part for part in (row.label, f"({row.code})", row.defect, size) if part)
        said.setdefault(f"{place}{vial}{region}", []).append(text)
    return {place: "; ".join(sorted(texts)) for place, texts in said.items()}


def _file_contents(claims: Claims, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, FileContent]:
    prefix = f"{claims.info.name}-"
    rows = {
        TABLES[name]: tuple(sha256_hex(json.dumps(_nameless(row, prefix)).encode()) for row in table)
        for name, table in tables.items()
    }
    return {path: FileContent(digest, rows.get(path, ())) for path, digest in claims.files.items()}


def _nameless(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """A row of a table whose shards stand without the dataset's name."""
    found = dict(row)
    if "shard" in found:
        found["shard"] = found["shard"].removeprefix(prefix)
    if "shards" in found:
        found["shards"] = [shard.removeprefix(prefix) for shard in found["shards"]]
    return found
