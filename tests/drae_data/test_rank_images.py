"""Rank images against a sort of the whole stack, rank 1 and rank A of A frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drae_data.errors import AcquisitionError
from drae_data.rank_images import Pixels, RankImages


def ranked(frames: list[Pixels]) -> tuple[Pixels, Pixels]:
    images = RankImages()
    for frame in frames:
        images.add(frame)
    return images.image("min"), images.image("max")


@given(arrays(np.uint8, st.tuples(st.integers(1, 16), st.integers(1, 6), st.integers(1, 6))), st.randoms())
def test_minimum_and_maximum_are_the_ends_of_the_sorted_stack_in_any_order_of_frames(stack: Pixels, random) -> None:
    expected = np.sort(stack, axis=0)[[0, -1]]
    order = list(range(len(stack)))
    random.shuffle(order)
    assert np.array_equal(ranked([stack[index] for index in order]), expected)


def test_frames_are_not_changed() -> None:
    frames = [np.full((2, 2), value, np.uint8) for value in (5, 3, 9)]
    ranked(frames)
    assert [int(frame[0, 0]) for frame in frames] == [5, 3, 9]


def test_unequal_frames_are_refused_with_both_sizes() -> None:
    with pytest.raises(AcquisitionError, match=r"3 x 2 pixels.*got 4 x 2 pixels"):
        ranked([np.zeros((2, 3), np.uint8), np.zeros((2, 4), np.uint8)])
