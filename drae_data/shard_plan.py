"""List, then plan: which acquisition goes to which split and shard. A pure function of names and options.

Order comes from hashes of keys, so neither the order of listing nor the machine matters.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from drae_data.acquisition import AcquisitionKey, PatchKey
from drae_data.errors import ListingError
from drae_data.files import Files
from drae_data.manifest import QuarantineRow
from drae_data.options import DatasetOptions


@dataclass(frozen=True, order=True)
class ListedAcquisition:
    """An acquisition's key and its folder, relative to the root."""

    key: AcquisitionKey
    folder: str


@dataclass(frozen=True)
class Listing:
    """What lies below the root: acquisitions in key order, and folders that are none with the reason."""

    acquisitions: tuple[ListedAcquisition, ...]
    refused: tuple[QuarantineRow, ...]

    @property
    def folders(self) -> int:
        """How many folders were listed; each is built or quarantined in the end."""
        return len(self.acquisitions) + len(self.refused)


@dataclass(frozen=True)
class PlannedAcquisition:
    """An acquisition in a shard.

    Attributes:
        key: its key.
        folder: relative to the root.
        validation_patches: None where the whole acquisition belongs to the shard's split; otherwise (split by patch)
            how many of its patches, first in hash order, belong to validation.
    """

    key: AcquisitionKey
    folder: str
    validation_patches: int | None


