"""What differs between two published versions: parameters, strips, sides, labels, frames, shards, statistics and files.

Read from provenance and tables alone: no shard is opened. Digests cover a dataset's name and version, so that two
versions of the same content have two digests; what is compared here is the content: every file that the digest covers.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drae_data.patch_rows import StatisticsRow
from drae_data.version_content import VersionContent
from drae_data.version_files import part_path

# The columns of the table of statistics that are compared.
COMPARED = ("mean", "std", "sharpness", "saturated", "black", "motion")


@dataclass(frozen=True)
class Change:
    """Something that is in both versions, or in one of them, and is not the same.

    Attributes:
        what: its name.
        before: in the first version; empty where it is not there.
        after: in the second version; empty where it is not there.
        decisive: of a parameter, whether it decides bytes.
    """

    what: str
    before: str
    after: str
    decisive: bool = False


@dataclass(frozen=True)
class FileChange:
    """A file that the digest covers and that differs for more than the name or version of the dataset.

    Attributes:
        what: its path in the version folder.
        removed: rows that only the first version has.
        added: rows that only the second version has.
    """

    what: str
    removed: int
    added: int


@dataclass(frozen=True)
class Move:
    """A statistic of one split, region and kind of image that is not the same.

    Attributes:
        split: its name.
        region: its name.
        image: frame, min or max.
        statistic: a member of `COMPARED`.
        before: its mean over the patches of the first version.
        after: of the second.
        deviations: of means: the difference in standard deviations of the patches' means before; None of others.
    """

    split: str
    region: str
    image: str
    statistic: str
    before: float
    after: float
    deviations: float | None


@dataclass(frozen=True)
class Comparison:
    """What differs between two versions.

    Attributes:
        before: the first version.
        after: the second.
        parameters: those that differ, those that decide bytes first.
        strips_added: only in the second version.
        strips_removed: only in the first.
        sides: strips of both that lie in other splits.
        labels: acquisitions of both that have other labels.
        label_rows: places of which the table of labels says something else, or which only one version labels.
        acquisitions_added: of strips of both versions, only in the second.
        acquisitions_removed: of strips of both, only in the first.
        rebuilt: acquisitions of both, from other frame files.
        shards_kept: shards of the second version that the first has too, byte by byte.
        shards_new: shards of the second version that the first has not.
        shards_gone: shards of the first that the second has not.
        refused: acquisitions that are in quarantine or left out in one version, or for another reason.
        moves: statistics that are not the same.
        files: tables, `features.json` and indexes of kept shards that are not the same.
    """

    before: VersionContent
    after: VersionContent
    parameters: tuple[Change, ...]
    strips_added: tuple[str, ...]
    strips_removed: tuple[str, ...]
    sides: tuple[Change, ...]
    labels: tuple[Change, ...]
    label_rows: tuple[Change, ...]
    acquisitions_added: tuple[str, ...]
    acquisitions_removed: tuple[str, ...]
    rebuilt: tuple[str, ...]
    shards_kept: int
    shards_new: int
    shards_gone: int
    refused: tuple[Change, ...]
    moves: tuple[Move, ...]
    files: tuple[FileChange, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same content: at most the dataset's name and version differ."""
        differ = (
            self.strips_added, self.strips_removed, self.sides, self.labels, self.label_rows,
            self.acquisitions_added, self.acquisitions_removed, self.rebuilt, self.shards_new, self.shards_gone,
            self.refused, self.moves, self.files,
            any(change.decisive for change in self.parameters),
        )  # fmt: skip
        return not any(differ)


def compare(before: VersionContent, after: VersionContent) -> Comparison:
    """Compares two versions."""
    strips = before.by_strip("splits"), after.by_strip("splits")
    common = strips[0].keys() & strips[1].keys()
    added, removed = ([key for key in one if key not in other] for one, other in (
        (after.acquisitions, before.acquisitions), (before.acquisitions, after.acquisitions)))  # fmt: skip
    shards = {shard.sha256 for shard in before.shards}, {shard.sha256 for shard in after.shards}
    kept = sum(shard.sha256 in shards[0] for shard in after.shards)
    decisive = before.decisive | after.decisive
    parameters = (
        Change(one.what, one.before, one.after, one.what in decisive)
        for one in _changes(before.parameters, after.parameters)
    )
    return Comparison(
        before=before,
        after=after,
        parameters=tuple(sorted(parameters, key=lambda one: (not one.decisive, one.what))),
        strips_added=tuple(sorted(strips[1].keys() - strips[0].keys())),
        strips_removed=tuple(sorted(strips[0].keys() - strips[1].keys())),
        sides=tuple(_changes_in_both(*strips)),
        labels=tuple(_changes_in_both(_labels(before), _labels(after))),
        label_rows=tuple(_changes(before.label_rows, after.label_rows)),
        acquisitions_added=tuple(str(key) for key in sorted(added) if key.strip_id in common),
        acquisitions_removed=tuple(str(key) for key in sorted(removed) if key.strip_id in common),
        rebuilt=tuple(
            str(key)
            for key, row in sorted(after.acquisitions.items())
            if key in before.acquisitions and _frames(row) != _frames(before.acquisitions[key])
        ),
        shards_kept=kept,
        shards_new=len(after.shards) - kept,
        shards_gone=sum(shard.sha256 not in shards[1] for shard in before.shards),
        refused=tuple(_changes(before.refused, after.refused)),
        moves=tuple(_moves(before.statistics, after.statistics)),
        files=(*_file_changes(before, after), *_index_changes(before, after)),
    )


def _labels(version: VersionContent) -> dict[str, tuple[str, ...]]:
    return {str(key): (row["label"],) for key, row in sorted(version.acquisitions.items())}


def _file_changes(before: VersionContent, after: VersionContent) -> Iterator[FileChange]:
    """Under one name of the dataset the bytes of a file are compared, under two the rows of a table."""
    for path in sorted(before.files.keys() & after.files.keys()):
        one, other = before.files[path], after.files[path]
        if one.sha256 == other.sha256:
            continue
        if before.name == after.name or not one.rows or one.rows != other.rows:
            rows = Counter(one.rows), Counter(other.rows)
            yield FileChange(path, (rows[0] - rows[1]).total(), (rows[1] - rows[0]).total())


def _index_changes(before: VersionContent, after: VersionContent) -> Iterator[FileChange]:
    """Indexes of shards that are the same byte by byte; a shard that is new has a new index, and counts by itself."""
    known = {(shard.sha256, shard.index_sha256) for shard in before.shards}
    kept = {shard.sha256 for shard in before.shards}
    for shard in after.shards:
        if shard.sha256 in kept and (shard.sha256, shard.index_sha256) not in known:
            yield FileChange(part_path(shard.name), 0, 0)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other or (name in before) != (name in after):
            yield Change(name, one, other)


def _changes_in_both(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield Change(name, ", ".join(before[name]), ", ".join(after[name]))


def _frames(row: Mapping[str, Any]) -> list[tuple[int, int, str, str]]:
    return sorted((file["frame"], file["vial"], file["region"], file["sha256"]) for file in row["frames"])


def _moves(
    before: Mapping[tuple[str, str, str], StatisticsRow], after: Mapping[tuple[str, str, str], StatisticsRow]
) -> Iterator[Move]:
    for place in sorted(before.keys() & after.keys()):
        one, other = before[place], after[place]
        for name in COMPARED:
            was, now = float(getattr(one, name)), float(getattr(other, name))
            if was != now:
                apart = (now - was) / one.mean_std if name == "mean" and one.mean_std > 0 else None
                yield Move(*place, name, was, now, apart)
