"""What is listed: every acquisition once, with a reason where it is not built; leftovers of systems are no frames."""

import os
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.codes import LEFT_OUT, REASONS
from drae_data.errors import ListingError
from drae_data.intake import IntakeOptions, TimeOptions
from drae_data.junk import is_junk
from drae_data.listing import Listing, list_acquisitions, list_files, list_folders
from drae_data.manifest import QuarantineRow
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.path_template import PathTemplate
from drae_data.tables import read_table
from tests.small_line import build_dataset, files_of, small_options, write_line


def intake(**changes: Any) -> IntakeOptions:
    values: dict[str, Any] = {"reacquired": "refuse", "marker": "", "settle_seconds": 0, "links": "inside"}
    return IntakeOptions(**{**values, **changes})


def timed(reacquired: str, form: str = "") -> DatasetOptions:
    """Options of a line whose folder names hold the time."""
    return small_options(
        template=PathTemplate("{strip}_{run}_{time}/frame_{frame}.png"), intake=intake(reacquired=reacquired),
        acquired_at=TimeOptions("name", form, "UTC") if form else TimeOptions("", "", ""),
    )  # fmt: skip


def rows(found: Iterable[QuarantineRow]) -> list[tuple[str, str]]:
    return [(row.folder, row.reason) for row in found]


def listed(root: Path, options: DatasetOptions) -> Listing:
    return list_acquisitions(files_of(root), options)


def balance(version: Path) -> Counter[str]:
    """How many rows each table of a version has; the tables are read without the builder's counts."""
    names = ("acquisitions", "quarantine", "left_out")
    return Counter({name: len(read_table(name, (version / f"{name}.parquet").read_bytes())) for name in names})


def test_two_folders_that_claim_one_key_are_both_refused() -> None:
    found = list_folders(["A/run_1", "A/run_01", "B/run_0", "B/notes"], small_options(), "frames")
    assert [str(item.key) for item in found.acquisitions] == ["B/r0"]
    assert rows(found.refused) == [
        ("A/run_01", "duplicate_acquisition"), ("A/run_1", "duplicate_acquisition"), ("B/notes", "unmatched_name"),
    ]  # fmt: skip
    assert all("A/run_01" in row.detail and "A/run_1" in row.detail for row in found.refused[:2])
    assert found.listed == 4


def test_composed_and_decomposed_twins_claim_one_key() -> None:
    twins = [unicodedata.normalize(form, "Ä") + "/run_0" for form in ("NFC", "NFD")]
    found = list_folders([*twins, "B/run_0"], small_options(), "")
    assert {row.folder for row in found.refused} == set(twins)
    assert {row.reason for row in found.refused} == {"duplicate_acquisition"}


def test_the_same_strip_in_two_batches_is_two_acquisitions() -> None:
    options = small_options(template=PathTemplate("{batch}/{strip}/{frame}.png"))
    found = list_folders(["B1/S1", "B2/S1"], options, "")
    assert [str(item.key) for item in found.acquisitions] == ["batch=B1/S1/r0", "batch=B2/S1/r0"]


def test_of_two_acquisitions_of_one_run_the_latest_is_taken() -> None:
    folders = ["S1_0_20240314", "S1_0_20240316", "S1_0_20240315", "S2_0_20240101"]
    found = list_folders(folders, timed("latest"), "")
    assert [item.folder for item in found.acquisitions] == ["S1_0_20240316", "S2_0_20240101"]
    assert rows(found.left_out) == [("S1_0_20240314", "superseded"), ("S1_0_20240315", "superseded")]
    assert found.refused == ()
    refused = list_folders(folders, timed("refuse"), "")
    assert [item.folder for item in refused.acquisitions] == ["S2_0_20240101"]
    assert Counter(row.reason for row in refused.refused) == {"duplicate_acquisition": 3}


def test_the_latest_is_the_latest_in_time_where_its_format_is_declared() -> None:
    """The 1st of January 2024 came after the 31st of December 2023, whatever their first digits."""
    found = list_folders(["S1_0_31122023", "S1_0_01012024", "S2_0_05052024"], timed("latest", "%d%m%Y"), "")
    assert [item.folder for item in found.acquisitions] == ["S1_0_01012024", "S2_0_05052024"]


def test_the_latest_of_counted_acquisitions_is_the_tenth_not_the_ninth() -> None:
    found = list_folders(["S1_0_9", "S1_0_10", "S2_0_1"], timed("latest"), "")
    assert [item.folder for item in found.acquisitions] == ["S1_0_10", "S2_0_1"]


def test_two_acquisitions_of_one_time_are_refused_even_where_the_latest_is_asked_for() -> None:
    folders = ["S1_0_20240314", "S1_00_20240314", "S1_0_20240101", "S2_0_1"]
    found = list_folders(folders, timed("latest"), "")
    assert [item.folder for item in found.acquisitions] == ["S2_0_1"]
    assert {row.folder for row in (*found.refused, *found.left_out)} == set(folders[:3])


