"""Shards against brute force; the same bytes whatever threads and order; good shards are kept, others built again."""

import errno
import json
import os
import platform
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_data.acquisition import PathTemplate
from drae_data.errors import CommitError, QuarantineError
from drae_data.files import LocalFiles
from drae_data.manifest import AcquisitionRow, FrameFile, read_ledger, read_table, table_bytes
from drae_data.options import SplitOptions
from drae_data.patches import PatchOptions
from drae_data.publication import commit, open_version
from drae_data.rank_images import Pixels
from drae_data.records import decode_example, encode_example, frame_record, read_records
from drae_data.shard_plan import Listing, ShardTask, list_acquisitions, plan_shards
from drae_data.shards import build_shard
from drae_data.verification import verify_dataset
from tests.small_line import LAYOUT, build_dataset, small_frame, small_options, tree_bytes, write_line


def expected_patch(strip: str, run: int, image: str, vial: int, region: str) -> Pixels:
    """Brute force: the frame or the sort of all frames, cut by slicing, resized by OpenCV in one call."""
    frames = np.stack([small_frame(strip, run, frame) for frame in range(3)])
    ranked = np.sort(frames, axis=0)
    pixels = {"min": ranked[0], "max": ranked[-1]}.get(image)
    if pixels is None:
        pixels = frames[int(image[1:])]
    left, top, width, height = (int(value) for value in LAYOUT.boxes[region][vial])
    # Both boxes are at least 16 pixels wide and high, so every side shrinks or stays.
    cut = pixels[top : top + height, left : left + width]
    patch: Pixels = cv2.resize(cut, (16, 16), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return patch


def test_every_patch_is_the_one_that_brute_force_cuts(tmp_path: Path) -> None:
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    assert committed.records == {"train": 160, "validation": 40}
    keys = set()
    for shard in sorted((tmp_path / "out").glob("small-*")):
        for _, data in read_records(shard.read_bytes()):
            example = decode_example(data)
            encoded, name = example["image"], example["key"]
            assert isinstance(encoded, bytes)
            assert isinstance(name, bytes)
            key = name.decode()
            strip, run, image, vial, region = key.split("/")
            pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
            assert pixels is not None
            assert np.array_equal(pixels, expected_patch(strip, int(run[1:]), image, int(vial[1:]), region)), key
            keys.add(key)
    # 5 strips x 2 runs x (3 frames + 2 rank images) x 2 vials x 2 regions
    assert len(keys) == 200


@pytest.mark.parametrize("threads", [1, 5])
def test_bytes_do_not_depend_on_threads_or_on_where_the_folders_are(tmp_path: Path, threads: int) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", threads=2)
    moved = write_line(tmp_path / "elsewhere" / "deeper", strips="EDCBA")
    build_dataset(moved, tmp_path / "again", threads=threads)
    assert tree_bytes(tmp_path / "again") == tree_bytes(tmp_path / "out")


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
    row = AcquisitionRow("A", 0, path, 48, 64, 20, ("train",), ("x",), 0, (FrameFile(0, f"{today}.png", 1, ""),))
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


def test_the_records_of_a_shard_are_shuffled(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    part = next((tmp_path / "out" / "patches").glob("*train*"))
    keys = read_table("patches", part.read_bytes()).column("key").to_pylist()
    assert keys != sorted(keys)


def test_a_second_build_writes_no_shard(tmp_path: Path) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    first = build_dataset(root, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("small-*")}
    second = build_dataset(root, out)
    assert (second.reused, second.shards, second.digest) == (first.shards, first.shards, first.digest)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("small-*")} == before


def test_a_changed_frame_rebuilds_its_shard_alone(tmp_path: Path) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    first = build_dataset(root, out)
    cv2.imwrite(str(root / "A/run_00/frame_01.png"), 255 - small_frame("A", 0, 1))
    second = build_dataset(root, out)
    assert second.reused == first.shards - 1
    assert second.digest != first.digest
    fresh = build_dataset(root, tmp_path / "fresh")
    assert fresh.digest == second.digest


@pytest.mark.parametrize("damage", ["cut", "gone", "part"])
def test_a_damaged_shard_is_built_again(tmp_path: Path, damage: str) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    first = build_dataset(root, out)
    good = tree_bytes(out)
    victim = sorted(out.glob("small-train*"))[0]
    if damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-3])
    elif damage == "gone":
        victim.unlink()
    else:
        (out / "patches" / f"{victim.name}.parquet").write_bytes(b"no parquet")
    assert build_dataset(root, out).reused == first.shards - 1
    assert tree_bytes(out) == good


