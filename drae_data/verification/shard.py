"""One shard of a published dataset against its part of the patch index: bytes, checksums, records, images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drae_data.acquisition import OPTIONAL_PARTS, RANK_IMAGES, PatchKey
from drae_data.encodings import decode_patch_image
from drae_data.errors import DatasetError, KeyFormatError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.records import IMAGE, decode_example, read_records
from drae_data.statistics import PatchStatistics, RegionSums, patch_statistics, region_sums
from drae_data.tables import read_table, table_rows
from drae_data.verification.claims import ShardClaim
from drae_data.version_files import part_path

# The index holds mean and standard deviation as float32 of grey values up to 255.
_STATISTICS_TOLERANCE = 1e-3
_STATISTICS = tuple(field.name for field in fields(PatchStatistics))
# Beyond this many faults of one shard, or of the frames, the rest says nothing new.
_MOST_FAULTS = 20


@dataclass(frozen=True)
class Fault:
    """Something a reader would trip over.

    Attributes:
        name: of the kind of fault.
        place: shard, acquisition or file.
        detail: what was expected and what was found.
    """

    name: str
    place: str
    detail: str


@dataclass(frozen=True)
class ShardFacts:
    """What one shard holds.

    Attributes:
        name: the shard's file name.
        split: as its file name says.
        sha256: of its bytes; empty where it cannot be read.
        index_sha256: of its part of the patch index; empty where it cannot be read.
        records: read without a fault of framing.
        patches: for each acquisition key the last parts of its patch keys (`f07/v2/R1`), with repetitions.
        sums: of the statistics in its index; empty where that cannot be read.
        faults: found in this shard.
    """

    name: str
    split: str
    sha256: str
    index_sha256: str
    records: int
    patches: dict[str, list[str]]
    sums: tuple[RegionSums, ...]
    faults: tuple[Fault, ...]


def capped(faults: Iterable[Fault], place: str) -> Iterator[Fault]:
    """The first faults of many, and one that counts the others."""
    found = iter(faults)
    yield from islice(found, _MOST_FAULTS)
    if rest := sum(1 for _ in found):
        yield Fault("more_faults", place, f"{rest} more faults here")


def whole_rows(name: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a table whose cells are all there; only a time may be absent.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        table = read_table(name, content)
        gaps = [column for column in table.column_names if _has_gaps(table.column(column))]
        rows = table_rows(table)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(f"table {name}: expected a Parquet file: {error}") from error
    if gaps:
        raise DatasetError(f"table {name}: columns with empty cells: {', '.join(gaps)}")
    return rows


def _has_gaps(values: Any) -> bool:
    if pa.types.is_timestamp(values.type):
        return False
    if values.null_count:
        return True
    if pa.types.is_list(values.type):
        return _has_gaps(pc.list_flatten(values))
    return pa.types.is_struct(values.type) and any(map(_has_gaps, values.flatten()))


def check_shard(files: Files, claim: ShardClaim, size: int, encoding: str) -> ShardFacts:
    """Reads a shard whole and compares it with its index.

    Args:
        files: the version folder.
        claim: what `provenance.json` says of it.
        size: side of the patches in pixels.
        encoding: how records hold them.
    """
    name = claim.name
    try:
        content = files.read(name)
    except OSError as error:
        fault = Fault("missing_shard", name, str(error.strerror or error))
        return ShardFacts(name, claim.split, "", "", 0, {}, (), (fault,))
    digest = sha256_hex(content)
    faults = []
    if digest != claim.sha256:
        faults.append(Fault("shard_digest", name, f"expected SHA-256 {claim.sha256}, its bytes give {digest}"))
    rows: list[dict[str, Any]] | None = None
    index_digest = ""
    try:
        part = files.read(part_path(name))
        index_digest = sha256_hex(part)
        rows = whole_rows("patches", part)
    except (OSError, DatasetError) as error:
        faults.append(Fault("broken_index", part_path(name), str(error)))
    else:
        faults += _check_index(claim, rows, index_digest)
    patches: defaultdict[str, list[str]] = defaultdict(list)
    records = 0
    try:
        for index, (offset, data) in enumerate(read_records(content)):
            records += 1
            row = rows[index] if rows and index < len(rows) else None
            faults += _check_record(name, index, offset, data, row, (size, encoding), patches)
    except RecordError as error:
        faults.append(Fault("broken_record", name, str(error)))
    indexed = records if rows is None else len(rows)
    if not indexed == records == claim.records or len(content) != claim.bytes:
        detail = (
            f"{records} records in {len(content)} bytes in the shard, {indexed} in its index, "
            f"{claim.records} in {claim.bytes} bytes in provenance.json"
        )
        faults.append(Fault("count_mismatch", name, detail))
    sums = tuple(_index_sums(rows or ()))
    faults_here = tuple(capped(faults, name))
    return ShardFacts(name, claim.split, digest, index_digest, records, dict(patches), sums, faults_here)


def _index_sums(rows: Iterable[dict[str, Any]]) -> list[RegionSums]:
    """What the statistics of an index add up to."""
    return region_sums(
        (
            row["region"],
            row["image"] if row["image"] in RANK_IMAGES else "",
            PatchStatistics(**{name: row[name] for name in _STATISTICS}),
        )
        for row in rows
    )


def _check_index(claim: ShardClaim, rows: list[dict[str, Any]], digest: str) -> Iterator[Fault]:
    place = part_path(claim.name)
    if digest != claim.index_sha256:
        yield Fault("index_digest", place, f"expected SHA-256 {claim.index_sha256}, its bytes give {digest}")
    if strangers := {row["split"] for row in rows} - {claim.split}:
        detail = f"split: the index says {', '.join(sorted(strangers))}, the shard's name {claim.split}"
        yield Fault("split_mismatch", place, detail)


def _check_record(
    name: str, index: int, offset: int, data: bytes, row: dict[str, Any] | None, image: tuple[int, str],
    patches: defaultdict[str, list[str]],
) -> Iterator[Fault]:  # fmt: skip
    place = f"{name} record {index}"
    try:
        example = decode_example(data)
        key = PatchKey.parse(_text(example["key"]))
        encoded = example[IMAGE]
        found = {
            "key": str(key), "strip": _text(example["strip"]), "run": example["run"],
            **{part: _text(example[part]) for part in OPTIONAL_PARTS}, "vial": example["vial"],
            "region": _text(example["region"]), "offset": offset, "length": len(data), "index": index,
            "image": _text(example["rank"]) or f"f{int(example['frame']):02d}",
        }  # fmt: skip
    except (RecordError, KeyFormatError, KeyError, ValueError) as error:
        yield Fault("broken_record", place, f"expected the record of a patch: {error}")
        return
    if not isinstance(encoded, bytes):
        yield Fault("broken_record", place, "its image is not bytes")
        return
    patches[str(key.acquisition)].append(f"{key.image}/v{key.vial}/{key.region}")
    if row is None:
        return
    found["sha256"] = sha256_hex(encoded)
    for column, value in found.items():
        if row[column] != value:
            yield Fault("record_mismatch", place, f"{column}: the index says {row[column]!r}, the record {value!r}")
    parts = {**key.acquisition.columns(), "vial": key.vial, "region": key.region, "image": str(key.image)}
    if any(found[name] != value for name, value in parts.items()):
        yield Fault("record_mismatch", place, f"its features disagree with its key {key}")
    yield from _check_image(place, encoded, row, *image)


def _check_image(place: str, encoded: bytes, row: dict[str, Any], size: int, encoding: str) -> Iterator[Fault]:
    try:
        pixels = decode_patch_image(encoded, size, encoding)
    except RecordError as error:
        yield Fault("broken_image", place, str(error))
        return
    measured = patch_statistics(pixels, row["motion"])
    statistics = {
        "mean": pixels.mean(),
        "std": pixels.std(),
        "minimum": pixels.min(),
        "maximum": pixels.max(),
        **{name: getattr(measured, name) for name in ("sharpness", "saturated", "black")},
    }
    for column, value in statistics.items():
        if abs(float(value) - row[column]) > _STATISTICS_TOLERANCE:
            yield Fault("statistics_mismatch", place, f"{column}: the index says {row[column]}, the pixels {value}")


def _text(value: bytes | int) -> str:
    if isinstance(value, int):
        raise RecordError(f"expected text, got the number {value}")
    return value.decode()
