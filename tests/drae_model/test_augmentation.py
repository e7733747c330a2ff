"""Rotated and shifted patches against SciPy's interpolation, flips against numpy, and how often they happen."""

import math
import os
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.augmentation import augment, move
from drae_model.perturbation_options import AugmentationOptions

Array = npt.NDArray[np.float32]
STILL = AugmentationOptions(0.0, 0.0, "reflect", False, False)
PAPER = AugmentationOptions(22.5, 0.0, "reflect", True, False)


def some_seeds(count: int) -> npt.NDArray[np.int32]:
    return np.stack([np.arange(count), np.full(count, 7)], axis=1).astype(np.int32)


def some_images(count: int, size: int = 24) -> Array:
    return np.random.default_rng(5).random((count, size, size, 1), np.float32)


def augmented(images: Array, options: AugmentationOptions, seeds: npt.NDArray[np.int32] | None = None) -> Array:
    found: Array = augment(tf.constant(images), some_seeds(len(images)) if seeds is None else seeds, options).numpy()
    return found


def directions(degrees: list[float]) -> Array:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def no_shifts(count: int) -> Array:
    return np.zeros((count, 2), np.float32)


@pytest.mark.parametrize("border", ["reflect", "nearest"])
@pytest.mark.parametrize("size", [24, 15])
def test_a_rotation_is_scipys(border: str, size: int) -> None:
    degrees = [22.5, -22.5, 3.0, 45.0, 179.0]
    images = some_images(len(degrees), size)

    rotated = move(images, directions(degrees), no_shifts(len(degrees)), border).numpy()

    for image, angle, found in zip(images, degrees, rotated, strict=True):
        expected = ndimage.rotate(image[..., 0], angle, reshape=False, order=1, mode=border)
        # Noise between neighbours times the error of float32 places.
        np.testing.assert_allclose(found[..., 0], expected, atol=1e-4)


def test_a_quarter_turn_is_numpys() -> None:
    images = some_images(1)

    turned = move(images, directions([90.0]), no_shifts(1), "nearest").numpy()

    np.testing.assert_allclose(turned[0], np.rot90(images[0]), atol=1e-5)


@pytest.mark.parametrize("border", ["reflect", "nearest"])
def test_a_shift_is_scipys(border: str) -> None:
    shifts = [(3.0, 0.0), (0.0, -2.0), (1.25, 4.5), (-2.6, 0.3)]
    images = some_images(len(shifts), 17)

    shifted = move(images, directions([0.0] * len(shifts)), np.array(shifts, np.float32), border).numpy()

    for image, (right, down), found in zip(images, shifts, shifted, strict=True):
        expected = ndimage.shift(image[..., 0], (down, right), order=1, mode=border)
        np.testing.assert_allclose(found[..., 0], expected, atol=1e-5)


def test_a_patch_is_rotated_first_and_shifted_then() -> None:
    images, degrees, shift = some_images(1), [30.0], np.array([[2.0, -3.0]], np.float32)

    both = move(images, directions(degrees), shift, "nearest").numpy()

    turned = move(images, directions(degrees), no_shifts(1), "nearest").numpy()
    # Two to the right, three up, where neither edge is seen.
    np.testing.assert_allclose(both[0, :-3, 2:], turned[0, 3:, :-2], atol=1e-4)


def test_shifts_spread_evenly_over_the_square() -> None:
    """A bright spot in the centre: where its centre of mass goes tells the shift."""
    size, count = 41, 600
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    spot = np.exp(-(column**2 + row**2) / 8).astype(np.float32)
    images = np.tile(spot[None, :, :, None], (count, 1, 1, 1))

    found = augmented(images, AugmentationOptions(0.0, 0.1, "nearest", False, False))[..., 0]

    places = np.stack([(found * axis).sum(axis=(1, 2)) / found.sum(axis=(1, 2)) for axis in (column, row)])
    for place in places:
        # A tenth of 41 pixels; the Kolmogorov-Smirnov distance to the even distribution as above.
        assert -4.11 < place.min() < -3.9
        assert 3.9 < place.max() < 4.11
        ranks = (np.sort(place) + 4.1) / 8.2
        assert np.abs(ranks - (np.arange(count) + 0.5) / count).max() < 1.63 / math.sqrt(count)
    # Independent of each other: four standard deviations of a correlation.
    assert abs(np.corrcoef(places)[0, 1]) < 4 / math.sqrt(count)


