"""Frame files to pixels in memory, with the digests of the files; what cannot be read is named."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError
from drae_data.path_template import FramePlace, PathTemplate
from drae_line.frame_reading import read_frames
from drae_line.incoming import Arrival
from tests.small_line import small_frame, small_options, write_line

OPTIONS = small_options()
NAMES = {FramePlace(-1, "", frame): f"frame_{frame:02d}.png" for frame in range(3)}


def arrival(folder: str = "A/run_01", names: dict[FramePlace, str] = NAMES) -> Arrival:
    return Arrival(AcquisitionKey("A", 1), folder, names, 0.0, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_line(tmp_path / "incoming", strips="A", runs=2)


def test_the_frames_are_read_with_the_digests_of_their_files(root: Path) -> None:
    frames, digests, took = read_frames(root, arrival(), OPTIONS)
    assert list(frames) == list(NAMES)
    for place, name in NAMES.items():
        assert np.array_equal(frames[place], small_frame("A", 1, place.frame))
        assert digests[name] == hashlib.sha256((root / "A/run_01" / name).read_bytes()).hexdigest()
    assert 0 < took < 20_000


def test_only_the_files_of_the_arrival_are_read(root: Path) -> None:
    (root / "A/run_01/frame_00.png").write_bytes(b"nothing")
    some = {place: name for place, name in NAMES.items() if place.frame}
    frames, digests, _ = read_frames(root, arrival(names=some), OPTIONS)
    assert (set(frames), set(digests)) == (set(some), {"frame_01.png", "frame_02.png"})


def test_acquisitions_that_are_files_are_read_from_the_root(tmp_path: Path) -> None:
    root = write_line(tmp_path, strips="A", runs=1)
    for frame in range(3):
        (root / f"A/run_00/frame_{frame:02d}.png").rename(root / f"A_0_{frame}.png")
    names = {place: f"A_0_{place.frame}.png" for place in NAMES}
    options = small_options(template=PathTemplate("{strip}_{run}_{frame}.png"))
    frames, digests, _ = read_frames(root, arrival("", names), options)
    assert np.array_equal(frames[FramePlace(-1, "", 2)], small_frame("A", 0, 2))
    assert set(digests) == set(names.values())


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def damage_replace(path: Path) -> None:
    path.write_bytes(b"no image at all")


def damage_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def damage_link(path: Path) -> None:
    outside = path.parents[3] / "outside.png"
    path.rename(outside)
    path.symlink_to(outside)


def damage_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    "damage", [damage_truncate, damage_replace, Path.unlink, damage_folder, damage_link, damage_loop]
)
def test_a_frame_that_cannot_be_read_is_named(root: Path, damage) -> None:
    damage(root / "A/run_01/frame_01.png")
    with pytest.raises(AcquisitionError) as caught:
        read_frames(root, arrival(), OPTIONS)
    assert caught.value.file == "frame_01.png"
    assert caught.value.reason
    assert caught.value.detail


def test_an_error_of_the_disk_is_told_of_the_frame(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(AcquisitionError, match=r"unreadable: frame_00\.png: it cannot be read \(Input/output error\)"):
        read_frames(root, arrival(), OPTIONS)
