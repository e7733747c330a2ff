"""The preview command: which images it draws, and its words."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.options import select_images
from drae_data.preview import PreviewImage, draw_preview
from pipelines.preview import facts, main
from tests.small_line import LAYOUT, small_frame, small_options, write_line
from tests.small_params import LINE


@pytest.fixture
def line(tmp_path: Path) -> list[str]:
    """A small line with its params file; the arguments that name them."""
    write_line(tmp_path / "frames", strips="BA", runs=2)
    (tmp_path / "params.yaml").write_text(LINE)
    return ["--set", "small", "--params", str(tmp_path / "params.yaml"), "--root", str(tmp_path / "frames")]


def picture_of(path: Path) -> np.ndarray:
    """A picture file's pixels, uint8 BGR."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def drawn(strip: str, run: int, frame: int, absent: str = "") -> np.ndarray:
    """The expected picture; rank images by sorting the frames."""
    frames = np.stack([small_frame(strip, run, index) for index in range(3)])
    low, _, high = np.sort(frames, axis=0)
    images = [
        PreviewImage(f"frame {frame}: frame_{frame:02d}.png", frames[frame]),
        PreviewImage(f"rank image min: the darkest of 3 frames{absent}", low),
        PreviewImage(f"rank image max: the brightest of 3 frames{absent}", high),
    ]
    options = small_options(images=select_images([0, 1, 2], [])) if absent else small_options()
    words = facts(options, (48, 64))
    return draw_preview(f"small: {strip}/r{run}", words, images, LAYOUT.place(48, 64), "", options.patch)


def test_the_first_acquisition_and_frame_are_drawn(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pictures/preview.png"
    assert main([*line, "--out", str(out)]) == 0
    assert np.array_equal(picture_of(out), drawn("A", 0, 0))
    text = capsys.readouterr().out
    assert text.startswith(f"{out}: A/r0, 64 x 48 pixels")
    assert "change strip_layout.boxes in " in text
    assert "python -m pipelines.build --set small" in text
    assert [path.name for path in out.parent.iterdir()] == ["preview.png"]


@pytest.mark.parametrize("wanted", ["B/r1", "B/run_01", "B/run_01/"])
def test_an_acquisition_is_named_by_key_or_folder(line: list[str], tmp_path: Path, wanted: str) -> None:
    out = tmp_path / "preview.png"
    assert main([*line, "--acquisition", wanted, "--frame", "2", "--out", str(out)]) == 0
    assert np.array_equal(picture_of(out), drawn("B", 1, 2))


def test_rank_images_are_drawn_even_where_the_set_has_none(line: list[str], tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(LINE.replace("rank: [min, max]", "rank: []"))
    out = tmp_path / "preview.png"
    assert main([*line, "--out", str(out)]) == 0
    assert np.array_equal(picture_of(out), drawn("A", 0, 0, "; not among this set's images"))


def test_the_facts_count_the_patches_of_an_acquisition() -> None:
    # 5 images of 2 vials and 2 regions.
    assert facts(small_options(), (48, 64)).startswith(
        "frames of 64 x 48 pixels      5 images x 2 vials x 2 regions = 20 patches of 16 x 16 per acquisition"
    )


def test_frames_of_another_size_are_drawn_and_the_size_is_told(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text(LINE.replace("height: 48", "height: 50"))
    out = tmp_path / "preview.png"
    assert main([*line, "--out", str(out)]) == 0
    assert picture_of(out).shape[1] == 2400
    assert "strip_layout.frame_size: {height: 48, width: 64}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--acquisition", "A/r7"], "--acquisition: expected the key or folder of one of 4 acquisitions, such as A/r"),
        (["--frame", "3"], "--frame: expected one of 0, 1, 2, got 3"),
        (["--out", "preview.jpg"], "--out: expected a file name that ends in .png"),
        (["--root", "absent"], "root: expected a folder of acquisitions"),
        (["--set", "kit"], "--set: expected one of ['small']"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(
    line: list[str], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line, *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error


def test_an_acquisition_with_a_fault_is_one_message(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "preview.png"
    (tmp_path / "frames/A/run_00/frame_01.png").write_bytes(b"no image")
    assert main([*line, "--out", str(out)]) == 1
    assert "unreadable: A/run_00/frame_01.png: " in capsys.readouterr().err
    (tmp_path / "frames/A/run_00/frame_01.png").unlink()
    assert main([*line, "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "missing_frame: A/run_00/" in error
    assert "missing frame 1" in error
    assert "The build would quarantine A/r0; mend it or name another with --acquisition" in error
    (tmp_path / "frames/A/run_extra").mkdir()
    assert main([*line, "--acquisition", "A/run_extra"]) == 1
    assert "unmatched_name" in capsys.readouterr().err
    assert not out.exists()