def test_no_rotation_keeps_every_bit() -> None:
    images = some_images(20)

    assert np.array_equal(augmented(images, STILL), images)


@pytest.mark.parametrize(("flips", "axis"), [((True, False), 0), ((False, True), 1)])
def test_half_of_the_patches_are_flipped(flips: tuple[bool, bool], axis: int) -> None:
    count = 1000
    images = some_images(count, 4)

    found = augmented(images, AugmentationOptions(0.0, 0.0, "reflect", *flips))

    flipped = (found == np.flip(images, axis + 1)).all(axis=(1, 2, 3))
    kept = (found == images).all(axis=(1, 2, 3))
    assert np.all(flipped ^ kept)
    # Four standard deviations of a binomial count.
    assert abs(flipped.mean() - 0.5) <= 4 * math.sqrt(0.25 / count)


def test_the_two_flips_are_drawn_apart() -> None:
    images = some_images(1000, 4)
    found = augmented(images, AugmentationOptions(0.0, 0.0, "reflect", True, True))

    for changed in (images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]):
        share = (found == changed).all(axis=(1, 2, 3)).mean()
        assert abs(share - 0.25) <= 4 * math.sqrt(0.1875 / 1000)


def test_angles_spread_evenly_over_the_range() -> None:
    """A bright spot right of the centre: where its centre of mass goes tells the angle."""
    size, count = 41, 600
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    spot = np.exp(-((column - 12) ** 2 + row**2) / 8).astype(np.float32)
    images = np.tile(spot[None, :, :, None], (count, 1, 1, 1))

    found = augmented(images, AugmentationOptions(22.5, 0.0, "nearest", False, False))[..., 0]

    # Anticlockwise goes up, to smaller rows.
    angles = np.degrees(np.arctan2((found * -row).sum(axis=(1, 2)), (found * column).sum(axis=(1, 2))))
    assert -22.6 < angles.min() < -21.5
    assert 21.5 < angles.max() < 22.6
    # The Kolmogorov-Smirnov distance to the even distribution; 1.63 / sqrt(n) is its 1 % point.
    ranks = (np.sort(angles) + 22.5) / 45
    assert np.abs(ranks - (np.arange(count) + 0.5) / count).max() < 1.63 / math.sqrt(count)


def test_grey_values_stay_in_range_and_keep_their_type() -> None:
    images = some_images(8)
    images[:4], images[4:6] = 1, 0

    found = augmented(images, PAPER)

    assert (found.shape, found.dtype) == (images.shape, images.dtype)
    assert 0 <= found.min() <= found.max() <= 1
    # No dark corners: what is all bright stays so.
    np.testing.assert_allclose(found[:4], 1, atol=1e-6)


def test_a_seed_repeats_and_another_seed_differs() -> None:
    images = np.repeat(some_images(1), 50, axis=0)

    first, again = (augmented(images, PAPER) for _ in range(2))

    assert np.array_equal(first, again)
    assert len(np.unique(first.reshape(50, -1), axis=0)) >= 49


def test_a_patch_does_not_depend_on_its_batch() -> None:
    images, seeds = some_images(13), some_seeds(13)
    options = replace(PAPER, horizontal_flip=True, shift=0.1)
    together = augmented(images, options)
    backwards = tf.function(lambda x, s: augment(x, s, options))(images[::-1], seeds[::-1]).numpy()

    assert np.array_equal(together, backwards[::-1])
    for number in (0, 6, 12):
        chosen = slice(number, number + 1)
        assert np.array_equal(together[chosen], augmented(images[chosen], options, seeds[chosen]))
