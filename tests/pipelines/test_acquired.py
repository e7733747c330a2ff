"""Which acquisitions belong to a scored set, and what is said of those that have no scores."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from drae_acceptance.score_table import Acquired
from drae_data.acquisition import AcquisitionKey
from drae_data.labels import LabelOptions
from drae_data.local_files import LocalFiles
from drae_data.manifest import LabelRow, QuarantineRow
from drae_data.options import SplitOptions
from drae_data.path_template import PathTemplate
from pipelines.acquired import acquired
from pipelines.scored_version import LabelledVersion, labels_of, read_labelled_version
from tests.small_line import build_dataset, small_options, write_line

# Of each acquisition: 5 images x 2 vials x 2 regions.
WHOLE = 20


def built(folder: Path, strips: Sequence[str], template: str, split: SplitOptions) -> LabelledVersion:
    """A version of strips with two runs, all labelled good."""
    write_line(folder / "frames", strips)
    names = sorted({strip.rpartition("/")[2] for strip in strips})
    table = "strip,label\n" + "\n".join(f"{name},good" for name in names)
    options = small_options(
        template=PathTemplate(template), split=split,
        labels=LabelOptions("labels.csv", {}, (), "", {"good": "good", "defective": "defective"}, ()),
    )  # fmt: skip
    build_dataset(folder / "frames", folder / "version", options, tables={"labels.csv": table.encode()})
    return read_labelled_version(LocalFiles(str(folder / "version")))


@pytest.fixture(scope="module")
def split_version(tmp_path_factory: pytest.TempPathFactory) -> LabelledVersion:
    """Strips A to E, split by strip into train and validation."""
    split = SplitOptions("strip", Fraction(2, 5), 7)
    return built(tmp_path_factory.mktemp("split"), "ABCDE", "{strip}/run_{run}/frame_{frame}.png", split)


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> LabelledVersion:
    """Strip 1 in the batches x and y, all in the split test."""
    template = "{batch}/{strip}/run_{run}/frame_{frame}.png"
    return built(tmp_path_factory.mktemp("batches"), ("x/1", "y/1"), template, SplitOptions("none", Fraction(0), 1))


def refused(key: AcquisitionKey) -> QuarantineRow:
    return QuarantineRow.of_key(key, f"{key.strip}/run_{key.run:02d}", "unreadable", "no image", "frame_00.png")


def label(strip: str, name: str, run: int = -1, batch: str = "", vial: int = -1) -> LabelRow:
    return LabelRow(strip, run, batch, "", "", vial, "", name, name, "", 0.0)


def rows(
    version: LabelledVersion, split: str, left_out: Sequence[str] = (), missing: Sequence[str] = ()
) -> dict[str, Acquired]:
    """By key; every patch of a built acquisition was scored, but for one of those that are named."""
    counts = {str(row.key): WHOLE - (str(row.key) in missing) for row in version.acquisitions}
    found = acquired(version, split, counts, left_out, labels_of(version, "good"))
    assert [row.acquisition for row in found] == sorted(row.acquisition for row in found)
    return {row.acquisition: row for row in found}


def sides(version: LabelledVersion) -> tuple[list[str], list[str]]:
    """Strips of train and of validation."""
    of = {row.strip: row.splits[0] for row in version.acquisitions}
    return ([strip for strip in of if of[strip] == side] for side in ("train", "validation"))  # type: ignore[return-value]


def test_an_acquisition_is_valid_where_every_patch_was_scored(split_version: LabelledVersion) -> None:
    _, (strip, *_) = sides(split_version)
    found = rows(split_version, "validation", missing=[f"{strip}/r1"])
    assert (found[f"{strip}/r0"].state, found[f"{strip}/r0"].detail) == ("valid", "")
    assert (found[f"{strip}/r1"].state, found[f"{strip}/r1"].detail) == ("incomplete", "19 of 20 patches")
    frames = {row.key: row.frames for row in split_version.acquisitions}
    assert found[f"{strip}/r0"].frames == tuple(one.sha256 for one in frames[AcquisitionKey(strip, 0)])
    assert len(set(found[f"{strip}/r0"].frames)) == 3


def test_quarantine_joins_the_split_of_its_strip_or_any_where_it_has_none(split_version: LabelledVersion) -> None:
    (trained, *_), (judged, out, *_) = sides(split_version)
    keys = [AcquisitionKey(name, 7) for name in (trained, judged, out, "N")]
    version = replace(split_version, quarantine=tuple(map(refused, keys)))
    found = rows(version, "validation", left_out=[out])
    states = {name: row.state for name, row in found.items() if row.run == 7}
    assert states == {f"{judged}/r7": "quarantined", "N/r7": "quarantined"}
    assert found[f"{judged}/r7"].detail == "unreadable: no image"
    assert not any(row.strip == out for row in found.values())
    train = rows(version, "train")
    assert {name for name, row in train.items() if row.run == 7} == {f"{trained}/r7", "N/r7"}


def test_a_folder_in_quarantine_whose_name_gives_no_key_is_no_acquisition(split_version: LabelledVersion) -> None:
    version = replace(split_version, quarantine=(QuarantineRow.of_name("??", "unmatched_name", "no key"),))
    assert rows(version, "validation").keys() == rows(split_version, "validation").keys()


def test_what_is_in_quarantine_has_the_label_that_the_build_would_give(batches: LabelledVersion) -> None:
    keys = [AcquisitionKey("1", run, batch) for batch, run in (("x", 7), ("y", 7), ("x", 8))]
    version = replace(
        batches, quarantine=tuple(map(refused, keys)),
        labels=(label("1", "good", batch="x"), label("1", "defective", batch="y"), label("1", "unknown", 8, "x")),
    )  # fmt: skip
    found = {name: row.strip_label for name, row in rows(version, "test").items() if row.run > 1}
    assert found == {"batch=x/1/r7": "good", "batch=x/1/r8": "unknown", "batch=y/1/r7": "defective"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([label("N", "defective", 3), label("N", "good", 5)], "good"),
        ([label("N", "good"), label("N", "defective", vial=0)], "unknown"),
        ([label("N", "good", vial=0)], "unknown"),
        ([label("N", "good", vial=0), label("N", "good", vial=1)], "good"),
        ([label("N", "defective", vial=1)], "defective"),
        ([label("M", "good")], "unknown"),
    ],
)
def test_labels_of_a_strip_in_quarantine(split_version: LabelledVersion, labels: list[LabelRow], expected: str) -> None:
    version = replace(split_version, quarantine=(refused(AcquisitionKey("N", 5)),), labels=tuple(labels))
    assert rows(version, "validation")["N/r5"].strip_label == expected


def test_a_strip_that_only_labels_name_is_absent(batches: LabelledVersion) -> None:
    version = replace(batches, labels=(
        *batches.labels, label("2", "good"), label("1", "defective", batch="z"), label("1", "good", 9),
        label("3", "good", 0), label("3", "defective", 1), label("4", "defective", vial=0),
    ))  # fmt: skip
    found = rows(version, "test")
    absent = {name: row.strip_label for name, row in found.items() if row.state == "absent"}
    # Strip 1 was acquired, though not in run 9; runs of strip 3 have different labels.
    assert absent == {"2": "good", "batch=z/1": "defective", "3": "unknown", "4": "defective"}
    assert {row.run for row in found.values() if row.state == "absent"} == {-1}


def test_what_is_in_quarantine_or_absent_carries_its_types_of_defect(batches: LabelledVersion) -> None:
    marked = replace(label("1", "defective", 7, "x"), defect="burn", size=6.0)
    absent = [
        replace(label("Z", "defective", vial=vial), defect=name, size=3.0 + vial) for vial, name in enumerate("ab")
    ]
    version = replace(
        batches, quarantine=(refused(AcquisitionKey("1", 7, "x")),), labels=(label("1", "good"), marked, *absent)
    )
    found = rows(version, "test")
    assert [(found[name].defect, found[name].size) for name in ("batch=x/1/r7", "Z")] == [("burn", 6.0), ("a,b", 4.0)]
