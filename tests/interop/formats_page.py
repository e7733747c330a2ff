"""The parts of docs/formats.md that follow from the code, and the code blocks in it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from drae_data.codes import FINDINGS, LEFT_OUT, NOTES, REASONS
from drae_data.column_texts import COLUMN_TEXTS, TABLE_TEXTS
from drae_data.exports.card import TEXTS
from drae_data.exports.parquet_export import SCHEMA
from drae_data.records import FEATURES
from drae_data.tables import SCHEMAS
from tests.interop.sample import ROOT

PAGE = ROOT / "docs/formats.md"
CODES = {
    "quarantine.reason": REASONS, "left_out.reason": LEFT_OUT, "acquisitions.notes": NOTES, "findings.kind": FINDINGS,
}  # fmt: skip
_FEATURE_TEXTS = {
    **COLUMN_TEXTS["patches"],
    "image": "the patch, see below",
    "frame": TEXTS["frame"],
    "rank": TEXTS["rank"],
}


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def type_name(kind: pa.DataType) -> str:
    """An Arrow type in few words."""
    if pa.types.is_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return "struct"
    if pa.types.is_timestamp(kind):
        return "timestamp, µs, UTC"
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


def column_rows(schema: pa.Schema, texts: Mapping[str, str]) -> Iterable[str]:
    """A row for each column, those of structures inside a list behind it."""
    for column in schema:
        yield row(f"`{column.name}`", type_name(column.type), texts[column.name])
        if pa.types.is_list(column.type) and pa.types.is_struct(column.type.value_type):
            for part in column.type.value_type:
                path = f"{column.name}.{part.name}"
                yield row(f"`{path}`", type_name(part.type), texts[path])


def table_section(name: str) -> str:
    head = f"### {name}\n\n{TABLE_TEXTS[name]}\n\n| column | type | meaning |\n| --- | --- | --- |\n"
    return head + "\n".join(column_rows(SCHEMAS[name], COLUMN_TEXTS[name]))


def export_rows() -> str:
    return "\n".join(column_rows(SCHEMA, TEXTS))


def feature_rows() -> str:
    kinds = {"image": "bytes", "text": "bytes, UTF-8", "int64": "int64"}
    return "\n".join(row(f"`{name}`", kinds[kind], _FEATURE_TEXTS[name]) for name, kind in sorted(FEATURES.items()))


def code_rows(codes: Mapping[str, str]) -> str:
    return "\n".join(row(f"`{code}`", text) for code, text in codes.items())


def python_blocks() -> dict[str, Any]:
    """The names that the page's Python defines, all blocks run one after the other."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def record_bytes() -> bytes:
    """The bytes of the record that the page shows in full."""
    line = re.compile(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?){1,16})(?:  .*)?$", re.MULTILINE)
    lines = line.findall(PAGE.read_text(encoding="utf-8"))
    found = b""
    for offset, text in lines:
        assert int(offset, 16) == len(found)
        found += bytes.fromhex(text)
    return found
