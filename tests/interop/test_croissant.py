"""mlcroissant validates and reads `croissant.json` of a version and of its Parquet export; `verify` knows the first."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from drae_data.column_texts import COLUMN_TEXTS, TABLE_TEXTS
from drae_data.croissant import Described, DescribedShard, croissant
from drae_data.records import decode_example
from drae_data.tables import SCHEMAS, TABLES, read_table
from drae_data.verification.dataset import verify_dataset
from tests.interop.sample import decoded, digest_of, expected_digest, patches_of_a_strip
from tests.small_line import build_dataset, files_of, write_line


@pytest.fixture
def mlcroissant() -> Any:
    return pytest.importorskip("mlcroissant")


def missing_properties(dataset: Any) -> set[str]:
    """What mlcroissant would like to be told besides; it raises for what is wrong."""
    assert not dataset.metadata.ctx.issues.errors
    return {warning.rpartition("/")[2].partition('"')[0] for warning in dataset.metadata.ctx.issues.warnings}


def values(record: dict[str, Any], table: str) -> dict[str, Any]:
    """A record as mlcroissant gives it, with the table's own names; its texts are bytes."""
    return {name.removeprefix(f"{table}/"): plain(value, f"{table}/") for name, value in record.items()}


def plain(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [plain(item, prefix) for item in value]
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(item, prefix) for name, item in value.items()}
    return value.decode() if isinstance(value, bytes) else value


def test_croissant_is_valid_and_lacks_only_what_a_user_must_say(mlcroissant: Any, version: Path, parquet: Path) -> None:
    of_version = mlcroissant.Dataset(str(version / "croissant.json"))
    assert missing_properties(of_version) == {"citeAs", "datePublished", "license"}
    assert (of_version.metadata.name, of_version.metadata.version) == ("bottle_strips", "1.0.0")
    of_export = mlcroissant.Dataset(str(parquet / "croissant.json"))
    assert missing_properties(of_export) == {"citeAs", "datePublished"}
    assert of_export.metadata.license == ["cc-by-4.0"]


def test_croissant_names_every_other_file_with_size_and_digest(mlcroissant: Any, version: Path, parquet: Path) -> None:
    for folder, besides in ((version, set()), (parquet, {"export.json"})):
        named = {
            item.content_url: (item.content_size, item.sha256)
            for item in mlcroissant.Dataset(str(folder / "croissant.json")).metadata.file_objects
        }
        there = {
            path.relative_to(folder).as_posix(): (
                f"{path.stat().st_size} B", hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in folder.rglob("*") if path.is_file()
        }  # fmt: skip
        assert named == {path: facts for path, facts in there.items() if path not in {"croissant.json", *besides}}


def test_croissant_leads_to_every_patch_in_the_shards(mlcroissant: Any, version: Path) -> None:
    shards = {path.name: path.read_bytes() for path in version.glob("*.tfrecord-*")}
    patches = []
    for record in mlcroissant.Dataset(str(version / "croissant.json")).records("patches"):
        row = values(record, "patches")
        example = decode_example(shards[row["shard"]][row["offset"] : row["offset"] + row["length"]])
        image = example["image"]
        assert isinstance(image, bytes)
        assert hashlib.sha256(image).hexdigest() == row["sha256"]
        patches.append((row["key"], decoded(image)))
    assert digest_of(patches) == expected_digest()


def test_croissant_reads_every_patch_of_the_export(mlcroissant: Any, parquet: Path) -> None:
    records = list(mlcroissant.Dataset(str(parquet / "croissant.json")).records("images"))
    assert digest_of((record["images/key"].decode(), record["images/image"]) for record in records) == expected_digest()
    rows = {row["key"]: row for row in pads.dataset(parquet / "data").to_table().to_pylist()}
    for record in records:
        row = values(record, "images")
        assert {**row, "image": None} == {**rows[row["key"]], "image": None}


def test_croissant_reads_one_split_of_the_export(mlcroissant: Any, parquet: Path) -> None:
    dataset = mlcroissant.Dataset(str(parquet / "croissant.json"))
    records = list(dataset.records("images", {"images/split": "validation"}))
    assert len(records) == patches_of_a_strip()
    assert {record["images/split"] for record in records} == {b"validation"}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_croissant_reads_every_table(mlcroissant: Any, version: Path, name: str) -> None:
    records = mlcroissant.Dataset(str(version / "croissant.json")).records(name)
    table = read_table(name, (version / TABLES[name]).read_bytes())
    assert [values(record, name) for record in records] == table.to_pylist()
    assert table.num_rows or name in ("quarantine", "left_out", "findings")


def test_mlcroissant_refuses_a_table_of_another_digest(mlcroissant: Any, version: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(version, tmp_path / "copy"))
    pq.write_table(pq.read_table(copy / "acquisitions.parquet"), copy / "acquisitions.parquet")
    with pytest.raises(Exception, match=r"Download\(acquisitions.parquet\)"):
        list(mlcroissant.Dataset(str(copy / "croissant.json")).records("acquisitions"))


def paths_of(schema: pa.Schema) -> list[str]:
    """Columns, each followed by the parts of its structures."""
    found = []
    for column in schema:
        kind = column.type.value_type if pa.types.is_list(column.type) else column.type
        parts = kind if pa.types.is_struct(kind) else []
        found += [column.name, *(f"{column.name}.{part.name}" for part in parts)]
    return found


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_column_has_a_text(name: str) -> None:
    assert list(COLUMN_TEXTS[name]) == paths_of(SCHEMAS[name])
    assert TABLE_TEXTS[name].endswith(".")
    assert set(TABLE_TEXTS) == set(COLUMN_TEXTS) == set(SCHEMAS)


def test_the_bytes_depend_on_no_order() -> None:
    shards = [DescribedShard(f"x-train.tfrecord-0000{n}-of-00002", "train", 1, n, "0", n, "1") for n in (0, 1)]
    others = {path: path.encode() for path in TABLES.values()}
    dataset = Described("x", "1.0.0", "0" * 64, 16, "png", {"train": 2, "validation": 3})
    backwards = Described("x", "1.0.0", "0" * 64, 16, "png", {"validation": 3, "train": 2})
    again = croissant(backwards, shards[::-1], dict(reversed(others.items())))
    assert croissant(dataset, shards, others) == again


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    build_dataset(write_line(folder / "frames"), folder / "out")
    return folder / "out"


@pytest.fixture
def out(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "out"))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a JSON file; it is written as the build writes it."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def faults(out: Path) -> list[tuple[str, str, str]]:
    return [(fault.name, fault.place, fault.detail) for fault in verify_dataset(files_of(out), 2).faults]


