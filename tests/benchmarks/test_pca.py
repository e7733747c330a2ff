"""The rival's subspaces against NumPy's singular value decomposition of patches that OpenCV averaged down."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.pca import Floats, fit_subspaces
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions
from tests.small_training import training_version

READINGS = [ReadOptions(split, 7, False, 2, None) for split in ("train", "validation")]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_version(tmp_path_factory.mktemp("line"))


def patches_of(version: Path, region: str) -> Floats:
    """All patches of both splits in their order, float32 [100, 16, 16]."""
    found = []
    for split in ("train", "validation"):
        for batch in patch_batches(version, ReadOptions(split, 32, False, 1, None)):
            chosen = batch["image"].numpy()[batch["region"].numpy() == region.encode()]
            found += [cv2.resize(image[..., 0], (16, 16), interpolation=cv2.INTER_AREA) for image in chosen]
    return np.array(found)


def test_reconstructions_are_those_of_numpys_svd(version: Path) -> None:
    found = fit_subspaces(version, READINGS, ("R0", "R1"), 16, 12, 1000)
    for region in ("R0", "R1"):
        patches = patches_of(version, region)
        assert len(patches) == 100
        flat = patches.reshape(100, 256).astype(np.float64)
        mean = flat.mean(axis=0)
        axes = np.linalg.svd(flat - mean, full_matrices=False)[2]
        for components in (3, 12, 500):
            kept = axes[: min(components, 12)]
            expected = np.clip((flat - mean) @ kept.T @ kept + mean, 0, 1)
            rebuilt = found.rebuild(patches[..., None], [region] * 100, components)
            np.testing.assert_allclose(rebuilt.reshape(100, 256), expected, atol=2e-5)


def test_each_patch_is_rebuilt_by_its_own_region(version: Path) -> None:
    found = fit_subspaces(version, READINGS, ("R0", "R1"), 16, 4, 1000)
    images = np.stack([patches_of(version, region)[0] for region in ("R0", "R1", "R0")])[..., None]
    together = found.rebuild(images, ["R0", "R1", "R0"], 4)
    for row, region in enumerate(("R0", "R1", "R0")):
        np.testing.assert_allclose(together[row], found.rebuild(images[row : row + 1], [region], 4)[0], atol=1e-6)


def test_some_patches_are_spread_evenly_over_both_splits(version: Path) -> None:
    # Of 100 patches 5: those numbered 0, 24.75, 49.5, 74.25 and 99, to the nearest even number at halves.
    found = fit_subspaces(version, READINGS, ("R0",), 16, 3, 5)
    expected = patches_of(version, "R0")[[0, 25, 50, 74, 99]].mean(axis=0)
    np.testing.assert_allclose(found.means["R0"].reshape(16, 16), expected, atol=1e-6)


def test_counts_are_capped_and_each_once(version: Path) -> None:
    # 21 patches have 20 directions at most.
    found = fit_subspaces(version, READINGS, ("R0",), 16, 128, 21)
    assert found.directions["R0"].shape == (256, 20)
    assert found.counts((8, 16, 24, 32, 64, 128)) == (8, 16, 20)
