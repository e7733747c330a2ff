"""The path template finds exactly the names it describes, in one way only; keys print and parse back."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey, Image, PatchKey
from drae_data.errors import KeyFormatError, OptionError
from drae_data.path_template import FramePlace, PathTemplate

NAMES = st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable() and "/" not in text)


def name_of(template: str, path: str) -> tuple[AcquisitionKey, str, str]:
    found = PathTemplate(template).match_acquisition(path)
    return found.key, found.label, found.time


@pytest.mark.parametrize(
    ("template", "path", "key"),
    [
        ("{strip}/run_{run}/frame_{frame}.png", "S 1-ä/run_03", AcquisitionKey("S 1-ä", 3)),
        ("{strip}/{frame}.png", "acq003", AcquisitionKey("acq003", 0)),
        ("{batch}/{strip}/{run}/{frame}.png", "B7/S1/12", AcquisitionKey("S1", 12, batch="B7")),
        ("{recipe}/{strip}/{frame}.png", "Eye 5ml/S1", AcquisitionKey("S1", 0, recipe="Eye 5ml")),
        ("{strip}/cam{station}/{frame}.png", "S1/cam2", AcquisitionKey("S1", 0, station="2")),
        ("B{batch}_R{recipe}/{station}/ID{strip}_RUN{run}/F{frame}.bmp", "B7_R5/top/ID31_RUN004",
         AcquisitionKey("31", 4, "7", "5", "top")),
    ],
)  # fmt: skip
def test_each_field_of_a_folder_lands_in_the_key(template: str, path: str, key: AcquisitionKey) -> None:
    assert name_of(template, path) == (key, "", "")


def test_label_and_time_are_read_beside_the_key() -> None:
    found = name_of("{label}/{strip}_{time}/{frame}.png", "NOK/S1_20240314T101500")
    assert found == (AcquisitionKey("S1", 0), "NOK", "20240314T101500")


def test_the_usual_long_file_name_of_a_line_gives_its_key_and_place() -> None:
    """The names of the paper's machine: REGION, BATCH, RECIPE, ID, RUN, STATION, FRAME, VIAL; files, no folders."""
    template = PathTemplate(
        "{region}_BATCH{batch}_RECIPE{recipe}_ID{strip}_RUN{run}_STATION{station}_FRAME{frame}_VIAL{vial}.png"
    )
    path = "R2_BATCH17_RECIPEeye_ID00042_RUN3_STATION1_FRAME15_VIAL4.PNG"
    assert not template.of_folders
    assert template.match_acquisition(path).key == AcquisitionKey("00042", 3, "17", "eye", "1")
    assert template.match_frame(path) == FramePlace(4, "R2", 15)


@pytest.mark.parametrize(
    ("template", "of_folders", "depth", "inside"),
    [
        ("{strip}/run_{run}/frame_{frame}.png", True, 2, 0),
        ("lot/{strip}/{frame}.png", True, 2, 0),
        ("{strip}/vial_{vial}/{region}_{frame}.png", True, 1, 1),
        ("{strip}/{region}/{vial}/{frame}.png", True, 1, 2),
        ("{strip}.png", False, 0, 0),
        ("{label}/{strip}.png", False, 1, 0),
        ("{strip}/run_{run}_frame_{frame}.png", False, 1, 0),
        # The run stands below the frame's folder: the strip's folder holds several acquisitions.
        ("{strip}/{frame}/{run}.png", False, 2, 0),
        ("{strip}/frames.png", True, 1, 0),
    ],
)
def test_acquisitions_are_folders_where_folder_names_alone_tell_them_apart(
    template: str, of_folders: bool, depth: int, inside: int
) -> None:
    found = PathTemplate(template)
    assert (found.of_folders, found.depth, found.depth_inside) == (of_folders, depth, inside)


