"""The stage `archive`: a committed version under a second name."""

from pathlib import Path

import pytest

from drae_data.verification.dataset import verify_dataset
from pipelines.archive import main
from tests.small_line import build_dataset, files_of, tree_bytes, write_line

PARAMS = """
strip_layout: {units: fractions, frame_size: null, allow_overlap: false, boxes: {R0: [[0, 0, 1, 1]]}}
patch: {size: 16, fit: stretch, grow: linear, fill: 0, encoding: png}
dataset: {folder: FOLDER/datasets, archive: FOLDER/ARCHIVE, version: 1.0.0}
build:
  small:
    root: unused
    path_template: "{strip}/frame_{frame}.png"
    frames: [0]
    images: {frames: [0], rank: []}
    split: {by: none, validation_fraction: 0, seed: 1}
    shard_patches: 10
    max_frame_pixels: 1000
    max_quarantined: 0
"""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "params.yaml").write_text(PARAMS.replace("FOLDER", str(tmp_path)).replace("ARCHIVE", "archive"))
    return ["--set", "small", "--params", str(tmp_path / "params.yaml")]


def test_the_archive_holds_the_same_files_and_nothing_else(arguments: list[str], tmp_path: Path) -> None:
    version, archive = tmp_path / "datasets/small/1.0.0", tmp_path / "archive/small/1.0.0"
    build_dataset(write_line(tmp_path / "frames"), version)
    archive.mkdir(parents=True)
    (archive / "of_before.tfrecord-00000-of-00001").write_bytes(b"old")
    assert main(arguments) == 0
    assert tree_bytes(archive) == tree_bytes(version)
    assert (archive / "dataset_info.json").stat().st_ino == (version / "dataset_info.json").stat().st_ino
    assert verify_dataset(files_of(archive), 1).faults == ()


def test_only_a_committed_version_is_archived(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = tmp_path / "datasets/small/1.0.0"
    build_dataset(write_line(tmp_path / "frames"), version)
    (version / "dataset_info.json").unlink()
    assert main(arguments) == 1
    assert "no committed dataset version" in capsys.readouterr().err
    assert not (tmp_path / "archive/small/1.0.0").exists()


@pytest.mark.parametrize("archive", ["datasets", "./datasets", "datasets/small", "link"])
def test_a_version_is_not_archived_onto_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(PARAMS.replace("FOLDER", str(tmp_path)).replace("ARCHIVE", archive))
    version = tmp_path / "datasets/small/1.0.0"
    build_dataset(write_line(tmp_path / "frames"), version)
    (tmp_path / "link").symlink_to("datasets")
    before = tree_bytes(version)
    assert main(["--set", "small", "--params", str(params)]) == 1
    assert "dataset.archive" in capsys.readouterr().err
    assert tree_bytes(version) == before
