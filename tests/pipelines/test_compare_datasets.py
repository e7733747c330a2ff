"""The command that compares two versions: its words, its file for programs, and its exit status."""

import json
from pathlib import Path

import pytest

from pipelines.compare_datasets import DIFFERENT, SAME, TROUBLE, main
from tests.small_line import build_dataset, small_options, write_line


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version 1.0.0, and a version 1.1.0 that extends it by two strips, with a folder whose name a terminal obeys."""
    folder = tmp_path_factory.mktemp("versions")
    root = write_line(folder / "frames", "ABCD")
    build_dataset(root, folder / "1.0.0")
    write_line(root, ("E", "F"))
    (root / "\x1b[2J/run_00").mkdir(parents=True)
    options = small_options(version="1.1.0", extends="1.0.0", max_quarantined=1)
    build_dataset(root, folder / "1.1.0", options, earlier=folder / "1.0.0")
    return folder


def test_a_version_that_grew(versions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "differences.json"
    assert main([str(versions / "1.0.0"), str(versions / "1.1.0"), "--json", str(place)]) == DIFFERENT
    text = capsys.readouterr().out
    assert text.startswith("small 1.0.0 and small 1.1.0: they differ\n")
    assert "4 -> 6: 2 added, 0 removed" in text
    assert "added, 2: E, F" in text
    assert "\\x1b[2J/run_00: built or absent -> unmatched_name" in text
    assert "\x1b" not in text
    digests = [json.loads((versions / name / "provenance.json").read_text())["digest"] for name in ("1.0.0", "1.1.0")]
    assert all(f"digest  {digest}" in text for digest in digests)
    values = json.loads(place.read_text())
    assert values["strips_added"] == ["E", "F"]
    assert [values[side]["digest"] for side in ("before", "after")] == digests
    assert values["same"] is False
    assert max(map(len, text.splitlines())) <= 120


def test_the_same_content(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(versions / "1.0.0"), str(versions / "1.0.0")]) == SAME
    assert ": the same content\n" in capsys.readouterr().out


@pytest.mark.parametrize("absent", ["first", "second"])
def test_what_cannot_be_read_is_trouble_and_no_difference(
    absent: str, versions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(versions / "1.0.0"), str(tmp_path / "nothing")]
    assert main(folders if absent == "second" else folders[::-1]) == TROUBLE
    captured = capsys.readouterr()
    assert "nothing/dataset_info.json: absent: there is no such folder" in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_help_names_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "0: the same content. 1: they differ. 2: one of them cannot be read." in capsys.readouterr().out
