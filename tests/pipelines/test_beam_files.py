"""Beam's filesystems hold the same promises as the local ones; here over Beam's own local file system."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

from drae_data.errors import OptionError
from drae_data.files import Files
from drae_data.local_files import LocalFiles
from drae_data.publication import commit, open_version
from drae_data.shards import Roots, build_shard
from pipelines.beam_files import BeamFiles, files_at, write_file
from tests.small_line import build_dataset, plan_line, small_options, tree_bytes, write_line


@pytest.mark.parametrize("kind", [LocalFiles, BeamFiles])
def test_the_operations(tmp_path: Path, kind: Callable[[str], Files]) -> None:
    files = kind(str(tmp_path))
    files.write("a/b/one.txt", [b"12", b"3"])
    files.write("a/two.txt", [b""])
    files.write("a/.hidden/three.txt", [b"x"])
    assert files.read("a/b/one.txt") == b"123"
    assert files.names("a/b") == {"one.txt": 3}
    assert files.names("absent") == {}
    assert files.names("", 1) == {"a/two.txt": 0}
    assert files.names("", 2) == {"a/b/one.txt": 3}
    assert files.names("a", 1) == {"b/one.txt": 3}
    assert list(files.folders(2)) == ["a/b"]
    files.write("a/b/one.txt", [b"new"])
    assert files.read("a/b/one.txt") == b"new"
    files.remove("a/b")
    assert files.names("a/b") == {}
    files.remove("a/b")
    with pytest.raises(FileNotFoundError):
        files.read("a/b/one.txt")


@pytest.mark.parametrize("kind", [LocalFiles, BeamFiles])
def test_names_that_look_like_patterns_are_names(tmp_path: Path, kind: Callable[[str], Files]) -> None:
    root = tmp_path / "[a]*"
    folders = ["S*", "S[1]", "S?", "S1", "S", "S[", "S]"]
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        (root / folder / f"{number}.txt").write_bytes(bytes(number))
    (tmp_path / "a/S1").mkdir(parents=True)
    (tmp_path / "a/S1/other.txt").write_bytes(b"")
    files = kind(str(root))
    assert sorted(files.folders(1)) == sorted(folders)
    for number, folder in enumerate(folders):
        assert files.names(folder) == {f"{number}.txt": number}
        assert files.read(f"{folder}/{number}.txt") == bytes(number)


def test_nothing_is_removed_by_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    files = BeamFiles(str(tmp_path))
    for folder in ["S*", "S1"]:
        files.write(f"{folder}/x", [b""])
    with pytest.raises(OSError, match="cannot be removed"):
        files.remove("S*")
    assert tree_bytes(tmp_path) == {"S*/x": b"", "S1/x": b""}


@pytest.mark.parametrize("kind", [LocalFiles, BeamFiles])
def test_folders_that_end_early_are_given_too(tmp_path: Path, kind: Callable[[str], Files]) -> None:
    for path in ["a/b/c/deep.txt", "a/.hidden/d/x.txt", "short/x.txt", "top.txt", ".work/x/y.txt"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    assert sorted(kind(str(tmp_path)).folders(2)) == ["a/b", "short"]


def test_only_an_absent_object_is_called_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = BeamFiles(str(tmp_path))
    files.write("x", [b"1"])

    def refused(*_: object, **__: object) -> object:
        raise ValueError("access denied")

    monkeypatch.setattr(FileSystems, "open", refused)
    with pytest.raises(OSError, match="access denied") as caught:
        files.read("x")
    assert caught.value.errno == errno.EIO
    with pytest.raises(FileNotFoundError):
        files.read("y")


def test_a_write_never_changes_a_file_that_another_name_shares(tmp_path: Path) -> None:
    """Published files are hard links into DVC's cache: writing into one would change the cache."""
    files = LocalFiles(str(tmp_path))
    files.write("x", [b"old"])
    (tmp_path / "cache").hardlink_to(tmp_path / "x")
    files.write("x", [b"new"])
    assert (tmp_path / "cache").read_bytes() == b"old"
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize("kind", [LocalFiles, BeamFiles])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, kind: Callable[[str], Files]) -> None:
    def broken() -> object:
        yield b"half"
        raise RuntimeError("the disk is full, say")

    files = kind(str(tmp_path))
    files.write("x", [b"old"])
    for name in ["x", "new"]:
        with pytest.raises(RuntimeError):
            files.write(name, broken())  # type: ignore[arg-type]
    assert tree_bytes(tmp_path) == {"x": b"old"}


def test_a_build_over_beams_filesystems_gives_the_same_bytes(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    build_dataset(root, tmp_path / "local")
    options, roots = small_options(), Roots(BeamFiles(str(root)), BeamFiles(str(tmp_path / "beam")), None)
    selection, plan = plan_line(roots.source, options)
    open_version(roots.target, plan)
    for task in plan.tasks:
        build_shard(task, options, roots, 2)
    commit(roots.target, options, selection, plan)
    assert tree_bytes(tmp_path / "beam") == tree_bytes(tmp_path / "local")


def test_a_url_goes_to_beam_and_a_folder_does_not() -> None:
    assert files_at("s3://bucket/frames/") == BeamFiles("s3://bucket/frames")
    assert files_at("data/frames") == LocalFiles("data/frames")


def test_a_local_root_is_found_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert files_at("file:///data/frames") == LocalFiles("/data/frames")
    assert files_at("~/frames") == LocalFiles("/somewhere/frames")
    assert files_at("~") == LocalFiles("/somewhere")
    # A folder without a name of its own has no place for a lock file beside it.
    assert files_at(".") == LocalFiles(str(tmp_path))
    assert files_at("..") == LocalFiles(str(tmp_path.parent))


@pytest.mark.parametrize("root", ["ftp://host/frames", "S3://bucket", "file://frames", "s3://", "://x"])
def test_a_url_that_nothing_opens_is_refused_with_those_that_work(root: str) -> None:
    with pytest.raises(OptionError, match=r"file:///FOLDER or .*gs://.*s3://, got"):
        files_at(root)


@pytest.mark.parametrize("name", ["picture.png", "new/folder/picture.png"])
def test_a_file_is_written_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(name, b"1")
    write_file(f"{tmp_path}/whole/{name}", b"2")
    assert tree_bytes(tmp_path) == {name: b"1", f"whole/{name}": b"2"}
