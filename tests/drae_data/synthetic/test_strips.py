"""The lists of strips: names, numbers, disjoint sets, defects where and as large as they should be."""

from collections import Counter

import pytest

from drae_data.synthetic.geometry import REGION_ROWS
from drae_data.synthetic.labels import label_rows, write_labels
from drae_data.synthetic.options import DEFECT_TYPES, SETS
from drae_data.synthetic.strips import list_strips
from tests.drae_data.synthetic.line_options import SIZES, make_options

OPTIONS = make_options()
LISTS = {name: list_strips(OPTIONS, name) for name in SETS}


def test_the_demo_sets_have_their_numbers():
    assert len(LISTS["production"]) == 40
    assert not any(spec.defects for spec in LISTS["production"])
    for name in ("calibration", "kit"):
        assert [len(spec.defects) for spec in LISTS[name]] == [0] * 20 + [1] * 24


def test_no_strip_is_in_two_sets():
    every = [spec for strips in LISTS.values() for spec in strips]
    assert len({spec.name for spec in every}) == len(every)
    assert len({(spec.thickness, spec.tint, spec.shift) for spec in every}) == len(every)


@pytest.mark.parametrize("name", ["calibration", "kit"])
def test_every_type_comes_twice_in_its_range_of_sizes(name):
    defects = [spec.defects[0] for spec in LISTS[name] if spec.defects]
    counts = Counter(defect.kind for defect in defects)
    # Twelve places in the catalogue, two of them for stuck particles, twice over.
    assert counts == Counter(dict.fromkeys(DEFECT_TYPES, 2)) + Counter({"stuck_particle": 2})
    for defect in defects:
        assert SIZES[defect.kind][0] <= defect.size <= SIZES[defect.kind][1]
        assert 0 <= defect.vial < 5
        top, bottom = REGION_ROWS[defect.region]
        assert top <= defect.y < bottom
    for kind in DEFECT_TYPES:
        sizes = [defect.size for defect in defects if defect.kind == kind]
        assert min(sizes) < (SIZES[kind][0] * SIZES[kind][1]) ** 0.5 < max(sizes)


def test_labels_have_one_row_for_each_good_strip_and_each_defect():
    rows = label_rows(reversed(LISTS["kit"]))
    assert rows == sorted(rows)
    assert Counter(row[-1] for row in rows) == {"good": 20, "defective": 24}
    assert rows[0] == ("K0001", "", "", "", "", "good")
    first = LISTS["kit"][20].defects[0]
    expected = ("K0021", str(first.vial), first.region, "stuck_particle", f"{first.size:.1f}", "defective")
    assert rows[20] == expected


def test_the_labels_file_is_plain_csv_with_line_feeds(tmp_path):
    path = tmp_path / "new" / "kit_labels.csv"
    write_labels(path, LISTS["kit"])
    data = path.read_bytes()
    assert data.startswith(b"strip,vial,region,defect,size,label\nK0001,,,,,good\n")
    assert b"\r" not in data and data.endswith(b",defective\n") and data.count(b"\n") == 45
    assert [one.name for one in path.parent.iterdir()] == ["kit_labels.csv"]