def test_where_the_hour_came_twice_the_latest_is_unclear() -> None:
    options = small_options(
        template=PathTemplate("{strip}_{run}_{time}/frame_{frame}.png"), intake=intake(reacquired="latest"),
        acquired_at=TimeOptions("name", "%Y%m%d%H%M", "Europe/Rome"),
    )  # fmt: skip
    found = list_folders(["S1_0_202410270230", "S1_0_202410270100", "S2_0_202401010000"], options, "")
    assert [item.key.strip for item in found.acquisitions] == ["S2"]
    assert [row.reason for row in found.refused] == ["duplicate_acquisition"] * 2


def test_one_file_per_acquisition() -> None:
    options = small_options(template=PathTemplate("{label}/{strip}.*"), frames=(0,), images=small_options().images[:1])
    found = list_files(["good/1.png", "bad/2.JPG", "good/readme.txt", "3.png", "good/Thumbs.db"], options, "")
    assert [(str(item.key), item.label, item.folder, item.files) for item in found.acquisitions] == [
        ("1/r0", "good", "good", ("1.png",)), ("2/r0", "bad", "bad", ("2.JPG",)),
    ]  # fmt: skip
    assert rows(found.refused) == [("3.png", "unmatched_name")]
    assert (found.ignored, found.listed) == (2, 3)


def test_files_of_one_key_are_one_acquisition_wherever_they_lie() -> None:
    options = small_options(template=PathTemplate("{station}/vial_{vial}/{strip}_{frame}.png"))
    paths = [f"cam1/vial_{vial}/{strip}_{frame}.png" for vial in range(2) for strip in "AB" for frame in range(2)]
    found = list_files(paths, options, "")
    assert [(item.folder, item.files) for item in found.acquisitions] == [
        ("cam1", tuple(f"vial_{vial}/{strip}_{frame}.png" for vial in range(2) for frame in range(2))) for strip in "AB"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "Thumbs.db", "THUMBS.DB", "thumbs.db:encryptable", "ehthumbs_vista.db", "desktop.ini", ".DS_Store",
        "._frame_00.png", ".Spotlight-V100/x.png", ".Trashes/501/frame_00.png", "__MACOSX/run_0/._frame_00.png",
        ".AppleDouble/frame_00.png", "@eaDir/frame_00.png/SYNOPHOTO_THUMB_M.png", "#recycle/S1/run_0/frame_00.png",
        ".@__thumb/s100frame_00.png", "@tmp/x", "$RECYCLE.BIN/S-1-5/x.png", "System Volume Information/x",
        "lost+found/#123", "~$labels.xlsx", "frame_00.png~", "frame_00.png.part", "frame_00.png.filepart",
        "frame_00.png.tmp", "frame_00.png.crdownload", ".frame_00.png.swp", ".nfs0000000012", "Icon\r",
        ".snapshot/run_0/frame_00.png", ".fseventsd/x", "@Recycle/frame_00.png", "@Recently-Snapshot/x.png",
        ".~lock.labels.csv#", "~snapshot/frame_00.png",
    ],
)  # fmt: skip
def test_leftovers_of_systems_are_known(path: str) -> None:
    assert is_junk(path)


@pytest.mark.parametrize(
    "path", ["frame_00.png", "S#1/run_0", "A~1/run_0", "lost/found", "S1@2/x.png", "part/x.png", "a.b/c", "S$1"]
)
def test_names_of_a_line_are_no_leftovers(path: str) -> None:
    assert not is_junk(path)


