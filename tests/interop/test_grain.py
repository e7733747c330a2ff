"""Grain reads the ArrayRecord export; the files repeat byte for byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drae_data.records import decode_example, read_records
from pipelines.export import main as export
from tests.interop.sample import decoded, digest_of, expected_digest
from tests.small_line import tree_bytes

grain = pytest.importorskip("grain")


def records_of(folder: Path) -> Iterator[bytes]:
    source = grain.sources.ArrayRecordDataSource([str(path) for path in sorted(folder.glob("*.array_record-*"))])
    yield from (source[number] for number in range(len(source)))


def test_grain_reads_every_patch(array_records: Path) -> None:
    examples: list[dict[str, Any]] = [decode_example(record) for record in records_of(array_records)]
    assert digest_of((example["key"].decode(), decoded(example["image"])) for example in examples) == expected_digest()


def test_the_records_are_those_of_the_shards_in_their_order(array_records: Path, version: Path) -> None:
    shards = sorted(version.glob("*.tfrecord-*"))
    assert list(records_of(array_records)) == [data for path in shards for _, data in read_records(path.read_bytes())]


def test_another_export_has_the_same_bytes(array_records: Path, version: Path, tmp_path: Path) -> None:
    assert export([str(version), "--format", "arrayrecord", "--out", str(tmp_path / "again")]) == 0
    assert tree_bytes(tmp_path / "again") == tree_bytes(array_records)
