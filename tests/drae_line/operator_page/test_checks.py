"""Checks: written, read back, torn, and which of them counts."""

import json
import os
from pathlib import Path

import pytest

from drae_line.errors import LogError
from drae_line.operator_page.checks import CHECKS, Check, append_check
from drae_line.operator_page.line_view import LineView
from drae_line.operator_page.verdict_feed import VerdictFeed
from drae_line.verdict_log import VERDICTS
from tests.drae_line.operator_page.fake_line import FakeLine
from tests.drae_line.operator_page.page_client import page_options


def checks_of(folder: Path) -> dict[int, str]:
    """What a page that starts now makes of log and checks."""
    view = LineView(page_options(folder))
    view.take_reading(VerdictFeed(folder / VERDICTS, 1000, 100).read())
    lines = (folder / CHECKS).read_bytes().splitlines()
    view.take_checks([Check.parse(line) for line in lines], anew=False)
    return view.checks()


def test_a_check_reads_back_and_the_newest_counts(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.accept("A/r0")
    for name in ("B/r0", "C/r0", "D/r0"):
        line.reject(name, pictures=False)
    line.miss("E/r0")
    written = [
        append_check(tmp_path, sequence, name, found)
        for sequence, name, found in (
            (2, "B/r0", "good"), (3, "C/r0", "good"), (2, "B/r0", "defective"), (4, "D/r0", "good"),
            (4, "D/r0", "open"), (5, "E/r0", "good"),
        )
    ]  # fmt: skip
    lines = (tmp_path / CHECKS).read_bytes().splitlines()
    assert [Check.parse(one) for one in lines] == written
    assert list(json.loads(lines[0])) == ["given", "sequence", "acquisition", "found", "by"]
    assert json.loads(lines[0])["by"] == ""
    assert checks_of(tmp_path) == {2: "defective", 3: "good", 5: "good"}


def test_a_check_of_an_earlier_log_or_of_an_accepted_strip_counts_nowhere(tmp_path: Path) -> None:
    line = FakeLine(tmp_path)
    line.reject("A/r0", pictures=False)
    line.accept("B/r0")
    append_check(tmp_path, 1, "OLD/r0", "good")
    append_check(tmp_path, 2, "B/r0", "good")
    append_check(tmp_path, 9, "Z/r0", "good")
    assert checks_of(tmp_path) == {}


def test_a_check_is_on_the_disk_before_anybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append((tmp_path / CHECKS).read_bytes())

    monkeypatch.setattr("drae_line.operator_page.checks.os.fsync", fsync)
    check = append_check(tmp_path, 1, "A/r0", "good")
    # The file, and once the folder that names it.
    assert synced == [check.line()] * 2


def test_a_torn_check_spoils_none_after_it(tmp_path: Path) -> None:
    append_check(tmp_path, 1, "A/r0", "good")
    with (tmp_path / CHECKS).open("ab") as stream:
        stream.write(b'{"given":"2026')
    second = append_check(tmp_path, 2, "B/r0", "good")
    lines = (tmp_path / CHECKS).read_bytes().splitlines()
    assert len(lines) == 3
    assert Check.parse(lines[2]) == second


@pytest.mark.parametrize("name", ["é ü", "a\nb", "\ud800", '"', "\u2028"])
def test_any_name_is_one_line(tmp_path: Path, name: str) -> None:
    check = append_check(tmp_path, 1, name, "good")
    content = (tmp_path / CHECKS).read_bytes()
    assert content.count(b"\n") == 1
    assert Check.parse(content) == check


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"5", b"{}", b'{"given":"t","sequence":1,"acquisition":"A/r0","found":"fine"}',
        b'{"given":"t","sequence":"1","acquisition":"A/r0","found":"good"}',
        b'{"given":"t","sequence":true,"acquisition":"A/r0","found":"good"}',
        b'{"given":"t","sequence":1,"acquisition":7,"found":"good"}',
        b'{"given":"t","sequence":1,"acquisition":"A/r0","found":"good","more":1}',
        b'{"given":"t","sequence":1,"acquisition":"A/r0","found":["good"]}', b"\xff",
    ],
)  # fmt: skip
def test_what_is_no_check_is_refused(line: bytes) -> None:
    with pytest.raises(LogError):
        Check.parse(line)
