"""Plan: which acquisition goes to which split and shard. A pure function of names, options and the earlier plan.

Order comes from hashes of keys, so neither the order of listing nor the machine matters. A version that extends an
earlier one keeps that one's shards and sides; what is new fills up the share of validation and goes into new shards.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from drae_data.acquisition import KEY_COLUMNS, AcquisitionKey, PatchKey
from drae_data.errors import PlanError
from drae_data.listing import ListedAcquisition
from drae_data.manifest import PlanRow, QuarantineRow
from drae_data.options import SPLITS, DatasetOptions, SplitOptions
from drae_data.split_sides import choose_validation, nearest, split_units

_KEY_LENGTH = len(KEY_COLUMNS)


@dataclass(frozen=True, slots=True)
class PlannedAcquisition:
    """An acquisition in a shard.

    Attributes:
        key: its key.
        folder: see `ListedAcquisition`.
        files: see `ListedAcquisition`.
        time: see `ListedAcquisition`.
        validation_patches: None where the whole acquisition belongs to the shard's split; otherwise (split by patch)
            how many of its patches, first in hash order, belong to validation.
    """

    key: AcquisitionKey
    folder: str
    files: tuple[str, ...]
    time: str
    validation_patches: int | None


@dataclass(frozen=True)
class ShardTask:
    """One shard to build: the element that travels to a worker. Holds names only.

    Attributes:
        name: the shard's file name.
        split: train, validation or test.
        earlier: the file name of the same shard in the version that this one extends; empty where it is new.
        acquisitions: in the order of their hashes.
    """

    name: str
    split: str
    earlier: str
    acquisitions: tuple[PlannedAcquisition, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values that `from_json` reads back."""
        rows = [
            [*item.key.columns().values(), item.folder, item.files, item.time, item.validation_patches]
            for item in self.acquisitions
        ]
        return {"name": self.name, "split": self.split, "earlier": self.earlier, "acquisitions": rows}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ShardTask":
        """Reads `to_json` back."""
        acquisitions = tuple(
            PlannedAcquisition(AcquisitionKey(*row[:_KEY_LENGTH]), folder, tuple(files), time, validation_patches)
            for row in values["acquisitions"]
            for folder, files, time, validation_patches in (row[_KEY_LENGTH:],)
        )
        return cls(values["name"], values["split"], values["earlier"], acquisitions)

    def patches_of(self, item: PlannedAcquisition, patches_per_acquisition: int) -> int:
        """How many patches of an acquisition this shard takes."""
        if item.validation_patches is None:
            return patches_per_acquisition
        if self.split == "validation":
            return item.validation_patches
        return patches_per_acquisition - item.validation_patches


@dataclass(frozen=True)
class Plan:
    """What is to be built.

    Attributes:
        tasks: the shards: split by split, those of the earlier version first.
        withdrawn: acquisitions of the earlier version that are no longer to be built.
        absent: rows of everything that an earlier version ever held and this one does not: should a strip come back,
            it comes back to its side.
    """

    tasks: tuple[ShardTask, ...]
    withdrawn: tuple[QuarantineRow, ...] = ()
    absent: tuple[PlanRow, ...] = ()

    def rows(self) -> tuple[PlanRow, ...]:
        """The plan as a table's rows, in the order of shards and of acquisitions in them; what is absent comes last."""
        planned = (
            PlanRow.at(
                item.key, split=task.split, shard=task.name, folder=item.folder,
                validation_patches=-1 if item.validation_patches is None else item.validation_patches,
            )
            for task in self.tasks
            for item in task.acquisitions
        )  # fmt: skip
        return (*planned, *self.absent)


@dataclass(frozen=True)
class _Group:
    """The acquisitions of one shard, before shards are counted and named."""

    earlier: str
    items: tuple[PlannedAcquisition, ...]


def plan_shards(
    acquisitions: Sequence[ListedAcquisition], options: DatasetOptions, sides: Mapping[str, str] | None = None,
    earlier: Sequence[PlanRow] = (),
) -> Plan:  # fmt: skip
    """Assigns every acquisition to a split and a shard.

    Splits are exact: of n strips (acquisitions, patches, blocks) the nearest whole to n times `validation_fraction`,
    first in hash order, are validation; with two or more of them neither side is empty. Within a split acquisitions go
    to shards in hash order, shards differ in size by one acquisition at most.

    With an earlier plan its shards keep their acquisitions, its strips their sides; of the new strips as many go to
    validation as its share of all still lacks.

    Args:
        acquisitions: to be built.
        options: of the dataset.
        sides: split by strip id, where `split.by` is `list`.
        earlier: the rows of the plan that this one extends.

    Raises:
        PlanError: a strip would have to change sides, or nothing is left of validation.
    """
    listed = {item.key: item for item in acquisitions}
    groups: defaultdict[str, list[_Group]] = defaultdict(list)
    withdrawn = dict[AcquisitionKey, QuarantineRow]()
    absent = {replace(row, shard="", validation_patches=-1) for row in earlier if row.key not in listed}
    for (split, shard), rows in _shards_of_rows(earlier).items():
        kept = tuple(_planned(listed[row.key], row.validation_patches) for row in rows if row.key in listed)
        if kept:
            groups[split].append(_Group(shard, kept))
        for row in rows:
            if row.key not in listed:
                detail = f"in version {options.extends}, no longer listed or selected"
                withdrawn[row.key] = QuarantineRow.of_key(row.key, row.folder, "withdrawn", detail)
    for split, items in _new_items(acquisitions, options, sides or {}, earlier).items():
        if items:  # A side without a share, such as a validation_fraction of 0, has no shard size either.
            groups[split] += [_Group("", chunk) for chunk in _chunks(items, _per_shard(split, options))]
    if any(row.shard and row.split == "validation" for row in earlier) and not groups["validation"]:
        raise PlanError(
            f"split validation: all that version {options.extends} (extends) has in it is withdrawn, and nothing new "
            "fills it; add strips, or start anew without extends"
        )
    tasks = tuple(
        ShardTask(shard_name(options.name, split, number, len(groups[split])), split, group.earlier, group.items)
        for split in SPLITS
        for number, group in enumerate(groups[split])
    )
    return Plan(tasks, tuple(sorted(withdrawn.values())), tuple(sorted(absent, key=lambda row: (row.key, row.split))))


