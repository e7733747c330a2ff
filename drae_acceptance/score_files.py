"""A folder of scores: `scores.parquet`, `acquisitions.parquet`, and `scores.json`, the card.

The card is written last and holds the digests of the two tables and of the gallery (`drae_acceptance.gallery`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from drae_acceptance.errors import BindingError, ScoreError
from drae_acceptance.score_table import Acquired, PatchScores, ScoreCard, ScoreSet, check_one_source
from drae_data.files import sha256_hex

SCORES, ACQUISITIONS, CARD = "scores.parquet", "acquisitions.parquet", "scores.json"
_TEXT = pa.dictionary(pa.int32(), pa.string())
_VERSION = 2
_SCHEMA_KEY = b"drae_schema"
_SCORE_SCHEMA = pa.schema([
    ("acquisition", _TEXT), ("strip", _TEXT), ("run", pa.int32()), ("image", _TEXT), ("frame", pa.int16()),
    ("vial", pa.int16()), ("region", _TEXT), ("score", pa.float32()), ("label", _TEXT), ("defect", _TEXT),
    ("size", pa.float32()), ("vial_label", _TEXT), ("strip_label", _TEXT),
    ("dataset_digest", _TEXT), ("model_digest", _TEXT),
])  # fmt: skip
_ACQUISITION_SCHEMA = pa.schema([
    ("acquisition", pa.string()), ("strip", pa.string()), ("run", pa.int32()), ("strip_label", pa.string()),
    ("defect", pa.string()), ("size", pa.float32()), ("state", pa.string()), ("detail", pa.string()),
    ("frames", pa.list_(pa.string())),
])  # fmt: skip


def scores_bytes(patches: PatchScores) -> bytes:
    """`scores.parquet`, the same for the same rows."""
    columns = [pa.array(getattr(patches, field.name)).cast(field.type) for field in _SCORE_SCHEMA]
    return _parquet(pa.table(columns, schema=_SCORE_SCHEMA), "scores")


def acquisitions_bytes(rows: Sequence[Acquired]) -> bytes:
    """`acquisitions.parquet`, the same for the same rows."""
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in _ACQUISITION_SCHEMA}
    return _parquet(pa.table(columns, schema=_ACQUISITION_SCHEMA), "acquisitions")


def card_bytes(card: ScoreCard, scores: bytes, acquisitions: bytes, gallery: bytes) -> bytes:
    """`scores.json` with the digests of both tables and of `gallery.json`."""
    contents = {"scores": scores, "acquisitions": acquisitions, "gallery": gallery}
    values = asdict(card) | {f"{name}_sha256": sha256_hex(content) for name, content in contents.items()}
    return (json.dumps({"format_version": _VERSION, **values}, indent=2, sort_keys=True) + "\n").encode()


def read_score_set(folder: Path) -> ScoreSet:
    """Reads a folder of scores.

    Raises:
        ScoreError: a file is absent, damaged or of another version, or holds what no score table may hold.
        BindingError: the tables are not those that the card names, or are of several models or datasets.
    """
    card = read_score_card(folder)
    content = _checked(folder / SCORES, card.scores_sha256, card)
    table = _table(folder / SCORES, content, "scores", _SCORE_SCHEMA)
    columns = {name: _column(table.column(name)) for name in _SCORE_SCHEMA.names}
    acquisitions = read_acquisitions(folder, card)
    try:
        scored = ScoreSet(card, PatchScores(**columns), acquisitions)
    except (ScoreError, BindingError) as error:
        raise type(error)(f"{folder}: {error}") from error
    check_one_source(scored)
    return scored


def read_acquisitions(folder: Path, card: ScoreCard) -> tuple[Acquired, ...]:
    """Reads `acquisitions.parquet`; raises like `read_score_set`."""
    content = _checked(folder / ACQUISITIONS, card.acquisitions_sha256, card)
    rows = _table(folder / ACQUISITIONS, content, "acquisitions", _ACQUISITION_SCHEMA).to_pylist()
    return tuple(Acquired(**{**row, "frames": tuple(row["frames"])}) for row in rows)


def _checked(place: Path, expected: str, card: ScoreCard) -> bytes:
    """The content of a table that the card names; raises `BindingError` where it is another."""
    content = _read(place)
    if (came := sha256_hex(content)) != expected:
        raise BindingError(
            f"{place}: expected the table of SHA-256 {expected}, as {CARD} says, got {came}; "
            f"run python -m pipelines.score --set {card.set} again"
        )
    return content


def read_score_card(folder: Path) -> ScoreCard:
    """Reads `scores.json`; raises `ScoreError`."""
    place = folder / CARD
    try:
        values = json.loads(_read(place))
        version = values.pop("format_version")
        if version != _VERSION:
            raise ScoreError(f"{place}: expected format_version {_VERSION}, got {version!r}; score the set again")
        return _card(values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ScoreError(f"{place}: expected the card of a score table, got {error!r}; score the set again") from error


def _card(values: dict[str, Any]) -> ScoreCard:
    """The card of JSON values; raises `ValueError` and its like where one is absent or of another type."""
    names = {field.name for field in fields(ScoreCard)}
    if set(values) != names:
        raise ValueError(f"entries that are missing or unknown: {', '.join(sorted(names ^ set(values)))}")
    if missing := [name for name in ("name", "version", "digest") if not isinstance(values["dataset"].get(name), str)]:
        raise ValueError(f"dataset: without {', '.join(missing)}")
    lists = ("regions", "images", "left_out")
    for name in sorted(names - {"dataset"}):
        kind = list if name in lists else {"vials": int, "score": dict}.get(name, str)
        if not isinstance(values[name], kind):
            raise ValueError(f"{name}: {values[name]!r}, which is no {kind.__name__}")
    return ScoreCard(**{**values, **{name: tuple(values[name]) for name in lists}})


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise ScoreError(
            f"{place}: expected a scored set, got: {error.strerror}; run python -m pipelines.score first"
        ) from error


def _table(place: Path, content: bytes, name: str, schema: pa.Schema) -> pa.Table:
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise ScoreError(f"{place}: expected a Parquet file: {error}; score the set again") from error
    found = (table.schema.metadata or {}).get(_SCHEMA_KEY, b"none").decode()
    if found != f"{name}/{_VERSION}" or table.schema.names != schema.names:
        raise ScoreError(f"{place}: expected the table {name}/{_VERSION}, got {found}; score the set again")
    return table


def _column(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    if pa.types.is_dictionary(column.type):
        return np.asarray(column.cast(pa.string()).to_pylist(), dtype=np.str_)
    values: npt.NDArray[Any] = column.to_numpy()
    return values


def _parquet(table: pa.Table, name: str) -> bytes:
    table = table.replace_schema_metadata({_SCHEMA_KEY: f"{name}/{_VERSION}".encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=3)
    content: bytes = sink.getvalue().to_pybytes()
    return content
