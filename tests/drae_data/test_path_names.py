"""The path template finds exactly the names it describes, and is refused where it cannot work."""

import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import KeyFormatError, OptionError
from drae_data.path_template import FramePlace, PathTemplate


def test_template_finds_strip_run_and_frame() -> None:
    template = PathTemplate("lot.7/{strip}/run_{run}/frame_{frame}.png")
    assert template.depth == 3
    assert template.match_acquisition("lot.7/S 1-ä/run_03").key == AcquisitionKey("S 1-ä", 3)
    assert template.match_frame("frame_15.png") == FramePlace(-1, "", 15)
    # The dot is literal, a name must fit whole, and digits are digits.
    for folder in ("lotx7/S1/run_03", "lot.7/S1/run_3b", "lot.7/S1/xrun_3", "lot.7/S1", "lot.7/a/b/run_3"):
        with pytest.raises(KeyFormatError, match=r"expected 'lot\.7/\{strip\}/run_\{run\}' .*got"):
            template.match_acquisition(folder)
    for name in ("frame_15.png.tmp", "frame_.png", "frame_15xpng", "Thumbs.db"):
        assert template.match_frame(name) is None


def test_run_is_zero_where_the_line_counts_none() -> None:
    assert PathTemplate("{strip}/frame_{frame}.png").match_acquisition("acq003").key == AcquisitionKey("acq003", 0)


@pytest.mark.parametrize(
    ("text", "path", "strip", "run", "frame"),
    [
        ("{frame}_{strip}.png", "7_S1.png", "S1", 0, 7),
        ("{strip}/{frame}/{run}.png", "S1/07/3.png", "S1", 3, 7),
        ("lot/{strip}_{frame}.png", "lot/S1_07.png", "S1", 0, 7),
    ],
)
def test_acquisitions_are_files_where_no_folder_names_them(
    text: str, path: str, strip: str, run: int, frame: int
) -> None:
    template = PathTemplate(text)
    assert not template.of_folders
    assert template.match_acquisition(path).key == AcquisitionKey(strip, run)
    assert template.match_frame(path) == FramePlace(-1, "", frame)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{strip}/{lot}/{frame}.png", "only the fields .*not \\['lot'\\]"),
        ("{strip}/{strip}/{frame}.png", "once"),
        ("{frame}.png", r"the field \{strip\}"),
        ("/data/{strip}/{frame}.png", "below the root"),
        ("../{strip}/{frame}.png", "below the root"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        PathTemplate(text)