def test_a_changed_option_rebuilds_everything_and_leaves_no_old_shard(tmp_path: Path) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    build_dataset(root, out)
    changed = build_dataset(root, out, small_options(shard_patches=1000, patch=PatchOptions(8, "stretch", "linear", 0)))
    assert changed.reused == 0
    assert len(list(out.glob("small-*"))) == len(list((out / "patches").iterdir())) == 2


def test_split_by_patch_puts_each_patch_in_one_shard(tmp_path: Path) -> None:
    options = small_options(split=SplitOptions("patch", Fraction(1, 10), 7))
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options)
    assert committed.records == {"train": 180, "validation": 20}
    keys = [
        key
        for part in (tmp_path / "out" / "patches").iterdir()
        for key in read_table("patches", part.read_bytes()).column("key").to_pylist()
    ]
    assert len(keys) == len(set(keys)) == 200


def test_a_task_that_no_worker_reported_stops_the_commit(tmp_path: Path) -> None:
    """What one of Beam's modes does: an element is lost and nobody says a word."""
    root, options = write_line(tmp_path / "frames"), small_options()
    source, target = LocalFiles(str(root)), LocalFiles(str(tmp_path / "out"))
    listing = list_acquisitions(source, options)
    plan = plan_shards(listing, options)
    build_dataset(
        root, tmp_path / "out"
    )  # An earlier build left good files of all shards: they must not hide the loss.
    open_version(target, plan)
    for task in plan[:-1]:
        build_shard(task, options, source, target, 1)
    with pytest.raises(CommitError, match=f"{plan[-1].name}.*no worker reported"):
        commit(target, options, listing, plan)
    assert not (tmp_path / "out" / "dataset_info.json").exists()


def build_without_commit(root: Path, target: LocalFiles) -> tuple[Listing, tuple[ShardTask, ...]]:
    """Every shard of the small line, and what a commit is told of them."""
    source, options = LocalFiles(str(root)), small_options()
    listing = list_acquisitions(source, options)
    plan = plan_shards(listing, options)
    open_version(target, plan)
    for task in plan:
        build_shard(task, options, source, target, 1)
    return listing, plan


def test_an_index_of_another_build_than_the_marker_says_stops_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    listing, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    marker = tmp_path / "out/.work/done" / f"{plan[0].name}.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "fingerprint": "another"}))
    with pytest.raises(CommitError, match=f"{plan[0].name}: the index is not the one"):
        commit(target, options, listing, plan)


def test_bytes_that_changed_without_a_change_of_length_stop_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    listing, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    shard = tmp_path / "out" / plan[0].name
    good = shard.read_bytes()
    records = [data for _, data in read_records(good)]
    shard.write_bytes(b"".join(frame_record(data) for data in reversed(records)))
    with pytest.raises(CommitError, match=f"{plan[0].name}: its bytes changed"):
        commit(target, options, listing, plan)
    shard.write_bytes(good[:40] + bytes([good[40] ^ 1]) + good[41:])
    with pytest.raises(CommitError, match=f"{plan[0].name}: reported built, but it cannot be read back: record 0"):
        commit(target, options, listing, plan)


def test_a_record_lost_from_a_shard_stops_the_commit(tmp_path: Path) -> None:
    options, target = small_options(), LocalFiles(str(tmp_path / "out"))
    listing, plan = build_without_commit(write_line(tmp_path / "frames"), target)
    shard = tmp_path / "out" / plan[0].name
    offset, _ = list(read_records(shard.read_bytes()))[-1]
    shard.write_bytes(shard.read_bytes()[: offset - 12])
    with pytest.raises(CommitError, match=r"expected 40 records.*the file holds 39"):
        commit(target, options, listing, plan)


BAD_FRAMES: dict[str, Callable[[Path], object]] = {
    "missing_frame": lambda path: path.unlink(),
    "empty_file": lambda path: path.write_bytes(b""),
    "unreadable": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "wrong_size": lambda path: cv2.imwrite(str(path), np.zeros((48, 65), np.uint8)),
    "extra_frame": lambda path: path.with_name("frame_03.png").write_bytes(path.read_bytes()),
    "duplicate_frame": lambda path: path.with_name("frame_1.png").write_bytes(path.read_bytes()),
    "not_grey_8_bit": lambda path: cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8)),
    "too_large": lambda path: cv2.imwrite(str(path), np.zeros((200, 200), np.uint8)),
}


