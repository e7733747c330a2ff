"""Random numbers that depend on an element's own seed alone: not on its batch, its place in it, or earlier draws.

TensorFlow's stateless random operations take one seed for a whole tensor. Here each element has a seed of its own, two
32-bit words, and a number is a hash of them, of what it is for and of further words. The hash is integer arithmetic, so
it is the same in eager mode, in a graph and compiled by XLA, and on every processor.
"""

from enum import IntEnum
from typing import Any

import tensorflow as tf

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any

# An odd constant near 2^32 over the golden ratio keeps a word of zeros from being hashed to zero.
_OFFSET = 0x9E3779B9
# float32 has 24 bits of mantissa: this many high bits of a hash make a number that is exact.
_BITS = 24


class Purpose(IntEnum):
    """What a number is for; numbers for two purposes are independent. They stand together so that no two are equal."""

    PERTURBED = 1
    BETA = 2
    MASK_FIELD = 3
    TEXTURE_FIELD = 4
    FIELD_ROWS = 5
    FIELD_COLUMNS = 6
    FIELD_ANGLE = 7
    FIELD_GRADIENTS = 8
    ROTATION = 9
    VERTICAL_FLIP = 10
    HORIZONTAL_FLIP = 11
    SHIFT_COLUMNS = 12
    SHIFT_ROWS = 13


def uniform(seeds: Tensor, purpose: int) -> Tensor:
    """A number for each element, uniform in [0, 1) in steps of 2^-24.

    Args:
        seeds: int32 [n, 2], any values.
        purpose: what the numbers are for.

    Returns:
        float32 [n].
    """
    return tf.cast(high_bits(hashed(seeds, purpose), _BITS), tf.float32) * 2.0**-_BITS


def fork(seeds: Tensor, purpose: int) -> Tensor:
    """Seeds for a part of the work that draws numbers of its own.

    Args:
        seeds: int32 [n, 2].
        purpose: of the part.

    Returns:
        int32 [n, 2].
    """
    state = hashed(seeds, purpose)
    return tf.bitcast(tf.stack([hash_words(state, _word(0)), hash_words(state, _word(1))], axis=1), tf.int32)


def hashed(seeds: Tensor, purpose: int) -> Tensor:
    """The hash of each element's seed and a purpose.

    Args:
        seeds: int32 [n, 2].
        purpose: what the hash is for.

    Returns:
        uint32 [n].
    """
    words = tf.bitcast(seeds, tf.uint32)
    return hash_words(hash_words(hash_words(_word(purpose), words[:, 0]), words[:, 1]), _word(purpose))


def hash_words(state: Tensor, word: Tensor) -> Tensor:
    """Hashes one more word into a state, with the mixing function lowbias32 (C. Wellons, Hash Prospector, 2018).

    For a given state different words give different results.

    Args:
        state: uint32, of any shape.
        word: uint32, of a shape that broadcasts with it.

    Returns:
        uint32, of the common shape.
    """
    mixed = tf.bitwise.bitwise_xor(state, word) + _word(_OFFSET)
    mixed = _fold(mixed, 16) * _word(0x7FEB352D)
    mixed = _fold(mixed, 15) * _word(0x846CA68B)
    return _fold(mixed, 16)


def high_bits(hashes: Tensor, bits: int) -> Tensor:
    """The highest bits of hashes, as a whole number.

    Args:
        hashes: uint32, of any shape.
        bits: how many, 1 to 31.

    Returns:
        int32 of the same shape, 0 to 2^bits - 1.
    """
    return tf.bitcast(tf.bitwise.right_shift(hashes, _word(32 - bits)), tf.int32)


def _fold(mixed: Tensor, bits: int) -> Tensor:
    return tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, _word(bits)))


def _word(value: int) -> Tensor:
    return tf.constant(value, tf.uint32)
