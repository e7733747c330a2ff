"""Perlin fields against a loop over pixels written from the definition, and what the definition promises."""

import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.draws import Purpose
from drae_model.perlin import perlin_at, perlin_fields

Array = npt.NDArray[Any]


def some_seeds(count: int, start: int = 0) -> npt.NDArray[np.int32]:
    """Seeds of every size and sign; the first two differ in one bit, the next two have their words exchanged."""
    seeds = np.random.default_rng(start).integers(-(2**31), 2**31, (count, 2)).astype(np.int32)
    seeds[:4] = np.array([[0, 0], [0, 1], [5, -7], [-7, 5]])[:count]
    return seeds


def mixed(state: int, word: int) -> int:
    """The hash as its author gives it, in Python's whole numbers."""
    value = ((state ^ word) + 0x9E3779B9) % 2**32
    value = (value ^ value >> 16) * 0x7FEB352D % 2**32
    value = (value ^ value >> 15) * 0x846CA68B % 2**32
    return value ^ value >> 16


def drawn(seed: Array, purpose: int) -> int:
    first, second = (int(word) % 2**32 for word in seed)
    return mixed(mixed(mixed(purpose, first), second), purpose)


def gradient(seed: Array, row: int, column: int) -> tuple[float, float]:
    """The gradient, x and y, at a corner of the lattice."""
    angle = 2 * math.pi * (mixed(mixed(drawn(seed, Purpose.FIELD_GRADIENTS), row), column) >> 20) / 4096
    return math.cos(angle), math.sin(angle)


def noise_at(seed: Array, rows: int, columns: int, y: float, x: float) -> float:
    """The noise at a point, in cells."""
    total = 0.0
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            gx, gy = gradient(seed, row % rows, column % columns)
            weight = 1.0
            for way in (abs(x - column), abs(y - row)):
                weight *= 1 - (6 * way**5 - 15 * way**4 + 10 * way**3)
            total += weight * (gx * (x - column) + gy * (y - row))
    return total * math.sqrt(2)


def field_of(seed: Array, size: int, octaves: tuple[int, int]) -> Array:
    """A whole field, pixel by pixel."""
    choices = octaves[1] - octaves[0] + 1
    rows, columns = (
        2 ** (octaves[0] + math.floor((drawn(seed, purpose) >> 8) / 2**24 * choices))
        for purpose in (Purpose.FIELD_ROWS, Purpose.FIELD_COLUMNS)
    )
    angle = 2 * math.pi * (drawn(seed, Purpose.FIELD_ANGLE) >> 20) / 4096
    field = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            dy, dx = (i + 0.5) / size - 0.5, (j + 0.5) / size - 0.5
            y = dy * math.cos(angle) + dx * math.sin(angle) + 0.5
            x = dx * math.cos(angle) - dy * math.sin(angle) + 0.5
            field[i, j] = noise_at(seed, rows, columns, y * rows, x * columns)
    return field


@pytest.mark.parametrize("octaves", [(0, 0), (0, 3), (2, 6)])
def test_fields_are_those_of_the_definition(octaves: tuple[int, int]) -> None:
    seeds = some_seeds(8)

    fields = perlin_fields(seeds, 11, octaves).numpy()

    assert (fields.shape, fields.dtype) == ((8, 11, 11), np.float32)
    # float32 places up to 64 * sqrt(2) cells are off by 4e-6, and the noise changes by at most a few per cell.
    np.testing.assert_allclose(fields, [field_of(seed, 11, octaves) for seed in seeds], atol=5e-5)


def test_noise_is_zero_at_the_corners_of_cells_and_not_between_them() -> None:
    seeds, cells = some_seeds(4), np.full(4, 8, np.int32)
    y, x = np.meshgrid(np.arange(-3.0, 12.0), np.arange(-3.0, 12.0), indexing="ij")
    y, x = (np.tile(axis, (4, 1, 1)).astype(np.float32) for axis in (y, x))

    assert np.all(perlin_at(seeds, cells, cells, y, x, 8).numpy() == 0)
    between = perlin_at(seeds, cells, cells, y + 0.5, x + 0.25, 8).numpy()
    assert between.std(axis=(1, 2)).min() > 0.1


