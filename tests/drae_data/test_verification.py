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
from drae_data.files import LocalFiles
from drae_data.manifest import read_table
from drae_data.options import SplitOptions
from drae_data.records import RECORD_OVERHEAD, frame_record, read_records
from drae_data.verification import frames_changed, verify_dataset
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
    options = small_options(split=SplitOptions(by, Fraction(1, 10), 7))
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


def edit_patches(out: Path) -> None:
    path = out / "patches" / f"{train_shard(out).name}.parquet"
    table = read_table("patches", path.read_bytes())
    means = [value + 1 for value in table.column("mean").to_pylist()]
    index = table.schema.get_field_index("mean")
    pq.write_table(table.set_column(index, table.schema.field(index), pa.array(means, pa.float32())), path)


def drop_acquisition(out: Path) -> None:
    table = read_table("acquisitions", (out / "acquisitions.parquet").read_bytes())
    pq.write_table(table.slice(1), out / "acquisitions.parquet")


PLANTED: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "flipped byte": (flip_byte, {"shard_digest", "broken_record", "dataset_digest"}),
    "lost record": (drop_record, {"shard_digest", "count_mismatch", "missing_patch"}),
    "repeated record": (repeat_record, {"record_mismatch", "missing_patch", "duplicate_patch"}),
    "shards swapped": (swap_shards, {"shard_digest", "record_mismatch"}),
    "shard gone": (lambda out: train_shard(out).unlink(), {"missing_shard", "missing_patch"}),
    "index gone": (lambda out: next((out / "patches").glob("*train*")).unlink(), {"broken_index"}),
    "statistics changed": (edit_patches, {"statistics_mismatch"}),
    "features.json changed": (
        edit_json("features.json", lambda v: v["featuresDict"]["features"].pop("vial")), {"dataset_digest"},
    ),
    "acquisition row gone": (drop_acquisition, {"unknown_acquisition", "dataset_digest"}),
    "stray shard": (lambda out: (out / "small-train.tfrecord-00000-of-00009").write_bytes(b""), {"stray_file"}),
    "half-written file": (lambda out: (out / "patches" / "x.7.incomplete").write_bytes(b""), {"stray_file"}),
    "wrong length in dataset_info": (
        edit_json("dataset_info.json", lambda v: v["splits"][0].update(shardLengths=["1", "2", "3", "4"])),
        {"info_mismatch"},
    ),
    "wrong size in dataset_info": (
        edit_json("dataset_info.json", lambda v: v["splits"][1].update(numBytes="1")), {"info_mismatch"},
    ),
    "another layout in provenance": (
        edit_json("provenance.json", lambda v: v["parameters"]["strip_layout"]["boxes"].pop()),
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


def test_the_overhead_of_a_record_is_16_bytes() -> None:
    assert len(frame_record(b"")) == RECORD_OVERHEAD == 16
