"""What is lost, distorted or too much in quarantine stops the commit; a published version names what it is."""

import json
from pathlib import Path

import pytest

from drae_data.content import FORMAT_VERSION
from drae_data.errors import CommitError
from drae_data.local_files import LocalFiles
from drae_data.publication import commit, open_version
from drae_data.records import frame_record, read_records
from drae_data.selection import Selection
from drae_data.shard_plan import Plan
from drae_data.shards import Roots, build_shard
from tests.small_line import build_dataset, plan_line, small_options, write_line


def test_a_task_that_no_worker_reported_stops_the_commit(tmp_path: Path) -> None:
    """What one of Beam's modes does: an element is lost and nobody says a word."""
    root, options = write_line(tmp_path / "frames"), small_options()
    roots = Roots(LocalFiles(str(root)), LocalFiles(str(tmp_path / "out")), None)
    selection, plan = plan_line(roots.source, options)
    # An earlier build left good files of all shards: they must not hide the loss.
    build_dataset(root, tmp_path / "out")
    open_version(roots.target, plan)
    for task in plan.tasks[:-1]:
        build_shard(task, options, roots, 1)
    with pytest.raises(CommitError, match=f"{plan.tasks[-1].name}.*no worker reported"):
        commit(roots.target, options, selection, plan)
    assert not (tmp_path / "out" / "dataset_info.json").exists()


def build_without_commit(root: Path, target: LocalFiles) -> tuple[Selection, Plan]:
    """Every shard of the small line, and what a commit is told of them."""
    roots = Roots(LocalFiles(str(root)), target, None)
    selection, plan = plan_line(roots.source)
    open_version(target, plan)
    for task in plan.tasks:
        build_shard(task, small_options(), roots, 1)
    return selection, plan


def test_an_index_of_another_build_than_the_marker_says_stops_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    selection, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    marker = tmp_path / "out/.work/done" / f"{plan.tasks[0].name}.json"
    said = json.loads(marker.read_text())
    said["summary"]["fingerprint"] = "another"
    marker.write_text(json.dumps(said))
    with pytest.raises(CommitError, match=f"{plan.tasks[0].name}: the index is not the one"):
        commit(target, options, selection, plan)


def test_bytes_that_changed_without_a_change_of_length_stop_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    selection, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    shard = tmp_path / "out" / plan.tasks[0].name
    good = shard.read_bytes()
    records = [data for _, data in read_records(good)]
    shard.write_bytes(b"".join(frame_record(data) for data in reversed(records)))
    with pytest.raises(CommitError, match=f"{plan.tasks[0].name}: its bytes changed"):
        commit(target, options, selection, plan)
    shard.write_bytes(good[:40] + bytes([good[40] ^ 1]) + good[41:])
    with pytest.raises(
        CommitError, match=f"{plan.tasks[0].name}: reported built, but it cannot be read back: record 0"
    ):
        commit(target, options, selection, plan)


def test_a_record_lost_from_a_shard_stops_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    selection, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    shard = tmp_path / "out" / plan.tasks[0].name
    offset, _ = list(read_records(shard.read_bytes()))[-1]
    shard.write_bytes(shard.read_bytes()[: offset - 12])
    with pytest.raises(CommitError, match=r"expected 40 records.*the file holds 39"):
        commit(target, options, selection, plan)


def test_provenance_names_parameters_code_and_shards(tmp_path: Path) -> None:
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    values = json.loads((tmp_path / "out/provenance.json").read_text())
    assert values["digest"] == committed.digest
    assert values["parameters"]["strip_layout"]["layouts"][0][1]["boxes"][1] == [
        "R1", [[0, 20, 16, 16], [32, 20, 16, 16]],
    ]  # fmt: skip
    assert values["parameters"]["format_version"] == FORMAT_VERSION == 3
    assert values["code_version"]
