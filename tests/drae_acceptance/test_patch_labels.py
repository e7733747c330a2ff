"""What labels say of patches and vials: named places, parts that nobody names, and that unknown is never good."""

import math

import pytest

from drae_acceptance.patch_labels import PatchLabels
from drae_data.acquisition import AcquisitionKey
from drae_data.labels import DEFECTIVE, UNKNOWN
from drae_data.manifest import LabelRow

KEY = AcquisitionKey("K1", 3)


def row(
    vial: int, region: str, label: str = "defective", run: int = -1, defect: str = "burn", size: float = 0.0
) -> LabelRow:
    return LabelRow("K1", run, "", "", "", vial, region, label, "M", defect, size)


def labels(rows: list[LabelRow], strip: str = "defective", parts: str = "good", regions: str = "") -> PatchLabels:
    return PatchLabels(rows, {KEY: strip}, parts, regions.split())  # type: ignore[arg-type]


@pytest.mark.parametrize("strip", ["good", "excluded", "unknown"])
def test_a_strip_that_is_not_defective_labels_all_its_patches(strip: str) -> None:
    found = labels([row(1, "R1")], strip).of(KEY, 1, "R1")
    assert (found.label, found.vial_label, found.defect) == (strip, strip, "")


@pytest.mark.parametrize(
    ("rows", "place", "label", "vial_label"),
    [
        ([row(1, "R1")], (1, "R1"), "defective", "defective"),
        ([row(1, "R1")], (1, "R2"), "good", "defective"),
        ([row(1, "R1")], (0, "R1"), "good", "good"),
        ([row(1, "")], (1, "R1"), "unknown", "defective"),
        ([row(1, "")], (0, "R1"), "good", "good"),
        ([row(-1, "R1")], (0, "R1"), "unknown", "unknown"),
        ([row(-1, "R1")], (0, "R2"), "good", "unknown"),
        ([row(-1, "")], (0, "R1"), "unknown", "unknown"),
        ([row(-1, ""), row(1, "R1")], (1, "R1"), "defective", "defective"),
        ([row(-1, ""), row(1, "R1")], (0, "R1"), "unknown", "unknown"),
        ([row(1, "R1"), row(0, "", "excluded")], (0, "R1"), "excluded", "excluded"),
        ([row(1, "", "defective"), row(0, "", "good")], (0, "R1"), "good", "good"),
        ([row(1, "R1", run=2)], (1, "R1"), "good", "good"),
    ],
)  # fmt: skip
def test_a_patch_of_a_defective_strip(
    rows: list[LabelRow], place: tuple[int, str], label: str, vial_label: str
) -> None:
    found = labels(rows).of(KEY, *place)
    assert (found.label, found.vial_label) == (label, vial_label)


def test_what_no_label_names_can_be_left_unknown() -> None:
    found = labels([row(1, "R1")], parts="unknown")
    assert (found.of(KEY, 0, "R1").label, found.of(KEY, 0, "R1").vial_label) == ("unknown", "unknown")
    assert found.of(KEY, 1, "R1").label == "defective"


@pytest.mark.parametrize(
    ("good", "regions", "vial_label"),
    [
        ([(1, "")], "", "good"), ([(1, "")], "R0 R1", "good"), ([(-1, "")], "R0 R1", "good"),
        ([(1, "R1")], "R0 R1", "unknown"), ([(1, "R0"), (1, "R1")], "R0 R1", "good"),
        ([(-1, "R0"), (1, "R1")], "R0 R1", "good"), ([(2, "R0"), (1, "R1")], "R0 R1", "unknown"),
        ([(1, "R0"), (1, "R1")], "", "unknown"),
    ],
)  # fmt: skip
def test_a_vial_is_good_by_a_label_of_all_of_it_alone(
    good: list[tuple[int, str]], regions: str, vial_label: str
) -> None:
    # The defect is in vial 0; what no label names is unknown, so that one good region says nothing of its vial.
    rows = [row(0, "R1"), *(row(vial, region, "good") for vial, region in good)]
    assert labels(rows, parts="unknown", regions=regions).of(KEY, 1, "R0").vial_label == vial_label
    assert labels(rows, parts="good", regions=regions).of(KEY, 1, "R0").vial_label == "good"


def test_types_and_the_largest_size_of_defects() -> None:
    found = labels([row(1, "R1", size=3.5), row(1, "R1", defect="scratch", size=9.0), row(0, "R0", defect="")])
    assert (found.of(KEY, 1, "R1").defect, found.of(KEY, 1, "R1").size) == ("burn,scratch", 9.0)
    # Without a type the code stands for it.
    assert found.of(KEY, 0, "R0").defect == "M"
    assert math.isnan(found.of(KEY, 0, "R0").size)
    assert found.defects(KEY, DEFECTIVE) == ("M,burn,scratch", 9.0)
    # Of an acquisition that is not defective, for all that some label names.
    assert found.defects(KEY, UNKNOWN)[0] == ""