def test_a_file_without_further_fields_is_frame_0_of_the_whole_strip() -> None:
    assert PathTemplate("{label}/{strip}.png").match_frame("good/7.png") == FramePlace(-1, "", 0)


@pytest.mark.parametrize("literal", ["a.b", "x+y", "(1)", "[12]", "a|b", "^$", "\\d", "a*", "a?", "Größe", "a b"])
def test_literal_parts_are_literal(literal: str) -> None:
    template = PathTemplate(f"{literal}/{{strip}}_{literal}_{{run}}/{literal}{{frame}}.png")
    assert template.match_acquisition(f"{literal}/S_{literal}_1").key == AcquisitionKey("S", 1)
    assert template.match_frame(f"{literal}07.png") == FramePlace(-1, "", 7)
    for other in ("axb", "xxy", "1", "a", "b", "", "5", "aa"):
        with pytest.raises(KeyFormatError):
            template.match_acquisition(f"{other}/S_{literal}_1")
        assert template.match_frame(f"{other}07.png") is None


def test_the_dot_of_the_suffix_is_literal_and_its_case_is_free() -> None:
    template = PathTemplate("{strip}/frame_{frame}.png")
    assert template.match_frame("frame_15.PNG") == template.match_frame("frame_15.Png") == FramePlace(-1, "", 15)
    for name in ("frame_15.png.tmp", "frame_.png", "frame_15xpng", "Frame_15.png", "frame_15.bmp", "Thumbs.db"):
        assert template.match_frame(name) is None


def test_the_suffix_of_any_image_stands_for_image_suffixes_alone() -> None:
    template = PathTemplate("{strip}/{frame}.*")
    for suffix in ("bmp", "JPEG", "jpg", "pgm", "PNG", "tif", "Tiff"):
        assert template.match_frame(f"3.{suffix}") == FramePlace(-1, "", 3)
    for suffix in ("json", "txt", "pngx", "xpng", ""):
        assert template.match_frame(f"3.{suffix}") is None


def test_a_name_that_fits_in_two_ways_is_refused_with_both_readings() -> None:
    template = PathTemplate("{batch}_{strip}/{frame}.png")
    assert template.match_acquisition("7_S1").key == AcquisitionKey("S1", 0, batch="7")
    with pytest.raises(KeyFormatError, match="more than one way") as caught:
        template.match_acquisition("7_S_1")
    for part in ("'batch': '7'", "'strip': 'S_1'", "'batch': '7_S'", "'strip': '1'"):
        assert part in str(caught.value)
    with pytest.raises(KeyFormatError, match="more than one way"):
        PathTemplate("{strip}{run}/{frame}.png").match_acquisition("S12")


def every_split(path: str, separator: str, fields: int) -> int:
    """In how many ways a name is so many non-empty fields with separators between: all places are tried."""
    if fields == 1:
        return int(bool(path))
    starts = [m.start() for m in re.finditer(f"(?={re.escape(separator)})", path)]
    return sum(every_split(path[start + len(separator) :], separator, fields - 1) for start in starts if start)


@given(st.text("ab_", min_size=1, max_size=10), st.sampled_from(["_", "__", "a"]))
def test_a_name_is_taken_exactly_where_one_reading_fits(path: str, separator: str) -> None:
    ways = every_split(path, separator, 3)
    template = PathTemplate(f"{{batch}}{separator}{{recipe}}{separator}{{strip}}/{{frame}}.png")
    if ways == 1:
        key = template.match_acquisition(path).key
        assert separator.join((key.batch, key.recipe, key.strip)) == path
    else:
        with pytest.raises(KeyFormatError, match="more than one way" if ways else "expected"):
            template.match_acquisition(path)


def test_numbers_have_nine_digits_at_most() -> None:
    template = PathTemplate("{strip}/r{run}/{frame}.png")
    assert template.match_acquisition("S/r999999999").key.run == 999_999_999
    with pytest.raises(KeyFormatError, match="path_template"):
        template.match_acquisition("S/r1000000000")
    assert template.match_frame("1000000000.png") is None
    # Digits of other scripts are none.
    with pytest.raises(KeyFormatError):
        template.match_acquisition("S/r٣")


