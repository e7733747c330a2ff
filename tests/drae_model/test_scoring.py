"""Scores and heatmaps against plain numpy on the same map; the map itself is held in test_ssim.py."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from drae_model.loss_options import ScoreOptions
from drae_model.scoring import heatmaps, score_map, scores

RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.random((3, 20, 20, 1)).astype(np.float32)
REBUILT = np.clip(IMAGE + RANDOM.normal(0, [[[[0.01]]], [[[0.1]]], [[[0.4]]]], IMAGE.shape), 0, 1).astype(np.float32)
ALL = [
    ScoreOptions("mean", 99.0, 3),
    *(ScoreOptions("percentile", percentile, 3) for percentile in (0.0, 0.5, 50.0, 98.7, 99.0, 100.0)),
    *(ScoreOptions("window_max", 99.0, window) for window in (1, 2, 5, 10)),
]
GREYS = arrays(np.float32, (1, 13, 13, 1), elements=st.floats(0, 1, width=32, allow_subnormal=False))


def computed(image: np.ndarray, rebuilt: np.ndarray, options: ScoreOptions) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(scores(image, rebuilt, options)))


def by_brute_force(dissimilarity: np.ndarray, options: ScoreOptions) -> float:
    """A map, float [h, w], to its score."""
    if options.aggregate == "mean":
        return float(dissimilarity.mean())
    if options.aggregate == "percentile":
        return float(np.percentile(dissimilarity, options.percentile))
    side, (height, width) = options.window, dissimilarity.shape
    return max(
        float(dissimilarity[y : y + side, x : x + side].mean())
        for y in range(height - side + 1)
        for x in range(width - side + 1)
    )


@pytest.mark.parametrize("options", ALL, ids=str)
def test_scores_are_those_of_numpy(options: ScoreOptions) -> None:
    maps = 1.0 - tf.image.ssim(IMAGE, REBUILT, 1.0, return_index_map=True).numpy().astype(float)

    found = computed(IMAGE, REBUILT, options)

    assert found.dtype == np.float32
    # TensorFlow's map is float32 throughout, see test_ssim.py.
    np.testing.assert_allclose(found, [by_brute_force(each, options) for each in maps], rtol=0, atol=2e-5)


@pytest.mark.parametrize("options", ALL, ids=str)
@pytest.mark.parametrize("jit", [False, True])
def test_scores_in_a_graph_are_the_same(options: ScoreOptions, jit: bool) -> None:
    signature = [tf.TensorSpec((None, 20, 20, 1))] * 2
    graph = tf.function(lambda a, b: scores(a, b, options), input_signature=signature, jit_compile=jit)

    np.testing.assert_allclose(graph(IMAGE, REBUILT), computed(IMAGE, REBUILT, options), rtol=0, atol=1e-6)


def test_map_points_at_the_changed_pixel() -> None:
    rebuilt = IMAGE[:1].copy()
    rebuilt[0, 9, 12] = 1 - rebuilt[0, 9, 12]

    found = ops.convert_to_numpy(score_map(IMAGE[:1], rebuilt))[0, ..., 0]

    assert found.shape == (10, 10)
    # A window of 11 reaches 5 pixels: rows 4 to 14 and columns 7 to 17 of the patch, from 0 to 9 in the map.
    touched = np.zeros((10, 10), bool)
    touched[0:10, 2:10] = True
    np.testing.assert_array_equal(np.abs(found) > 1e-7, touched)


def test_aggregates_by_hand_on_two_halves() -> None:
    # Every window within columns 0 to 10 sees 0.25 against 0.75, 1 - 0.3751 / 0.6251; the map is not 0 only where a
    # window begins before column 11: 11 of its 50 columns.
    image, rebuilt = np.full((1, 11, 60, 1), 0.25, np.float32), np.full((1, 11, 60, 1), 0.25, np.float32)
    rebuilt[:, :, :11] = 0.75
    most = 1 - 0.3751 / 0.6251

    assert computed(image, rebuilt, ScoreOptions("window_max", 99.0, 1))[0] == pytest.approx(
        computed(image, rebuilt, ScoreOptions("percentile", 100.0, 1))[0], abs=1e-6
    )
    assert ops.convert_to_numpy(score_map(image, rebuilt))[0, 0, 0, 0] == pytest.approx(most, abs=1e-6)
    # 39 of 50 are 0: the 78th percentile lies at place 49 x 0.78 = 38.22, beyond the last of them, place 38.
    assert computed(image, rebuilt, ScoreOptions("percentile", 77.5, 1))[0] == pytest.approx(0, abs=1e-6)
    assert computed(image, rebuilt, ScoreOptions("percentile", 80.0, 1))[0] > 1e-5


@given(grey=GREYS, options=st.sampled_from([options for options in ALL if options.window <= 3]))
@settings(max_examples=40, deadline=None)
def test_a_perfect_reconstruction_scores_zero(grey: np.ndarray, options: ScoreOptions) -> None:
    np.testing.assert_allclose(computed(grey, grey, options), 0.0, rtol=0, atol=1e-6)


@given(image=GREYS, rebuilt=GREYS)
@settings(max_examples=30, deadline=None)
def test_a_higher_percentile_never_scores_less(image: np.ndarray, rebuilt: np.ndarray) -> None:
    found = [
        computed(image, rebuilt, ScoreOptions("percentile", p, 1))[0] for p in (0.0, 10.0, 50.0, 90.0, 99.0, 100.0)
    ]
    assert np.all(np.diff(found) >= -1e-7)


@given(image=GREYS, rebuilt=GREYS)
@settings(max_examples=30, deadline=None)
def test_a_window_lies_between_the_mean_and_the_maximum(image: np.ndarray, rebuilt: np.ndarray) -> None:
    # 13 - 10 = 3: the largest window is the whole map, the smallest a pixel.
    mean, whole = (computed(image, rebuilt, ScoreOptions(name, 100.0, 3))[0] for name in ("mean", "window_max"))
    middle, pixel = (computed(image, rebuilt, ScoreOptions("window_max", 100.0, side))[0] for side in (2, 1))
    assert whole == pytest.approx(mean, abs=1e-6)
    # Not `whole <= middle`: each 2 x 2 window holds the map's middle pixel, which can be the least of all.
    assert max(whole, middle) <= pixel + 1e-6
    assert pixel == pytest.approx(computed(image, rebuilt, ScoreOptions("percentile", 100.0, 1))[0], abs=1e-6)


def test_a_patch_scores_the_same_alone_and_in_a_batch() -> None:
    for options in ALL:
        alone = [computed(IMAGE[i : i + 1], REBUILT[i : i + 1], options)[0] for i in range(3)]
        np.testing.assert_allclose(computed(IMAGE, REBUILT, options), alone, rtol=0, atol=1e-6)


def test_a_window_larger_than_the_map_is_refused() -> None:
    with pytest.raises(ValueError, match=r"score\.window: expected at most 10, got 11"):
        scores(IMAGE, REBUILT, ScoreOptions("window_max", 99.0, 11))


def test_heatmaps_are_those_of_numpy() -> None:
    difference = np.abs(IMAGE.astype(float) - REBUILT)
    low, high = difference.min((1, 2, 3), keepdims=True), difference.max((1, 2, 3), keepdims=True)

    found = ops.convert_to_numpy(heatmaps(IMAGE, REBUILT))

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (difference - low) / (high - low), rtol=0, atol=1e-5)


def test_heatmap_by_hand() -> None:
    # Differences 0.25, 0.5, 0.75 and 0.25: (d - 0.25) / 0.5.
    image = np.array([0.25, 0.5, 0.0, 1.0], np.float32).reshape(1, 2, 2, 1)
    rebuilt = np.array([0.5, 0.0, 0.75, 0.75], np.float32).reshape(1, 2, 2, 1)
    assert ops.convert_to_numpy(heatmaps(image, rebuilt)).ravel().tolist() == [0.0, 0.5, 1.0, 0.0]


def test_a_flat_heatmap_is_zero_beside_one_that_is_not() -> None:
    image = np.zeros((2, 4, 4, 1), np.float32)
    rebuilt = image + np.float32(0.25)
    rebuilt[1, 0, 0] = 1

    found = ops.convert_to_numpy(heatmaps(image, rebuilt))

    assert not found[0].any()
    assert found[1, 0, 0, 0] == 1
    assert found[1].sum() == 1
