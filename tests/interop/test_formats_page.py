"""docs/formats.md says what is there: tables, codes, the record in full, and Python that is run as it stands."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.content import FORMAT_VERSION
from drae_data.encodings import encode_patch_image
from drae_data.records import decode_example, frame_record, patch_example, patch_record, read_records
from drae_data.tables import SCHEMAS, TABLES, read_ledger, read_table
from pipelines.export import main as export
from tests.interop.formats_page import (
    CODES,
    PAGE,
    code_rows,
    export_rows,
    feature_rows,
    python_blocks,
    record_bytes,
    table_section,
)
from tests.small_line import build_dataset, write_line

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    build_dataset(write_line(folder / "frames"), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return python_blocks()


def rows_of(version: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(name, (version / TABLES[name]).read_bytes()).to_pylist()
    return rows


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_table_stands_on_the_page_column_by_column(name: str) -> None:
    assert table_section(name) + "\n\n" in TEXT


def test_features_and_columns_of_the_export_stand_on_the_page() -> None:
    assert "| feature | kind | holds |\n| --- | --- | --- |\n" + feature_rows() + "\n\n" in TEXT
    assert "| column | type | meaning |\n| --- | --- | --- |\n" + export_rows() + "\n\n" in TEXT


@pytest.mark.parametrize("place", sorted(CODES))
def test_every_code_stands_on_the_page(place: str) -> None:
    assert f"`{place}`:\n\n| code | means |\n| --- | --- |\n{code_rows(CODES[place])}\n\n" in TEXT


def test_the_page_is_of_this_format() -> None:
    assert f"This is format {FORMAT_VERSION}\n(`format_version`" in TEXT


def test_the_record_in_full_is_what_the_code_writes() -> None:
    key = PatchKey(AcquisitionKey("S0001", 3), Image.of_frame(7), 2, "R1")
    encoded = encode_patch_image(np.array([[0, 64], [128, 255]], np.uint8), "png")
    assert record_bytes() == frame_record(patch_example(key, encoded)) == b"".join(patch_record(key, encoded))


def test_the_record_in_full_is_read_by_protobuf() -> None:
    tf = pytest.importorskip("tensorflow")
    ((_, data),) = read_records(record_bytes())
    feature = tf.train.Example.FromString(data).features.feature
    assert feature["key"].bytes_list.value[0] == b"S0001/r3/f07/v2/R1"
    assert feature["run"].int64_list.value[0] == 3
    assert np.array_equal(tf.io.decode_png(feature["image"].bytes_list.value[0])[..., 0], [[0, 64], [128, 255]])


def test_the_pages_reader_reads_every_record(small: Path, page: dict[str, Any]) -> None:
    for path in sorted(small.glob("*.tfrecord-*")):
        expected = [decode_example(data) for _, data in read_records(path.read_bytes())]
        assert [page["features"](data) for data in page["records"](path)] == expected
        assert any(example["frame"] == -1 for example in expected)


def test_the_pages_reader_finds_a_changed_byte(small: Path, page: dict[str, Any], tmp_path: Path) -> None:
    content = bytearray(next(small.glob("*.tfrecord-*")).read_bytes())
    for place in (3, 100):
        content[place] ^= 1
        (tmp_path / "shard").write_bytes(bytes(content))
        content[place] ^= 1
        with pytest.raises(ValueError, match="checksum is wrong"):
            list(page["records"](tmp_path / "shard"))


def test_the_pages_digest_is_the_builds(small: Path, page: dict[str, Any], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    digest = json.loads((copy / "provenance.json").read_text())["digest"]
    assert page["dataset_digest"](copy) == digest
    (copy / "labels.parquet").write_bytes(b"")
    assert page["dataset_digest"](copy) != digest


def test_the_pages_order_is_the_builds(small: Path, page: dict[str, Any]) -> None:
    """Records in their shards, acquisitions in theirs, and which strips are validation."""
    values = json.loads((small / "provenance.json").read_text())["parameters"]
    seed, order = values["seed"], page["hash_order"]
    for path in small.glob("*.tfrecord-*"):
        keys = [page["features"](data)["key"].decode() for data in page["records"](path)]
        assert keys == sorted(keys, key=lambda key: order(seed, "record", key))
        assert len(keys) > 30
    plan = rows_of(small, "plan")
    strips = {row["strip"] for row in plan}
    chosen = page["validation_units"](strips, seed, "strip", values["split"]["validation_fraction"])
    assert {row["strip"] for row in plan if row["split"] == "validation"} == chosen
    assert 0 < len(chosen) < len(strips)
    shards: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in plan:
        shards[row["split"]].append((f"{row['strip']}/r{row['run']}", row["shard"]))
    for split, pairs in shards.items():
        keys = sorted((key for key, _ in pairs), key=lambda key: order(seed, "acquisition", key))
        most = max(1, values["shard_patches"] // values["patches_per_acquisition"])
        count = -(-len(keys) // most)
        assert [(key, f"small-{split}.tfrecord-{number:05d}-of-{count:05d}")
                for number in range(count)
                for key in keys[len(keys) * number // count : len(keys) * (number + 1) // count]] == pairs  # fmt: skip


def entries(values: Any) -> Iterator[str]:
    """Names of entries, and of those of the first item of lists of objects; not those below, which are parameters."""
    for name, value in values.items():
        yield name
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from value[0]


def test_every_entry_of_the_json_files_stands_on_the_page(small: Path, tmp_path: Path) -> None:
    assert export([str(small), "--format", "parquet", "--out", str(tmp_path / "out")]) == 0
    files = {path.name: json.loads(path.read_text()) for path in [*small.glob("*.json"), tmp_path / "out/export.json"]}
    assert set(files) == {"croissant.json", "dataset_info.json", "export.json", "features.json", "provenance.json"}
    named = {name for values in files.values() for name in entries(values)} | set(
        files["provenance.json"]["parameters"]
    )
    named -= set(files["croissant.json"]["recordSet"][0]) | set(files["croissant.json"]["distribution"][0])
    named |= set(read_ledger(next((small / "patches").iterdir()).read_bytes())) | set(files)
    named |= {path.name for path in small.glob("*.parquet")}
    missing = {name for name in named if not any(f"{before}{name}`" in TEXT for before in ("`", "].", "{`"))}
    assert missing <= {"featuresDict"}
    assert "`featuresDict.features`" in TEXT
