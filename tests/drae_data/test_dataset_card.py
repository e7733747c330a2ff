"""The dataset card says what the version's own files say, and what was found in it."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from drae_data.errors import DatasetError
from drae_data.labels import LabelOptions
from drae_data.options import SplitOptions
from tests.small_inspection import card_of, inspected, quality_options, with_rows
from tests.small_line import build_dataset, small_options, write_line

SECTIONS = [
    "Where it comes from", "What is in it", "How it was made", "Quality", "Known limits",
    "What it is for, and what not", "How to read it", "How to verify and to cite it",
]  # fmt: skip


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with one acquisition in quarantine, and two left out by label."""
    folder = tmp_path_factory.mktemp("version")
    root = write_line(folder / "frames", "ABCDEF")
    (root / "A/run_01/frame_01.png").write_bytes(b"none")
    options = small_options(
        max_quarantined=1, labels=LabelOptions("labels.csv", {}, (), "", {"ok": "good", "no": "defective"}, ("good",))
    )
    labels = b"strip,label\nA,ok\nB,ok\nC,ok\nD,ok\nE,ok\nF,no\n"
    build_dataset(root, folder / "out", options, tables={"labels.csv": labels})
    return folder / "out"


def cells(card: str) -> list[list[str]]:
    """The cells of all rows of all tables."""
    return [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("|")]


def test_the_card_says_what_the_files_say(version: Path) -> None:
    card = card_of(version, inspected(version))
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == SECTIONS
    provenance = json.loads((version / "provenance.json").read_text())
    parts = [row for path in (version / "patches").iterdir() for row in pq.read_table(path).to_pylist()]
    assert card.startswith("# Dataset card: small 1.0.0\n")
    assert card.count(provenance["digest"]) == 2
    assert f"{len(parts):,} grey patches of 16 x 16 pixels, cut from 9 acquisitions of 5 vial strips" in card
    assert "Of 12 acquisitions listed, 9 were built." in card
    rows = cells(card)
    assert ["left out: label", "its label is not among labels.select", "2"] in rows
    assert [row[2] for row in rows if row[0].startswith("in quarantine: ")] == ["1"]
    for split in ("train", "validation"):
        own = [row for row in parts if row["split"] == split]
        strips = {row["strip"] for row in own}
        (found,) = (row for row in rows if row[0] == split and len(row) == 5)
        assert found[1] == str(len(strips))
        assert found[3:] == [f"{len(own):,}", f"{len(own) / len(parts):.2%}"]
    # Every parameter stands there; those that decide bytes are named.
    made = {row[0].strip("`"): row[-1] for row in rows if row[0].startswith("`")}
    assert set(provenance["parameters"]) <= set(made)
    decisive = {name for name in provenance["parameters"] if made[name] == "yes"}
    assert decisive == set(provenance["content_parameters"])
    assert "Labels of the acquisitions: good 9." in card


def test_times_and_cameras_stand_in_it_where_the_frames_say_them(version: Path) -> None:
    found = inspected(version)
    card = card_of(version, found)
    assert "Taken from" not in card
    assert "| camera |" not in card
    times = ["", *(f"2026-03-{day:02d}T08:00:00+00:00" for day in (9, 2, 3, 4, 5, 6, 7, 8))]
    rows = tuple(
        {**row, "acquired_at": time, "serial": "cam<1>" if number < 4 else "cam2", "exposure": "8000" if time else ""}
        for number, (row, time) in enumerate(zip(found.measured.rows, times, strict=True))
    )
    card = card_of(version, replace(found, measured=replace(found.measured, rows=rows)))
    assert "Taken from 2026-03-02T08:00:00+00:00 to 2026-03-09T08:00:00+00:00; 8 of 9 acquisitions have a time." in card
    assert [row for row in cells(card) if row[0] in ("serial", "exposure", "gain")] == [
        ["serial", "cam2", "5"], ["serial", "cam\\<1\\>", "4"], ["exposure", "8000", "8"],
        ["exposure", "not known", "1"],
    ]  # fmt: skip


def test_what_was_found_stands_in_it(version: Path) -> None:
    found = with_rows(inspected(version), *(("error", "defocus", f"<i>{number}/r0") for number in range(30)))
    card = card_of(version, found)
    assert "not passed: the gate is shut" in card
    assert "error 30, warning 0, note 0" in card
    assert "And 10 more in violations.parquet." in card
    assert "<i>" not in card
    assert "\\<i\\>7/r0" in card
    assert "passed: the gate is open" in card_of(version, with_rows(found))


def test_limits_are_those_of_this_version(version: Path, tmp_path: Path) -> None:
    card = card_of(version, inspected(version, quality_options({"defocus": "off"})))
    assert "Rules that were switched off: `defocus`." in card
    assert "Inspected by 12 rules" in card
    assert "Boxes were not aligned" in card
    assert "in the order of their names" in card
    assert "may lie on several sides" not in card
    split = SplitOptions("patch", small_options().split.validation_fraction, 7)
    build_dataset(write_line(tmp_path / "frames", "ABC"), tmp_path / "out", small_options(split=split))
    card = card_of(tmp_path / "out", inspected(tmp_path / "out"))
    assert "Split by patch: a strip may lie on several sides" in card
    assert "6 acquisitions have no certain label; unknown is not good." in card


def test_the_card_of_a_version_that_extends_another_names_it(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABCDE")
    build_dataset(root, tmp_path / "1.0.0")
    write_line(tmp_path / "frames", "FG")
    build_dataset(root, tmp_path / "1.1.0", small_options(version="1.1.0", extends="1.0.0"), earlier=tmp_path / "1.0.0")
    digest = json.loads((tmp_path / "1.0.0/provenance.json").read_text())["digest"]
    card = card_of(tmp_path / "1.1.0", inspected(tmp_path / "1.1.0"))
    assert f"It extends version 1.0.0, digest `{digest}`." in card


def test_what_is_withdrawn_is_not_listed(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABCDE")
    build_dataset(root, tmp_path / "1.0.0")
    shutil.rmtree(root / "A/run_00")
    options = small_options(version="1.1.0", extends="1.0.0")
    build_dataset(root, tmp_path / "1.1.0", options, earlier=tmp_path / "1.0.0")
    card = card_of(tmp_path / "1.1.0", inspected(tmp_path / "1.1.0"))
    assert "Of 9 acquisitions listed, 9 were built." in card
    assert ["left out: withdrawn", "in the earlier version, and no longer to be built", "1"] in cells(card)


def test_two_cards_are_equal_and_hold_no_place(version: Path, tmp_path: Path) -> None:
    card = card_of(version, inspected(version))
    copy = Path(shutil.copytree(version, tmp_path / "elsewhere"))
    assert card_of(copy, inspected(copy)) == card
    assert str(version) not in card


def test_a_table_that_is_not_the_one_that_was_built_is_named(version: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(version, tmp_path / "version"))
    found = inspected(copy)
    (copy / "statistics.parquet").unlink()
    with pytest.raises(DatasetError, match=r"statistics.parquet: it cannot be read: No such file"):
        card_of(copy, found)


@pytest.mark.parametrize("name", ["ignored_below_root", "extends", "digest", "code_version", "parameters"])
def test_a_provenance_that_lacks_an_entry_is_named(name: str, version: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(version, tmp_path / "version"))
    found = inspected(copy)
    values = json.loads((copy / "provenance.json").read_text())
    del values[name]
    (copy / "provenance.json").write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=f"provenance.json: .*{name}"):
        card_of(copy, found)
