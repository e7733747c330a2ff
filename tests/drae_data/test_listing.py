"""What lies below the root and is no acquisition is named, never lost."""

from pathlib import Path

import pytest

from drae_data.errors import ListingError
from drae_data.listing import list_folders
from tests.small_line import build_dataset, small_options, write_line


def test_folders_that_are_no_acquisitions_and_double_claims_are_named() -> None:
    found = list_folders(["A/run_1", "A/run_01", "B/run_0", "B/notes", "C\udcff/run_0"], small_options(), "frames")
    assert [str(item.key) for item in found.acquisitions] == ["B/r0"]
    assert [(row.folder, row.reason) for row in found.refused] == [
        ("A/run_01", "duplicate_acquisition"), ("A/run_1", "duplicate_acquisition"),
        ("B/notes", "unmatched_name"), ("C\\xff/run_0", "unmatched_name"),
    ]  # fmt: skip
    assert found.listed == 5


def test_a_root_without_acquisitions_says_what_was_expected() -> None:
    with pytest.raises(ListingError, match=r"run_\{run\}.*2 folders.*\n  x/y: unmatched_name"):
        list_folders(["x/y", "x/z"], small_options(), "frames")


def test_folders_that_end_too_early_are_named(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames")
    (root / "F").mkdir()
    (root / "F/frame_00.png").write_bytes(b"a frame one level too high")
    (root / "G").symlink_to("G")
    committed = build_dataset(root, tmp_path / "out", small_options(max_quarantined=2))
    assert [(row.folder, row.reason) for row in committed.quarantine] == [
        ("F", "unmatched_name"), ("G", "unmatched_name"),
    ]  # fmt: skip
