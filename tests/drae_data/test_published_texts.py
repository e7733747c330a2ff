"""No path above the root, no time of the build and no host is in any published file."""

import json
import os
import platform
import socket
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.manifest import AcquisitionRow, FrameFile
from drae_data.records import decode_example, encode_example, frame_record, read_records
from drae_data.tables import read_ledger, table_bytes
from tests.small_line import build_dataset, small_options, tree_bytes, write_line


def published_texts(name: str, content: bytes) -> Iterator[str]:
    """What a file says, unpacked: table cell by cell with its metadata, JSON value by value, records' features."""
    if name.endswith(".parquet"):
        table = pq.read_table(pa.BufferReader(content))
        yield from (value.decode() for value in (table.schema.metadata or {}).values())
        yield from leaves(table.to_pylist())
        if name.startswith("patches/"):
            yield from leaves(read_ledger(content))
    elif name.endswith(".json"):
        yield from leaves(json.loads(content))
    else:
        for _, data in read_records(content):
            yield from leaves([value for key, value in decode_example(data).items() if key != "image"])


def leaves(value: Any) -> Iterator[str]:
    """Every name and value in nested lists and dictionaries, as text."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value.decode() if isinstance(value, bytes) else str(value)


def found_traces(folder: Path, traces: Iterable[str]) -> set[tuple[str, str]]:
    """Files that hold any of the traces, with the trace."""
    return {
        (name, trace)
        for name, content in tree_bytes(folder).items()
        for text in published_texts(name, content)
        for trace in traces
        if trace in text
    }


def test_no_path_and_no_time_is_in_any_published_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = "name-of-this-host"
    for module, name in ((socket, "gethostname"), (platform, "node")):
        monkeypatch.setattr(module, name, lambda: host)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", host, "", "", "")))
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    (root / "A/run_00/frame_00.png").write_bytes(b"")
    days = {date.today(), datetime.now(UTC).date()}
    build_dataset(root, out, small_options(max_quarantined=1))
    days |= {date.today(), datetime.now(UTC).date()}
    path, today = str(tmp_path), str(max(days))
    dates = [day.strftime(form) for day in days for form in ("%Y-%m-%d", "%Y%m%d")]
    assert found_traces(out, [path, host, *dates]) == set()
    # The search can fail: it finds what is planted in a cell, a ledger, a JSON file and a record.
    row = AcquisitionRow.at(
        AcquisitionKey("A", 0), folder=path, label="", views=(), shift_x=0, shift_y=0, acquired_at="", exposure="",
        gain="", serial="", notes=(), patches=20, splits=("train",), shards=("x",), ignored_files=0,
        frames=(FrameFile(0, -1, "", f"{today}.png", 1, ""),), sidecar=(), frame_statistics=(), signature="",
    )  # fmt: skip
    planted = {
        "acquisitions.parquet": table_bytes("acquisitions", [row]),
        "patches/x.parquet": table_bytes("patches", [], {"acquisitions": [{"folder": path}]}),
        "provenance.json": json.dumps({"parameters": {"made": [f"on {host}"]}}).encode(),
        "small-train.tfrecord-00000-of-00001": frame_record(encode_example({"key": today.encode()})),
    }
    for name, content in planted.items():
        (tmp_path / "planted" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "planted" / name).write_bytes(content)
    assert found_traces(tmp_path / "planted", [path, host, today]) == {
        ("acquisitions.parquet", path),
        ("acquisitions.parquet", today),
        ("patches/x.parquet", path),
        ("provenance.json", host),
        ("small-train.tfrecord-00000-of-00001", today),
    }