@pytest.mark.parametrize("reason", sorted(BAD_FRAMES))
def test_a_bad_frame_sends_its_acquisition_to_quarantine_and_the_rest_is_built(tmp_path: Path, reason: str) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    BAD_FRAMES[reason](root / "C/run_01/frame_01.png")
    options = small_options(max_quarantined=1)
    committed = build_dataset(root, out, options)
    assert committed.acquisitions == 9
    assert sum(committed.records.values()) == 180
    (row,) = read_table("quarantine", (out / "quarantine.parquet").read_bytes()).to_pylist()
    assert (row["folder"], row["strip"], row["run"], row["reason"]) == ("C/run_01", "C", 1, reason)
    assert row["file"].startswith("frame_")
    assert row["detail"]
    # The same is found again: nothing is written anew.
    assert build_dataset(root, out, options).reused == committed.shards


@dataclass(frozen=True)
class Glitch(LocalFiles):
    """Files of which one is cut short at its first reading, as while it is being copied."""

    path: str
    reads: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        content = super().read(path)
        return content[:50] if path == self.path and self.reads.count(path) == 1 else content


def test_a_fault_that_passed_is_not_remembered(tmp_path: Path) -> None:
    root, out, options = write_line(tmp_path / "frames"), tmp_path / "out", small_options(max_quarantined=1)
    source, target = Glitch(str(root), "C/run_01/frame_01.png"), LocalFiles(str(out))
    listing = list_acquisitions(source, options)
    plan = plan_shards(listing, options)
    open_version(target, plan)
    for task in plan:
        build_shard(task, options, source, target, 1)
    assert [row.folder for row in commit(target, options, listing, plan).quarantine] == ["C/run_01"]
    healed = build_dataset(root, out, options)
    assert healed.quarantine == ()
    assert healed.reused == healed.shards - 1
    assert healed.digest == build_dataset(root, tmp_path / "fresh", options).digest


def add_junk(root: Path) -> None:
    (root / "A/run_00/Thumbs.db").write_bytes(b"x")


def remove_unread_frame(root: Path) -> None:
    (root / "A/run_00/frame_01.png").unlink()


def empty_unread_frame(root: Path) -> None:
    (root / "A/run_00/frame_01.png").write_bytes(b"")


def rename_frame(root: Path) -> None:
    (root / "A/run_00/frame_02.png").rename(root / "A/run_00/frame_2.png")


