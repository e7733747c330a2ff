"""Two versions compared: each difference that is made by hand is found, and nothing else."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.comparison import COMPARED, Change, Comparison, FileChange, compare
from drae_data.comparison_text import comparison_text, comparison_values
from drae_data.errors import DatasetError
from drae_data.labels import LabelOptions
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.patch_rows import StatisticsRow
from drae_data.tables import TABLES
from drae_data.version_content import VersionContent, read_version_content
from tests.small_line import build_dataset, files_of, small_frame, small_options, write_line

LABELS = LabelOptions("labels.csv", {}, (), "", {"ok": "good", "no": "defective"}, ())
EMPTY = VersionContent("line", "1.0.0", "0" * 64, {}, frozenset(), {}, (), {}, {}, {}, {})
SIDES = SplitOptions("list", Fraction(0), 7, file="sides.csv")


def compared(before: Path, after: Path) -> Comparison:
    return compare(*(read_version_content(files_of(folder)) for folder in (before, after)))


def differences(found: Comparison) -> dict[str, Any]:
    """What differs, without what is the same."""
    values = comparison_values(found)
    return {name: value for name, value in values.items() if name not in ("same", "before", "after") and value}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("line")
    build_dataset(write_line(folder / "frames", "ABCDE"), folder / "1.0.0")
    return folder / "1.0.0"


def test_a_version_is_the_same_as_itself_and_as_its_copy_under_another_number(first: Path, tmp_path: Path) -> None:
    options = small_options(version="2.0.0", extends="1.0.0")
    build_dataset(first.parent / "frames", tmp_path / "2.0.0", options, earlier=first)
    found = compared(first, tmp_path / "2.0.0")
    assert found.same
    assert found.before.digest != found.after.digest
    assert differences(found) == {
        "parameters": [{"what": "extends", "before": '""', "after": "1.0.0", "decisive": False}],
        "shards": {"kept": len(found.after.shards), "new": 0, "gone": 0},
    }
    assert compared(first, first).same
    assert "small 1.0.0 and small 1.0.0: the same content" in comparison_text(compared(first, first))


def test_strips_that_came_with_a_version_that_extends_another(first: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(first.parent / "frames", tmp_path / "frames"))
    write_line(root, "FG")
    options = small_options(version="1.1.0", extends="1.0.0")
    build_dataset(root, tmp_path / "1.1.0", options, earlier=first)
    found = compared(first, tmp_path / "1.1.0")
    assert not found.same
    assert (found.strips_added, found.strips_removed) == (("F", "G"), ())
    assert (found.sides, found.labels, found.rebuilt, found.acquisitions_added) == ((), (), (), ())
    assert (found.shards_kept, found.shards_gone) == (len(found.before.shards), 0)
    assert found.shards_new == len(found.after.shards) - len(found.before.shards) > 0
    # Counts and means by hand, from the index of the patches.
    parts = [
        [row for path in (folder / "patches").iterdir() for row in pq.read_table(path).to_pylist()]
        for folder in (first, tmp_path / "1.1.0")
    ]
    assert [sum(one.records().values()) for one in (found.before, found.after)] == [len(rows) for rows in parts]
    (move,) = (
        one
        for one in found.moves
        if (one.split, one.region, one.image, one.statistic) == ("train", "R1", "min", "mean")
    )
    means = [
        np.array([row["mean"] for row in rows if (row["split"], row["region"], row["image"]) == ("train", "R1", "min")])
        for rows in parts
    ]
    assert move.before == pytest.approx(means[0].mean())
    assert move.after == pytest.approx(means[1].mean())
    assert move.deviations == pytest.approx((means[1].mean() - means[0].mean()) / means[0].std())
    back = compared(tmp_path / "1.1.0", first)
    assert (back.strips_added, back.strips_removed) == ((), ("F", "G"))


def test_a_frame_that_is_another_makes_its_acquisition_and_shard_new(first: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(first.parent / "frames", tmp_path / "frames"))
    cv2.imwrite(str(root / "C/run_01/frame_02.png"), small_frame("other", 0, 0))
    build_dataset(root, tmp_path / "out")
    found = compared(first, tmp_path / "out")
    assert found.rebuilt == ("C/r1",)
    assert (found.shards_new, found.shards_gone) == (1, 1)
    assert found.shards_kept == len(found.before.shards) - 1
    assert {move.split for move in found.moves} == {found.after.by_strip("splits")["C"][0]}
    assert (found.parameters, found.strips_added, found.strips_removed) == ((), (), ())


def test_sides_and_labels_that_changed(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABC")
    options = small_options(split=SIDES, labels=LABELS)
    sides = b"strip,split\nA,train\nB,train\nC,validation\n"
    build_dataset(
        root, tmp_path / "1", options, tables={"sides.csv": sides, "labels.csv": b"strip,label\nA,ok\nB,ok\n"}
    )
    tables = {
        "sides.csv": b"strip,split\nA,validation\nB,train\nC,train\n",
        "labels.csv": b"strip,label\nA,ok\nB,no\nC,ok\n",
    }
    build_dataset(root, tmp_path / "2", options, tables=tables)
    found = compared(tmp_path / "1", tmp_path / "2")
    assert found.sides == (Change("A", "train", "validation"), Change("C", "validation", "train"))
    assert found.labels == (
        Change("B/r0", "good", "defective"), Change("B/r1", "good", "defective"),
        Change("C/r0", "unknown", "good"), Change("C/r1", "unknown", "good"),
    )  # fmt: skip
    assert found.label_rows == (Change("B", "good (ok)", "defective (no)"), Change("C", "", "good (ok)"))
    text = comparison_text(found)
    assert "other side: A: train -> validation" in text
    assert "other label: C/r0: unknown -> good" in text


def built_with_labels(folder: Path, options: DatasetOptions, *tables: str) -> Comparison:
    """Two versions of the same frames, each with a table of labels of its own, compared."""
    root = write_line(folder / "frames", "ABC")
    for number, table in enumerate(tables):
        build_dataset(root, folder / str(number), options, tables={"labels.csv": table.encode()})
    return compared(folder / "0", folder / "1")


def test_labels_exchanged_between_the_runs_of_a_strip(tmp_path: Path) -> None:
    header = "strip,run,label\n"
    tables = (f"{header}A,0,ok\nA,1,no\n", f"{header}A,0,no\nA,1,ok\n")
    found = built_with_labels(tmp_path, small_options(labels=LABELS), *tables)
    assert not found.same
    assert found.labels == (Change("A/r0", "good", "defective"), Change("A/r1", "defective", "good"))
    assert "other label: A/r0: good -> defective" in comparison_text(found)


def test_a_defect_that_moved_to_another_vial(tmp_path: Path) -> None:
    labels = replace(LABELS, columns={"defect": "defect", "size": "size"})
    header = "strip,run,vial,label,defect,size\n"
    tables = (f"{header}A,0,0,no,burn,12.5\n", f"{header}A,0,1,no,burn,12.5\n")
    found = built_with_labels(tmp_path, small_options(labels=labels), *tables)
    assert not found.same
    assert found.labels == ()
    text = "defective (no) burn 12.5 pixels"
    assert found.label_rows == (Change("A/r0/v0", text, ""), Change("A/r0/v1", "", text))
    assert found.files == (FileChange("labels.parquet", 1, 1),)
    assert f"A/r0/v0: {text} -> absent" in comparison_text(found)
    assert "labels.parquet: 1 rows only before, 1 only after" in comparison_text(found)


def test_every_table_counts(first: Path, tmp_path: Path) -> None:
    """A row of each table that is another, with the digests of the tables as a build would state them."""
    for name, path in TABLES.items():
        copy = Path(shutil.copytree(first, tmp_path / name))
        table = pq.read_table(copy / path)
        rows = table.to_pylist()
        blank = {field.name: "" if field.type == pa.string() else 0 for field in table.schema}
        rows = [{**rows[0], "strip" if "strip" in rows[0] else "region": "other"}, *rows[1:]] if rows else [blank]
        pq.write_table(pa.Table.from_pylist(rows, table.schema), copy / path)
        values = json.loads((copy / "provenance.json").read_text())
        values["files"][path] = hashlib.sha256((copy / path).read_bytes()).hexdigest()
        (copy / "provenance.json").write_text(json.dumps(values))
        for found in (compared(first, copy), compared(copy, first)):
            assert not found.same
            assert [one.what for one in found.files] == [path]
            assert f"{path}: " in comparison_text(found)


@pytest.mark.parametrize(
    ("entry", "what"), [("index_sha256", "patches/small-train"), ("features.json", "features.json")]
)
def test_an_index_and_the_features_count(entry: str, what: str, first: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    values = json.loads((copy / "provenance.json").read_text())
    (values["files"] if entry in values["files"] else values["shards"][0])[entry] = "0" * 64
    (copy / "provenance.json").write_text(json.dumps(values))
    found = compared(first, copy)
    assert not found.same
    assert [one.what.startswith(what) for one in found.files] == [True]
    assert ": not the same bytes" in comparison_text(found)


def test_another_name_of_the_dataset_is_no_difference(first: Path, tmp_path: Path) -> None:
    build_dataset(first.parent / "frames", tmp_path / "out", small_options(name="other"))
    found = compared(first, tmp_path / "out")
    assert found.before.files["plan.parquet"].sha256 != found.after.files["plan.parquet"].sha256
    assert found.files == ()
    assert found.same


def test_runs_and_refusals_that_changed(first: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(first.parent / "frames", tmp_path / "frames"))
    shutil.rmtree(root / "A/run_01")
    (root / "B/run_00/frame_00.png").write_bytes(b"none")
    shutil.copytree(root / "D/run_00", root / "D/run_07")
    build_dataset(root, tmp_path / "out", small_options(max_quarantined=1))
    found = compared(first, tmp_path / "out")
    assert (found.acquisitions_added, found.acquisitions_removed) == (("D/r7",), ("A/r1", "B/r0"))
    (refused,) = found.refused
    assert (refused.what, refused.before) == ("B/r0", "")
    assert f"B/r0: built or absent -> {refused.after}" in comparison_text(found)
    assert [(one.what, one.before, one.after, one.decisive) for one in found.parameters] == [
        ("max_quarantined", "0", "1", False)
    ]


def test_parameters_by_their_dotted_names_those_that_decide_bytes_first(first: Path, tmp_path: Path) -> None:
    options = small_options(
        patch=replace(small_options().patch, grow="cubic"), shard_patches=1000, rank_over=(0, 1),
    )  # fmt: skip
    build_dataset(first.parent / "frames", tmp_path / "out", options)
    found = compared(first, tmp_path / "out")
    assert [(one.what, one.before, one.after, one.decisive) for one in found.parameters] == [
        ("patch.grow", "linear", "cubic", True), ("rank_over", "", "[0, 1]", True),
        ("shard_patches", "45", "1000", False),
    ]  # fmt: skip
    assert not found.same
    assert "rank_over: absent -> [0, 1]" in comparison_text(found)


def test_every_statistic_is_compared() -> None:
    def content(mean_std: float, **changes: float) -> Any:
        values: Mapping[str, float] = dict.fromkeys(COMPARED, 1.0) | changes
        row = StatisticsRow("train", "R0", "min", 3, mean_std=mean_std, **values)
        return replace(EMPTY, statistics={("train", "R0", "min"): row})

    for name in COMPARED:
        (move,) = compare(content(0.5), content(0.5, **{name: 2.0})).moves
        assert (move.statistic, move.before, move.after) == (name, 1.0, 2.0)
        assert move.deviations == (2.0 if name == "mean" else None)
    # Where all means are one number there are no deviations to count in.
    (move,) = compare(content(0.0), content(0.0, mean=2.0)).moves
    assert move.deviations is None
    lines = comparison_text(compare(content(0.5), content(0.5, mean=2.0, motion=0.75))).splitlines()
    cells = "train R0 min 1.0 +1.0 +2.00 sd 1.0 1.0 100.00% 100.00% 1.00 -0.25"
    assert [line for line in lines if line.split() == cells.split()]


def test_long_lists_are_cut_in_the_text_and_whole_in_the_values() -> None:
    rows = {
        key: {"splits": ["train"], "label": "good", "frames": []}
        for key in (AcquisitionKey(f"S{number:03d}", 0) for number in range(100))
    }
    found = compare(EMPTY, replace(EMPTY, acquisitions=rows))
    assert "S011 and 88 more" in comparison_text(found)
    assert len(comparison_values(found)["strips_added"]) == 100
    json.dumps(comparison_values(found))


def test_a_folder_that_is_no_version_is_named(tmp_path: Path, first: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        read_version_content(files_of(tmp_path / "absent"))
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    (copy / "acquisitions.parquet").write_bytes((copy / "plan.parquet").read_bytes())
    with pytest.raises(DatasetError, match=r"acquisitions.parquet: expected SHA-256 .*pipelines.verify"):
        read_version_content(files_of(copy))