@dataclass(frozen=True)
class ShardTask:
    """One shard to build: the element that travels to a worker. Holds names only.

    Attributes:
        name: the shard's file name.
        split: train, validation or test.
        acquisitions: in the order of their hashes.
    """

    name: str
    split: str
    acquisitions: tuple[PlannedAcquisition, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values that `from_json` reads back."""
        rows = [[item.key.strip, item.key.run, item.folder, item.validation_patches] for item in self.acquisitions]
        return {"name": self.name, "split": self.split, "acquisitions": rows}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ShardTask":
        """Reads `to_json` back."""
        rows = values["acquisitions"]
        acquisitions = tuple(PlannedAcquisition(AcquisitionKey(row[0], row[1]), row[2], row[3]) for row in rows)
        return cls(values["name"], values["split"], acquisitions)

    def patches_of(self, item: PlannedAcquisition, patches_per_acquisition: int) -> int:
        """How many patches of an acquisition this shard takes."""
        if item.validation_patches is None:
            return patches_per_acquisition
        if self.split == "validation":
            return item.validation_patches
        return patches_per_acquisition - item.validation_patches


def list_acquisitions(files: Files, options: DatasetOptions) -> Listing:
    """Lists acquisition folders by name alone; no file is opened.

    Raises:
        ListingError: the root cannot be listed, or no folder fits the path template.
    """
    try:
        return list_folders(files.folders(options.template.depth), options, files.root)
    except OSError as error:
        raise ListingError(
            f"root: expected a folder of acquisitions that can be listed, got {files.root!r}: {error.strerror or error}"
        ) from error


def list_folders(folders: Iterable[str], options: DatasetOptions, root: str) -> Listing:
    """Sorts folder names into acquisitions and refused ones.

    Args:
        folders: relative to the root, in any order.
        options: gives the path template.
        root: named in the error.

    Raises:
        ListingError: no folder fits the path template.
    """
    claims: defaultdict[AcquisitionKey, list[str]] = defaultdict(list)
    refused = []
    for folder in folders:
        printable = folder.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        key = options.template.match_folder(folder) if printable == folder else None
        if key is None:
            detail = f"expected {options.template.text.rsplit('/', 1)[0]!r} (path_template), got {printable!r}"
            refused.append(QuarantineRow(printable, "", -1, "unmatched_name", "", detail))
        else:
            claims[key].append(folder)
    listed = []
    for key, claimants in claims.items():
        if len(claimants) == 1:
            listed.append(ListedAcquisition(key, claimants[0]))
            continue
        detail = f"expected one folder for {key}, got {sorted(claimants)}"
        refused += [
            QuarantineRow(folder, key.strip, key.run, "duplicate_acquisition", "", detail) for folder in claimants
        ]
    if not listed:
        raise ListingError(
            f"root: expected folders named like {options.template.text!r} (path_template) below {root!r}, "
            f"got {len(refused)} folders {options.template.depth} levels down, none usable"
            + "".join(f"\n  {row.folder}: {row.reason}" for row in sorted(refused)[:5])
        )
    return Listing(tuple(sorted(listed)), tuple(sorted(refused)))


def plan_shards(listing: Listing, options: DatasetOptions) -> tuple[ShardTask, ...]:
    """Assigns every acquisition to a split and a shard.

    Splits are exact: of n strips (acquisitions, patches) the nearest whole to n times `validation_fraction`, first in
    hash order, are validation; with two or more strips or acquisitions neither side is empty. Within a split
    acquisitions go to shards in hash order, shards differ in size by one acquisition at most.
    """
    sides: defaultdict[str, list[PlannedAcquisition]] = defaultdict(list)
    seed, fraction = options.split.seed, options.split.validation_fraction
    ordered = sorted(listing.acquisitions, key=lambda item: hash_order(seed, "acquisition", str(item.key)))
    match options.split.by:
        case "none":
            sides["test"] = [PlannedAcquisition(item.key, item.folder, None) for item in ordered]
        case "patch":
            quotas = _patch_quotas(len(ordered), options.patches_per_acquisition, fraction)
            planned = [
                PlannedAcquisition(item.key, item.folder, quota) for item, quota in zip(ordered, quotas, strict=True)
            ]
            sides["train"] = planned
            sides["validation"] = [item for item in planned if item.validation_patches]
        case by:
            units = {item.key: item.key.strip if by == "strip" else str(item.key) for item in ordered}
            chosen = _validation_units(set(units.values()), by, seed, fraction)
            for item in ordered:
                side = "validation" if units[item.key] in chosen else "train"
                sides[side].append(PlannedAcquisition(item.key, item.folder, None))
    return tuple(task for split in ("train", "validation", "test") for task in _shards_of(split, sides[split], options))


def _validation_units(units: set[str], by: str, seed: int, fraction: Fraction) -> set[str]:
    count = nearest(len(units) * fraction)
    if fraction and len(units) >= 2:
        count = min(max(count, 1), len(units) - 1)
    return set(sorted(units, key=lambda unit: hash_order(seed, by, unit))[:count])


def _patch_quotas(acquisitions: int, patches: int, fraction: Fraction) -> list[int]:
    """Validation patches of each acquisition, so that every running total is the nearest whole to its exact share."""
    totals = [nearest(number * patches * fraction) for number in range(acquisitions + 1)]
    return [after - before for before, after in pairwise(totals)]


def _shards_of(split: str, items: Sequence[PlannedAcquisition], options: DatasetOptions) -> list[ShardTask]:
    if not items:
        return []
    share = Fraction(1)
    if options.split.by == "patch":
        share = options.split.validation_fraction if split == "validation" else 1 - options.split.validation_fraction
    per_shard = max(1, int(options.shard_patches / (options.patches_per_acquisition * share)))
    count = -(-len(items) // per_shard)
    edges = [len(items) * number // count for number in range(count + 1)]
    return [
        ShardTask(
            shard_name(options.name, split, number, count),
            split,
            tuple(items[edges[number] : edges[number + 1]]),
        )
        for number in range(count)
    ]


def shard_name(name: str, split: str, number: int, count: int) -> str:
    """The file name that TensorFlow Datasets expects of a shard."""
    return f"{name}-{split}.tfrecord-{number:05d}-of-{count:05d}"


def patch_split(keys: Iterable[PatchKey], validation_patches: int, seed: int) -> set[PatchKey]:
    """The patches of one acquisition that belong to validation when splitting by patch."""
    return set(sorted(keys, key=lambda key: hash_order(seed, "patch", str(key)))[:validation_patches])


def hash_order(seed: int, purpose: str, text: str) -> bytes:
    """A sort key that looks random and depends on its arguments alone (BLAKE2b, RFC 7693)."""
    return hashlib.blake2b(f"{seed}/{purpose}/{text}".encode(), digest_size=16).digest()


def nearest(value: Fraction) -> int:
    """The nearest whole number, halves up: no binary fraction is involved."""
    return int(value + Fraction(1, 2))
