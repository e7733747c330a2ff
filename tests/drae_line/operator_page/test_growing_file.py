"""Following a file that others append to, cut, replace and remove."""

import os
from pathlib import Path

from drae_line.operator_page.growing_file import GrowingFile, Growth


def test_a_file_that_is_absent_and_then_comes(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "log" / "a.jsonl")
    assert file.read() == Growth([], anew=False, more=False)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.jsonl").write_bytes(b"one\ntwo\n")
    assert file.read() == Growth([b"one", b"two"], anew=False, more=False)
    assert file.read() == Growth([], anew=False, more=False)


def test_a_partial_line_waits_for_its_end(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\ntw")
    file = GrowingFile(place)
    assert file.read().lines == [b"one"]
    with place.open("ab") as stream:
        stream.write(b"o\nth")
    assert file.read().lines == [b"two"]


def test_a_partial_line_that_is_taken_off_does_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\ntwo par")
    file = GrowingFile(place)
    assert file.read().lines == [b"one"]
    os.truncate(place, len(b"one\n"))
    assert file.read() == Growth([], anew=False, more=False)
    with place.open("ab") as stream:
        stream.write(b"2\n")
    assert file.read() == Growth([b"2"], anew=False, more=False)


def test_a_shorter_file_is_another_one(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\ntwo\nthree\n")
    file = GrowingFile(place)
    file.read()
    place.write_bytes(b"new\n")
    assert file.read() == Growth([b"new"], anew=True, more=False)


def test_a_file_of_the_same_length_or_longer_is_another_one_where_its_lines_are(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\n")
    file = GrowingFile(place)
    file.read()
    (tmp_path / "b.jsonl").write_bytes(b"uno\n")
    (tmp_path / "b.jsonl").replace(place)
    assert file.read() == Growth([b"uno"], anew=True, more=False)
    (tmp_path / "b.jsonl").write_bytes(b"eins\nzwei\ndrei\n")
    (tmp_path / "b.jsonl").replace(place)
    assert file.read() == Growth([b"eins", b"zwei", b"drei"], anew=True, more=False)


def test_a_copy_in_its_place_is_the_same_log(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\n")
    file = GrowingFile(place)
    file.read()
    (tmp_path / "b.jsonl").write_bytes(b"one\ntwo\n")
    (tmp_path / "b.jsonl").replace(place)
    assert file.read() == Growth([b"two"], anew=False, more=False)


def test_a_file_that_is_removed_is_said_once(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\n")
    file = GrowingFile(place)
    file.read()
    place.unlink()
    assert [file.read().anew, file.read().anew] == [True, False]
    place.write_bytes(b"one\n")
    assert file.read() == Growth([b"one"], anew=False, more=False)


def test_blocks_cut_no_line(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    lines = [b"x" * length for length in (0, 3, 50, 1, 0, 7)]
    place.write_bytes(b"".join(line + b"\n" for line in lines) + b"part")
    file, found, more = GrowingFile(place), list[bytes](), True
    looks = 0
    while more:
        growth = file.read(block=8)
        found, more, looks = found + growth.lines, growth.more, looks + 1
    assert found == lines
    assert looks > 3


def test_only_the_tail_of_a_long_file(tmp_path: Path) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(b"one\ntwo\nthree\n")
    assert GrowingFile(place, tail=10).read().lines == [b"two", b"three"]
    assert GrowingFile(place, tail=9).read().lines == [b"three"]
    assert GrowingFile(place, tail=14).read().lines == [b"one", b"two", b"three"]
    file = GrowingFile(place, tail=6)
    assert file.read().lines == [b"three"]
    with place.open("ab") as stream:
        stream.write(b"four\n")
    assert file.read() == Growth([b"four"], anew=False, more=False)
