"""Everything a reader of a published dataset relies on, checked again from the files alone; each fault has a name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from drae_data.acquisition import AcquisitionKey, Image
from drae_data.errors import DatasetError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import read_table
from drae_data.metadata import combined_digest, read_json
from drae_data.publication import COMMIT_POINT, PROVENANCE
from drae_data.shards import PATCHES, part_path
from drae_data.verification_shard import Fault, ShardFacts, check_shard

_METADATA = {COMMIT_POINT, PROVENANCE, "features.json"}
_TABLES = ("acquisitions", "quarantine")


@dataclass(frozen=True)
class Verification:
    """What a verification found.

    Attributes:
        dataset: name and version.
        digest: of the dataset as `provenance.json` states it.
        shards: checked.
        records: checked, per split.
        acquisitions: in the table.
        quarantined: in the table.
        shared_strips: strips with patches on more than one side, which a split by acquisition or patch allows.
        faults: empty where all is well.
    """

    dataset: str
    digest: str
    shards: int
    records: dict[str, int]
    acquisitions: int
    quarantined: int
    shared_strips: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Claims:
    """What the metadata of a version claims."""

    info: dict[str, Any]
    provenance: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]

    @property
    def expected_patches(self) -> list[str]:
        """The last parts of the keys that every acquisition must have: `f07/v2/R1`, ..."""
        parameters = self.provenance["parameters"]
        rows = parameters["strip_layout"]["boxes"]
        return [
            f"{Image.parse(image)}/v{vial}/{region}"
            for image in parameters["images"] for region, boxes in rows for vial in range(len(boxes))
        ]  # fmt: skip


def verify_dataset(files: Files, threads: int, checked: Callable[[int], None] = lambda _: None) -> Verification:
    """Checks a published version.

    Args:
        files: the version folder.
        threads: shards in work at the same time.
        checked: called with the number of records of each shard as it is done; may be called from any thread.

    Raises:
        DatasetError: there is nothing to verify: not committed, or its metadata cannot be read.
    """
    claims = _read_claims(files)
    shards = {shard["name"]: shard for shard in claims.provenance["shards"]}
    size = claims.provenance["parameters"]["patch"]["size"]

    def check(name: str) -> ShardFacts:
        facts = check_shard(files, name, shards[name], size)
        checked(facts.records)
        return facts

    with ThreadPoolExecutor(max_workers=threads) as pool:
        facts = list(pool.map(check, sorted(shards)))
    faults = [fault for item in facts for fault in item.faults]
    faults += _check_folder(files, shards)
    faults += _check_info(claims, shards)
    faults += _check_acquisitions(claims, facts)
    shared = _shared_strips(facts)
    faults += _check_split(claims, facts, shared)
    faults += _check_digest(files, claims, facts)
    records: Counter[str] = Counter()
    for item in facts:
        records[item.split] += item.records
    return Verification(
        f"{claims.info['name']} {claims.info['version']}", claims.provenance["digest"], len(shards), dict(records),
        len(claims.tables["acquisitions"]), len(claims.tables["quarantine"]), len(shared), tuple(faults),
    )  # fmt: skip


def _read_claims(files: Files) -> _Claims:
    try:
        info = read_json(files, COMMIT_POINT, "this is no committed dataset version; run the build to its end")
        provenance = read_json(files, PROVENANCE, "the version was not made by this project's build")
        tables = {name: read_table(name, files.read(f"{name}.parquet")).to_pylist() for name in _TABLES}
        _ = info["name"], info["version"], info["splits"]
        _ = provenance["digest"], provenance["shards"], provenance["parameters"]["patch"]["size"]
    except KeyError as error:
        raise DatasetError(f"{files.root}: its metadata lacks the entry {error}") from error
    except OSError as error:
        raise DatasetError(f"{files.root}: {error.filename or ''}: {error.strerror or error}") from error
    return _Claims(info, provenance, tables)


def _check_folder(files: Files, shards: Mapping[str, Any]) -> Iterator[Fault]:
    """Files that should not be there."""
    known = {"": {*shards, *_METADATA, *(f"{name}.parquet" for name in _TABLES)}}
    known[PATCHES] = {part_path(name).removeprefix(f"{PATCHES}/") for name in shards}
    for folder, names in known.items():
        for name in sorted(set(files.names(folder)) - names):
            path = f"{folder}/{name}" if folder else name
            yield Fault("stray_file", path, "it belongs to no shard or table of this version")


def _check_info(claims: _Claims, shards: Mapping[str, Any]) -> Iterator[Fault]:
    """What TFDS readers rely on: splits, shard names, lengths, sizes."""
    named = set()
    for split in claims.info["splits"]:
        lengths = split["shardLengths"]
        names = [
            f"{claims.info['name']}-{split['name']}.tfrecord-{number:05d}-of-{len(lengths):05d}"
            for number in range(len(lengths))
        ]
        named.update(names)
        for name, length in zip(names, lengths, strict=True):
            claimed = shards.get(name, {}).get("records")
            if str(claimed) != length:
                yield Fault("info_mismatch", name, f"{COMMIT_POINT} says {length} records, {PROVENANCE} {claimed}")
        total = sum(shards[name]["bytes"] for name in names if name in shards)
        if str(total) != split["numBytes"]:
            yield Fault(
                "info_mismatch",
                split["name"],
                f"{COMMIT_POINT} says {split['numBytes']} bytes, the shards are {total}",
            )
    for name in sorted(set(shards) - named):
        yield Fault("info_mismatch", name, f"{PROVENANCE} names it, {COMMIT_POINT} does not")


def _check_acquisitions(claims: _Claims, facts: Sequence[ShardFacts]) -> Iterator[Fault]:
    """Every acquisition of the table has each expected patch exactly once, and no other acquisition has any."""
    expected = Counter(claims.expected_patches)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    shards: defaultdict[str, set[str]] = defaultdict(set)
    for item in facts:
        for key, parts in item.patches.items():
            found[key].update(parts)
            shards[key].add(item.name)
    for row in claims.tables["acquisitions"]:
        key = str(AcquisitionKey(row["strip"], row["run"]))
        patches = found.pop(key, Counter())
        if missing := expected - patches:
            yield Fault("missing_patch", key, f"{missing.total()} of {expected.total()} patches: {_few(missing)}")
        if extra := patches - expected:
            yield Fault("duplicate_patch", key, f"{extra.total()} patches more than once or unknown: {_few(extra)}")
        if row["patches"] != expected.total() or set(row["shards"]) != shards[key]:
            detail = f"the table says {row['patches']} patches in {row['shards']}, the shards {sorted(shards[key])}"
            yield Fault("table_mismatch", key, detail)
    for key in sorted(found):
        yield Fault("unknown_acquisition", key, "it has patches, but no row in acquisitions.parquet")
    built = {(row["strip"], row["run"]) for row in claims.tables["acquisitions"]}
    for row in claims.tables["quarantine"]:
        if (row["strip"], row["run"]) in built:
            yield Fault("table_mismatch", row["folder"], "it is in quarantine and in acquisitions.parquet")


def _shared_strips(facts: Sequence[ShardFacts]) -> set[str]:
    """Strips with patches on more than one side."""
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for item in facts:
        for key in item.patches:
            sides[AcquisitionKey.parse(key).strip].add(item.split)
    return {strip for strip, splits in sides.items() if len(splits) > 1}


def _check_split(claims: _Claims, facts: Sequence[ShardFacts], shared: set[str]) -> Iterator[Fault]:
    by = claims.provenance["parameters"]["split"]["by"]
    if by == "strip":
        for strip in sorted(shared):
            yield Fault("split_leak", strip, "the strip has patches on more than one side (split by strip)")
    if by == "acquisition":
        sides: defaultdict[str, set[str]] = defaultdict(set)
        for item in facts:
            for key in item.patches:
                sides[key].add(item.split)
        for key in sorted(name for name, splits in sides.items() if len(splits) > 1):
            yield Fault("split_leak", key, "the acquisition has patches on more than one side (split by acquisition)")


def _check_digest(files: Files, claims: _Claims, facts: Sequence[ShardFacts]) -> Iterator[Fault]:
    """The dataset digest, from the bytes that are there."""
    parameters = {
        name: value for name, value in claims.provenance["parameters"].items()
        if name in claims.provenance["content_parameters"]
    }  # fmt: skip
    found = {path: _digest(files, path) for path in (*(f"{name}.parquet" for name in _TABLES), "features.json")}
    for item in facts:
        found[item.name], found[part_path(item.name)] = item.sha256, item.index_sha256
    digest = combined_digest(claims.info["name"], claims.info["version"], parameters, found)
    if digest != claims.provenance["digest"]:
        yield Fault("dataset_digest", PROVENANCE, f"says {claims.provenance['digest']}, the files give {digest}")


def _digest(files: Files, path: str) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        return sha256_hex(files.read(path))
    except OSError:
        return ""


def _few(counts: Counter[str]) -> str:
    names = sorted(counts)
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


def frames_changed(files: Files, frames: Files) -> Iterator[Fault]:
    """Frames whose bytes are no longer those that the dataset was built from.

    Args:
        files: the version folder.
        frames: the root of the frames.
    """
    for row in _read_claims(files).tables["acquisitions"]:
        for frame in row["frames"]:
            path = f"{row['folder']}/{frame['file']}"
            found = _digest(frames, path)
            if not found:
                yield Fault("frame_missing", path, "it cannot be read")
            elif found != frame["sha256"]:
                yield Fault("frame_changed", path, f"built from SHA-256 {frame['sha256']}, now {found}")