def test_verify_asks_for_croissant_json(out: Path) -> None:
    assert faults(out) == []
    (out / "croissant.json").unlink()
    ((name, place, detail),) = faults(out)
    assert (name, place) == ("croissant_mismatch", "croissant.json")
    assert "it cannot be read" in detail


def test_verify_finds_a_digest_that_only_croissant_json_changed(out: Path) -> None:
    edit(out / "croissant.json", lambda values: values["distribution"][0].update(sha256="0" * 64))
    ((name, _, detail),) = faults(out)
    assert name == "croissant_mismatch"
    assert f'got \'"sha256": "{"0" * 64}"\'' in detail


def test_verify_takes_other_words(out: Path) -> None:
    """Versions of an earlier release have the descriptions of that release."""

    def reword(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(reword, value))
        if not isinstance(value, dict):
            return 0
        here = int("description" in value)
        value.update({"description": "other words"} if here else {})
        return here + sum(map(reword, value.values()))

    counts: list[int] = []
    edit(out / "croissant.json", lambda values: counts.append(reword(values)))
    assert counts[0] > 50
    edit(out / "croissant.json", lambda values: values["recordSet"][0].pop("description"))
    assert faults(out) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["recordSet"][0]["field"][0].update(dataType="sc:Float"),
        lambda values: values["recordSet"][0]["field"].pop(),
        lambda values: values.update(license="cc-by-4.0"),
        lambda values: values["recordSet"][1]["field"][0].update(name="other"),
    ],
)
def test_verify_finds_all_but_words(change: Callable[[dict[str, Any]], object], out: Path) -> None:
    edit(out / "croissant.json", change)
    ((name, _, _),) = faults(out)
    assert name == "croissant_mismatch"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-3],
        lambda content: b"\xff" + content,
        lambda content: b"",
        lambda content: b"[" * 200_000,
        lambda content: content.replace(b'"name"', b'"version": "2.0.0", "name"', 1),
        lambda content: b"null",
    ],
)
def test_verify_finds_broken_json(spoil: Callable[[bytes], bytes], out: Path) -> None:
    content = spoil((out / "croissant.json").read_bytes())
    (out / "croissant.json").write_bytes(content)
    ((name, place, _),) = faults(out)
    assert (name, place) == ("croissant_mismatch", "croissant.json")


def test_verify_finds_what_no_digest_covers(out: Path) -> None:
    """A parameter outside of the content parameters: without `croissant.json` nothing would show its change."""
    edit(out / "provenance.json", lambda values: values["parameters"].update(shard_patches=999))
    ((name, _, detail),) = faults(out)
    assert name == "croissant_mismatch"
    assert "expected" in detail


def test_a_fault_of_another_file_is_said_once(out: Path) -> None:
    shard = next(out.glob("small-train*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "croissant_mismatch" not in {name for name, _, _ in faults(out)}
    (out / "labels.parquet").unlink()
    assert "croissant_mismatch" not in {name for name, _, _ in faults(out)}
