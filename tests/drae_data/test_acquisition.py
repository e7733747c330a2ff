"""Keys parse back what they print, with or without the parts that not every line has."""

import pytest

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.errors import KeyFormatError


def test_keys_print_and_parse_by_hand() -> None:
    key = PatchKey(AcquisitionKey("S0001", 3), Image.of_frame(7), 2, "R1")
    assert str(key) == "S0001/r3/f07/v2/R1"
    assert PatchKey.parse("S0001/r3/f07/v2/R1") == key
    assert str(Image.of_rank("min")) == "min"
    assert Image.parse("f123") == Image.of_frame(123)


def test_further_parts_stand_before_the_strip() -> None:
    key = AcquisitionKey("S0001", 3, batch="B7", station="2")
    assert str(key) == "batch=B7/station=2/S0001/r3"
    assert AcquisitionKey.parse("batch=B7/station=2/S0001/r3") == key
    whole = PatchKey.parse("batch=B7/recipe=5 ml/station=2/S0001/r3/f07/v2/R1")
    assert whole == PatchKey(AcquisitionKey("S0001", 3, "B7", "5 ml", "2"), Image.of_frame(7), 2, "R1")
    # The strip that two stations saw in two runs is one strip.
    assert (
        whole.acquisition.strip_id
        == AcquisitionKey("S0001", 9, "B7", "5 ml", "1").strip_id
        == ("batch=B7/recipe=5 ml/S0001")
    )


def test_keys_sort_by_strip_run_image_vial_region_frames_before_rank_images() -> None:
    texts = [
        "A/r2/f02/v0/R0",
        "A/r2/f10/v0/R0",
        "A/r2/max/v0/R0",
        "A/r2/min/v0/R0",
        "A/r10/f00/v0/R0",
        "B/r0/f00/v0/R0",
    ]
    assert [str(key) for key in sorted(PatchKey.parse(text) for text in reversed(texts))] == texts


@pytest.mark.parametrize(
    "text",
    [
        "", "S1", "S1/r0", "S1/r0/f07/2/R1", "S1/0/f07/v2/R1", "S1/r0/g07/v2/R1", "S1/r0/f7/v2/R1", "/r0/f07/v2/R1",
        "lot=B7/S1/r0/f07/v2/R1", "station=2/batch=B7/S1/r0/f07/v2/R1", "batch=/S1/r0/f07/v2/R1",
        "batch=1/batch=2/S1/r0/f07/v2/R1", "S1/batch=B7/r0/f07/v2/R1",
    ],
)  # fmt: skip
def test_a_text_that_is_no_patch_key_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(KeyFormatError, match=r"expected .* got"):
        PatchKey.parse(text)