def test_leftovers_are_counted_and_never_taken_for_frames(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABC", runs=1)
    (root / "@eaDir" / "run_00").mkdir(parents=True)
    (root / "A" / "@eaDir").mkdir()
    folder = root / "A" / "run_00"
    for name in ("Thumbs.db", "._frame_00.png", "frame_00.png.part"):
        shutil.copy(folder / "frame_00.png", folder / name)
    found = listed(root, small_options())
    assert (found.listed, found.ignored) == (3, 2)
    built = build_dataset(root, tmp_path / "out")
    assert [row.ignored_files for row in built.acquisitions] == [3, 0, 0]
    assert not built.quarantine


def test_an_acquisition_without_its_marker_is_left_out(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABC", runs=1)
    for strip in "AC":
        (root / strip / "run_00" / "DONE").touch()
    options = small_options(intake=intake(marker="DONE"))
    found = listed(root, options)
    assert [item.key.strip for item in found.acquisitions] == ["A", "C"]
    assert rows(found.left_out) == [("B/run_00", "still_written")]
    built = build_dataset(root, tmp_path / "out", options)
    assert [row.ignored_files for row in built.acquisitions] == [0, 0]  # The marker is no stranger.
    assert balance(tmp_path / "out") == {"acquisitions": 2, "quarantine": 0, "left_out": 1}


def age(folder: Path, seconds: float) -> None:
    """Sets the time of change of a folder and of what it holds to so many seconds ago."""
    for path in (*folder.iterdir(), folder):
        changed = path.stat().st_ctime - seconds
        os.utime(path, (changed, changed))


def test_an_acquisition_that_changed_a_moment_ago_is_left_out(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABCD", runs=1)
    for strip in "ABCD":
        age(root / strip / "run_00", 7200)
    os.utime(root / "B" / "run_00" / "frame_01.png")  # One frame was written just now.
    os.utime(root / "C" / "run_00")  # A file came or went just now.
    found = listed(root, small_options(intake=intake(settle_seconds=3600)))
    assert [item.key.strip for item in found.acquisitions] == ["A", "D"]
    assert rows(found.left_out) == [("B/run_00", "still_written"), ("C/run_00", "still_written")]
    again = listed(root, small_options(intake=intake(settle_seconds=86_400)))
    assert len(again.left_out) == 4


def test_files_settle_too(tmp_path: Path) -> None:
    for name in ("A.png", "B.png"):
        (tmp_path / name).write_bytes(b"x")
    os.utime(tmp_path / "A.png", (1_000_000_000, 1_000_000_000))
    options = small_options(
        template=PathTemplate("{strip}.png"), frames=(0,), images=small_options().images[:1],
        intake=intake(settle_seconds=60),
    )  # fmt: skip
    found = listed(tmp_path, options)
    assert ([item.key.strip for item in found.acquisitions], rows(found.left_out)) == (["A"], [("", "still_written")])


def test_a_folder_that_cannot_be_looked_at_does_not_stop_the_listing(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "AB", runs=1)
    (root / "A" / "run_01").symlink_to("run_01")  # A link that leads in a circle.
    for changes in ({}, {"settle_seconds": 1}, {"marker": "DONE"}):
        assert listed(root, small_options(intake=intake(**changes))).listed == 3


def test_a_link_out_of_the_root_is_followed_only_where_links_may_lead_anywhere(tmp_path: Path) -> None:
    outside = write_line(tmp_path / "outside", "X", runs=1)
    root = write_line(tmp_path / "frames", "ABC", runs=1)
    (root / "D").symlink_to(outside / "X", target_is_directory=True)
    frame = root / "B" / "run_00" / "frame_01.png"
    frame.unlink()
    frame.symlink_to(outside / "X" / "run_00" / "frame_01.png")
    inside = root / "C" / "run_00" / "frame_02.png"
    inside.unlink()
    inside.symlink_to(root / "A" / "run_00" / "frame_02.png")
    options = small_options(max_quarantined=2, split=SplitOptions("none", Fraction(0), 7))
    built = build_dataset(root, tmp_path / "out", options)
    assert [(row.folder, row.reason, row.file) for row in built.quarantine] == [
        ("B/run_00", "outside_root", "frame_01.png"), ("D/run_00", "outside_root", ""),
    ]  # fmt: skip
    assert balance(tmp_path / "out") == {"acquisitions": 2, "quarantine": 2, "left_out": 0}
    free = small_options(intake=intake(links="anywhere"))
    assert len(build_dataset(root, tmp_path / "free", free).acquisitions) == 4


def test_a_root_that_is_itself_a_link_is_no_way_out(tmp_path: Path) -> None:
    write_line(tmp_path / "frames", "AB", runs=1)
    (tmp_path / "link").symlink_to(tmp_path / "frames")
    assert len(build_dataset(tmp_path / "link", tmp_path / "out").acquisitions) == 2


def test_a_root_without_acquisitions_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ListingError, match=r"run_\{run\}.*2 folders.*\n  x/y: unmatched_name"):
        list_folders(["x/y", "x/z"], small_options(), "frames")
    with pytest.raises(ListingError, match="can be listed"):
        listed(tmp_path / "absent", small_options())
    one_file = small_options(template=PathTemplate("{strip}.png"), frames=(0,), images=small_options().images[:1])
    with pytest.raises(ListingError, match="files named like"):
        listed(tmp_path / "absent", one_file)


FOLDERS = st.lists(
    st.builds(
        lambda strip, run, time: f"{strip}_{run}_{time}",
        st.sampled_from(["S1", "S2", "Ä", "A\u0308", "..", "a\u202eb", ".hidden", "x.part"]),
        st.sampled_from(["0", "00", "1", "x", "1234567890"]), st.sampled_from(["1", "2", "2_2"]),
    ),
    unique=True,
)  # fmt: skip


@given(FOLDERS, st.sampled_from(["refuse", "latest"]))
def test_whatever_the_names_each_is_listed_once_or_counted(folders: list[str], reacquired: str) -> None:
    good = ["good_1_1", *folders]
    found = list_folders(good, timed(reacquired), "")
    assert found == list_folders(reversed(good), timed(reacquired), "")
    named = [item.folder for item in found.acquisitions] + [row.folder for row in (*found.refused, *found.left_out)]
    assert len(named) == len(set(named)) == found.listed == len(good) - found.ignored
    keys = [item.key for item in found.acquisitions]
    assert len(keys) == len(set(keys))
    assert {row.reason for row in found.refused} <= set(REASONS)
    assert {row.reason for row in found.left_out} <= set(LEFT_OUT)
    for row in (*found.refused, *found.left_out):
        row.detail.encode()
        row.folder.encode()
