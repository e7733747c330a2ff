"""The tables beside the shards as Parquet: Arrow schemas, bytes, and back.

Every schema carries its name and version in the Parquet metadata (`drae_schema`); a reader refuses what it does not
know.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from drae_data.errors import DatasetError
from drae_data.manifest import AcquisitionRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_FRAME = pa.struct([
    ("frame", pa.int32()), ("vial", pa.int16()), ("region", pa.string()), ("file", pa.string()),
    ("bytes", pa.int64()), ("sha256", pa.string()),
])  # fmt: skip
_FRAME_STATISTICS = pa.struct([
    ("frame", pa.int32()), ("vial", pa.int16()), ("region", pa.string()), ("mean", pa.float32()),
    ("motion", pa.float32()),
])  # fmt: skip
_VIEW = pa.struct([
    ("vial", pa.int16()), ("region", pa.string()), ("height", pa.int32()), ("width", pa.int32()),
])  # fmt: skip
_TEXTS = pa.list_(pa.string())
_KEY = [
    ("strip", pa.string()), ("run", pa.int32()), ("batch", pa.string()), ("recipe", pa.string()),
    ("station", pa.string()),
]  # fmt: skip
_REFUSED = pa.schema([
    ("folder", pa.string()), *_KEY, ("reason", pa.string()), ("file", pa.string()), ("detail", pa.string()),
])  # fmt: skip
SCHEMAS = {
    "acquisitions": pa.schema([
        *_KEY, ("folder", pa.string()), ("label", pa.string()), ("views", pa.list_(_VIEW)),
        ("shift_x", pa.int32()), ("shift_y", pa.int32()), ("acquired_at", pa.timestamp("us", tz="UTC")),
        ("exposure", pa.string()), ("gain", pa.string()), ("serial", pa.string()), ("notes", _TEXTS),
        ("patches", pa.int32()), ("splits", _TEXTS), ("shards", _TEXTS), ("ignored_files", pa.int32()),
        ("frames", pa.list_(_FRAME)), ("sidecar", pa.list_(_FRAME)),
        ("frame_statistics", pa.list_(_FRAME_STATISTICS)), ("signature", pa.string()),
    ]),
    "quarantine": _REFUSED,
    "left_out": _REFUSED,
    "labels": pa.schema([
        *_KEY, ("vial", pa.int16()), ("region", pa.string()), ("label", pa.string()), ("code", pa.string()),
        ("defect", pa.string()), ("size", pa.float64()),
    ]),
    "findings": pa.schema([("kind", pa.string()), ("place", pa.string()), ("detail", pa.string())]),
    "plan": pa.schema([
        *_KEY, ("split", pa.string()), ("shard", pa.string()), ("folder", pa.string()),
        ("validation_patches", pa.int32()),
    ]),
    "patches": pa.schema([
        ("key", pa.string()), *_KEY, ("image", pa.string()), ("vial", pa.int16()), ("region", pa.string()),
        ("split", pa.string()), ("index", pa.int32()), ("offset", pa.int64()), ("length", pa.int32()),
        ("sha256", pa.string()), ("mean", pa.float32()), ("std", pa.float32()), ("minimum", pa.uint8()),
        ("maximum", pa.uint8()), ("sharpness", pa.float32()), ("saturated", pa.float32()), ("black", pa.float32()),
        ("motion", pa.float32()),
    ]),
    "statistics": pa.schema([
        ("split", pa.string()), ("region", pa.string()), ("image", pa.string()), ("patches", pa.int64()),
        ("mean", pa.float64()), ("mean_std", pa.float64()), ("std", pa.float64()), ("sharpness", pa.float64()),
        ("saturated", pa.float64()), ("black", pa.float64()), ("motion", pa.float64()),
    ]),
    "violations": pa.schema([
        ("severity", pa.string()), ("rule", pa.string()), ("place", pa.string()), ("measured", pa.float64()),
        ("limit", pa.float64()), ("detail", pa.string()),
    ]),
}  # fmt: skip
# The published tables, by name; the index of patches has a part per shard instead, and violations lie in a report.
TABLES = {name: f"{name}.parquet" for name in SCHEMAS if name not in ("patches", "violations")}
_VERSIONS = dict.fromkeys(SCHEMAS, 2) | {"labels": 3, "acquisitions": 3, "patches": 3, "statistics": 1, "violations": 1}
_SCHEMA_KEY = b"drae_schema"
_LEDGER_KEY = b"drae_ledger"


def table_bytes(name: str, rows: Iterable["DataclassInstance"], ledger: dict[str, Any] | None = None) -> bytes:
    """A table as the bytes of a Parquet file, rows in the given order.

    Args:
        name: a key of `SCHEMAS`.
        rows: dataclasses with the schema's columns as fields.
        ledger: JSON values to keep in the file's metadata.
    """
    metadata = {_SCHEMA_KEY: f"{name}/{_VERSIONS[name]}".encode()}
    if ledger is not None:
        metadata[_LEDGER_KEY] = json.dumps(ledger, sort_keys=True, separators=(",", ":")).encode()
    schema = SCHEMAS[name].with_metadata(metadata)
    # asdict copies deeply, which only the frames of an acquisition need; a patch index has a million rows.
    plain = [asdict(row) if isinstance(row, AcquisitionRow) else vars(row) for row in rows]
    columns = {field.name: [_stored(field.type, row[field.name]) for row in plain] for field in schema}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd", compression_level=3)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _stored(kind: pa.DataType, value: Any) -> Any:
    """A row's value as Arrow takes it: a time is text in the rows."""
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value) if value else None
    return value


def read_table(name: str, content: bytes) -> pa.Table:
    """Reads a table back.

    Raises:
        DatasetError: not a Parquet file, or of another schema or version.
    """
    try:
        # One thread over Arrow's own buffer: threads that read a Python file can outlive the interpreter and abort it.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        # Parquet lets any bytes stand for a text: those that are none end here, not where a row is looked at.
        table.validate(full=True)
        found = (table.schema.metadata or {}).get(_SCHEMA_KEY, b"none").decode()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"table {name}: expected a Parquet file: {error}") from error
    if found != f"{name}/{_VERSIONS[name]}":
        raise DatasetError(f"table {name}: expected schema {name}/{_VERSIONS[name]}, got {found}")
    if not table.schema.remove_metadata().equals(SCHEMAS[name]):
        raise DatasetError(f"table {name}: its columns are not those of schema {name}/{_VERSIONS[name]}")
    return table


def table_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as plain values, times as text again; raises `DatasetError` for a time that no year has."""
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    try:
        rows: list[dict[str, Any]] = table.to_pylist()
    except (OverflowError, ValueError) as error:
        raise DatasetError(f"table: expected times between the years 1 and 9999: {error}") from error
    for row in rows:
        for name in times:
            row[name] = "" if row[name] is None else row[name].isoformat()
    return rows


def read_ledger(content: bytes) -> dict[str, Any]:
    """The JSON values that `table_bytes` kept in a file's metadata; raises `DatasetError`."""
    try:
        metadata = pq.read_metadata(pa.BufferReader(content)).metadata or {}
        ledger = json.loads(metadata[_LEDGER_KEY])
    except (pa.ArrowException, OSError, KeyError, ValueError, RecursionError) as error:
        raise DatasetError(f"patch index: expected a Parquet file with a ledger: {error}") from error
    if not isinstance(ledger, dict):
        raise DatasetError("patch index: expected a ledger of named values")
    return ledger