@pytest.mark.parametrize(
    "strip", ["..", ".", "a\nb", "a\x00b", "a\x7fb", "a\u202eb", "a\u2066b", "a\u200bb", "\udcff", "\ufeffa"]
)
def test_names_that_deceive_are_refused_by_a_printable_message(strip: str) -> None:
    with pytest.raises(KeyFormatError, match="got") as caught:
        PathTemplate("{strip}/r{run}/{frame}.png").match_acquisition(f"{strip}/r1")
    assert str(caught.value).isprintable()


def test_the_two_ways_of_writing_an_accent_are_one_key() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Lösung") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert name_of("{strip}/{frame}.png", composed) == name_of("{strip}/{frame}.png", decomposed)
    for text in (f"{composed}/{{strip}}/{{region}}_{{frame}}.png", f"{decomposed}/{{strip}}/{{region}}_{{frame}}.png"):
        template = PathTemplate(text)
        assert template.match_acquisition(f"{composed}/S") == template.match_acquisition(f"{decomposed}/S")
        assert template.match_frame(f"{composed}_1.png") == template.match_frame(f"{decomposed}_1.png")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{strip}/{lot}/{frame}.png", "lot"),
        ("{strip}/{}/{frame}.png", "only the fields"),
        ("{strip}/{strip}/{frame}.png", "each field once"),
        ("{run}/{frame}.png", "{strip}"),
        ("/data/{strip}/{frame}.png", "below the root"),
        ("../{strip}/{frame}.png", "below the root"),
        ("{strip}/./{frame}.png", "below the root"),
        ("{strip}//{frame}.png", "below the root"),
        ("{strip}/{frame}/", "below the root"),
        ("", "below the root"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=re.escape(said)) as caught:
        PathTemplate(text)
    assert caught.value.key == "path_template"


@pytest.mark.parametrize("text", ["{strip/{frame}.png", "{strip}/frame}.png", "{{strip}}/{frame}.png"])
def test_a_brace_that_belongs_to_no_field_is_refused(text: str) -> None:
    with pytest.raises(OptionError):
        PathTemplate(text)


def test_keys_print_and_parse_by_hand() -> None:
    key = AcquisitionKey("S1", 3, "B=7", "", "2")
    assert str(key) == "batch=B=7/station=2/S1/r3"
    assert (key.strip_id, str(AcquisitionKey("S1", 3))) == ("batch=B=7/S1", "S1/r3")
    assert AcquisitionKey.parse("batch=B=7/station=2/S1/r3") == key


@given(NAMES, st.integers(0, 10**9 - 1), *[st.just("") | NAMES] * 3, st.integers(0, 999), NAMES)
def test_every_key_parses_back(
    strip: str, run: int, batch: str, recipe: str, station: str, vial: int, region: str
) -> None:
    key = PatchKey(AcquisitionKey(strip, run, batch, recipe, station), Image.of_frame(vial), vial, region)
    assert PatchKey.parse(str(key)) == key


@given(st.sets(st.tuples(*[st.sampled_from(["", "x", "batch=x", "=", "r0"])] * 3, st.sampled_from(["x", "batch=x"]))))
def test_two_keys_never_have_one_text(parts: set[tuple[str, str, str, str]]) -> None:
    keys = {AcquisitionKey(strip, 0, *others) for *others, strip in parts}
    assert len({str(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("text", ["x/batch=1/S1/r0", "station=1/batch=2/S1/r0", "batch=/S1/r0", "batch=1/batch=1/S/r0"])
def test_a_prefix_out_of_order_is_no_key(text: str) -> None:
    with pytest.raises(KeyFormatError, match="expected"):
        AcquisitionKey.parse(text)
