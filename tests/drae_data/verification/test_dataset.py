"""A good dataset verifies; every planted fault is found by its name."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_data.errors import DatasetError
from drae_data.local_files import LocalFiles
from drae_data.options import SplitOptions
from drae_data.records import RECORD_OVERHEAD, frame_record, read_records
from drae_data.tables import TABLES, read_table
from drae_data.verification.dataset import claimed_records, verify_dataset
from drae_data.verification.frames import frames_changed
from tests.small_line import build_dataset, small_frame, small_options, write_line


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build_dataset(write_line(folder / "frames"), folder / "out")
    return folder


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built / "out", tmp_path / "out"))


def faults(out: Path) -> set[str]:
    return {fault.name for fault in verify_dataset(LocalFiles(str(out)), 2).faults}


def train_shard(out: Path) -> Path:
    return sorted(out.glob("small-train*"))[0]


def test_a_good_dataset_has_no_fault_and_its_counts_are_those_of_the_build(out: Path) -> None:
    found = verify_dataset(LocalFiles(str(out)), 2)
    assert found.faults == ()
    assert found.records == {"train": 160, "validation": 40}
    assert (found.acquisitions, found.quarantined, found.shared_strips) == (10, 0, 0)


@pytest.mark.parametrize("by", ["acquisition", "patch", "none"])
def test_the_other_splits_verify_too(tmp_path: Path, by: str) -> None:
    options = small_options(split=SplitOptions(by, Fraction(0 if by == "none" else 1, 10), 7))
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    found = verify_dataset(LocalFiles(str(tmp_path / "out")), 1)
    assert found.faults == ()
    assert (found.shared_strips > 0) == (by != "none")


def flip_byte(out: Path) -> None:
    content = bytearray(train_shard(out).read_bytes())
    content[len(content) // 2] ^= 1
    train_shard(out).write_bytes(bytes(content))


def drop_record(out: Path) -> None:
    offset, _ = list(read_records(train_shard(out).read_bytes()))[-1]
    train_shard(out).write_bytes(train_shard(out).read_bytes()[: offset - 12])


def repeat_record(out: Path) -> None:
    """The last record is replaced by a copy of the first: counts stay, one patch is twice there and one is gone."""
    records = [data for _, data in read_records(train_shard(out).read_bytes())]
    train_shard(out).write_bytes(b"".join(frame_record(data) for data in [*records[:-1], records[0]]))


def swap_shards(out: Path) -> None:
    one, other = train_shard(out), next(out.glob("small-validation*"))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def edit_json(name: str, edit: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        values = json.loads((out / name).read_text())
        edit(values)
        (out / name).write_text(json.dumps(values))

    return change


def edit_table(path: Path, name: str, column: str, edit: Callable[[Any], Any]) -> None:
    table = read_table(name, path.read_bytes())
    field = table.schema.field(column)
    values = pa.array([edit(value) for value in table.column(column).to_pylist()], field.type)
    pq.write_table(table.set_column(table.schema.get_field_index(column), field, values), path)


def edit_patches(column: str, edit: Callable[[Any], Any]) -> Callable[[Path], None]:
    return lambda out: edit_table(out / "patches" / f"{train_shard(out).name}.parquet", "patches", column, edit)


def edit_acquisitions(column: str, edit: Callable[[Any], Any]) -> Callable[[Path], None]:
    return lambda out: edit_table(out / "acquisitions.parquet", "acquisitions", column, edit)


def edit_rows(edit: Callable[[pa.Table], pa.Table], name: str = "acquisitions") -> Callable[[Path], None]:
    def change(out: Path) -> None:
        path = out / TABLES[name]
        pq.write_table(edit(read_table(name, path.read_bytes())), path)

    return change


def add_file(path: str) -> Callable[[Path], None]:
    def add(out: Path) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(b"{}")

    return add


def lengthen_first_shard(values: dict[str, Any]) -> None:
    values["shards"][0]["bytes"] += 1


PLANTED: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "flipped byte": (flip_byte, {"shard_digest", "broken_record", "dataset_digest"}),
    "lost record": (drop_record, {"shard_digest", "count_mismatch", "missing_patch"}),
    "repeated record": (repeat_record, {"record_mismatch", "missing_patch", "duplicate_patch"}),
    "shards swapped": (swap_shards, {"shard_digest", "record_mismatch"}),
    "shard gone": (lambda out: train_shard(out).unlink(), {"missing_shard", "missing_patch"}),
    "index gone": (lambda out: next((out / "patches").glob("*train*")).unlink(), {"broken_index"}),
    "statistics changed": (edit_patches("mean", lambda mean: mean + 1), {"statistics_mismatch", "index_digest"}),
    "sharpness changed": (edit_patches("sharpness", lambda value: value + 1), {"statistics_mismatch", "index_digest"}),
    "share of black pixels changed": (
        edit_patches("black", lambda value: value + 0.01), {"statistics_mismatch", "index_digest"},
    ),
    "means of a region changed": (
        lambda out: edit_table(out / "statistics.parquet", "statistics", "motion", lambda value: value + 1),
        {"statistics_mismatch", "file_digest", "dataset_digest"},
    ),
    "a region's means gone": (
        edit_rows(lambda table: table.slice(1), "statistics"), {"statistics_mismatch", "file_digest"},
    ),
    "statistics gone": (edit_patches("mean", lambda mean: None), {"broken_index"}),
    "index of another split": (edit_patches("split", lambda split: "test"), {"split_mismatch", "index_digest"}),
    "features.json changed": (
        edit_json("features.json", lambda v: v["featuresDict"]["features"].pop("vial")),
        {"file_digest", "dataset_digest"},
    ),
    "features.json gone": (lambda out: (out / "features.json").unlink(), {"missing_file", "dataset_digest"}),
    "acquisitions gone": (lambda out: (out / "acquisitions.parquet").unlink(), {"missing_file", "dataset_digest"}),
    "acquisitions unreadable": (add_file("acquisitions.parquet"), {"broken_table", "dataset_digest"}),
    "quarantine unreadable": (add_file("quarantine.parquet"), {"broken_table", "dataset_digest"}),
    "acquisition without splits": (edit_acquisitions("splits", lambda splits: [None]), {"broken_table"}),
    "acquisition row gone": (
        edit_rows(lambda table: table.slice(1)), {"unknown_acquisition", "file_digest", "dataset_digest"},
    ),
    "acquisition row twice": (
        edit_rows(lambda table: pa.concat_tables([table, table.slice(0, 1)])), {"table_mismatch", "file_digest"},
    ),
    "acquisition in another split": (
        edit_acquisitions("splits", lambda splits: ["test"]), {"table_mismatch", "file_digest"},
    ),
    "acquisition in another shard": (
        edit_acquisitions("shards", lambda shards: [*shards, "x"]), {"table_mismatch", "file_digest"},
    ),
    "acquisition gone from the plan": (
        edit_rows(lambda table: table.slice(1), "plan"), {"plan_mismatch", "file_digest", "dataset_digest"},
    ),
    "acquisition planned for another shard": (
        lambda out: edit_table(out / "plan.parquet", "plan", "shard", lambda shard: f"{shard}x"),
        {"plan_mismatch", "file_digest"},
    ),
    "left out unreadable": (add_file("left_out.parquet"), {"broken_table", "dataset_digest"}),
    "batch of another key": (edit_patches("batch", lambda batch: "B7"), {"record_mismatch", "index_digest"}),
    "stray shard": (lambda out: (out / "small-train.tfrecord-00000-of-00009").write_bytes(b""), {"stray_file"}),
    "half-written file": (lambda out: (out / "patches" / "x.7.incomplete").write_bytes(b""), {"stray_file"}),
    "work of a build": (add_file(".work/plan.jsonl"), {"stray_file"}),
    "marker of a build": (add_file(".work/done/small-train.tfrecord-00000-of-00004.json"), {"stray_file"}),
    "stray folder": (add_file("old/small.txt"), {"stray_file"}),
    "stray folder in the index": (add_file("patches/old/small.txt"), {"stray_file"}),
    "wrong length in dataset_info": (
        edit_json("dataset_info.json", lambda v: v["splits"][0].update(shardLengths=["1", "2", "3", "4"])),
        {"info_mismatch"},
    ),
    "wrong size in dataset_info": (
        edit_json("dataset_info.json", lambda v: v["splits"][1].update(numBytes="1")), {"info_mismatch"},
    ),
    "another file format in dataset_info": (
        edit_json("dataset_info.json", lambda v: v.update(fileFormat="array_record")), {"info_mismatch"},
    ),
    "another template in dataset_info": (
        edit_json("dataset_info.json", lambda v: v["splits"][0].update(filepathTemplate="{SPLIT}")), {"info_mismatch"},
    ),
    "wrong size in provenance": (
        edit_json("provenance.json", lengthen_first_shard), {"count_mismatch", "info_mismatch"},
    ),
    "another layout in provenance": (
        edit_json("provenance.json", lambda v: v["parameters"]["strip_layout"]["layouts"][0][1]["boxes"].pop()),
        {"duplicate_patch", "dataset_digest"},
    ),
    "another seed in provenance": (
        edit_json("provenance.json", lambda v: v["parameters"].update(seed=99)), {"dataset_digest"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_fault_is_named(out: Path, name: str) -> None:
    plant, expected = PLANTED[name]
    plant(out)
    assert expected <= faults(out)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_an_unreadable_table_is_one_fault_and_the_rest_is_checked(out: Path, name: str) -> None:
    add_file(f"{name}.parquet")(out)
    found = verify_dataset(LocalFiles(str(out)), 2)
    assert sorted(fault.name for fault in found.faults) == ["broken_table", "dataset_digest"]
    assert found.faults[0].place == f"{name}.parquet"
    assert found.records == {"train": 160, "validation": 40}
    repeat_record(out)
    assert {"record_mismatch", "missing_patch", "duplicate_patch"} <= faults(out)


@pytest.mark.parametrize("path", [*sorted(TABLES.values()), "features.json"])
def test_a_file_whose_bytes_differ_is_named(out: Path, path: str) -> None:
    edit_json("provenance.json", lambda v: v["files"].update({path: "0" * 64}))(out)
    assert [(fault.name, fault.place) for fault in verify_dataset(LocalFiles(str(out)), 2).faults] == [
        ("file_digest", path)
    ]


def entry(*path: str | int, to: Any = ...) -> Callable[[dict[str, Any]], None]:
    """Changes the entry at a path in a JSON file; without a new value it is taken away."""

    def change(values: Any) -> None:
        for step in path[:-1]:
            values = values[step]
        if to is ...:
            del values[path[-1]]
        else:
            values[path[-1]] = to

    return change


LAYOUTS = ("parameters", "strip_layout", "layouts")
DISTORTED: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("dataset_info.json", entry("name"), "'name' is missing"),
    ("dataset_info.json", entry("version", to=1), "version: expected text, got 1"),
    ("dataset_info.json", entry("fileFormat"), "'fileFormat' is missing"),
    ("dataset_info.json", entry("splits"), "'splits' is missing"),
    ("dataset_info.json", entry("splits", to=None), "splits: expected a list, got None"),
    ("dataset_info.json", entry("splits", 0, to=None), r"splits\[0\]: expected an object, got None"),
    ("dataset_info.json", entry("splits", 1, "shardLengths"), r"splits\[1\]: its entry 'shardLengths' is missing"),
    ("dataset_info.json", entry("splits", 0, "shardLengths", 0, to="x"), r"shardLengths\[0\]: expected a whole number"),
    ("dataset_info.json", entry("splits", 0, "numBytes", to=True), "numBytes: expected a whole number, got True"),
    ("dataset_info.json", entry("splits", 0, "filepathTemplate"), "'filepathTemplate' is missing"),
    ("dataset_info.json", entry("splits", 0, "name", to="\0\ud800"), "name: expected text of printable characters"),
    ("provenance.json", entry("digest"), "'digest' is missing"),
    ("provenance.json", entry("files"), "'files' is missing"),
    ("provenance.json", entry("files", "features.json"), "files: its entry 'features.json' is missing"),
    ("provenance.json", entry("content_parameters"), "'content_parameters' is missing"),
    ("provenance.json", entry("content_parameters", 0, to=[]), r"content_parameters\[0\]: expected text, got \[\]"),
    ("provenance.json", entry("parameters", "seed"), "parameters: its entry 'seed' is missing"),
    ("provenance.json", entry("parameters", "split"), "parameters: its entry 'split' is missing"),
    ("provenance.json", entry("parameters", "split", "by", to="x"), "by: expected one of strip, .* got 'x'"),
    ("provenance.json", entry("parameters", "patch", "size", to="wide"), "size: expected a whole number, got 'wide'"),
    ("provenance.json", entry("parameters", "images", 0, to="g1"), r"images\[0\]: expected an image .* got 'g1'"),
    ("provenance.json", entry("parameters", "encoding", to="jpeg"), "encoding: expected one of png, raw, got 'jpeg'"),
    ("provenance.json", entry(*LAYOUTS, to=[]), "layouts: expected names, each with its layout"),
    ("provenance.json", entry(*LAYOUTS, 0, to=[""]), "layouts: expected names, each with its layout"),
    ("provenance.json", entry(*LAYOUTS, 0, 1, "boxes", 0, to=["R0"]), "expected a region and its boxes"),
    ("provenance.json", entry(*LAYOUTS, 0, 1, "boxes", to={}), "boxes: expected a list"),
    ("provenance.json", entry("shards", 2, "sha256"), r"shards\[2\]: its entry 'sha256' is missing"),
    ("provenance.json", entry("shards", 0, "index_sha256"), r"shards\[0\]: its entry 'index_sha256' is missing"),
    ("provenance.json", entry("shards", 0, "bytes"), r"shards\[0\]: its entry 'bytes' is missing"),
    ("provenance.json", entry("shards", 0, "records", to=1.5), "records: expected a whole number, got 1.5"),
    ("provenance.json", entry("shards", to="x" * 999), r"shards: expected a list, got 'x{79}\.\.\.$"),
]


@pytest.mark.parametrize(("name", "edit", "message"), DISTORTED, ids=[message for _, _, message in DISTORTED])
def test_distorted_metadata_is_one_message(
    out: Path, name: str, edit: Callable[[dict[str, Any]], None], message: str
) -> None:
    edit_json(name, edit)(out)
    with pytest.raises(DatasetError, match=f"{name}: .*{message}"):
        faults(out)
    if name == "dataset_info.json":
        with pytest.raises(DatasetError, match=message):
            claimed_records(LocalFiles(str(out)))


def test_the_claimed_records_are_those_of_dataset_info(out: Path) -> None:
    assert claimed_records(LocalFiles(str(out))) == 200


def test_a_strip_on_two_sides_is_a_leak_when_split_by_strip(tmp_path: Path) -> None:
    options = small_options(split=SplitOptions("acquisition", Fraction(1, 5), 7))
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    edit_json("provenance.json", lambda v: v["parameters"]["split"].update(by="strip"))(tmp_path / "out")
    assert "split_leak" in faults(tmp_path / "out")


def test_what_is_not_committed_is_no_dataset(out: Path) -> None:
    (out / "dataset_info.json").unlink()
    with pytest.raises(DatasetError, match=r"dataset_info\.json: absent.*no committed dataset"):
        faults(out)


def test_changed_and_missing_frames_are_named(built: Path, out: Path, tmp_path: Path) -> None:
    frames = Path(shutil.copytree(built / "frames", tmp_path / "frames"))
    assert list(frames_changed(LocalFiles(str(out)), LocalFiles(str(frames)))) == []
    (frames / "A/run_00/frame_00.png").unlink()
    (frames / "B/run_01/frame_02.png").write_bytes(small_frame("x", 0, 0).tobytes())
    found = {(fault.name, fault.place) for fault in frames_changed(LocalFiles(str(out)), LocalFiles(str(frames)))}
    assert found == {("frame_missing", "A/run_00/frame_00.png"), ("frame_changed", "B/run_01/frame_02.png")}


def test_many_changed_frames_are_counted_after_the_first(built: Path, out: Path, tmp_path: Path) -> None:
    frames = Path(shutil.copytree(built / "frames", tmp_path / "frames"))
    for path in frames.rglob("frame_0*.png"):
        path.write_bytes(b"x")
    found = list(frames_changed(LocalFiles(str(out)), LocalFiles(str(frames))))
    assert [fault.name for fault in found] == [*["frame_changed"] * 20, "more_faults"]
    assert "10 more" in found[-1].detail


@pytest.mark.parametrize("root", ["absent", "empty", "file"])
def test_a_root_without_the_acquisitions_is_one_fault(out: Path, tmp_path: Path, root: str) -> None:
    (tmp_path / "empty" / "other").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"")
    (fault,) = frames_changed(LocalFiles(str(out)), LocalFiles(str(tmp_path / root)))
    assert (fault.name, fault.place) == ("frames_absent", str(tmp_path / root))


def test_frames_cannot_be_compared_without_the_table_that_names_them(built: Path, out: Path) -> None:
    add_file("acquisitions.parquet")(out)
    (fault,) = frames_changed(LocalFiles(str(out)), LocalFiles(str(built / "frames")))
    assert (fault.name, fault.place) == ("frames_unchecked", "acquisitions.parquet")


def test_the_overhead_of_a_record_is_16_bytes() -> None:
    assert len(frame_record(b"")) == RECORD_OVERHEAD == 16
