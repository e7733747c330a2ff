"""Keys parse back what they print; the path template finds exactly the names it describes."""

import pytest

from drae_data.acquisition import AcquisitionKey, Image, PatchKey, PathTemplate
from drae_data.errors import KeyFormatError, OptionError


def test_keys_print_and_parse_by_hand() -> None:
    key = PatchKey(AcquisitionKey("S0001", 3), Image.of_frame(7), 2, "R1")
    assert str(key) == "S0001/r3/f07/v2/R1"
    assert PatchKey.parse("S0001/r3/f07/v2/R1") == key
    assert str(Image.of_rank("min")) == "min"
    assert Image.parse("f123") == Image.of_frame(123)


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
    ["", "S1", "S1/r0", "S1/r0/f07/2/R1", "S1/0/f07/v2/R1", "S1/r0/g07/v2/R1", "S1/r0/f7/v2/R1", "/r0/f07/v2/R1"],
)
def test_a_text_that_is_no_patch_key_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(KeyFormatError, match=r"expected .* got"):
        PatchKey.parse(text)


def test_template_finds_strip_run_and_frame() -> None:
    template = PathTemplate("lot.7/{strip}/run_{run}/frame_{frame}.png")
    assert template.depth == 3
    assert template.match_folder("lot.7/S 1-ä/run_03") == AcquisitionKey("S 1-ä", 3)
    assert template.match_frame("frame_15.png") == 15
    # The dot is literal, a name must fit whole, and digits are digits.
    for folder in ("lotx7/S1/run_03", "lot.7/S1/run_3b", "lot.7/S1/xrun_3", "lot.7/S1", "lot.7/a/b/run_3"):
        assert template.match_folder(folder) is None
    for name in ("frame_15.png.tmp", "frame_.png", "frame_15xpng", "Thumbs.db"):
        assert template.match_frame(name) is None


def test_run_is_zero_where_the_line_counts_none() -> None:
    assert PathTemplate("{strip}/frame_{frame}.png").match_folder("acq003") == AcquisitionKey("acq003", 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{strip}/{batch}/{frame}.png", "batch"),
        ("{strip}/{strip}/{frame}.png", "once"),
        ("{frame}.png", "folder"),
        ("/data/{strip}/{frame}.png", "relative"),
        ("../{strip}/{frame}.png", "relative"),
        ("{strip}/frame.png", "frame"),
        ("{strip}/{frame}/{run}.png", "frame"),
        ("lot/{strip}_{frame}.png", "strip"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        PathTemplate(text)
