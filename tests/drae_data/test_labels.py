"""Labels: what tables and paths say, what is odd about it, and that unknown is never good."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import LabelError, OptionError
from drae_data.labels import Labelling, LabelOptions, label_by_path, label_by_table, read_label_table
from drae_data.manifest import LabelRow
from drae_data.tables import read_table
from tests.small_line import build_dataset, small_options, write_line

CODES = {"G": "good", "M": "defective", "X": "excluded"}
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "bottle_strips" / "labels.csv"


def options(**changes: Any) -> LabelOptions:
    values: dict[str, Any] = {
        "table": "labels.csv", "columns": {}, "vial_columns": (), "field": "", "codes": CODES, "select": (),
    }  # fmt: skip
    return LabelOptions(**{**values, **changes})


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def labelled(lines: list[str], keys: list[str], vials: int = 2, **changes: Any) -> Labelling:
    rows = read_label_table(table(*lines), options(**changes), "labels.csv")
    return label_by_table([AcquisitionKey.parse(key) for key in keys], rows, vials)


def of(found: Labelling) -> dict[str, str]:
    return {str(key): label for key, label in found.of.items()}


def kinds(found: Labelling) -> list[tuple[str, str]]:
    return [(row.kind, row.place) for row in found.findings]


def test_a_long_table_labels_strips_runs_vials_and_regions() -> None:
    found = labelled(
        ["strip,run,vial,region,label", "A,,,,G", "B,0,,,M", "B,1,,,G", "C,,0,,G", "C,,1,R1,M", "D,,,,X"],
        ["A/r0", "A/r1", "B/r0", "B/r1", "C/r0", "D/r0"],
    )
    assert of(found) == {
        "A/r0": "good", "A/r1": "good", "B/r0": "defective", "B/r1": "good", "C/r0": "defective", "D/r0": "excluded",
    }  # fmt: skip
    assert found.findings == ()
    assert LabelRow("C", -1, "", "", "", 1, "R1", "defective", "M", "", 0.0) in found.rows


def test_a_table_may_say_type_and_size_of_a_defect() -> None:
    lines = ["strip,vial,region,kind,size,label", "A,,,,,G", "B,1,R1,burn,12.5,M", "B,0,R0,scratch,,M"]
    rows = read_label_table(table(*lines), options(columns={"defect": "kind", "size": "size"}), "labels.csv")
    assert [(row.strip, row.vial, row.defect, row.size) for row in rows] == [
        ("A", -1, "", 0.0), ("B", 1, "burn", 12.5), ("B", 0, "scratch", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize("size", ["small", "-3", "nan", "1e3", "3,5"])
def test_a_size_that_is_no_number_of_pixels_is_refused(size: str) -> None:
    content = f'strip,size,label\nA,"{size}",M\n'.encode()
    with pytest.raises(LabelError, match=r"labels.csv line 2: column 'size': expected pixels such as 12.5"):
        read_label_table(content, options(columns={"size": "size"}), "labels.csv")


@pytest.mark.parametrize("header", ["strip,defect,size,label", "strip,,size,label"])
def test_columns_named_defect_and_size_say_nothing_unless_params_name_them(header: str) -> None:
    rows = read_label_table(table(header, "A,yes,small,M", "B,no,5 ml,G"), options(), "labels.csv")
    assert [(row.strip, row.label, row.defect, row.size) for row in rows] == [
        ("A", "defective", "", 0.0), ("B", "good", "", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["defect", "size"])
def test_a_column_of_defects_that_params_name_must_be_there(name: str) -> None:
    with pytest.raises(LabelError, match=rf"labels\.csv: expected columns \['{name}'\], got \['strip', 'label'\]"):
        read_label_table(table("strip,label", "A,M"), options(columns={name: name}), "labels.csv")


def test_a_strip_is_good_by_its_vials_only_where_every_vial_is() -> None:
    found = labelled(
        ["strip,vial,label", "A,0,G", "A,1,G", "B,0,G", "C,0,G", "C,1,M", "D,0,M", "E,0,G", "E,1,?"],
        [f"{strip}/r0" for strip in "ABCDE"],
    )
    assert of(found) == {"A/r0": "good", "B/r0": "unknown", "C/r0": "defective", "D/r0": "defective", "E/r0": "unknown"}
    assert kinds(found) == [("partial_labels", "B/r0"), ("unknown_code", "E vial 1")]
    assert "[1]" in found.findings[0].detail


def test_good_regions_alone_make_no_good_strip() -> None:
    found = labelled(["strip,vial,region,label", "A,0,R0,G", "A,1,R0,G", "B,,R0,G"], ["A/r0", "B/r0"])
    assert set(of(found).values()) == {"unknown"}
    assert [kind for kind, _ in kinds(found)] == ["partial_labels", "partial_labels"]


def test_a_wide_table_has_a_column_per_vial() -> None:
    found = labelled(
        ["acquisition,v1,v2,strip", "A,G,G,good", "B,G,M,defective", "C,G,,partial"], ["A/r0", "B/r0", "C/r0"],
        columns={"strip": "acquisition"}, vial_columns=("v1", "v2"),
    )  # fmt: skip
    assert of(found) == {"A/r0": "good", "B/r0": "defective", "C/r0": "unknown"}
    assert [(row.strip, row.vial, row.label) for row in found.rows if row.strip == "B"] == [
        ("B", 0, "good"), ("B", 1, "defective"),
    ]  # fmt: skip


@pytest.mark.skipif(not SHARED.is_file(), reason="needs data: bottle_strips/labels.csv")
def test_the_bottle_strips_own_column_agrees_with_its_bottles() -> None:
    content = SHARED.read_bytes()
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    wide = options(columns={"strip": "acquisition"}, vial_columns=("bottle1", "bottle2", "bottle3"))
    found = label_by_table(
        [AcquisitionKey(line["acquisition"], 0) for line in lines], read_label_table(content, wide, "labels.csv"), 3
    )
    assert len(lines) == len(found.of) > 30
    for line in lines:
        bottles = {line[f"bottle{number}"] for number in (1, 2, 3)}
        label = found.of[AcquisitionKey(line["acquisition"], 0)]
        assert label == ("excluded" if "X" in bottles else "defective" if "M" in bottles else "good")
        assert (line["strip"] == "good") == (label == "good")
    assert found.findings == ()


def test_columns_may_have_other_names_and_spaces_around_values() -> None:
    found = labelled(["ID, Esito ", " A , G "], ["A/r0"], columns={"strip": "ID", "label": " Esito "})
    assert of(found) == {"A/r0": "good"}


def test_codes_are_compared_as_they_stand() -> None:
    assert of(labelled(["strip,label", "A,g"], ["A/r0"])) == {"A/r0": "unknown"}


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    rows = read_label_table(b"\xef\xbb\xbf" + table("strip,label", "A,G"), options(), "t")
    assert [row.strip for row in rows] == ["A"]


def test_accents_of_table_and_folder_agree_however_they_are_written() -> None:
    composed, decomposed = "\u00c4", "A\u0308"
    assert of(labelled(["strip,label", f"{decomposed},G"], [f"{composed}/r0"])) == {f"{composed}/r0": "good"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (table("strip;label", "A;G"), r"labels\.csv: expected columns \['label', 'strip'\], got \['strip;label'\]"),
        (b"", r"expected columns .* got \[\]"),
        (table("strip,label", '"A,G'), "expected a CSV table"),
        ("strip,label\nÄ,G".encode("latin-1"), "expected a CSV table in UTF-8"),
        (table("strip,label", "A,G", ",M"), "labels.csv line 3: column 'strip': expected the strip"),
        (table("strip,run,label", "A,first,G"), "line 2: column 'run': expected a whole number .* got 'first'"),
        (table("strip,run,label", "A,-1,G"), "column 'run'"),
        (table("strip,run,label", "A,٣,G"), "column 'run'"),
        (table("strip,vial,label", "A,1.5,G"), "column 'vial'"),
        (table("strip,run,label", "A,10000000000,G"), "column 'run'"),
        (table("strip,label", "A,G,M"), "line 2"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_meant_is_refused_by_line_and_column(content: bytes, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read_label_table(content, options(), "labels.csv")


def test_a_column_that_is_named_must_be_there() -> None:
    with pytest.raises(LabelError, match="lot"):
        read_label_table(table("strip,label", "A,G"), options(columns={"batch": "lot"}), "labels.csv")


@pytest.mark.parametrize(
    "lines",
    [
        ["A,,,G", "A,,,M"],  # two labels for the strip
        ["A,0,,G", "A,,,M"],  # the run against all runs
        ["A,,,G", "A,,1,M"],  # a good strip with a defective vial
        ["A,,0,G", "A,,0,M", "A,,1,G"],  # one vial twice
        ["A,,,G", "A,,1,X"],
    ],
)
def test_labels_that_contradict_each_other_are_unknown(lines: list[str]) -> None:
    found = labelled(["strip,run,vial,label", *lines], ["A/r0"])
    assert of(found) == {"A/r0": "unknown"}
    assert kinds(found) == [("conflicting_labels", "A/r0")]


def test_the_same_label_twice_is_no_contradiction() -> None:
    found = labelled(["strip,run,vial,label", "A,,,G", "A,0,,G", "A,,,G", "A,,1,G"], ["A/r0"])
    assert (of(found), found.findings) == ({"A/r0": "good"}, ())


def test_what_has_no_label_and_what_is_labelled_in_vain_are_findings() -> None:
    found = labelled(["strip,run,label", "A,,G", "Z,,G", "A,7,M"], ["A/r0", "B/r0"])
    assert of(found) == {"A/r0": "good", "B/r0": "unknown"}
    assert kinds(found) == [
        ("label_without_acquisition", "A/r7"), ("label_without_acquisition", "Z"), ("unlabelled", "B/r0"),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["A,2,,M", "A,40000,,M", "A,0,R9,M"])
def test_a_label_of_a_vial_or_region_that_no_strip_has_is_a_finding_or_refused(line: str, tmp_path: Path) -> None:
    """Vials counted from 1 would otherwise land one place off, silently."""
    root = write_line(tmp_path / "frames", "AB", runs=1)
    content = table("strip,vial,region,label", "A,,,X", "B,,,G", line)
    try:
        build_dataset(root, tmp_path / "out", small_options(labels=options()), tables={"labels.csv": content})
    except LabelError:
        return
    findings = read_table("findings", (tmp_path / "out" / "findings.parquet").read_bytes()).to_pylist()
    assert any(row["place"].startswith("A vial") for row in findings)


def test_a_wide_table_must_have_as_many_vials_as_the_layout(tmp_path: Path) -> None:
    """A column too many would be a vial that is not there; the small line has two."""
    root = write_line(tmp_path / "frames", "AB", runs=1)
    wide = options(vial_columns=("v1", "v2", "v3"))
    content = table("strip,v1,v2,v3", "A,G,G,M", "B,G,G,G")
    with pytest.raises((OptionError, LabelError), match="vial"):
        build_dataset(root, tmp_path / "out", small_options(labels=wide), tables={"labels.csv": content})


def test_a_strip_id_that_comes_back_in_another_batch_is_labelled_by_its_batch() -> None:
    keys = ["batch=1/A/r0", "batch=2/A/r0"]
    found = labelled(["strip,batch,label", "A,1,G", "A,2,M"], keys)
    assert of(found) == {"batch=1/A/r0": "good", "batch=2/A/r0": "defective"}
    assert found.findings == ()


def test_a_label_that_fits_two_batches_labels_none() -> None:
    keys = ["batch=1/A/r0", "batch=2/A/r0", "batch=1/B/r0"]
    found = labelled(["strip,label", "A,G", "B,G"], keys)
    assert of(found) == {"batch=1/A/r0": "unknown", "batch=2/A/r0": "unknown", "batch=1/B/r0": "good"}
    assert ("ambiguous_label", "A") in kinds(found)


def test_a_label_holds_for_both_stations_of_a_strip() -> None:
    keys = ["station=1/A/r0", "station=2/A/r0"]
    assert set(of(labelled(["strip,label", "A,M"], keys)).values()) == {"defective"}
    one = of(labelled(["strip,station,label", "A,1,M", "A,2,G"], keys))
    assert one == {"station=1/A/r0": "defective", "station=2/A/r0": "good"}


def test_the_code_in_the_path_is_the_label() -> None:
    codes = {AcquisitionKey("A", 0): "G", AcquisitionKey("B", 0): "M", AcquisitionKey("C", 0): "?"}
    found = label_by_path(codes, options(table="", field="label"))
    assert of(found) == {"A/r0": "good", "B/r0": "defective", "C/r0": "unknown"}
    assert kinds(found) == [("unknown_code", "C/r0")]
    assert [(row.run, row.vial, row.code) for row in found.rows] == [(0, -1, "G"), (0, -1, "M"), (0, -1, "?")]


CELLS = st.tuples(
    st.sampled_from("AB"), st.sampled_from(["", "0", "1"]), st.sampled_from(["", "0", "1"]),
    st.sampled_from(["", "R0"]), st.sampled_from(["G", "M", "X", "?", ""]),
)  # fmt: skip


def verdict(lines: list[tuple[str, ...]], strip: str, run: str) -> str:
    """The label of one acquisition of two vials by the rule's words, one after the other."""
    held = [line for line in lines if line[0] == strip and line[1] in ("", run) and line[4]]
    places: dict[tuple[str, str], set[str]] = {}
    for _, _, vial, region, code in held:
        places.setdefault((vial, region), set()).add(CODES.get(code, "unknown"))
    seen = {label for labels in places.values() for label in labels}
    whole = places.get(("", ""), set())
    if not held or any(len(labels) > 1 for labels in places.values()) or (whole == {"good"} and seen != {"good"}):
        return "unknown"
    for label in ("unknown", "excluded", "defective"):
        if label in seen:
            return label
    return "good" if whole or {("0", ""), ("1", "")} <= set(places) else "unknown"


