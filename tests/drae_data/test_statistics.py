"""What is measured of frames and patches, against NumPy, SciPy and counting by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from drae_data.patch_rows import StatisticsRow
from drae_data.statistics import (
    NO_MOTION,
    Motion,
    PatchStatistics,
    add_sums,
    frame_statistics,
    patch_statistics,
    region_sums,
    signature,
)
from drae_data.strip_layout import Box

Pixels = npt.NDArray[np.uint8]


def noise(seed: int, *shape: int, low: int = 0, high: int = 256) -> Pixels:
    return np.random.default_rng(seed).integers(low, high, shape, dtype=np.uint8)


@given(st.integers(0, 1000), st.integers(8, 40))
def test_statistics_are_those_of_numpy_and_scipy(seed: int, size: int) -> None:
    patch = noise(seed, size, size)
    patch[0, :3], patch[1, :5] = 255, 0
    found = patch_statistics(patch, 1.5)
    # OpenCV's border is the mirror without the edge itself.
    edges = ndimage.convolve(patch.astype(np.int64), [[0, 1, 0], [1, -4, 1], [0, 1, 0]], mode="mirror")
    expected = {
        "mean": patch.mean(), "std": patch.std(), "minimum": 0, "maximum": 255, "sharpness": edges.var(),
        "saturated": (patch == 255).mean(), "black": (patch == 0).mean(), "motion": 1.5,
    }  # fmt: skip
    assert dataclasses.asdict(found) == pytest.approx(expected, rel=1e-6)


def test_every_value_is_one_that_float32_holds() -> None:
    for value in dataclasses.astuple(patch_statistics(noise(3, 33, 33), 0.25)):
        assert float(np.float32(value)) == value


def test_a_blurred_patch_is_less_sharp() -> None:
    patch = noise(1, 64, 64)
    blurred = ndimage.uniform_filter(patch, 3)
    assert patch_statistics(blurred, 0).sharpness < 0.2 * patch_statistics(patch, 0).sharpness


def test_motion_is_the_mean_absolute_difference_of_a_box() -> None:
    frames, boxes = noise(5, 4, 30, 40), [Box(2, 3, 10, 7), Box(20, 10, 12, 15)]
    motion = Motion()
    seen = []
    for index, frame in enumerate(frames):
        motion.add(frame, boxes)
        seen.append(motion.motion)
        rows = [frame[box.top : box.top + box.height, box.left : box.left + box.width] for box in boxes]
        assert motion.means == pytest.approx([part.mean() for part in rows])
        whole = frame_statistics(index, (-1, ""), boxes, motion)
        together = np.concatenate([part.ravel() for part in rows])
        assert whole.mean == pytest.approx(together.mean())
    wide = frames.astype(int)
    for box, values in zip(boxes, zip(*seen, strict=True), strict=True):
        part = wide[:, box.top : box.top + box.height, box.left : box.left + box.width]
        assert values == (NO_MOTION, *(pytest.approx(value) for value in np.abs(np.diff(part, axis=0)).mean((1, 2))))
    assert motion.over_all() == pytest.approx([np.mean(values[1:]) for values in zip(*seen, strict=True)])


def test_one_frame_has_no_motion() -> None:
    motion = Motion()
    motion.add(noise(1, 8, 8), [Box(0, 0, 8, 8)])
    assert motion.motion == motion.over_all() == (NO_MOTION,)
    assert frame_statistics(0, (-1, ""), [Box(0, 0, 8, 8)], motion).motion == NO_MOTION


@given(st.integers(0, 1000), st.sampled_from([8, 16, 20, 31, 256]))
def test_a_signature_compares_the_means_of_cells(seed: int, size: int) -> None:
    patch = noise(seed, size, size)
    starts = [size * cell // 8 for cell in range(8)] + [size]
    means = [[patch[starts[y] : starts[y + 1], starts[x] : starts[x + 1]].mean() for x in range(8)] for y in range(8)]
    bits = "".join("1" if row[x] > row[(x + 1) % 8] + 1e-9 else "0" for row in means for x in range(8))
    assert signature(patch) == f"{int(bits, 2):016x}"


def test_a_signature_outlives_brightness_and_a_little_noise() -> None:
    patch = np.tile(np.linspace(20, 200, 64), (64, 1)).astype(np.uint8)
    patch[20:40, 10:30] = 220
    other = np.clip(patch + 5 + np.random.default_rng(2).normal(0, 1, patch.shape), 0, 255).astype(np.uint8)
    assert signature(other) == signature(patch)
    assert signature(np.rot90(patch)) != signature(patch)


VALUES = st.floats(0, 255, width=32)
PATCHES = st.builds(
    PatchStatistics, VALUES, VALUES, st.just(0), st.just(255), VALUES, VALUES, VALUES, st.just(-1.0) | VALUES
)
PLACED = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["", "min", "max"]), PATCHES), min_size=1)


@given(PLACED, st.randoms())
def test_sums_do_not_depend_on_the_order(patches: list[tuple[str, str, PatchStatistics]], random: object) -> None:
    shuffled = list(patches)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(patches) // 2
    assert region_sums(patches) == region_sums(shuffled)
    assert add_sums(region_sums(patches)) == region_sums(patches)
    assert [one.patches for one in add_sums([*region_sums(patches[:half]), *region_sums(patches[half:])])] == [
        one.patches for one in region_sums(patches)
    ]


@given(PLACED)
def test_rows_are_means_over_patches(patches: list[tuple[str, str, PatchStatistics]]) -> None:
    for row in (StatisticsRow.of("train", sums) for sums in region_sums(patches)):
        mine = [one for region, rank, one in patches if (region, rank or "frame") == (row.region, row.image)]
        assert row.patches == len(mine)
        for name in ("mean", "std", "sharpness", "saturated", "black"):
            assert getattr(row, name) == pytest.approx(np.mean([getattr(one, name) for one in mine]))
        assert row.mean_std == pytest.approx(np.std([one.mean for one in mine]), abs=1e-3)
        moving = [one.motion for one in mine if one.motion >= 0]
        assert row.motion == (pytest.approx(np.mean(moving)) if moving else NO_MOTION)
