"""Beam's filesystems hold the same promises as the local ones; here over Beam's own local file system."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drae_data.files import Files, LocalFiles
from drae_data.publication import commit, open_version
from drae_data.shard_plan import list_acquisitions, plan_shards
from drae_data.shards import build_shard
from pipelines.beam_files import BeamFiles, files_at
from tests.small_line import build_dataset, small_options, tree_bytes, write_line


@pytest.mark.parametrize("kind", [LocalFiles, BeamFiles])
def test_the_operations(tmp_path: Path, kind: Callable[[str], Files]) -> None:
    files = kind(str(tmp_path))
    files.write("a/b/one.txt", [b"12", b"3"])
    files.write("a/two.txt", [b""])
    files.write("a/.hidden/three.txt", [b"x"])
    assert files.read("a/b/one.txt") == b"123"
    assert files.names("a/b") == {"one.txt": 3}
    assert files.names("absent") == {}
    assert list(files.folders(2)) == ["a/b"]
    files.write("a/b/one.txt", [b"new"])
    assert files.read("a/b/one.txt") == b"new"
    files.remove("a/b")
    assert files.names("a/b") == {}
    files.remove("a/b")
    with pytest.raises(FileNotFoundError):
        files.read("a/b/one.txt")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> object:
        yield b"half"
        raise RuntimeError("the disk is full, say")

    files = LocalFiles(str(tmp_path))
    files.write("x", [b"old"])
    with pytest.raises(RuntimeError):
        files.write("x", broken())  # type: ignore[arg-type]
    assert tree_bytes(tmp_path) == {"x": b"old"}


def test_a_build_over_beams_filesystems_gives_the_same_bytes(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    build_dataset(root, tmp_path / "local")
    options, source, target = small_options(), BeamFiles(str(root)), BeamFiles(str(tmp_path / "beam"))
    listing = list_acquisitions(source, options)
    plan = plan_shards(listing, options)
    open_version(target, plan)
    for task in plan:
        build_shard(task, options, source, target, 2)
    commit(target, options, listing, plan)
    assert tree_bytes(tmp_path / "beam") == tree_bytes(tmp_path / "local")


def test_a_url_goes_to_beam_and_a_folder_does_not() -> None:
    assert files_at("s3://bucket/frames/") == BeamFiles("s3://bucket/frames")
    assert files_at("data/frames") == LocalFiles("data/frames")
