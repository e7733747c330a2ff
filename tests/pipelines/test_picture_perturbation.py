"""The picture of the perturbation: what stands where in it, against the functions that training calls."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_data.records import decode_example, read_records
from pipelines.picture_perturbation import PictureRow, draw_picture, main
from tests.small_line import build_dataset, write_line
from tests.small_params import LINE

TRAIN = """\
train:
  folder: models
  report: reports
  set: small
  seed: 1
  network:
    input_size: 16
    widths: [4, 8]
    discriminator_widths: [4, 8]
    blocks: 3
    bottleneck: 4
    merge: add
    activation: pre
    normalization: {kind: none, momentum: 0.99, groups: 4}
    linear_path: null
    lateral: false
  q: 1.0
  perturbation: {octaves: [1, 2], threshold: -1.0, beta: [1.0, 1.0], source: texture}
  augmentation: {rotation_degrees: 0, shift: 0, border: reflect, vertical_flip: false, horizontal_flip: false}
  losses:
    {adversarial: 1, contextual: 50, huber: 2, ssim: 1, encoder: 1, noise: 3, noise_target: blend, huber_delta: 1}
  score: {aggregate: mean, percentile: 99, window: 5}
  learning_rate: {start: 1.0e-3, restart_steps: 100, restart_factor: 0.5}
  batch_size: 4
  epochs: 1
  steps_per_epoch: null
  validation_patches: null
  shuffle: {buffer: 10, mixed_shards: 2}
  checkpoint_steps: 100
  precision: float32
  xla: false
  deterministic: true
  devices: 1
  guard: {discriminator_floor: 0, latent_floor: 0}
  panels: 2
"""
# Where the first patch of a column begins: margin, and margin and header; columns are 256 + 14 apart, rows 256 + 30.
LEFT, TOP, ACROSS, DOWN, SIDE = 28, 68, 270, 286, 256

Grey = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a params file and the built set `small`."""
    folder = tmp_path_factory.mktemp("project")
    build_dataset(write_line(folder / "frames"), folder / "datasets/small/1.0.0")
    (folder / "params.yaml").write_text(LINE.replace("folder: datasets", f"folder: {folder}/datasets") + TRAIN)
    return folder


def drawn(project: Path, *arguments: str) -> Grey:
    out = project / "pictures/perturbation.png"
    given = ["--set", "small", "--params", str(project / "params.yaml"), "--out", str(out), *arguments]
    assert main(given) == 0
    picture = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture.astype(np.uint8)


def cell(picture: Grey, row: int, column: int, size: int) -> Grey:
    """One image of the picture, a pixel for each of its own."""
    top, left = TOP + row * DOWN, LEFT + column * ACROSS
    step = SIDE // size
    return picture[top : top + SIDE : step, left : left + SIDE : step]


def first_patches(project: Path) -> list[Grey]:
    """The first patch of R0, of R1, the second of R0, ..., in stored order."""
    found: dict[bytes, list[Grey]] = {b"R0": [], b"R1": []}
    for shard in sorted((project / "datasets/small/1.0.0").glob("*-train.tfrecord-*")):
        for _, data in read_records(shard.read_bytes()):
            record: dict[str, Any] = decode_example(data)
            image = cv2.imdecode(np.frombuffer(record["image"], np.uint8), cv2.IMREAD_UNCHANGED)
            assert image is not None
            found[record["region"]].append(image.astype(np.uint8))
    return [image for pair in zip(found[b"R0"], found[b"R1"], strict=False) for image in pair]


def test_columns_are_patch_perturbed_noise_and_mask(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With beta 1 and a threshold of -1 the whole patch is noise."""
    picture = drawn(project, "--count", "3")

    assert picture.shape[1] == 2 * LEFT + 3 * ACROSS + SIDE
    for row, expected in enumerate(first_patches(project)[:3]):
        assert np.array_equal(cell(picture, row, 0, 16), expected)
        assert np.array_equal(cell(picture, row, 1, 16), cell(picture, row, 2, 16))
        assert cell(picture, row, 2, 16).min() == 0
        assert cell(picture, row, 2, 16).max() == 255
        assert np.all(cell(picture, row, 3, 16) == 255)
    said = capsys.readouterr().out
    assert "3 patches of " in said
    assert "3 of them perturbed (q = 1)" in said


def test_without_perturbation_noise_and_mask_are_black(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = drawn(project, "--count", "1", "--q", "0")

    assert np.array_equal(cell(picture, 0, 1, 16), first_patches(project)[0])
    assert not cell(picture, 0, 2, 16).any()
    assert not cell(picture, 0, 3, 16).any()
    assert "0 of them perturbed (q = 0)" in capsys.readouterr().out


def test_patches_are_averaged_down(project: Path) -> None:
    picture = drawn(project, "--count", "2", "--size", "8")

    for row, patch in enumerate(first_patches(project)[:2]):
        means = patch.reshape(8, 2, 8, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(cell(picture, row, 0, 8), means, atol=0.51)


def test_another_seed_gives_other_noise_of_the_same_patches(project: Path) -> None:
    first, again, other = (drawn(project, "--count", "1", "--seed", seed) for seed in ("1", "1", "2"))

    assert np.array_equal(first, again)
    assert np.array_equal(cell(first, 0, 0, 16), cell(other, 0, 0, 16))
    assert not np.array_equal(cell(first, 0, 2, 16), cell(other, 0, 2, 16))


def test_images_larger_than_a_cell_are_drawn_pixel_for_pixel() -> None:
    image = np.random.default_rng(1).random((300, 300), np.float32)

    picture = draw_picture([PictureRow("a key", (image, image, image, image))])

    assert np.array_equal(picture[TOP : TOP + 300, LEFT : LEFT + 300], np.rint(image * 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "kit"], "--set: expected one of ['small']"),
        (["--out", "picture.jpg"], "--out: expected a file name that ends in .png"),
        (["--split", "test"], "split: expected a split of small 1.0.0: train, validation"),
        (["--size", "7"], "--size or train.network.input_size: expected a divisor of the patches' side, 16, got 7"),
        (["--count", "1000"], "batch_size: expected at most the "),
        (["--q", "2"], "expected 0.0 to 1.0, got 2.0"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(
    project: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--set", "small", "--params", str(project / "params.yaml"), "--out", str(project / "never.png")]
    assert main([*given, *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert not (project / "never.png").exists()
