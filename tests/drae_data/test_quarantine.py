"""A bad frame costs its acquisition, never the build; each reason has its code."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from drae_data.errors import CommitError, QuarantineError
from drae_data.local_files import LocalFiles
from drae_data.shards import Roots, build_shard
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, plan_line, small_options, write_line

BAD_FRAMES: dict[str, Callable[[Path], object]] = {
    "missing_frame": lambda path: path.unlink(),
    "empty_file": lambda path: path.write_bytes(b""),
    "unreadable": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "wrong_size": lambda path: cv2.imwrite(str(path), np.zeros((48, 65), np.uint8)),
    "extra_frame": lambda path: path.with_name("frame_03.png").write_bytes(path.read_bytes()),
    "duplicate_frame": lambda path: path.with_name("frame_1.png").write_bytes(path.read_bytes()),
    "colour": lambda path: cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8)),
    "alpha": lambda path: PIL.Image.new("LA", (64, 48)).save(path),
    "wrong_depth": lambda path: cv2.imwrite(str(path), np.zeros((48, 64), np.uint16)),
    "too_large": lambda path: cv2.imwrite(str(path), np.zeros((200, 200), np.uint8)),
}


@pytest.mark.parametrize("reason", sorted(BAD_FRAMES))
def test_a_bad_frame_sends_its_acquisition_to_quarantine_and_the_rest_is_built(tmp_path: Path, reason: str) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    BAD_FRAMES[reason](root / "C/run_01/frame_01.png")
    options = small_options(max_quarantined=1)
    committed = build_dataset(root, out, options)
    assert len(committed.acquisitions) == 9
    assert sum(committed.records.values()) == 180
    (row,) = read_table("quarantine", (out / "quarantine.parquet").read_bytes()).to_pylist()
    assert (row["folder"], row["strip"], row["run"], row["reason"]) == ("C/run_01", "C", 1, reason)
    assert row["file"].startswith("frame_")
    assert row["detail"]
    # The same is found again: nothing is written anew.
    assert build_dataset(root, out, options).reused == committed.shards


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

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        if folder == self.path:
            raise OSError(self.number, os.strerror(self.number), folder)
        return super().names(folder, depth)


def test_rights_are_a_reason_and_a_moment_of_the_disk_is_not(tmp_path: Path) -> None:
    root, options = write_line(tmp_path / "frames"), small_options()
    _, plan = plan_line(LocalFiles(str(root)), options)
    task = next(task for task in plan.tasks if any(item.folder == "A/run_00" for item in task.acquisitions))

    def roots(number: int, out: str) -> Roots:
        return Roots(Failing(str(root), "A/run_00", number), LocalFiles(str(tmp_path / out)), None)

    assert build_shard(task, options, roots(errno.EACCES, "a"), 1).quarantined == 1
    with pytest.raises(OSError, match="Input/output error"):
        build_shard(task, options, roots(errno.EIO, "b"), 1)


def test_frames_of_unequal_size_where_any_size_is_taken(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    cv2.imwrite(str(root / "B/run_00/frame_02.png"), np.zeros((48, 65), np.uint8))
    layout = StripLayout("fractions", None, {"R0": ((0, 0, 0.5, 1), (0.5, 0, 0.5, 1))}, allow_overlap=False)
    options = small_options(layouts=StripLayouts.single(layout), max_quarantined=1)
    build_dataset(root, tmp_path / "out", options)
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
        for task in plan_line(LocalFiles(str(root)), options)[1].tasks
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


def test_names_that_are_no_text_end_as_escapes_in_the_table(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    folder = root / "Z/run_00"
    folder.mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x1b[31m.png")).write_bytes(b"x")
    committed = build_dataset(root, tmp_path / "out", small_options(max_quarantined=1))
    (row,) = committed.quarantine
    assert row.reason == "missing_frame" and row.detail.isprintable() and r"\xff" in row.detail


def test_a_version_folder_that_is_a_link_is_rebuilt_behind_it(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "v").symlink_to("big")
    (tmp_path / "big/dataset_info.json").write_text("{}")
    with LocalFiles(str(tmp_path / "v")).replacing("dataset_info.json") as beside:
        beside.write("dataset_info.json", [b"new"])
    assert (tmp_path / "v").is_symlink() and (tmp_path / "big/dataset_info.json").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big", "v"]
