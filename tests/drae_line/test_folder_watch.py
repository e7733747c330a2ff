"""The system's own events, from files that are truly written."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drae_line.folder_watch import FileEvent, FolderWatch

LONGEST = 20.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "incoming" / "A").mkdir(parents=True)
    return tmp_path / "incoming"


@pytest.fixture
def watch(root: Path) -> Iterator[FolderWatch]:
    with FolderWatch(root) as found:
        yield found


def until(watch: FolderWatch, enough: Callable[[list[FileEvent]], bool]) -> list[FileEvent]:
    """What is told until it is enough."""
    found, end = list[FileEvent](), time.monotonic() + LONGEST
    while not enough(found):
        assert time.monotonic() < end, f"not told; only {found}"
        found += watch.events(0.1)
    return found


def test_a_file_is_open_until_its_writer_closes_it(root: Path, watch: FolderWatch) -> None:
    with (root / "A" / "frame.png").open("wb") as stream:
        stream.write(b"half")
        stream.flush()
        # The file was created, and grew.
        assert set(until(watch, lambda found: len(found) >= 2)) == {("A/frame.png", False)}
        stream.write(b"the rest")
    assert until(watch, lambda found: ("A/frame.png", True) in found)[-1] == ("A/frame.png", True)


def test_a_file_that_gets_its_true_name_is_closed(root: Path, watch: FolderWatch) -> None:
    (root / "A" / "frame.part").write_bytes(b"frame")
    (root / "A" / "frame.part").rename(root / "A" / "frame.png")
    found = until(watch, lambda found: ("A/frame.png", True) in found)
    assert ("A/frame.png", False) not in found


def test_a_file_that_is_moved_here_from_elsewhere_is_closed(root: Path, watch: FolderWatch) -> None:
    (root.parent / "frame.png").write_bytes(b"frame")
    (root.parent / "frame.png").rename(root / "A" / "frame.png")
    (root / "end.png").write_bytes(b"")
    found = until(watch, lambda found: ("end.png", True) in found)
    assert [event for event in found if event[0] == "A/frame.png"] == [("A/frame.png", True)]


def test_files_in_new_folders_are_told_of(root: Path, watch: FolderWatch) -> None:
    (root / "B" / "run_00").mkdir(parents=True)
    time.sleep(0.3)  # What is written before the folder is watched is found by the scan.
    (root / "B" / "run_00" / "frame.png").write_bytes(b"frame")
    until(watch, lambda found: ("B/run_00/frame.png", True) in found)


def test_folders_are_not_told_of_and_events_come_in_their_order(root: Path, watch: FolderWatch) -> None:
    for name in ("b", "a", "c"):
        (root / "A" / name).write_bytes(b"frame")
    (root / "A" / "folder").mkdir()
    (root / "A" / "last").write_bytes(b"frame")
    found = until(watch, lambda found: ("A/last", True) in found)
    assert [path for path, closed in found if closed] == ["A/b", "A/a", "A/c", "A/last"]
    assert "A/folder" not in {path for path, _ in found}


def test_where_nothing_happens_the_wait_ends(watch: FolderWatch) -> None:
    started = time.monotonic()
    assert watch.events(0.05) == []
    assert 0.04 <= time.monotonic() - started < LONGEST


def test_a_link_to_the_folder_is_followed(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    with FolderWatch(link) as watch:
        (root / "A" / "frame.png").write_bytes(b"frame")
        until(watch, lambda found: ("A/frame.png", True) in found)


def test_a_name_of_another_encoding_is_told_of(root: Path, watch: FolderWatch) -> None:
    name = b"Pr\xfcfung.bmp"
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_bytes(b"frame")
    found = until(watch, lambda found: any(closed for _, closed in found))
    assert os.fsencode(found[-1][0]) == name


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), FolderWatch(tmp_path / "absent"):
        pass
