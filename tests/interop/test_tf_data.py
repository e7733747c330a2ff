"""Plain tf.data reads every patch of the published shards, and the index leads to each record."""

from pathlib import Path

import pytest

from drae_data.tables import read_table
from tests.interop.plain_records import plain_records
from tests.interop.sample import digest_of, expected_digest

tf = pytest.importorskip("tensorflow")


def test_tf_data_reads_every_patch(version: Path) -> None:
    records = {**plain_records(version, "train"), **plain_records(version, "validation")}
    assert digest_of((key, record["image"]) for key, record in records.items()) == expected_digest()


def test_the_index_finds_each_record_by_offset(version: Path) -> None:
    for part in (version / "patches").iterdir():
        for row in read_table("patches", part.read_bytes()).to_pylist()[::50]:
            data = (version / part.stem).read_bytes()[row["offset"] : row["offset"] + row["length"]]
            assert tf.train.Example.FromString(data).features.feature["key"].bytes_list.value[0] == row["key"].encode()
