"""The log of frames saves reading what did not change, and decides no byte."""

import os
from pathlib import Path

import cv2
import pytest

from drae_data.local_files import LocalFiles
from tests.small_line import build_dataset, small_frame, tree_bytes, write_line

LONG_AGO = 1_700_000_000


@pytest.fixture
def line(tmp_path: Path) -> Path:
    root = write_line(tmp_path / "frames")
    for path in root.rglob("*.png"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return root


@pytest.fixture
def read(line: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The frames that are read, in order of reading."""
    paths: list[str] = []
    real = LocalFiles.read

    def noting(self: LocalFiles, path: str) -> bytes:
        if self.root == str(line):
            paths.append(path)
        return real(self, path)

    monkeypatch.setattr(LocalFiles, "read", noting)
    return paths


def test_frames_that_did_not_change_are_not_read_again(line: Path, tmp_path: Path, read: list[str]) -> None:
    first = build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert len(read) == 30
    read.clear()
    second = build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert read == [] and second.digest == first.digest and second.reused == second.shards
    # Nor by the build after, which goes on from the log of one that read nothing.
    build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert read == []


def test_a_frame_with_another_time_is_read_and_found_out(line: Path, tmp_path: Path, read: list[str]) -> None:
    build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    read.clear()
    os.utime(line / "A/run_00/frame_01.png", (LONG_AGO + 1, LONG_AGO + 1))
    same = build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert read == ["A/run_00/frame_01.png"] and same.reused == same.shards
    cv2.imwrite(str(line / "A/run_00/frame_01.png"), 255 - small_frame("A", 0, 1))
    changed = build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert changed.reused == changed.shards - 1
    assert build_dataset(line, tmp_path / "fresh").digest == changed.digest


def test_a_frame_that_was_just_written_is_not_logged(line: Path, tmp_path: Path, read: list[str]) -> None:
    (line / "B/run_01/frame_02.png").touch()
    build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    read.clear()
    build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    assert read == ["B/run_01/frame_02.png"]


@pytest.mark.parametrize("content", [b"", b"[]", b"no json", b'{"A/run_00/frame_00.png": "x"}'])
def test_a_damaged_log_is_no_log(line: Path, tmp_path: Path, read: list[str], content: bytes) -> None:
    first = build_dataset(line, tmp_path / "out", logs=tmp_path / "logs")
    for path in (tmp_path / "logs").iterdir():
        path.write_bytes(content)
    read.clear()
    assert build_dataset(line, tmp_path / "out", logs=tmp_path / "logs").digest == first.digest
    assert len(read) == 30


def test_the_log_enters_no_byte_of_a_version(line: Path, tmp_path: Path) -> None:
    build_dataset(line, tmp_path / "logged", logs=tmp_path / "logs")
    build_dataset(line, tmp_path / "logged", logs=tmp_path / "logs")
    build_dataset(line, tmp_path / "plain")
    assert tree_bytes(tmp_path / "logged") == tree_bytes(tmp_path / "plain")