@pytest.mark.parametrize("change", [add_junk, remove_unread_frame, empty_unread_frame, rename_frame])
def test_a_build_that_goes_on_ends_as_one_from_nothing(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Frame 1 must be there, but no patch needs it."""
    images = small_options().images
    options = small_options(images=(images[0], images[2]), max_quarantined=1)
    root = write_line(tmp_path / "frames")
    first = build_dataset(root, tmp_path / "out", options)
    change(root)
    second = build_dataset(root, tmp_path / "out", options)
    assert second.digest == build_dataset(root, tmp_path / "fresh", options).digest
    assert second.digest != first.digest


def test_folders_that_end_too_early_are_named(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    (root / "F").mkdir()
    (root / "F/frame_00.png").write_bytes(b"a frame one level too high")
    (root / "G").symlink_to("G")
    committed = build_dataset(root, tmp_path / "out", small_options(max_quarantined=2))
    assert [(row.folder, row.reason) for row in committed.quarantine] == [
        ("F", "unmatched_name"), ("G", "unmatched_name"),
    ]  # fmt: skip


def test_a_frame_that_links_to_itself_is_unreadable(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    frame = root / "A/run_00/frame_01.png"
    frame.unlink()
    frame.symlink_to(frame.name)
    (row,) = build_dataset(root, tmp_path / "out", small_options(max_quarantined=1)).quarantine
    assert (row.reason, row.file) == ("unreadable", "frame_01.png")


@dataclass(frozen=True)
class Failing(LocalFiles):
    """Files of which one cannot be listed or read, for a reason that lasts or one that may pass."""

    path: str
    number: int

    def names(self, folder: str) -> dict[str, int]:
        if folder == self.path:
            raise OSError(self.number, os.strerror(self.number), folder)
        return super().names(folder)


def test_rights_are_a_reason_and_a_moment_of_the_disk_is_not(tmp_path: Path) -> None:
    root, options = write_line(tmp_path / "frames"), small_options()
    target = LocalFiles(str(tmp_path / "out"))
    plan = plan_shards(list_acquisitions(LocalFiles(str(root)), options), options)
    task = next(task for task in plan if any(item.folder == "A/run_00" for item in task.acquisitions))
    summary = build_shard(task, options, Failing(str(root), "A/run_00", errno.EACCES), target, 1)
    assert summary.quarantined == 1
    with pytest.raises(OSError, match="Input/output error"):
        build_shard(task, options, Failing(str(root), "A/run_00", errno.EIO), LocalFiles(str(tmp_path / "b")), 1)


def test_frames_of_unequal_size_where_any_size_is_taken(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    cv2.imwrite(str(root / "B/run_00/frame_02.png"), np.zeros((48, 65), np.uint8))
    layout = type(LAYOUT)("fractions", None, {"R0": ((0, 0, 0.5, 1), (0.5, 0, 0.5, 1))}, allow_overlap=False)
    build_dataset(root, tmp_path / "out", small_options(layout=layout, max_quarantined=1))
    (row,) = read_table("quarantine", (tmp_path / "out/quarantine.parquet").read_bytes()).to_pylist()
    assert (row["reason"], row["file"]) == ("unequal_sizes", "frame_02.png")


def test_too_much_quarantine_fails_with_the_table_of_reasons(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    (root / "A/run_00/frame_00.png").unlink()
    (root / "B/run_00/frame_00.png").write_bytes(b"")
    with pytest.raises(QuarantineError) as caught:
        build_dataset(root, tmp_path / "out", small_options(max_quarantined=1))
    text = str(caught.value)
    assert "2 of 10" in text
    assert "A/run_00/frame_00.png: missing_frame" in text
    assert "B/run_00/frame_00.png: empty_file" in text
    assert not (tmp_path / "out/dataset_info.json").exists()


def test_a_shard_may_be_empty_and_a_split_may_not(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    options = small_options(max_quarantined=9, shard_patches=1)
    validation = {
        item.folder
        for task in plan_shards(list_acquisitions(LocalFiles(str(root)), options), options)
        for item in task.acquisitions
        if task.split == "validation"
    }
    for folder in sorted(validation)[1:]:
        (root / folder / "frame_00.png").write_bytes(b"")
    committed = build_dataset(root, tmp_path / "out", options)
    assert committed.records == {"train": 160, "validation": 20}
    assert verify_dataset(LocalFiles(str(tmp_path / "out")), 1).faults == ()
    (root / min(validation) / "frame_00.png").write_bytes(b"")
    with pytest.raises(CommitError, match="split validation: every acquisition"):
        build_dataset(root, tmp_path / "out", options)


def test_fewer_frames_than_the_acquisition_has_may_become_patches(tmp_path: Path) -> None:
    """Frames that nobody needs are not read: a broken one does no harm."""
    root = write_line(tmp_path / "frames")
    (root / "A/run_00/frame_01.png").write_bytes(b"not read")
    images = small_options().images
    committed = build_dataset(root, tmp_path / "out", small_options(images=(images[0], images[2])))
    assert sum(committed.records.values()) == 10 * 2 * 4


@pytest.mark.parametrize("suffix", ["bmp", "tiff"])
def test_other_formats_give_the_same_patches(tmp_path: Path, suffix: str) -> None:
    build_dataset(write_line(tmp_path / "png"), tmp_path / "a")
    template = PathTemplate(f"{{strip}}/run_{{run}}/frame_{{frame}}.{suffix}")
    build_dataset(write_line(tmp_path / "other", suffix=suffix), tmp_path / "b", small_options(template=template))
    shards = {name: content for name, content in tree_bytes(tmp_path / "a").items() if name.startswith("small-")}
    assert shards == {name: tree_bytes(tmp_path / "b")[name] for name in shards}


def test_provenance_names_parameters_code_and_shards(tmp_path: Path) -> None:
    committed = build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    values = json.loads((tmp_path / "out/provenance.json").read_text())
    assert values["digest"] == committed.digest
    assert values["parameters"]["strip_layout"]["boxes"][1] == ["R1", [[0, 20, 16, 16], [32, 20, 16, 16]]]
    assert values["code_version"]
