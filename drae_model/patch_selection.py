"""Which patches of a published version one reading takes: shards, record numbers, counts; no TensorFlow yet.

All that can be known before the first record is checked here, so that training does not find out after an hour.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_data.content import PublishedContent, published_content
from drae_data.errors import DatasetError, OptionError
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from drae_data.metadata import read_json
from drae_data.patch_index import index_columns, verify_advice
from drae_data.verification.claims import Claims, ShardClaim, read_claims
from drae_data.version_files import PROVENANCE
from drae_model.read_options import ReadOptions


@dataclass(frozen=True, eq=False)
class SelectedShard:
    """A shard to read.

    Attributes:
        name: its file name.
        keep: bool [records]: which of its records are wanted.
    """

    name: str
    keep: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Selection:
    """What one epoch reads.

    Attributes:
        folder: of the version.
        encoding: how records hold patches, a key of `drae_data.encodings.CODECS`.
        size: side of the patches in pixels.
        shards: in the order of their names.
        patches: selected; a dropped remainder is among them.
        batches: that one epoch gives.
    """

    folder: Path
    encoding: str
    size: int
    shards: tuple[SelectedShard, ...]
    patches: int
    batches: int


def version_content(folder: Path) -> PublishedContent:
    """What the version in a folder was built from; raises `DatasetError`."""
    return published_content(read_json(LocalFiles(str(folder)), PROVENANCE, "no version of this project's build"))


def patches_per_epoch(folder: Path, options: ReadOptions) -> int:
    """How many patches one epoch gives; checks and raises like `select_patches`."""
    selection = select_patches(folder, options)
    return min(selection.patches, selection.batches * options.batch_size)


def select_patches(folder: Path, options: ReadOptions) -> Selection:
    """Finds what an epoch will read, from the version's JSON files and, with a filter, its patch index.

    Args:
        folder: of a published version, such as `datasets/production/1.0.0`.
        options: what to read.

    Raises:
        DatasetError: the folder is no committed version, a shard of the split is absent or has another size than the
            version states, or the patch index is not the one that was built.
        OptionError: the version has no such split, shard, region or vial, or not one whole batch.
    """
    files = LocalFiles(str(folder))
    claims = read_claims(files)
    shards = _wanted_shards(split_shards(claims, options.split), options)
    _check_sizes(files, shards)
    kept = _kept(files, shards, options)
    patches = sum(int(keep.sum()) for keep in kept)
    batches = patches // options.batch_size if options.drop_remainder else -(-patches // options.batch_size)
    if not patches:
        raise OptionError("regions, vials", (options.regions, options.vials), f"patches of split {options.split}")
    if not batches:
        raise OptionError(
            "batch_size", options.batch_size, f"at most the {patches:,} selected patches, where remainders are dropped"
        )
    selected = tuple(SelectedShard(shard.name, keep) for shard, keep in zip(shards, kept, strict=True))
    return Selection(folder, claims.encoding, claims.size, selected, patches, batches)


def split_shards(claims: Claims, split: str) -> list[ShardClaim]:
    """The shards of a split, in order; raises `OptionError` or `DatasetError` like `select_patches`."""
    by_name = {claim.name: claim.shards for claim in claims.info.splits}
    if split not in by_name:
        raise OptionError(
            "split", split, f"a split of {claims.info.name} {claims.info.version}: {', '.join(sorted(by_name))}"
        )
    shards = []
    for name, records in by_name[split]:
        shard = claims.shards.get(name)
        if shard is None or shard.records != records:
            stated = "no such shard" if shard is None else f"{shard.records} records"
            raise DatasetError(
                f"shard {name}: dataset_info.json states {records} records, {PROVENANCE} {stated}; build it again"
            )
        shards.append(shard)
    return shards


def _wanted_shards(shards: list[ShardClaim], options: ReadOptions) -> list[ShardClaim]:
    """Those that the options name, or all."""
    if missing := sorted(set(options.shards) - {shard.name for shard in shards}):
        known = ", ".join([shard.name for shard in shards[:3]] + ["..."] * (len(shards) > 3)) or "none"
        raise OptionError("shards", missing, f"among {known}, as split {options.split} has them")
    return [shard for shard in shards if not options.shards or shard.name in options.shards]


def _check_sizes(files: Files, shards: list[ShardClaim]) -> None:
    """Every shard is there, whole: a cut shard would otherwise be found when its turn comes, epochs later."""
    found = files.names("")
    wrong = [shard for shard in shards if found.get(shard.name) != shard.bytes]
    if wrong:
        first = wrong[0]
        size = f"{found[first.name]:,} bytes" if first.name in found else "no such file"
        more = f" (and {len(wrong) - 1} more of its {len(shards)} shards)" if len(wrong) > 1 else ""
        raise DatasetError(
            f"{files.root}/{first.name}: expected a shard of {first.bytes:,} bytes, got {size}{more}; "
            f"{verify_advice(files.root)}"
        )


def _kept(files: Files, shards: list[ShardClaim], options: ReadOptions) -> list[npt.NDArray[np.bool_]]:
    """Per shard, which records are wanted."""
    kept = [np.ones(shard.records, np.bool_) for shard in shards]
    filters: dict[str, tuple[Any, ...]] = {"region": options.regions, "vial": options.vials}
    wanted = {column: values for column, values in filters.items() if values}
    if not wanted:
        return kept
    present: dict[str, set[object]] = {column: set() for column in wanted}
    for shard, keep in zip(shards, kept, strict=True):
        for column, found in index_columns(files, shard, list(wanted)).items():
            present[column].update(np.unique(found).tolist())
            keep &= np.isin(found, list(wanted[column]))
    for column, values in wanted.items():
        if missing := [value for value in values if value not in present[column]]:
            known = ", ".join(map(str, sorted(present[column], key=str)))
            raise OptionError(f"{column}s", missing, f"among {known}, as split {options.split} has them")
    return kept
