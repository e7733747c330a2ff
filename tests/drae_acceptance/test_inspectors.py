"""The human inspectors' table: both forms, and everything that is refused with line and column."""

import pytest

from drae_acceptance.errors import InspectorsError
from drae_acceptance.inspectors import Inspected, read_inspectors

SINGLE, SUMMED = "strip,inspector,inspection,verdict\n", "strip,inspections,rejects\n"
KIT, SPARE = ("K1", "K2"), ("K9",)


def read(text: str, kit: tuple[str, ...] = KIT) -> Inspected:
    return read_inspectors(text.encode(), "inspectors.csv", kit, SPARE)


def test_single_inspections_are_summed_up() -> None:
    # K1: two looks of I, one rejects; one of II, rejects: 2 of 3. K2: one look, accepted.
    found = read(SINGLE + "K1,I,1,reject\nK1,I,2,accept\nK1,II,1,reject\nK2,I,1,accept\n")
    assert (found.counts, found.inspectors, found.spare) == ({"K1": (2, 3), "K2": (0, 1)}, ("I", "II"), ())


def test_sums_in_any_order_of_columns_with_others_beside_them() -> None:
    found = read("note,rejects,strip,inspections\nx,15,K2,20\ny, 0 ,K1,20\n,3,K9,3\n")
    assert (found.counts, found.inspectors, found.spare) == ({"K1": (0, 20), "K2": (15, 20)}, (), ("K9",))


def test_a_byte_order_mark_and_decomposed_names() -> None:
    # e and a combining acute accent are one letter, as in the names of the kit.
    text = b"\xef\xbb\xbf" + (SUMMED + "Ke\u0301,2,1\n").encode()
    assert read_inspectors(text, "t.csv", ["K\u00e9"], ()).counts == {"K\u00e9": (1, 2)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SUMMED + "K1,20,21\nK2,1,1\n", "line 2: column 'rejects': expected at most the 20 inspections"),
        (SUMMED + "K1,0,0\n", "line 2: column 'inspections': expected 1 or more, got 0"),
        (SUMMED + "K1,20,-1\n", "column 'rejects': expected a whole number, 0 or more, got '-1'"),
        (SUMMED + "K1,2.5,1\n", "column 'inspections': expected a whole number"),
        (SUMMED + "K1,20,15\n", "each of the 2 good and defective strips of the kit, got none for K2"),
        (SUMMED + "K1,2,1\nK2,1,1\nK7,1,1\n", "line 4: column 'strip': expected a strip of the kit, such as 'K1', got"),
        (SUMMED + "K1,2,1\nK2,1,1\nK1,2,1\n", "line 4: column 'strip': expected strip 'K1' once, got it in line 2 too"),
        (SUMMED + ",20,15\n", "line 2: column 'strip': expected a value, got nothing"),
        (SUMMED + "K1,20,15,9\n", "line 2: expected 3 values as line 1 has names, got more"),
        (SINGLE + "K1,I,1,maybe\n", "column 'verdict': expected accept or reject, got 'maybe'"),
        (SINGLE + "K1,I,1,reject\nK1,I,1,accept\n", "inspection 1 of strip 'K1' by 'I' once, got it in line 2 too"),
        (SINGLE + "K1,,1,reject\n", "column 'inspector': expected a value"),
        ("strip;inspections;rejects\nK1;20;15\n", "line 1: expected the columns of one form"),
        ("strip,inspections,rejects,inspector,inspection,verdict\n", "name the columns so, and keep one form"),
        ("strip,strip,inspections,rejects\n", r"line 1: expected each column once, got ['strip'] more than once"),
        ('strip,inspections,rejects\n"K1,20,15\n', "expected a CSV table in UTF-8, got"),
        ("", "line 1: expected the columns of one form"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(InspectorsError) as caught:
        read(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith("inspectors.csv")


def test_many_names_are_counted() -> None:
    kit = tuple(f"K{number}" for number in range(1, 9))
    with pytest.raises(InspectorsError, match=r"got none for K2, K3, K4, K5, K6 and 2 more; add theirs"):
        read(SUMMED + "K1,20,15\n", kit)


def test_a_table_that_is_no_text() -> None:
    with pytest.raises(InspectorsError, match="expected a CSV table in UTF-8"):
        read_inspectors(b"strip\xff\xfe", "t.csv", KIT, ())
