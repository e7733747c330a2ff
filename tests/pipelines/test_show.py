"""The show command: the file it writes, and its words."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.encodings import decode_patch_image
from drae_data.files import sha256_hex
from pipelines.show import main
from tests.small_line import build_dataset, small_frame, write_line


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Path]:
    """The frames' root and a version built from them."""
    root = write_line(tmp_path / "frames", strips="AB", runs=1)
    build_dataset(root, tmp_path / "version")
    return root, tmp_path / "version"


def test_the_patch_is_written_and_its_origin_printed(
    built: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, version = built
    monkeypatch.chdir(tmp_path)
    assert main([str(version), "A/r0/f01/v1/R1", "--root", str(root)]) == 0
    written = tmp_path / "A_r0_f01_v1_R1.png"
    # R1 of vial 1 is 16 x 16 pixels, like a patch: cut as it is.
    expected = small_frame("A", 0, 1)[20:36, 32:48]
    assert np.array_equal(decode_patch_image(written.read_bytes(), 16, "png"), expected)
    text = capsys.readouterr().out
    assert text.startswith("A/r0/f01/v1/R1 -> A_r0_f01_v1_R1.png\n")
    assert "box           left 32, top 20, 16 x 16 pixels of 64 x 48" in text
    assert f"mean {expected.mean():.2f}, standard deviation {expected.std():.2f}" in text
    assert f"{expected.min()} to {expected.max()}" in text
    frame = root / "A/run_00/frame_01.png"
    assert f"frame_01.png, {frame.stat().st_size:,} bytes, SHA-256 {sha256_hex(frame.read_bytes())}" in text
    assert sha256_hex(written.read_bytes()) in text
    assert "small 1.0.0, built with code version" in text
    assert "SHA-256 of 1 frame file: as at the build" in text
    assert "cut again: the same pixels" in text


def test_a_rank_image_names_all_its_frames(
    built: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new/patch.png"
    assert main([str(built[1]), "B/r0/min/v0/R1", "--out", str(out)]) == 0
    frames = np.stack([small_frame("B", 0, index) for index in range(3)])
    assert np.array_equal(decode_patch_image(out.read_bytes(), 16, "png"), frames.min(axis=0)[20:36, 0:16])
    text = capsys.readouterr().out
    assert "the per-pixel minimum of these 3" in text
    assert all(f"frame_{index:02d}.png, " in text for index in range(3))
    assert "compared" not in text


def test_frames_that_differ_end_in_exit_status_1(
    built: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, version = built
    arguments = [str(version), "A/r0/max/v1/R1", "--root", str(root), "--out", str(tmp_path / "patch.png")]
    cv2.imwrite(str(root / "A/run_00/frame_01.png"), np.full((48, 64), 255, np.uint8))
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert "1 of the SHA-256 of 3 frame files differ now: frame_01.png" in text
    assert "cut again: OTHER PIXELS" in text
    (root / "A/run_00/frame_01.png").unlink()
    assert main(arguments) == 1
    assert "cannot be cut again: A/run_00/frame_01.png: cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("C/r0/f00/v0/R0", "strips, such as A, B"),
        ("A/r0/f00", "patch key: expected"),
        ("A/r3/f00/v0/R0", "has the runs 0, not 3"),
    ],
)
def test_a_key_without_a_patch_is_one_message(
    built: tuple[Path, Path], tmp_path: Path, key: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "patch.png"
    assert main([str(built[1]), key, "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert not out.exists()


def test_a_folder_that_is_no_dataset_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "A/r0/f00/v0/R0"]) == 1
    assert "there is no such folder, or no file in it" in capsys.readouterr().err
    (tmp_path / "features.json").write_text("{}")
    assert main([str(tmp_path), "A/r0/f00/v0/R0"]) == 1
    assert "this is no committed dataset version" in capsys.readouterr().err
    assert main([str(tmp_path), "A/r0/f00/v0/R0", "--out", "patch.jpg"]) == 1
    assert "--out: expected a file name that ends in .png" in capsys.readouterr().err
