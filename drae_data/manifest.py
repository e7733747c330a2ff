"""The tables beside the shards: acquisitions, quarantine, patches. Rows, Arrow schemas, Parquet bytes.

Every schema carries its name and version in the Parquet metadata (`drae_schema`); a reader refuses what it does not
know.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import DatasetError

# Reason codes of the quarantine and what each means.
REASONS = {
    "unmatched_name": "the folder's name does not fit the path template",
    "duplicate_acquisition": "another folder claims the same strip and run",
    "missing_frame": "a frame that every acquisition must have is absent",
    "extra_frame": "a frame with an index beyond the expected ones",
    "duplicate_frame": "two files claim the same frame index",
    "empty_file": "a file of 0 bytes",
    "unreadable": "not an image of a supported format, or cut or damaged",
    "unsupported_format": "an image, but of a kind that is refused",
    "not_grey_8_bit": "an image, but not 8 bit grey",
    "too_large": "more pixels than max_frame_pixels",
    "wrong_size": "not the size that the strip layout expects",
    "unequal_sizes": "frames of one acquisition differ in size",
}


@dataclass(frozen=True)
class FrameFile:
    """One frame file that was read: index, file name in the acquisition folder, size in bytes, SHA-256 (hex)."""

    frame: int
    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class AcquisitionRow:
    """One built acquisition.

    Attributes:
        strip: see `AcquisitionKey`.
        run: see `AcquisitionKey`.
        folder: relative to the root.
        height: of its frames, pixels.
        width: of its frames, pixels.
        patches: how many of its patches are in the dataset.
        splits: where they are.
        shards: where they are.
        ignored_files: files in the folder that the path template does not match.
        frames: the frame files that were read.
    """

    strip: str
    run: int
    folder: str
    height: int
    width: int
    patches: int
    splits: tuple[str, ...]
    shards: tuple[str, ...]
    ignored_files: int
    frames: tuple[FrameFile, ...]

    @property
    def key(self) -> AcquisitionKey:
        """The acquisition's key."""
        return AcquisitionKey(self.strip, self.run)

    def merge(self, other: "AcquisitionRow") -> "AcquisitionRow":
        """Joins the rows that two shards hold of one acquisition (split by patch)."""
        return replace(
            self,
            patches=self.patches + other.patches,
            splits=tuple(sorted({*self.splits, *other.splits})),
            shards=tuple(sorted({*self.shards, *other.shards})),
        )


@dataclass(frozen=True, order=True)
class QuarantineRow:
    """One acquisition that was not built, and why.

    Attributes:
        folder: relative to the root.
        strip: empty where the folder's name gives none.
        run: -1 where the folder's name gives none.
        reason: a key of `REASONS`.
        file: the offending file in the folder; empty where it is the folder itself.
        detail: what was expected and what came.
    """

    folder: str
    strip: str
    run: int
    reason: str
    file: str
    detail: str


@dataclass(frozen=True)
class PatchRow:
    """One patch in a shard.

    Attributes:
        key: text form of the `PatchKey`.
        strip: see `AcquisitionKey`.
        run: see `AcquisitionKey`.
        image: text form of the `Image`.
        vial: from 0.
        region: its name.
        split: train, validation or test.
        shard: file name.
        index: record number in the shard, from 0.
        offset: byte offset of the record's data in the shard.
        length: bytes of the record's data.
        sha256: of the encoded image.
        mean: of the patch's grey values, 0 to 255.
        std: their population standard deviation.
        minimum: smallest grey value.
        maximum: largest grey value.
    """

    key: str
    strip: str
    run: int
    image: str
    vial: int
    region: str
    split: str
    shard: str
    index: int
    offset: int
    length: int
    sha256: str
    mean: float
    std: float
    minimum: int
    maximum: int


