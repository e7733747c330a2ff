"""Everything a reader of a published dataset relies on, checked again from the files alone; each fault has a name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from drae_data.acquisition import AcquisitionKey
from drae_data.files import Files
from drae_data.manifest import key_of
from drae_data.metadata import FILE_FORMAT, FILEPATH_TEMPLATE, combined_digest
from drae_data.options import STRIPS_WHOLE
from drae_data.patch_rows import StatisticsRow
from drae_data.statistics import RegionSums, add_sums
from drae_data.tables import TABLES
from drae_data.verification.claims import OTHERS, Claims, Info, ShardClaim, read_claims, read_info
from drae_data.verification.croissant import check_croissant
from drae_data.verification.reading import Rows, content_of, digest_of, rows_of
from drae_data.verification.shard import Fault, ShardFacts, check_shard
from drae_data.version_files import COMMIT_POINT, CROISSANT, PATCHES, PROVENANCE, WORK, done_path, part_path


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


def claimed_records(files: Files) -> int:
    """How many records `dataset_info.json` claims; raises `DatasetError` where it is absent or distorted."""
    return sum(length for split in read_info(files).splits for _, length in split.shards)


def verify_dataset(files: Files, threads: int, checked: Callable[[int], None] = lambda _: None) -> Verification:
    """Checks a published version.

    Args:
        files: the version folder.
        threads: shards in work at the same time.
        checked: called with the number of records of each shard as it is done; may be called from any thread.

    Raises:
        DatasetError: there is nothing to verify: not committed, or its JSON files are distorted.
    """
    claims = read_claims(files)

    def check(claim: ShardClaim) -> ShardFacts:
        facts = check_shard(files, claim, claims.size, claims.encoding)
        checked(facts.records)
        return facts

    with ThreadPoolExecutor(max_workers=threads) as pool:
        facts = list(pool.map(check, claims.shards.values()))
    faults = [fault for item in facts for fault in item.faults]
    others = {path: content_of(files, path) for path in OTHERS}
    tables = {name: rows_of(name, others[path]) for name, path in TABLES.items()}
    faults += _check_others(claims, others, tables)
    faults += _check_folder(files, claims.shards)
    faults += _check_info(claims.info, claims.shards)
    faults += _check_acquisitions(claims, facts, tables)
    shared = _shared_strips(facts)
    faults += _check_split(claims, facts, shared)
    faults += _check_statistics(facts, tables["statistics"])
    faults += _check_digest(claims, facts, others)
    faults += check_croissant(files, claims, facts, others)
    records: Counter[str] = Counter()
    for item in facts:
        records[item.split] += item.records
    return Verification(
        f"{claims.info.name} {claims.info.version}", claims.digest, len(facts), dict(records),
        len(tables["acquisitions"] or ()), len(tables["quarantine"] or ()), len(shared), tuple(faults),
    )  # fmt: skip


def _check_others(
    claims: Claims, others: Mapping[str, bytes | None], tables: Mapping[str, Rows | None]
) -> Iterator[Fault]:
    """The tables and `features.json`: one fault each, the one that says most."""
    unreadable = {TABLES[name] for name, rows in tables.items() if rows is None}
    for path, content in others.items():
        if content is None:
            yield Fault("missing_file", path, "it cannot be read")
        elif path in unreadable:
            yield Fault("broken_table", path, "expected the Parquet file of the build; what needs it is not checked")
        elif (found := digest_of(content)) != claims.files[path]:
            yield Fault("file_digest", path, f"expected SHA-256 {claims.files[path]}, its bytes give {found}")


def _check_folder(files: Files, shards: Mapping[str, ShardClaim]) -> Iterator[Fault]:
    """Files and folders that should not be there; hidden folders other than the build's own are not seen."""
    known = {
        "": {*shards, *OTHERS, COMMIT_POINT, PROVENANCE, CROISSANT},
        PATCHES: {part_path(name).removeprefix(f"{PATCHES}/") for name in shards},
    }
    for folder, names in known.items():
        for name in sorted(set(files.names(folder)) - names):
            path = f"{folder}/{name}" if folder else name
            yield Fault("stray_file", path, "it belongs to no shard or table of this version")
    below = (folder for folder in files.folders(2) if folder.startswith(f"{PATCHES}/"))
    for folder in sorted({*files.folders(1), *below} - {PATCHES}):
        yield Fault("stray_file", folder, "a folder that belongs to no version")
    if files.names(WORK) or files.names(done_path("").rpartition("/")[0]):
        yield Fault("stray_file", WORK, "the working folder of a build is left over")


def _check_info(info: Info, shards: Mapping[str, ShardClaim]) -> Iterator[Fault]:
    """What TFDS readers rely on: file format, splits, shard names, lengths, sizes."""
    if info.file_format != FILE_FORMAT:
        yield Fault("info_mismatch", COMMIT_POINT, f"fileFormat: expected {FILE_FORMAT}, got {info.file_format}")
    named = set()
    for split in info.splits:
        if split.template != FILEPATH_TEMPLATE:
            detail = f"filepathTemplate: expected {FILEPATH_TEMPLATE}, got {split.template}"
            yield Fault("info_mismatch", split.name, detail)
        for name, length in split.shards:
            named.add(name)
            claimed = shards[name].records if name in shards else None
            if claimed != length:
                yield Fault("info_mismatch", name, f"{COMMIT_POINT} says {length} records, {PROVENANCE} {claimed}")
        total = sum(shards[name].bytes for name, _ in split.shards if name in shards)
        if total != split.bytes:
            detail = f"{COMMIT_POINT} says {split.bytes} bytes, the shards are {total}"
            yield Fault("info_mismatch", split.name, detail)
    for name in sorted(set(shards) - named):
        yield Fault("info_mismatch", name, f"{PROVENANCE} names it, {COMMIT_POINT} does not")


