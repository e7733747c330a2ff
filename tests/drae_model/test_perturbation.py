"""The perturbed patch against the equation, computed by numpy from mask and noise, and how often it happens."""

import math
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.draws import Purpose, fork, uniform
from drae_model.perlin import perlin_fields
from drae_model.perturbation import perturb
from drae_model.perturbation_options import PerturbationOptions

Array = npt.NDArray[np.float32]
PAPER = PerturbationOptions(0.75, (0, 4), 0.5, (0.5, 1.0), "field")
ALWAYS = replace(PAPER, q=1.0)
SIZE = 32


def some_seeds(count: int) -> npt.NDArray[np.int32]:
    return np.stack([np.arange(count), np.full(count, 7)], axis=1).astype(np.int32)


def some_images(count: int, size: int = SIZE) -> Array:
    return np.random.default_rng(3).random((count, size, size, 1), np.float32)


def perturbed(images: Array, options: PerturbationOptions, seeds: npt.NDArray[np.int32] | None = None) -> list[Array]:
    found = perturb(tf.constant(images), some_seeds(len(images)) if seeds is None else seeds, options)
    return [each.numpy() for each in found]


@pytest.mark.parametrize("source", ["field", "texture"])
def test_the_blend_is_the_equations(source: str) -> None:
    images, seeds = some_images(40), some_seeds(40)

    blended, noise, mask = perturbed(images, replace(PAPER, source=source))

    assert {each.shape for each in (blended, noise, mask)} == {images.shape}
    assert {each.dtype for each in (blended, noise, mask)} == {np.dtype(np.float32)}
    beta = 0.5 + 0.5 * uniform(seeds, Purpose.BETA).numpy()[:, None, None, None]
    expected = (1 - mask) * images + (1 - beta) * mask * images + beta * mask * noise
    np.testing.assert_allclose(blended, expected, atol=1e-6)
    assert 0.1 < mask.max(axis=(1, 2, 3)).mean() < 1


def test_one_pixel_by_hand() -> None:
    """With beta 0.75 a grey value of 0.2 under noise of 0.6 becomes 0.25 * 0.2 + 0.75 * 0.6 = 0.5."""
    images = np.full((30, SIZE, SIZE, 1), 0.2, np.float32)

    blended, noise, mask = perturbed(images, replace(ALWAYS, beta=(0.75, 0.75)))

    place = np.unravel_index(np.abs(noise - 0.6).argmin(), noise.shape)
    assert noise[place] == pytest.approx(0.6, abs=0.01)
    assert mask[place] == 1
    assert blended[place] == pytest.approx(0.05 + 0.75 * noise[place], abs=1e-6)


def test_the_mask_is_where_the_field_exceeds_the_threshold() -> None:
    seeds = some_seeds(50)
    field = perlin_fields(fork(seeds, Purpose.MASK_FIELD), SIZE, PAPER.octaves).numpy()

    _, noise, mask = perturbed(some_images(50), ALWAYS)

    assert np.array_equal(mask[..., 0], (field > 0.5).astype(np.float32))
    # The noise of `field` is the field there, and nothing elsewhere.
    assert np.array_equal(noise[..., 0], np.where(field > 0.5, field, 0))


def test_a_lower_threshold_only_adds_to_the_mask() -> None:
    images = some_images(20)
    masks = [perturbed(images, replace(ALWAYS, threshold=threshold))[2] for threshold in (0.7, 0.5, 0.0, -1.0)]

    for smaller, larger in pairwise(masks):
        assert np.all(smaller <= larger)
        assert smaller.sum() < larger.sum()
    assert masks[-1].min() == 1


def test_the_share_of_masked_pixels_is_that_of_perlin_noise_made_another_way() -> None:
    """One cell along each axis of many: numpy's own generator for gradients and angles, the noise at random points."""
    random = np.random.default_rng(11)
    x, y = random.random((2, 200_000))
    gx, gy = np.split(np.stack([np.cos(a := random.random((4, 200_000)) * 2 * np.pi), np.sin(a)]), 2)
    fx, fy = (6 * t**5 - 15 * t**4 + 10 * t**3 for t in (x, y))
    corners = [(0, 0, (1 - fx) * (1 - fy)), (1, 0, fx * (1 - fy)), (0, 1, (1 - fx) * fy), (1, 1, fx * fy)]
    noise = sum(w * (gx[0, k] * (x - i) + gy[0, k] * (y - j)) for k, (i, j, w) in enumerate(corners))
    expected = (np.sqrt(2) * noise > 0.5).mean()

    _, _, mask = perturbed(some_images(600), replace(ALWAYS, octaves=(3, 3)))

    # About 0.04; 600 fields of 64 cells leave 0.001.
    assert mask.mean() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("q", [0.0, 0.3, 0.75, 1.0])