_FRAME = pa.struct([("frame", pa.int32()), ("file", pa.string()), ("bytes", pa.int64()), ("sha256", pa.string())])
_TEXTS = pa.list_(pa.string())
SCHEMAS = {
    "acquisitions": pa.schema([
        ("strip", pa.string()), ("run", pa.int32()), ("folder", pa.string()), ("height", pa.int32()),
        ("width", pa.int32()), ("patches", pa.int32()), ("splits", _TEXTS), ("shards", _TEXTS),
        ("ignored_files", pa.int32()), ("frames", pa.list_(_FRAME)),
    ]),
    "quarantine": pa.schema([
        ("folder", pa.string()), ("strip", pa.string()), ("run", pa.int32()), ("reason", pa.string()),
        ("file", pa.string()), ("detail", pa.string()),
    ]),
    "patches": pa.schema([
        ("key", pa.string()), ("strip", pa.string()), ("run", pa.int32()), ("image", pa.string()),
        ("vial", pa.int16()), ("region", pa.string()), ("split", pa.string()), ("shard", pa.string()),
        ("index", pa.int32()), ("offset", pa.int64()), ("length", pa.int32()), ("sha256", pa.string()),
        ("mean", pa.float32()), ("std", pa.float32()), ("minimum", pa.uint8()), ("maximum", pa.uint8()),
    ]),
}  # fmt: skip
_VERSION = 1
_SCHEMA_KEY = b"drae_schema"
_LEDGER_KEY = b"drae_ledger"

Row = AcquisitionRow | QuarantineRow | PatchRow


def table_bytes(name: str, rows: Iterable[Row], ledger: dict[str, Any] | None = None) -> bytes:
    """A table as the bytes of a Parquet file, rows in the given order.

    Args:
        name: a key of `SCHEMAS`.
        rows: of the matching type.
        ledger: JSON values to keep in the file's metadata.
    """
    metadata = {_SCHEMA_KEY: f"{name}/{_VERSION}".encode()}
    if ledger is not None:
        metadata[_LEDGER_KEY] = json.dumps(ledger, sort_keys=True, separators=(",", ":")).encode()
    schema = SCHEMAS[name].with_metadata(metadata)
    # asdict copies deeply, which only the frames of an acquisition need; a patch index has a million rows.
    plain = [asdict(row) if isinstance(row, AcquisitionRow) else vars(row) for row in rows]
    columns = {field.name: [row[field.name] for row in plain] for field in schema}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd", compression_level=3)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_table(name: str, content: bytes) -> pa.Table:
    """Reads a table back.

    Raises:
        DatasetError: not a Parquet file, or of another schema or version.
    """
    try:
        # One thread over Arrow's own buffer: threads that read a Python file can outlive the interpreter and abort it.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"table {name}: expected a Parquet file: {error}") from error
    found = (table.schema.metadata or {}).get(_SCHEMA_KEY, b"none").decode()
    if found != f"{name}/{_VERSION}":
        raise DatasetError(f"table {name}: expected schema {name}/{_VERSION}, got {found}")
    if not table.schema.remove_metadata().equals(SCHEMAS[name]):
        raise DatasetError(f"table {name}: its columns are not those of schema {name}/{_VERSION}")
    return table


def read_ledger(content: bytes) -> dict[str, Any]:
    """The JSON values that `table_bytes` kept in a file's metadata; raises `DatasetError`."""
    try:
        metadata = pq.read_metadata(pa.BufferReader(content)).metadata or {}
        ledger = json.loads(metadata[_LEDGER_KEY])
    except (pa.ArrowInvalid, OSError, KeyError, ValueError) as error:
        raise DatasetError(f"patch index: expected a Parquet file with a ledger: {error}") from error
    if not isinstance(ledger, dict):
        raise DatasetError("patch index: expected a ledger of named values")
    return ledger


def acquisition_row(values: dict[str, Any]) -> AcquisitionRow:
    """An `AcquisitionRow` from the plain values of a ledger or a table row."""
    return AcquisitionRow(**{
        **values,
        "splits": tuple(values["splits"]),
        "shards": tuple(values["shards"]),
        "frames": tuple(FrameFile(**frame) for frame in values["frames"]),
    })  # fmt: skip
