"""Good shards are kept, others built again: a build that goes on ends as one from nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import pytest

from drae_data.local_files import LocalFiles
from drae_data.patches import PatchOptions
from drae_data.publication import commit, open_version
from drae_data.shards import Roots, build_shard
from tests.small_line import build_dataset, plan_line, small_frame, small_options, tree_bytes, write_line


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


def test_a_leftover_of_a_system_that_appears_later_is_counted_and_rebuilds_nothing(tmp_path: Path) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    first = build_dataset(root, out)
    assert [row.ignored_files for row in first.acquisitions] == [0] * 10
    (root / "B/run_01/Thumbs.db").write_bytes(b"x")
    second = build_dataset(root, out)
    assert second.reused == first.shards
    assert {str(row.key): row.ignored_files for row in second.acquisitions if row.ignored_files} == {"B/r1": 1}
    assert build_dataset(root, tmp_path / "fresh").digest == second.digest != first.digest


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
    changed = build_dataset(
        root, out, small_options(shard_patches=1000, patch=PatchOptions(8, "stretch", "linear", 0, "png"))
    )
    assert changed.reused == 0
    assert len(list(out.glob("small-*"))) == len(list((out / "patches").iterdir())) == 2


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
    roots = Roots(Glitch(str(root), "C/run_01/frame_01.png"), LocalFiles(str(out)), None)
    selection, plan = plan_line(roots.source, options)
    open_version(roots.target, plan)
    for task in plan.tasks:
        build_shard(task, options, roots, 1)
    assert [row.folder for row in commit(roots.target, options, selection, plan).quarantine] == ["C/run_01"]
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
