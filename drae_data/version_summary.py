"""What a published version holds, counted from its tables: what the dataset report and the dataset card say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drae_data.content import published_content
from drae_data.errors import DatasetError
from drae_data.files import Files
from drae_data.manifest import count_by
from drae_data.metadata import read_json
from drae_data.patch_rows import StatisticsRow
from drae_data.quality.measured import Measured
from drae_data.version_files import PROVENANCE
from drae_data.version_tables import version_table

WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class VersionSummary:
    """The counts of a version; every mapping is sorted by its keys.

    Attributes:
        provenance: `provenance.json`.
        listed: acquisitions that the build found.
        built: acquisitions that were built.
        quarantined: acquisitions in quarantine, by reason.
        left_out: acquisitions left out, by reason; those withdrawn were in the earlier version and are not listed.
        strips: strips that were built.
        split_strips: strips with patches, by split.
        split_acquisitions: acquisitions with patches, by split.
        split_patches: patches, by split.
        labels: acquisitions, by label.
        notes: acquisitions, by note.
        findings: findings about labels, by kind.
        ignored: files and folders that are no frames and were passed over.
        statistics: means over the patches of each split, region and kind of image.
        shards: how many.
        bytes: of all shards.
    """

    provenance: Mapping[str, Any]
    listed: int
    built: int
    quarantined: Mapping[str, int]
    left_out: Mapping[str, int]
    strips: int
    split_strips: Mapping[str, int]
    split_acquisitions: Mapping[str, int]
    split_patches: Mapping[str, int]
    labels: Mapping[str, int]
    notes: Mapping[str, int]
    findings: Mapping[str, int]
    ignored: int
    statistics: tuple[StatisticsRow, ...]
    shards: int
    bytes: int

    @property
    def patches(self) -> int:
        """Patches in all splits."""
        return sum(self.split_patches.values())

    def patches_of(self, split: str, region: str = "", image: str = "") -> int:
        """Patches of a split, where named of one region, of one kind of image."""
        return sum(
            row.patches
            for row in self.statistics
            if row.split == split and region in ("", row.region) and image in ("", row.image)
        )


def read_version_summary(files: Files, measured: Measured) -> VersionSummary:
    """Counts a version.

    Args:
        files: the version folder.
        measured: of the same version.

    Raises:
        DatasetError: a table is not the one that was built.
    """
    claims, rows = measured.claims, measured.rows
    provenance = _checked(read_json(files, PROVENANCE, "the version was not made by this project's build"), files.root)
    reasons = {
        name: count_by(row["reason"] for row in version_table(files, claims, name))
        for name in ("quarantine", "left_out")
    }
    refused = sum(reasons["quarantine"].values())
    left_out = sum(count for reason, count in reasons["left_out"].items() if reason != WITHDRAWN)
    sides = {(int(strip), split) for strip, row in zip(measured.strips, rows, strict=True) for split in row["splits"]}
    patches: Counter[str] = Counter()
    for shard in claims.shards.values():
        patches[shard.split] += shard.records
    return VersionSummary(
        provenance=provenance,
        listed=len(rows) + refused + left_out,
        built=len(rows),
        quarantined=reasons["quarantine"],
        left_out=reasons["left_out"],
        strips=len(measured.strip_names),
        split_strips=count_by(split for _, split in sides),
        split_acquisitions=count_by(split for row in rows for split in row["splits"]),
        split_patches=dict(sorted(patches.items())),
        labels=count_by(row["label"] for row in rows),
        notes=count_by(note for row in rows for note in row["notes"]),
        findings=count_by(row["kind"] for row in version_table(files, claims, "findings")),
        ignored=provenance["ignored_below_root"] + sum(row["ignored_files"] for row in rows),
        statistics=tuple(StatisticsRow(**row) for row in version_table(files, claims, "statistics")),
        shards=len(claims.shards),
        bytes=sum(shard.bytes for shard in claims.shards.values()),
    )


def _checked(provenance: dict[str, Any], root: str) -> dict[str, Any]:
    """The provenance, if it has all that reports and cards say of it; raises `DatasetError`."""
    published_content(provenance)
    extends = provenance.get("extends", "")
    if not isinstance(provenance.get("ignored_below_root"), int):
        raise DatasetError(f"{root}/{PROVENANCE}: ignored_below_root: expected a whole number; build the version again")
    if extends is not None and not (isinstance(extends, dict) and {"version", "digest"} <= extends.keys()):
        raise DatasetError(
            f"{root}/{PROVENANCE}: extends: expected null, or version and digest; build the version again"
        )
    return provenance