def _check_acquisitions(
    claims: Claims, facts: Sequence[ShardFacts], tables: Mapping[str, Rows | None]
) -> Iterator[Fault]:
    """Every acquisition has each expected patch exactly once, and the tables name the same acquisitions as the shards.

    Where a table cannot be read, what the shards hold is checked without it.
    """
    expected = Counter(claims.expected_patches)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    places: defaultdict[str, list[ShardFacts]] = defaultdict(list)
    for item in facts:
        for key, parts in item.patches.items():
            found[key].update(parts)
            places[key].append(item)
    rows = [(key_of(row), row) for row in tables["acquisitions"] or ()]
    named = Counter(key for key, _ in rows)
    for key in sorted({*named, *found}):
        if missing := expected - found[key]:
            yield Fault("missing_patch", key, f"{missing.total()} of {expected.total()} patches: {_few(missing)}")
        if extra := found[key] - expected:
            yield Fault("duplicate_patch", key, f"{extra.total()} patches more than once or unknown: {_few(extra)}")
        if named[key] > 1:
            yield Fault("table_mismatch", key, f"it has {named[key]} rows in acquisitions.parquet")
        if not named[key] and tables["acquisitions"] is not None:
            yield Fault("unknown_acquisition", key, "it has patches, but no row in acquisitions.parquet")
    for key, row in rows:
        claimed = (row["patches"], sorted(row["shards"]), sorted(row["splits"]))
        actual = (expected.total(), [item.name for item in places[key]], sorted({item.split for item in places[key]}))
        if claimed != actual:
            yield Fault("table_mismatch", key, f"patches, shards, splits: the table says {claimed}, it is {actual}")
    for row in tables["quarantine"] or ():
        if row["run"] >= 0 and key_of(row) in named:
            yield Fault("table_mismatch", row["folder"], "it is in quarantine and in acquisitions.parquet")
    yield from _check_plan(rows, tables["plan"])


def _check_plan(rows: Sequence[tuple[str, dict[str, Any]]], plan: Rows | None) -> Iterator[Fault]:
    """Every built acquisition is planned for just the shards that hold it: a later version goes on from the plan."""
    planned: defaultdict[str, list[str]] = defaultdict(list)
    for row in plan or ():
        if row["shard"]:
            planned[key_of(row)].append(row["shard"])
    for key, row in rows if plan is not None else ():
        if sorted(planned[key]) != sorted(row["shards"]):
            detail = f"plan.parquet has it in {sorted(planned[key])}, acquisitions.parquet in {sorted(row['shards'])}"
            yield Fault("plan_mismatch", key, detail)


def _shared_strips(facts: Sequence[ShardFacts]) -> set[str]:
    """Strips with patches on more than one side."""
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for item in facts:
        for key in item.patches:
            sides[AcquisitionKey.parse(key).strip_id].add(item.split)
    return {strip for strip, splits in sides.items() if len(splits) > 1}


def _check_split(claims: Claims, facts: Sequence[ShardFacts], shared: set[str]) -> Iterator[Fault]:
    if claims.split_by in STRIPS_WHOLE:
        for strip in sorted(shared):
            detail = f"the strip has patches on more than one side (split by {claims.split_by})"
            yield Fault("split_leak", strip, detail)
    if claims.split_by == "acquisition":
        sides: defaultdict[str, set[str]] = defaultdict(set)
        for item in facts:
            for key in item.patches:
                sides[key].add(item.split)
        for key in sorted(name for name, splits in sides.items() if len(splits) > 1):
            yield Fault("split_leak", key, "the acquisition has patches on more than one side (split by acquisition)")


def _check_statistics(facts: Sequence[ShardFacts], rows: Rows | None) -> Iterator[Fault]:
    """The means of each split, region and kind of image, from the statistics of all patches."""
    sums: defaultdict[str, list[RegionSums]] = defaultdict(list)
    for item in facts:
        sums[item.split] += item.sums
    expected = {(split, one.region, one.image): StatisticsRow.of(split, one)
                for split, parts in sums.items() for one in add_sums(parts)}  # fmt: skip
    found = {(row["split"], row["region"], row["image"]): StatisticsRow(**row) for row in rows or ()}
    for place in sorted(expected.keys() | found.keys()) if rows is not None else ():
        if expected.get(place) != found.get(place):
            detail = f"the table says {found.get(place)}, the patch index gives {expected.get(place)}"
            yield Fault("statistics_mismatch", f"{TABLES['statistics']}: {'/'.join(place)}", detail)


def _check_digest(claims: Claims, facts: Sequence[ShardFacts], others: Mapping[str, bytes | None]) -> Iterator[Fault]:
    """The dataset digest, from the bytes that are there."""
    found = {path: digest_of(content) for path, content in others.items()}
    for item in facts:
        found[item.name], found[part_path(item.name)] = item.sha256, item.index_sha256
    digest = combined_digest(claims.info.name, claims.info.version, claims.content, found)
    if digest != claims.digest:
        yield Fault("dataset_digest", PROVENANCE, f"says {claims.digest}, the files give {digest}")


def _few(counts: Counter[str]) -> str:
    names = sorted(counts)
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
