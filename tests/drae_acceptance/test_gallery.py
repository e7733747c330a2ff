"""The gallery of a scored set: it comes back, and no picture passes that is not the one that was made."""

from pathlib import Path

import pytest

from drae_acceptance.errors import BindingError, ScoreError
from drae_acceptance.gallery import FOLDER, INDEX, GalleryPatch, gallery_bytes, read_gallery
from drae_data.files import sha256_hex

PICTURES = {"vial.png": b"v", "reconstruction.png": b"r", "heatmap.png": b"h"}


def write(folder: Path) -> tuple[GalleryPatch, str]:
    digests = [sha256_hex(content) for content in PICTURES.values()]
    patch = GalleryPatch(
        key="K1/r0/f00/v0/R0", strip="K1", run=0, image="f00", vial=0, region="R0", score=0.5, label="good", defect="",
        frames=(("K1/run_00/frame_00.png", "f" * 64),), patch_sha256="e" * 64, picture="vial.png", box=(0, 1, 2, 3),
        reconstruction="reconstruction.png", heatmap="heatmap.png",
        pictures_sha256=(digests[0], digests[1], digests[2]),
    )  # fmt: skip
    (folder / FOLDER).mkdir()
    for name, content in PICTURES.items():
        (folder / FOLDER / name).write_bytes(content)
    content = gallery_bytes([patch])
    (folder / FOLDER / INDEX).write_bytes(content)
    return patch, sha256_hex(content)


def test_a_gallery_comes_back(tmp_path: Path) -> None:
    patch, digest = write(tmp_path)
    assert read_gallery(tmp_path, digest) == (patch,)


@pytest.mark.parametrize("name", [*PICTURES, INDEX])
def test_another_file_is_refused_and_named(tmp_path: Path, name: str) -> None:
    _, digest = write(tmp_path)
    place = tmp_path / FOLDER / name
    place.write_bytes(b"")
    with pytest.raises(BindingError, match=f"{name}: expected the file of SHA-256 .*; score the set again"):
        read_gallery(tmp_path, digest)
    place.unlink()
    with pytest.raises(ScoreError, match=f"{name}: expected the pictures of a scored set"):
        read_gallery(tmp_path, digest)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'[{"key": "K1"}]'])
def test_what_is_no_gallery_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / FOLDER / INDEX).write_bytes(content)
    with pytest.raises(ScoreError, match=r"gallery\.json: expected the pictures of a scored set"):
        read_gallery(tmp_path, sha256_hex(content))
