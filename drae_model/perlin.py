"""Fields of 2-D Perlin noise, a batch at a time, in the TensorFlow graph.

A field is gradient noise (K. Perlin, Improving noise, 2002, DOI 10.1145/566654.566636): a lattice of cells, a unit
gradient at each of its corners, and at a point inside a cell the four products of a corner's gradient with the way from
that corner, blended by the fade curve. The lattice repeats after `cells` along each axis.

Gradients and angles are taken from one table of directions. Everything else is hashing, sums and products: no sine that
a processor's vector unit and its plain unit round differently, so an element comes out the same in any batch.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from drae_model.draws import Purpose, hash_words, hashed, high_bits, uniform

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any

_DIRECTION_BITS = 12
_ANGLES = 2.0 * np.pi * np.arange(2**_DIRECTION_BITS) / 2**_DIRECTION_BITS
# float32 [4096, 2]: cosine and sine of equally spaced angles.
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1).astype(np.float32)
# 2-D Perlin noise lies within +-sqrt(1/2); this brings it to +-1.
_SCALE = float(np.sqrt(2.0))


def perlin_fields(seeds: Tensor, size: int, octaves: tuple[int, int]) -> Tensor:
    """A field for each element; a field depends on its own seed alone.

    Each field has 2^e cells along each axis of the patch, e drawn for each axis, and is then rotated about the centre
    by an angle drawn from the whole circle. Where rotation looks beyond the lattice, the lattice repeats.

    Args:
        seeds: int32 [n, 2].
        size: side of the fields in pixels.
        octaves: smallest and largest exponent e.

    Returns:
        float32 [n, size, size], -1 to 1, mean 0 over many fields.
    """
    low, high = octaves

    def cells(purpose: int) -> Tensor:
        exponents = low + tf.cast(uniform(seeds, purpose) * float(high - low + 1), tf.int32)
        return tf.bitwise.left_shift(tf.ones_like(exponents), exponents)

    rows, columns = cells(Purpose.FIELD_ROWS), cells(Purpose.FIELD_COLUMNS)
    y, x = _rotated(hashed(seeds, Purpose.FIELD_ANGLE), size)
    return perlin_at(seeds, rows, columns, y * _per_element(rows), x * _per_element(columns), 2**high)


def perlin_at(seeds: Tensor, rows: Tensor, columns: Tensor, y: Tensor, x: Tensor, largest: int) -> Tensor:
    """The fields of some seeds at given places, not rotated.

    Args:
        seeds: int32 [n, 2].
        rows: int32 [n], powers of two: after how many cells each field repeats from top to bottom.
        columns: the same from left to right.
        y: float32 [n, height, width], places from top to bottom in cells, of any size and sign.
        x: the same from left to right.
        largest: at least every number of `rows` and `columns`.

    Returns:
        float32 [n, height, width], -1 to 1; 0 at the corners of the cells, where y and x are whole.
    """
    top, left = tf.floor(y), tf.floor(x)
    # In two's complement `and` is the remainder by a power of two, for places left of zero too.
    row = tf.cast(top, tf.int32) & (rows - 1)[:, None, None]
    column = tf.cast(left, tf.int32) & (columns - 1)[:, None, None]
    element = tf.range(tf.shape(row)[0])[:, None, None]
    # One row of a table holds all four gradients of a cell: one look-up per pixel is faster than four, and than hashing
    # at each pixel.
    corners = tf.gather(_cell_table(seeds, rows, columns, largest), (element * largest + row) * largest + column)
    return _SCALE * _blend(tf.unstack(corners, axis=-1), y - top, x - left)


def _rotated(angles: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where each pixel's centre lies after a rotation about the patch's centre.

    Args:
        angles: uint32 [n], hashes.
        size: side of the patch in pixels.

    Returns:
        y and x, float32 [n, size, size], in sides of the patch.
    """
    directions = tf.gather(_DIRECTIONS, high_bits(angles, _DIRECTION_BITS))
    cosine, sine = directions[:, :1], directions[:, 1:]
    centres = tf.constant((np.arange(size) + 0.5) / size - 0.5, tf.float32)
    along_y = (cosine * centres + 0.5)[:, :, None] + (sine * centres)[:, None, :]
    along_x = (cosine * centres + 0.5)[:, None, :] - (sine * centres)[:, :, None]
    return along_y, along_x


def _cell_table(seeds: Tensor, rows: Tensor, columns: Tensor, largest: int) -> Tensor:
    """The gradients at the four corners of each cell of each field.

    Args:
        seeds: int32 [n, 2].
        rows: int32 [n], cells from top to bottom.
        columns: int32 [n], cells from left to right.
        largest: cells along an axis of the table.

    Returns:
        float32 [n * largest^2, 8]: x and y of the gradients upper left, upper right, lower left, lower right.
    """
    places = tf.range(largest + 1)[None, :]
    row = tf.bitcast(places & (rows - 1)[:, None], tf.uint32)
    column = tf.bitcast(places & (columns - 1)[:, None], tf.uint32)
    states = hash_words(hashed(seeds, Purpose.FIELD_GRADIENTS)[:, None], row)
    hashes = hash_words(states[:, :, None], column[:, None, :])
    lattice = tf.gather(_DIRECTIONS, high_bits(hashes, _DIRECTION_BITS))
    corners = [lattice[:, :-1, :-1], lattice[:, :-1, 1:], lattice[:, 1:, :-1], lattice[:, 1:, 1:]]
    return tf.reshape(tf.concat(corners, axis=-1), (-1, 8))


def _blend(corners: list[Tensor], y: Tensor, x: Tensor) -> Tensor:
    """Perlin's blend of four corners.

    Args:
        corners: eight of float32 [n, height, width], as a row of `_cell_table` has them.
        y: float32 [n, height, width], 0 to 1, from the cell's upper edge.
        x: the same from its left edge.

    Returns:
        float32 [n, height, width], within +-sqrt(1/2).
    """
    upper_left = corners[0] * x + corners[1] * y
    upper_right = corners[2] * (x - 1.0) + corners[3] * y
    lower_left = corners[4] * x + corners[5] * (y - 1.0)
    lower_right = corners[6] * (x - 1.0) + corners[7] * (y - 1.0)
    right, down = _fade(x), _fade(y)
    upper = upper_left + right * (upper_right - upper_left)
    lower = lower_left + right * (lower_right - lower_left)
    return upper + down * (lower - upper)


def _fade(t: Tensor) -> Tensor:
    """6 t^5 - 15 t^4 + 10 t^3: from 0 to 1 with no slope and no curvature at either end."""
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


def _per_element(values: Tensor) -> Tensor:
    """Whole numbers [n] as float32 [n, 1, 1]."""
    return tf.cast(values, tf.float32)[:, None, None]
