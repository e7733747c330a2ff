"""`verdicts.parquet`: every verdict with the patch that decided it, for audits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drae_acceptance.errors import TraceError
from drae_acceptance.options import RUN, STRIP
from drae_acceptance.verdict import RunVerdict, StripVerdict, Verdicts

VERDICTS = "verdicts.parquet"
_VERSION = b"verdicts/2"
_SCHEMA_KEY = b"drae_schema"
# What the verdicts were made from, in the metadata of the file.
_SOURCES = (b"thresholds_digest", b"scores_digest")
_SCHEMA = pa.schema([
    ("key", pa.string()), ("level", pa.string()), ("strip", pa.string()), ("run", pa.int32()), ("label", pa.string()),
    ("verdict", pa.string()), ("state", pa.string()), ("valid_runs", pa.int32()), ("rejected_runs", pa.int32()),
    ("patch", pa.string()), ("region", pa.string()), ("score", pa.float64()), ("threshold", pa.float64()),
    ("ratio", pa.float64()), ("defect", pa.string()), ("size", pa.float64()), ("detail", pa.string()),
])  # fmt: skip


@dataclass(frozen=True)
class VerdictTable:
    """A table of verdicts, read back.

    Attributes:
        rows: by key, `K0021/r3` for a strip in a run and `K0021` for a strip over its runs.
        thresholds_digest: of the thresholds that judged.
        scores_digest: of the card of the scores that were judged, see `ScoreCard.digest`.
    """

    rows: dict[str, dict[str, Any]]
    thresholds_digest: str
    scores_digest: str


def verdicts_bytes(verdicts: Verdicts, thresholds_digest: str, scores_digest: str) -> bytes:
    """`verdicts.parquet`, the same for the same verdicts.

    Args:
        verdicts: strips in a run, then strips over their runs.
        thresholds_digest: of `thresholds.json`.
        scores_digest: of the card of the scores.
    """
    rows = [*map(verdict_row, verdicts.strips), *map(verdict_row, verdicts.runs)]
    digests = dict(zip(_SOURCES, (thresholds_digest.encode(), scores_digest.encode()), strict=True))
    schema = _SCHEMA.with_metadata({_SCHEMA_KEY: _VERSION, **digests})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd", compression_level=3)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def verdict_row(one: StripVerdict | RunVerdict) -> dict[str, Any]:
    """A verdict as the values of a row."""
    over_runs = isinstance(one, RunVerdict)
    decided = one.deciding
    return {
        "key": one.key,
        "level": RUN if over_runs else STRIP,
        "strip": one.strip,
        "run": -1 if isinstance(one, RunVerdict) else one.run,
        "label": one.label,
        "verdict": one.verdict,
        "state": one.state if isinstance(one, RunVerdict) else "",
        "valid_runs": one.valid if isinstance(one, RunVerdict) else None,
        "rejected_runs": one.rejected if isinstance(one, RunVerdict) else None,
        "patch": decided.patch if decided else "",
        "region": decided.region if decided else "",
        "score": decided.score if decided else None,
        "threshold": decided.threshold if decided else None,
        "ratio": decided.ratio if decided else None,
        "defect": one.defect,
        "size": one.size,
        "detail": one.detail,
    }


def read_verdicts(place: Path) -> VerdictTable:
    """Reads a table of verdicts; raises `TraceError`."""
    again = "run python -m pipelines.evaluate"
    try:
        table = pq.ParquetFile(pa.BufferReader(place.read_bytes())).read(use_threads=False)
    except OSError as error:
        raise TraceError(f"{place}: expected the table of verdicts, got: {error.strerror or error}; {again}") from error
    except pa.ArrowInvalid as error:
        raise TraceError(f"{place}: expected a Parquet file: {error}; {again}") from error
    metadata = table.schema.metadata or {}
    if metadata.get(_SCHEMA_KEY) != _VERSION or table.schema.names != _SCHEMA.names:
        raise TraceError(f"{place}: expected the table {_VERSION.decode()}, got another; {again}")
    rows = {row["key"]: row for row in table.to_pylist()}
    return VerdictTable(rows, *(metadata.get(name, b"").decode() for name in _SOURCES))