@given(st.lists(CELLS, max_size=7))
def test_every_table_is_read_as_the_rule_says(lines: list[tuple[str, ...]]) -> None:
    keys = [f"{strip}/r{run}" for strip in "AB" for run in "01"]
    text = ["strip,run,vial,region,label", *(",".join(line) for line in lines)]
    found = labelled(text, keys)
    assert of(found) == {f"{strip}/r{run}": verdict(lines, strip, run) for strip in "AB" for run in "01"}
    assert labelled([text[0], *reversed(text[1:])], keys) == found
    # Whatever is unknown has a finding that says why.
    unknown = [key for key, label in of(found).items() if label == "unknown"]
    assert all(any(place.split(" ")[0] in (key, key[0]) for _, place in kinds(found)) for key in unknown)


@given(st.lists(CELLS, max_size=7), st.integers(1, 3))
def test_nothing_is_good_without_a_good_label_for_the_whole_or_for_each_vial(
    lines: list[tuple[str, ...]], vials: int
) -> None:
    text = ["strip,run,vial,region,label", *(",".join(line) for line in lines)]
    for key, label in labelled(text, ["A/r0", "B/r1"], vials).of.items():
        if label == "good":
            good = {line[2] for line in lines if line[0] == key.strip and line[1] in ("", str(key.run))
                    and line[3:] == ("", "G")}  # fmt: skip
            assert "" in good or {str(vial) for vial in range(vials)} <= good


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"field": "label"}, "either a table or a field"),
        ({"table": ""}, "either a table or a field"),
        ({"table": "", "field": "run"}, "labels.field"),
        ({"columns": {"strips": "A"}}, "labels.columns"),
        ({"codes": {}}, "labels.codes"),
        ({"codes": {"U": "unknown"}}, "labels.codes"),
        ({"select": ("bad",)}, "labels.select"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        options(**changes)


def test_a_label_of_what_is_listed_but_not_built_is_no_finding() -> None:
    rows = read_label_table(table("strip,label", "A,G", "B,G", "C,G"), options(), "labels.csv")
    a, b = (AcquisitionKey.parse(key) for key in ("A/r0", "B/r0"))
    found = label_by_table([a], rows, 2, others=[b])
    assert kinds(found) == [("label_without_acquisition", "C")]
    assert of(found) == {"A/r0": "good"}


@pytest.mark.parametrize(
    "changes",
    [
        {"vial_columns": ("a", "a", "c")},
        {"vial_columns": ("a", "b"), "columns": {"label": "verdict"}},
        {"table": "", "field": "batch", "columns": {"strip": "name"}},
    ],
)
def test_options_that_would_pass_over_a_column_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="labels"):
        options(**changes)


def test_a_header_that_names_a_column_twice_is_refused() -> None:
    """The last of the two would win, and a defective strip would be good."""
    with pytest.raises(LabelError, match=r"each column once, got \['label'\]"):
        read_label_table(table("strip,label,label", "A,M,G"), options(), "labels.csv")
