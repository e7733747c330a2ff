"""Listing where acquisitions are files: times of frames, files elsewhere, names made to keep a matcher busy."""

import time
from pathlib import Path

import pytest

from drae_data.errors import KeyFormatError
from drae_data.intake import IntakeOptions
from drae_data.listing import list_acquisitions, list_files
from drae_data.local_files import LocalFiles
from drae_data.path_template import PathTemplate
from tests.small_line import files_of, small_options

STAMPED = PathTemplate("{strip}_{time}_{frame}.png")


def test_acquisitions_of_two_times_are_never_made_into_one() -> None:
    """Two frames of a first acquisition and one of a second are no acquisition of three frames."""
    listing = list_files(
        ["A_10_0.png", "A_10_1.png", "A_20_2.png", "B_10_0.png"], small_options(template=STAMPED), "root"
    )
    assert [str(item.key) for item in listing.acquisitions] == ["B/r0"]
    assert [row.reason for row in listing.refused] == ["duplicate_acquisition"] * 2


def test_a_time_of_its_own_on_every_frame_is_skipped_text() -> None:
    options = small_options(template=PathTemplate("{strip}_{skip}_{frame}.png"))
    paths = [f"A_{10 + frame}_{frame}.png" for frame in range(3)]
    assert [item.files for item in list_files(paths, options, "root").acquisitions] == [tuple(paths)]


def test_where_the_latest_is_wanted_times_tell_acquisitions_apart() -> None:
    options = small_options(template=STAMPED, intake=IntakeOptions("latest", "", 0, "inside"))
    paths = [f"A_{time}_{frame}.png" for time in (9, 10) for frame in range(3)]
    listing = list_files(paths, options, "root")
    assert [item.time for item in listing.acquisitions] == ["10"]
    assert [row.reason for row in listing.left_out] == ["superseded"]


def test_images_above_and_folders_below_their_level_are_refused_by_name(tmp_path: Path) -> None:
    for path in ("b/A_0.png", "stray.PNG", "notes.txt", "b/deeper/A_1.png", "@eaDir/y/x.png", "b/old/notes.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    listing = list_acquisitions(files_of(tmp_path), small_options(template=PathTemplate("{batch}/{strip}_{frame}.png")))
    assert [row.folder for row in listing.refused] == ["b/deeper", "stray.PNG"]
    assert listing.ignored == 2  # the leftover @eaDir and the folder without images
    assert {row.reason for row in listing.refused} == {"unmatched_name"}
    assert len(listing.acquisitions) == 1


def test_a_folder_on_the_way_that_cannot_be_listed_is_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b/r").mkdir(parents=True)
    (tmp_path / "b/r/A_0.png").write_bytes(b"x")
    files = files_of(tmp_path)
    real = LocalFiles._folder_names

    def refuse(self: LocalFiles, folder: str) -> list[str]:
        if folder == "b":
            raise PermissionError(13, "Permission denied", folder)
        return real(self, folder)

    monkeypatch.setattr(LocalFiles, "_folder_names", refuse)
    with pytest.raises(PermissionError):
        files.names("", 2)


def test_a_name_with_millions_of_readings_is_refused_at_once() -> None:
    template = PathTemplate("{batch}_{recipe}_{station}_{strip}_{run}/{frame}.png")
    started = time.process_time()
    with pytest.raises(KeyFormatError, match="too many ways"):
        template.match_acquisition("_" * 240)
    # Without the bound it takes seconds, and minutes with one more field.
    assert time.process_time() - started < 1
    assert template.match_acquisition("B_R_2_" + "S" * 100 + "_7").key.run == 7