def test_q_is_the_share_of_perturbed_patches(q: float) -> None:
    count = 2000
    _, _, mask = perturbed(np.zeros((count, 8, 8, 1), np.float32), replace(PAPER, q=q, threshold=-1.0))

    # Below a threshold of -1 a perturbed patch is masked all over.
    shares = mask.mean(axis=(1, 2, 3))
    assert set(np.unique(shares)) <= {0.0, 1.0}
    # Four standard deviations of a binomial count: one run in 16,000 would fail, and this one always gives the same.
    assert abs(shares.mean() - q) <= 4 * math.sqrt(q * (1 - q) / count)


@pytest.mark.parametrize("source", ["field", "texture"])
def test_without_perturbation_patches_stay_as_they_are(source: str) -> None:
    images = some_images(16)

    blended, noise, mask = perturbed(images, replace(PAPER, q=0.0, source=source))

    assert np.array_equal(blended, images)
    assert not noise.any()
    assert not mask.any()


@pytest.mark.parametrize("source", ["field", "texture"])
def test_outside_the_mask_no_bit_changes_and_inside_grey_values_do(source: str) -> None:
    images = some_images(64)
    images[:8], images[8:16] = 0, 1

    blended, noise, mask = perturbed(images, replace(ALWAYS, source=source))

    assert np.array_equal(blended[mask == 0], images[mask == 0])
    assert not noise[mask == 0].any()
    assert np.abs(blended - images)[mask == 1].mean() > 0.1
    for each in (blended, noise):
        assert 0 <= each.min() <= each.max() <= 1
    assert set(np.unique(mask)) == {0, 1}


def test_field_noise_is_bright_and_texture_reaches_from_dark_to_bright() -> None:
    images = some_images(64)
    _, field, mask = perturbed(images, ALWAYS)
    _, texture, same = perturbed(images, replace(ALWAYS, source="texture"))

    assert np.array_equal(mask, same)
    assert field[mask == 1].min() > 0.5
    assert texture[mask == 1].min() < 0.1
    assert texture[mask == 1].max() > 0.9


def test_a_texture_fills_the_range_of_each_patch() -> None:
    _, noise, _ = perturbed(some_images(16), replace(ALWAYS, source="texture", threshold=-1.0))

    assert np.all(noise.min(axis=(1, 2, 3)) == 0)
    assert np.all(noise.max(axis=(1, 2, 3)) == 1)


def test_noise_of_a_low_threshold_is_grey_all_the_same() -> None:
    _, noise, _ = perturbed(some_images(16), replace(ALWAYS, threshold=-1.0))

    assert noise.min() == 0
    assert noise.max() <= 1


def test_beta_spreads_over_its_range() -> None:
    """On black patches under noise N the blend is beta N."""
    blended, noise, mask = perturbed(np.zeros((500, 16, 16, 1), np.float32), replace(ALWAYS, beta=(0.2, 0.9)))
    shown = mask.any(axis=(1, 2, 3))
    beta = blended.sum(axis=(1, 2, 3))[shown] / noise.sum(axis=(1, 2, 3))[shown]

    assert 0.2 - 1e-6 <= beta.min() < 0.25
    assert 0.85 < beta.max() <= 0.9 + 1e-6
    # 0.55, with four deviations of 0.7 / sqrt(12 n).
    assert beta.mean() == pytest.approx(0.55, abs=4 * 0.7 / math.sqrt(12 * shown.sum()))


def test_a_seed_repeats_and_another_seed_differs() -> None:
    images = np.repeat(some_images(1), 30, axis=0)

    first, again = (perturbed(images, ALWAYS)[0] for _ in range(2))

    assert np.array_equal(first, again)
    changed = first[(first != images).any(axis=(1, 2, 3))].reshape(-1, SIZE * SIZE)
    assert len(changed) > 15
    assert len(np.unique(changed, axis=0)) == len(changed)


@pytest.mark.parametrize("source", ["field", "texture"])
def test_a_patch_does_not_depend_on_its_batch(source: str) -> None:
    images, seeds, options = some_images(13), some_seeds(13), replace(PAPER, source=source)
    together = perturbed(images, options)
    compiled = tf.function(lambda x, s: perturb(x, s, options))(images[::-1], seeds[::-1])

    for each, backwards in zip(together, compiled, strict=True):
        assert np.array_equal(each, backwards.numpy()[::-1])
    for number in (0, 6, 12):
        chosen = slice(number, number + 1)
        for each, alone in zip(together, perturbed(images[chosen], options, seeds[chosen]), strict=True):
            assert np.array_equal(each[chosen], alone)
