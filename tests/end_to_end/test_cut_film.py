"""The film of the tutorial is cut into acquisitions of frames; a film that cannot be decoded ends in one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILM = "bottle_strips/film/bottle-detection.mp4"


def cut(examples: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    script = examples / "bottle_strips/cut_film.py"
    # The decoder itself keeps silent.
    return subprocess.run(
        [sys.executable, str(script), str(folder)],
        env={**os.environ, "OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "SILENT"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the example and of the labels that it takes."""
    for name in ("bottle_strips", "bottle_strips_detection"):
        shutil.copytree(EXAMPLES / name, tmp_path / "examples" / name)
    return tmp_path / "examples"


def test_the_film_gives_16_frames_of_each_acquisition(examples: Path, tmp_path: Path) -> None:
    done = cut(examples, tmp_path / "camera")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "camera").glob("*/frame_*.png"))) == 16 * 31
    assert (tmp_path / "camera/labels.csv").is_file()


@pytest.mark.parametrize("left", [0, 1000, 250_000, None])
def test_a_film_that_cannot_be_decoded_ends_in_one_sentence(left: int | None, examples: Path, tmp_path: Path) -> None:
    film = examples / FILM
    if left is None:
        film.unlink()
    else:
        film.write_bytes(film.read_bytes()[:left])
    done = cut(examples, tmp_path / "camera")
    assert done.returncode == 1
    assert done.stderr == f"{film}: the film cannot be decoded\n"
    assert done.stdout == ""
    assert not (tmp_path / "camera/labels.csv").exists()
