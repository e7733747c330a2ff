"""pyarrow alone reads tables and index, cuts records out of the shards by them, and reads the Parquet export."""

import hashlib
from pathlib import Path

import pyarrow.dataset as pads
import pyarrow.parquet as pq

from drae_data.records import decode_example
from tests.interop.sample import decoded, digest_of, expected_digest


def test_pyarrow_finds_every_patch_by_the_index(version: Path) -> None:
    patches = []
    for part in sorted((version / "patches").iterdir()):
        shard = (version / part.stem).read_bytes()
        for row in pq.read_table(part).to_pylist():
            image = decode_example(shard[row["offset"] : row["offset"] + row["length"]])["image"]
            assert isinstance(image, bytes)
            assert hashlib.sha256(image).hexdigest() == row["sha256"]
            patches.append((row["key"], decoded(image)))
    assert digest_of(patches) == expected_digest()


def test_pyarrow_reads_every_patch_of_the_export(parquet: Path, version: Path) -> None:
    rows = pads.dataset(parquet / "data").to_table().to_pylist()
    assert digest_of((row["key"], decoded(row["image"]["bytes"])) for row in rows) == expected_digest()
    assert all(hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["sha256"] for row in rows)
    index = {row["key"]: row for row in pads.dataset(version / "patches").to_table().to_pylist()}
    labels = {row["strip"]: row["label"] for row in pq.read_table(version / "acquisitions.parquet").to_pylist()}
    for row in rows:
        own = index[row["key"]]
        shared = (own.keys() & row.keys()) - {"image", "sha256"}
        assert len(shared) > 15
        assert {name: row[name] for name in shared} == {name: own[name] for name in shared}
        assert row["label"] == labels[row["strip"]]
        assert own["image"] == (row["rank"] or f"f{row['frame']:02d}")


def test_rows_stand_in_the_order_of_records(parquet: Path, version: Path) -> None:
    for split in ("train", "validation"):
        (part,), (exported,) = (version / "patches").glob(f"*-{split}.*"), (parquet / "data").glob(f"{split}-*")
        assert pq.read_table(part)["key"].to_pylist() == pq.read_table(exported)["key"].to_pylist()
