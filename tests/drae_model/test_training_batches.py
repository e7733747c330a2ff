"""Training batches against the patches they come from; and that a step has the same batch however it is reached."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_data.errors import OptionError
from drae_model.errors import TrainingError
from drae_model.input_size import shrink
from drae_model.patch_dataset import patch_batches
from drae_model.perturbation_options import AugmentationOptions
from drae_model.read_options import ReadOptions
from drae_model.training_batches import (
    check_dataset,
    patch_seeds,
    region_patches,
    training_batches,
    validation_batches,
)
from tests.small_training import NETWORK, small_training, training_version

OPTIONS = small_training()
UNCHANGED = AugmentationOptions(0.0, 0.0, "reflect", vertical_flip=False, horizontal_flip=False)
STEPS = 160 // 8  # of one pass over the split


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_version(tmp_path_factory.mktemp("line"))


def arrays(batches: Iterable[Any]) -> list[dict[str, Any]]:
    return [{name: value.numpy() for name, value in batch.items()} for batch in batches]


def test_shrinking_is_the_mean_of_blocks() -> None:
    images = np.random.default_rng(1).random((2, 12, 12, 1), np.float32)

    small = shrink(tf.constant(images), 4).numpy()

    expected = images.reshape(2, 4, 3, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(small[..., 0], expected, atol=1e-6)


def test_a_step_has_the_same_batch_wherever_the_reading_began(version: Path) -> None:
    whole = arrays(training_batches(version, OPTIONS, 0, 2 * STEPS + 3))

    assert len(whole) == 2 * STEPS + 3
    for first, last in ((0, 1), (5, 9), (STEPS - 2, STEPS + 2), (2 * STEPS, 2 * STEPS + 3)):
        part = arrays(training_batches(version, OPTIONS, first, last))
        assert len(part) == last - first
        for batch, expected in zip(part, whole[first:last], strict=True):
            assert all(np.array_equal(batch[name], expected[name]) for name in expected)


def test_passes_hold_the_same_patches_with_other_draws(version: Path) -> None:
    plain = replace(OPTIONS, augmentation=UNCHANGED)
    first = arrays(training_batches(version, plain, 0, STEPS))
    second = arrays(training_batches(version, plain, STEPS, 2 * STEPS))

    def images(batches: list[dict[str, Any]], name: str) -> set[bytes]:
        return {image.tobytes() for batch in batches for image in batch[name]}

    assert images(first, "image") == images(second, "image")
    assert len(images(first, "image")) == 160
    # A quarter of the patches is not perturbed; of the others none has the same noise twice.
    common = images(first, "perturbed") & images(second, "perturbed")
    assert len(common) < 160 * 0.25


def test_without_augmentation_the_image_is_the_patch_averaged_down_and_the_region_its_place(version: Path) -> None:
    patches = {}
    for batch in patch_batches(version, ReadOptions("train", 8, False, 1, None)):
        for image, region in zip(batch["image"].numpy(), batch["region"].numpy(), strict=True):
            mean = image.reshape(16, 2, 16, 2).mean(axis=(1, 3))
            patches[np.round(mean * 255 * 4).astype(int).tobytes()] = region
    for batch in arrays(training_batches(version, replace(OPTIONS, augmentation=UNCHANGED), 0, STEPS)):
        assert batch["region"].dtype == np.int32
        for image, region in zip(batch["image"][..., 0], batch["region"], strict=True):
            assert patches.pop(np.round(image * 255 * 4).astype(int).tobytes()) == (b"R0", b"R1")[region]
    assert not patches


def test_where_there_is_no_noise_the_perturbed_image_is_the_image(version: Path) -> None:
    touched = 0
    for batch in arrays(training_batches(version, OPTIONS, 0, STEPS)):
        still = batch["noise"] == 0
        assert np.array_equal(batch["image"][still], batch["perturbed"][still])
        touched += int((~still).any(axis=(1, 2, 3)).sum())
    # q = 0.75 of 160, six standard deviations of the binomial either way; a field may leave the mask empty.
    assert 70 < touched < 153


def test_validation_takes_patches_spread_over_the_split(version: Path) -> None:
    stored = [
        key
        for batch in patch_batches(version, ReadOptions("validation", 8, False, 1, None))
        for key in batch["key"].numpy()
    ]

    everything = arrays(validation_batches(version, OPTIONS, None))
    some = validation_batches(version, OPTIONS, 13)
    keys = [key for batch in arrays(some) for key in batch["key"]]

    assert [key for batch in everything for key in batch["key"]] == stored
    for taken in (everything, arrays(some)):
        pairs = [pair for batch in taken for pair in zip(batch["key"], batch["region"], strict=True)]
        assert all(key.endswith((b"/R0", b"/R1")[region]) for key, region in pairs)
    assert everything[0]["image"].shape == (8, 16, 16, 1)
    assert len(some) == 2
    assert len(keys) == 13
    places = [stored.index(key) for key in keys]
    # 13 of 40: patch i is taken where 13 (i + 1) / 40 reaches a whole number.
    assert places == [-(-40 * number // 13) - 1 for number in range(1, 14)]


def test_patches_for_a_linear_path_are_of_their_region(version: Path) -> None:
    wanted = {
        image.tobytes()
        for batch in patch_batches(version, ReadOptions("train", 8, False, 1, None, regions=("R1",)))
        for image in shrink(batch["image"], 16).numpy()
    }
    found = [image.tobytes() for batch in region_patches(version, OPTIONS, "R1", 60) for image in batch.numpy()]

    assert len(found) == 60
    assert set(found) <= wanted
    assert sum(len(batch) for batch in region_patches(version, OPTIONS, None, 500)) == 160


def test_seeds_belong_to_key_training_and_pass() -> None:
    keys = tf.constant(["a", "b", "a"])

    seeds = patch_seeds(keys, 1, tf.constant(0)).numpy()

    assert np.array_equal(seeds[0], seeds[2])
    assert not np.array_equal(seeds[0], seeds[1])
    others = [patch_seeds(keys, 2, tf.constant(0)).numpy(), patch_seeds(keys, 1, tf.constant(1)).numpy()]
    assert all(not np.array_equal(seeds[0], other[0]) for other in others)


def test_a_version_without_validation_is_refused(tmp_path: Path) -> None:
    version = training_version(tmp_path, "0")

    with pytest.raises(TrainingError, match=r"validation.*validation_fraction above 0"):
        check_dataset(version, OPTIONS)


def test_patches_of_another_size_are_refused(version: Path) -> None:
    odd = replace(OPTIONS, network=replace(NETWORK, input_size=24))

    with pytest.raises(OptionError, match=r"network\.input_size: expected a divisor of 32, the side of the patches"):
        check_dataset(version, odd)