def _shards_of_rows(rows: Sequence[PlanRow]) -> dict[tuple[str, str], list[PlanRow]]:
    shards: defaultdict[tuple[str, str], list[PlanRow]] = defaultdict(list)
    for row in rows:
        if row.shard:
            shards[row.split, row.shard].append(row)
    return dict(shards)


def _planned(item: ListedAcquisition, validation_patches: int) -> PlannedAcquisition:
    quota = None if validation_patches < 0 else validation_patches
    return PlannedAcquisition(item.key, item.folder, item.files, item.time, quota)


def _new_items(
    acquisitions: Sequence[ListedAcquisition], options: DatasetOptions, sides: Mapping[str, str],
    earlier: Sequence[PlanRow],
) -> dict[str, list[PlannedAcquisition]]:  # fmt: skip
    """What the earlier plan does not hold, by split, in hash order."""
    split = options.split
    known = {row.key for row in earlier if row.shard}
    new = [item for item in acquisitions if item.key not in known]
    new.sort(key=lambda item: hash_order(split.seed, "acquisition", str(item.key)))
    if split.by == "none":
        return {"test": [_planned(item, -1) for item in new]}
    if split.by == "patch":
        listed = {item.key for item in acquisitions}
        kept = {row.key: row.validation_patches for row in earlier if row.shard and row.key in listed}
        quotas = _patch_quotas(list(kept.values()), len(new), options)
        planned = [_planned(item, quota) for item, quota in zip(new, quotas, strict=True)]
        return {"train": planned, "validation": [item for item in planned if item.validation_patches]}
    chosen = _sides(acquisitions, split, sides, earlier)
    found: defaultdict[str, list[PlannedAcquisition]] = defaultdict(list)
    for item in new:
        found[chosen[item.key]].append(_planned(item, -1))
    return found


def _sides(
    acquisitions: Sequence[ListedAcquisition], split: SplitOptions, sides: Mapping[str, str],
    earlier: Sequence[PlanRow],
) -> dict[AcquisitionKey, str]:  # fmt: skip
    """The split of every acquisition."""
    keys = [item.key for item in acquisitions]
    before = {row.key.strip_id if split.by != "acquisition" else str(row.key): row.split for row in earlier}
    if split.by == "list":
        for name, side in before.items():
            if sides.get(name, side) != side:
                raise PlanError(
                    f"{split.file}: expected {name} in {side}, where the earlier version has it, got {sides[name]}; "
                    "no strip changes sides (without extends a version starts anew)"
                )
        return {key: sides[key.strip_id] for key in keys}
    units = split_units(keys, split, before)
    known = {unit: before[name] for name, unit in units.items() if name in before}
    chosen = choose_validation(set(units.values()), known, split, hash_order)
    names = {key: str(key) if split.by == "acquisition" else key.strip_id for key in keys}
    return {key: before.get(name, "validation" if units[name] in chosen else "train") for key, name in names.items()}


def _patch_quotas(kept: Sequence[int], new: int, options: DatasetOptions) -> list[int]:
    """Validation patches of each new acquisition: running totals are the nearest whole to their exact share of all.

    Where acquisitions were withdrawn the first new ones make up for what is then too much or too little.
    """
    patches, fraction = options.patches_per_acquisition, options.split.validation_fraction
    if not all(0 <= quota <= patches for quota in kept):
        raise PlanError("extends: expected an earlier version that was split by patch, with as many patches")
    totals = [sum(kept)]
    for number in range(1, new + 1):
        share = nearest((len(kept) + number) * patches * fraction)
        totals.append(min(max(share, totals[-1]), totals[-1] + patches))
    return [after - before for before, after in pairwise(totals)]


def _per_shard(split: str, options: DatasetOptions) -> int:
    """How many acquisitions a shard takes."""
    share = Fraction(1)
    if options.split.by == "patch":
        share = options.split.validation_fraction if split == "validation" else 1 - options.split.validation_fraction
    return max(1, int(options.shard_patches / (options.patches_per_acquisition * share)))


def _chunks(items: Sequence[PlannedAcquisition], most: int) -> Iterable[tuple[PlannedAcquisition, ...]]:
    count = -(-len(items) // most)
    edges = [len(items) * number // count for number in range(count + 1)] if count else []
    return [tuple(items[start:end]) for start, end in pairwise(edges)]


def shard_name(name: str, split: str, number: int, count: int) -> str:
    """The file name that TensorFlow Datasets expects of a shard."""
    return f"{name}-{split}.tfrecord-{number:05d}-of-{count:05d}"


def patch_split(keys: Iterable[PatchKey], validation_patches: int, seed: int) -> set[PatchKey]:
    """The patches of one acquisition that belong to validation when splitting by patch."""
    return set(sorted(keys, key=lambda key: hash_order(seed, "patch", str(key)))[:validation_patches])


def hash_order(seed: int, purpose: str, text: str) -> bytes:
    """A sort key that looks random and depends on its arguments alone (BLAKE2b, RFC 7693)."""
    return hashlib.blake2b(f"{seed}/{purpose}/{text}".encode(), digest_size=16).digest()