def test_noise_repeats_after_the_cells_of_each_axis_and_not_earlier() -> None:
    seeds = some_seeds(4)
    rows, columns = np.array([[1, 4, 2, 8], [2, 4, 8, 1]], np.int32)
    # Sixteenths: sums with whole numbers are exact.
    y, x = np.random.default_rng(1).integers(0, 128, (2, 4, 9, 9)).astype(np.float32) / 16

    def noise(down: Array, right: Array) -> Array:
        found: Array = perlin_at(seeds, rows, columns, y + down, x + right, 8).numpy()
        return found

    down, right = (cells[:, None, None].astype(np.float32) for cells in (rows, columns))
    assert np.array_equal(noise(down, -3 * right), noise(0 * down, 0 * right))
    for half in (noise(down / 2, 0 * right), noise(0 * down, right / 2)):
        assert np.all(np.abs(half - noise(0 * down, 0 * right)).max(axis=(1, 2)) > 0.05)


def test_noise_has_no_seam_between_cells() -> None:
    seeds, cells = some_seeds(3), np.full(3, 4, np.int32)
    y, x = np.random.default_rng(2).random((2, 3, 6, 6), np.float32) * 4
    step = np.float32(2**-10)

    for down, right in ((step, 0), (0, step)):
        before = perlin_at(seeds, cells, cells, np.round(y) - down / 2, x - right / 2, 4).numpy()
        after = perlin_at(seeds, cells, cells, np.round(y) + down / 2, x + right / 2, 4).numpy()
        # Its slope is below 2 sqrt(2) with unit gradients.
        assert np.abs(after - before).max() < 3 * step


def test_fields_have_mean_zero_and_lie_within_one() -> None:
    fields = perlin_fields(some_seeds(2000), 16, (0, 4)).numpy()

    # A field's own mean has a deviation near 0.2: that of 2,000 is near 0.005.
    assert abs(fields.mean()) < 0.02
    assert np.abs(fields).max() <= 1
    assert fields.max() > 0.9
    assert fields.min() < -0.9


def test_every_number_of_cells_is_drawn_for_each_axis() -> None:
    """Along a line of an unrotated field signs change about as often as there are cells: told by the spectrum here."""
    fields = perlin_fields(some_seeds(600), 32, (1, 3)).numpy()
    spectrum = np.abs(np.fft.fft2(fields)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(32) * 32, np.fft.fftfreq(32) * 32))
    mean = (spectrum * frequency).sum(axis=(1, 2)) / spectrum.sum(axis=(1, 2))

    # One octave alone gives narrow bands; together they fill the range between them.
    alone = [
        np.median((s * frequency).sum(axis=(1, 2)) / s.sum(axis=(1, 2)))
        for s in (np.abs(np.fft.fft2(perlin_fields(some_seeds(200), 32, (e, e)).numpy())) ** 2 for e in (1, 3))
    ]
    assert np.quantile(mean, 0.08) < alone[0] * 1.15
    assert np.quantile(mean, 0.92) > alone[1] * 0.85


def test_rotation_leaves_no_direction_preferred() -> None:
    """Mean of cos(2 a) and sin(2 a) of the direction a of a field's steepest slope, by its structure tensor."""
    down, right = np.gradient(perlin_fields(some_seeds(1500), 24, (2, 2)).numpy(), axis=(1, 2))
    along = (right**2 - down**2).mean(axis=(1, 2))
    across = (2 * right * down).mean(axis=(1, 2))
    strength = (right**2 + down**2).mean()

    assert abs(along.mean()) / strength < 0.05
    assert abs(across.mean()) / strength < 0.05
    # Rotations by a quarter turn alone would leave every slope's square as it is.
    fourth = np.cos(4 * np.arctan2(down, right))
    assert abs(fourth.mean()) < 0.02


def test_a_field_depends_on_its_own_seed_alone() -> None:
    seeds = some_seeds(13)
    together = perlin_fields(seeds, 16, (0, 4)).numpy()
    backwards = tf.function(lambda s: perlin_fields(s, 16, (0, 4)))(seeds[::-1]).numpy()[::-1]

    assert np.array_equal(together, backwards)
    for number in (0, 5, 12):
        assert np.array_equal(perlin_fields(seeds[number : number + 1], 16, (0, 4)).numpy()[0], together[number])


def test_no_two_seeds_give_the_same_field() -> None:
    fields = perlin_fields(some_seeds(300), 8, (2, 2)).numpy().reshape(300, -1)

    assert len(np.unique(fields, axis=0)) == 300
    # Neighbouring seeds are no more alike than others.
    assert abs(np.corrcoef(fields[0], fields[1])[0, 1]) < 0.5


def test_xla_gives_the_same_fields() -> None:
    seeds = some_seeds(5)
    compiled = tf.function(lambda s: perlin_fields(s, 16, (0, 4)), jit_compile=True)(seeds).numpy()

    # Its products and sums may round in another place.
    np.testing.assert_allclose(compiled, perlin_fields(seeds, 16, (0, 4)).numpy(), atol=5e-5)
