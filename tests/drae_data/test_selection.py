"""What is listed but not asked for is left out with its reason; lists of sides that cannot be meant are refused."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drae_data.errors import LabelError
from drae_data.labels import LabelOptions
from drae_data.listing import list_folders
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.path_template import PathTemplate
from drae_data.selection import Selection, read_sides, select
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, files_of, small_options, write_line

CODES = {"G": "good", "M": "defective", "X": "excluded"}
LABELS = b"strip,label\nA,G\nB,M\nC,X\nD,?\nE,G\n"
LIST = SplitOptions("list", Fraction(0), 7, file="sides.csv")


def labels(*select: str) -> LabelOptions:
    return LabelOptions("labels.csv", {}, (), "", CODES, select)


def selected(folders: list[str], options: DatasetOptions, tables: Mapping[str, bytes]) -> Selection:
    return select(list_folders(folders, options, ""), options, tables)


def table(version: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(name, (version / f"{name}.parquet").read_bytes()).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("asked", "built"),
    [((), "ABCDEF"), (("good",), "AE"), (("defective", "excluded"), "BC"), (("unknown",), "DF"), (("good", "unknown"),
     "ADEF")],
)  # fmt: skip
def test_the_labels_that_are_asked_for_are_built(asked: tuple[str, ...], built: str) -> None:
    options = small_options(labels=labels(*asked))
    found = selected([f"{strip}/run_0" for strip in "ABCDEF"], options, {"labels.csv": LABELS})
    assert "".join(item.key.strip for item in found.listing.acquisitions) == built
    left = {row.strip: row.detail for row in found.listing.left_out}
    assert sorted(left) == sorted(set("ABCDEF") - set(built))
    assert all(row.reason == "label" for row in found.listing.left_out)
    assert found.listing.listed == 6
    if "B" in left:
        assert left["B"] == f"its label is defective, selected are {', '.join(asked)}"


def test_what_is_left_out_stands_in_its_table_and_labels_in_theirs(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABCDEF")
    options = small_options(labels=labels("good"))
    built = build_dataset(root, tmp_path / "out", options, tables={"labels.csv": LABELS})
    assert {(row["strip"], row["label"]) for row in table(tmp_path / "out", "acquisitions")} == {
        ("A", "good"), ("E", "good"),
    }  # fmt: skip
    left = [(row["folder"], row["reason"]) for row in table(tmp_path / "out", "left_out")]
    assert left == [(f"{strip}/run_{run:02d}", "label") for strip in "BCDF" for run in range(2)]
    assert [(row["strip"], row["label"], row["code"]) for row in table(tmp_path / "out", "labels")] == [
        ("A", "good", "G"), ("B", "defective", "M"), ("C", "excluded", "X"), ("D", "unknown", "?"), ("E", "good", "G"),
    ]  # fmt: skip
    assert {(row["kind"], row["place"]) for row in table(tmp_path / "out", "findings")} == {
        ("unknown_code", "D"), ("unlabelled", "F/r0"), ("unlabelled", "F/r1"),
    }  # fmt: skip
    assert len(built.acquisitions) + len(built.left_out) == 12
    assert verify_dataset(files_of(tmp_path / "out"), 1).faults == ()


def test_a_label_in_the_path_selects(tmp_path: Path) -> None:
    options = small_options(
        template=PathTemplate("{label}/{strip}/{run}/frame_{frame}.png"),
        labels=LabelOptions("", {}, (), "label", {"ok": "good", "nok": "defective"}, ("good",)),
    )
    found = selected(["ok/A/0", "nok/B/0", "maybe/C/0"], options, {})
    assert [item.key.strip for item in found.listing.acquisitions] == ["A"]
    assert [(row.kind, row.place) for row in found.labelling.findings] == [("unknown_code", "C/r0")]


def test_without_labels_everything_is_unknown_and_nothing_is_odd() -> None:
    found = selected(["A/run_0", "B/run_0"], small_options(), {})
    assert set(found.labelling.of.values()) == {"unknown"}
    assert (found.labelling.rows, found.labelling.findings, found.listing.left_out) == ((), (), ())


def test_a_selection_of_nothing_says_what_to_compare() -> None:
    with pytest.raises(LabelError, match=r"all 1 listed .*\(label\).*labels\.codes"):
        selected(["B/run_0"], small_options(labels=labels("good")), {"labels.csv": LABELS})


def test_a_list_gives_the_sides_and_leaves_out_what_it_does_not_name() -> None:
    options = small_options(split=LIST)
    sides = b"\xef\xbb\xbfstrip,split\nA,train\nB,validation\n C , test \nZ,train\n"
    found = selected([f"{strip}/run_{run}" for strip in "ABCD" for run in range(2)], options, {"sides.csv": sides})
    assert dict(found.sides) == {"A": "train", "B": "validation", "C": "test"}
    assert [(row.folder, row.reason) for row in found.listing.left_out] == [
        ("D/run_0", "not_in_list"), ("D/run_1", "not_in_list"),
    ]  # fmt: skip


def test_a_list_tells_strips_of_two_batches_apart_or_holds_for_both() -> None:
    options = small_options(split=LIST, template=PathTemplate("{batch}/{strip}/{frame}.png"))
    folders = ["1/A", "2/A", "1/B", "2/B"]
    sides = b"strip,batch,split\nA,1,train\nA,2,validation\nB,,train\n"
    assert dict(selected(folders, options, {"sides.csv": sides}).sides) == {
        "batch=1/A": "train", "batch=2/A": "validation", "batch=1/B": "train", "batch=2/B": "train",
    }  # fmt: skip


def test_a_list_may_name_a_batch_where_strips_have_a_recipe_too() -> None:
    options = small_options(split=LIST, template=PathTemplate("{recipe}/{batch}/{strip}/{frame}.png"))
    found = selected(["eye/1/A", "ear/1/B"], options, {"sides.csv": b"strip,batch,split\nA,1,train\nB,1,train\n"})
    assert len(found.sides) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"strip;split\nA;train\n",
            r"sides\.csv: expected columns strip and split, separated by commas, got \['strip;split'\]",
        ),
        (b"", "expected columns strip and split"),
        (b"strip,split\nA,training\n", "line 2: expected a strip and one of train, validation, test.*'training'"),
        (b"strip,split\n,train\n", "line 2"),
        (b"strip,split\nA\n", "line 2"),
        (b"strip,split\nA,train\nA,validation\n", "line 3: A is in train already"),
        (b'strip,split\n"A,train\n', "expected a CSV table"),
        (b"strip,split\n\xff,train\n", "UTF-8"),
    ],
)
def test_a_list_of_sides_that_cannot_be_meant_is_refused_by_its_line(content: bytes, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read_sides(content, "sides.csv")


def test_a_strip_may_stand_twice_on_one_side() -> None:
    assert read_sides(b"strip,split\nA,train\nA,train\n", "sides.csv") == {"A": "train"}


def test_accents_of_list_and_folder_agree_however_they_are_written() -> None:
    assert read_sides("strip,split\nA\u0308,train\n".encode(), "sides.csv") == {"\u00c4": "train"}


def test_a_strip_in_the_list_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    options = small_options(split=SplitOptions("list", Fraction(0), 1, file="sides.csv"))
    root = write_line(tmp_path / "frames", strips="AB")
    tables = {"sides.csv": b"strip,split\nA,train\nB,train\nS77,validation\n"}
    build_dataset(root, tmp_path / "out", options, tables=tables)
    rows = read_table("findings", (tmp_path / "out/findings.parquet").read_bytes()).to_pylist()
    assert [(row["kind"], row["place"]) for row in rows] == [("side_without_acquisition", "S77")]
