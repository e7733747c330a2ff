"""Principal components against numpy's singular values, the layer against plain projections."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from drae_data.errors import DatasetError
from drae_model.linear_path import SubspaceProjection, principal_components, start_from


def some_patches(count: int, pixels: int) -> Any:
    """Patches that vary more in some directions than in others, away from 0."""
    rng = np.random.default_rng(count)
    axes = rng.normal(size=(pixels, pixels)) * np.geomspace(1, 0.01, pixels)[:, None]
    return (rng.normal(size=(count, pixels)) @ axes * 0.1 + 0.5).astype(np.float32)


def layer_of(means: Any, axes: Any) -> SubspaceProjection:
    """A layer over 4 x 4 images."""
    layer = SubspaceProjection(len(means), axes[0].shape[1], 1)
    layer.build((None, 4, 4, 1) if len(means) == 1 else [(None, 4, 4, 1), (None,)])
    start_from(layer, means, axes)
    return layer


def subspaces(count: int, components: int = 3) -> Any:
    rng = np.random.default_rng(count)
    return (
        rng.random((count, 16), dtype=np.float32),
        np.linalg.qr(rng.normal(size=(count, 16, components)))[0].astype(np.float32),
    )


# More patches than pixels and the reverse: the two matrices.
@pytest.mark.parametrize(("count", "pixels"), [(200, 30), (20, 64), (30, 30)])
def test_components_are_numpys_right_singular_vectors(count: int, pixels: int) -> None:
    patches = some_patches(count, pixels)
    mean, axes = principal_components(patches, 6)
    assert mean.dtype == axes.dtype == np.float32
    assert (mean.shape, axes.shape) == ((pixels,), (pixels, 6))
    np.testing.assert_allclose(mean, patches.mean(axis=0), atol=1e-6)
    expected = np.linalg.svd(patches.astype(np.float64) - patches.mean(axis=0, dtype=np.float64))[2][:6].T
    # A direction and its opposite are the same axis.
    np.testing.assert_allclose(np.abs(np.sum(axes * expected, axis=0)), 1, atol=1e-5)
    np.testing.assert_allclose(axes.T @ axes, np.eye(6), atol=1e-5)


def test_the_largest_entry_of_a_direction_is_positive() -> None:
    patches = some_patches(100, 20)
    for turned in (patches, 1 - patches, patches[::-1]):
        axes = principal_components(turned, 5)[1]
        assert all(axis[np.abs(axis).argmax()] > 0 for axis in axes.T)


@pytest.mark.parametrize(
    ("patches", "words"),
    [
        (some_patches(5, 16), "expected more than 5, got 5"),
        (np.repeat(some_patches(3, 16), 10, axis=0), "30 patches of 16 pixels vary in 2 directions only"),
        (np.full((30, 16), 0.5, np.float32), "vary in 0 directions only"),
        (some_patches(40, 4), "vary in 4 directions only"),
    ],
)
def test_patches_that_hold_too_few_directions_are_refused(patches: Any, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        principal_components(patches, 5)


def test_at_start_the_layer_is_the_orthogonal_projection() -> None:
    patches = some_patches(100, 16)
    mean, axes = principal_components(patches, 3)
    expected = mean + (patches - mean) @ axes @ axes.T
    found = layer_of([mean], [axes])(patches.reshape(-1, 4, 4, 1)).numpy()
    assert found.shape == (100, 4, 4, 1)
    np.testing.assert_allclose(found.reshape(100, 16), expected, atol=1e-5)


def test_weights_are_stored_with_entries_of_about_1() -> None:
    layer = layer_of(*subspaces(2))
    for weight in (layer.encode, layer.decode):
        assert np.sqrt(np.square(weight.numpy()).mean()) == pytest.approx(1, abs=1e-5)
    layer = SubspaceProjection(2, 3, 1)
    layer.build([(None, 16, 16, 1), (None,)])
    assert np.square(layer.encode.numpy()).mean() == pytest.approx(1, abs=0.1)


def test_each_image_is_projected_on_the_subspace_of_its_region() -> None:
    means, axes = subspaces(4)
    draws = np.random.default_rng(9)
    images, regions = draws.random((200, 16), dtype=np.float32), draws.integers(0, 4, 200, dtype=np.int32)
    expected = [
        means[region] + (image - means[region]) @ axes[region] @ axes[region].T
        for image, region in zip(images, regions, strict=True)
    ]
    found = layer_of(means, axes)([images.reshape(-1, 4, 4, 1), regions]).numpy().reshape(200, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_only_the_subspace_of_the_region_learns() -> None:
    means, axes = subspaces(2)
    layer = layer_of(means, axes)
    # An image at the second mean.
    image = tf.constant(means[1].reshape(1, 4, 4, 1))
    with tf.GradientTape() as tape:
        # Any loss whose gradient is not 0 where the reconstruction is perfect.
        loss = tf.reduce_sum(layer([image + 0.01, tf.constant([1])]))
    for gradient in tape.gradient(loss, [layer.mean, layer.encode, layer.decode]):
        assert not np.any(gradient[0])
        assert np.any(gradient[1])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_the_layer_computes_in_float32_whatever_the_policy(policy: str) -> None:
    means, axes = subspaces(2)
    images = [np.random.default_rng(9).random((8, 4, 4, 1), dtype=np.float32), np.arange(8, dtype=np.int32) % 2]
    expected = layer_of(means, axes)(images)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        found = layer_of(means, axes)(images)
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(found, expected)


def test_shapes_that_do_not_fit_are_refused() -> None:
    means, axes = subspaces(2)
    layer = layer_of(means, axes)
    with pytest.raises(DatasetError, match=r"2 subspaces of 3 components of 16 pixels"):
        start_from(layer, means[:1], axes[:1])


def test_a_saved_layer_gives_the_same_output(tmp_path: Path) -> None:
    inputs = [keras.Input((4, 4, 1)), keras.Input((), dtype="int32")]
    layer = layer_of(*subspaces(3))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    images = [np.random.default_rng(9).random((8, 4, 4, 1), dtype=np.float32), np.arange(8, dtype=np.int32) % 3]
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
