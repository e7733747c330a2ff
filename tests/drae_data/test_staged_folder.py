"""A staged folder is wholly there or not there: what a failure, a kill and another process find."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drae_data.staged_folder import staged_folder


class StopError(Exception):
    """Ends a block."""


def put(target: Path, text: str, *, fail: bool = False) -> None:
    """Stages a folder of two files, one of them in a folder below."""
    with staged_folder(target) as part:
        (part / "below").mkdir()
        (part / "below" / "inner.txt").write_text(text)
        (part / "outer.txt").write_text(text)
        if fail:
            raise StopError


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder; hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def whole(text: str, name: str = "model") -> dict[str, str]:
    return {f"{name}/below/inner.txt": text, f"{name}/outer.txt": text}


def test_a_folder_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    put(tmp_path / "new/model", "one")
    assert content(tmp_path / "new") == whole("one")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model"]


def test_nothing_is_seen_at_the_target_before_the_end(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with staged_folder(target) as part:
        (part / "outer.txt").write_text("one")
        assert not target.exists()
        assert part.parent == tmp_path  # One file system, so that the last step is a rename.
    assert content(target) == {"outer.txt": "one"}


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "only_the_old_one_had_this").write_text("old")
    with staged_folder(target) as part:
        assert content(target) == {"only_the_old_one_had_this": "old"}
        (part / "outer.txt").write_text("new")
    assert content(tmp_path) == {"model/outer.txt": "new"}


@pytest.mark.parametrize("stood", [True, False])
def test_a_block_that_fails_changes_nothing(tmp_path: Path, stood: bool) -> None:
    target = tmp_path / "model"
    if stood:
        put(target, "old")
    with pytest.raises(StopError):
        put(target, "new", fail=True)
    assert content(tmp_path) == (whole("old") if stood else {})
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if stood else [])


def test_the_staging_folder_is_empty_whatever_an_earlier_process_left(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with staged_folder(target) as part:
        place = part
    place.mkdir()
    (place / "rest_of_a_killed_process").write_text("half")
    put(target, "new")
    assert content(tmp_path) == whole("new")


KILLED = """
import os, sys
from pathlib import Path
from drae_data.staged_folder import staged_folder
moment, target = int(sys.argv[1]), Path(sys.argv[2])
renames, rename = 0, Path.rename
def counted(path, to):
    global renames
    renames += 1
    if renames > moment:
        os.kill(os.getpid(), 9)
    return rename(path, to)
Path.rename = counted
with staged_folder(target) as part:
    (part / "outer.txt").write_text("new")
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_at_either_rename_costs_no_folder(tmp_path: Path, renames: int) -> None:
    """The process is killed before its first rename, or between the two, when nothing is at the target."""
    target = tmp_path / "model"
    put(target, "old")
    command = [sys.executable, "-c", KILLED, str(renames), str(target)]
    done = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    assert done.returncode == -9
    assert target.exists() == (renames == 0)

    # The next call puts the old folder back before its block begins, and a block that fails leaves it there.
    with pytest.raises(StopError):
        put(target, "never", fail=True)
    assert content(tmp_path) == whole("old")

    put(target, "newer")
    assert content(tmp_path) == whole("newer")


def test_a_kill_after_both_renames_leaves_the_new_folder(tmp_path: Path) -> None:
    target = tmp_path / "model"
    put(target, "new")
    # What a process leaves that is killed before it removes the old folder: the name that the docstring gives.
    (tmp_path / ".model.old").mkdir()
    (tmp_path / ".model.old" / "outer.txt").write_text("old")
    with pytest.raises(StopError):
        put(target, "never", fail=True)
    assert content(tmp_path) == whole("new")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        put(tmp_path / "file/model", "one")
    assert content(tmp_path) == {"file": "not a folder"}
