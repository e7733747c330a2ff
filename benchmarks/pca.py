"""Principal components as a rival: patches of each region projected on those of good training patches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_model.input_size import shrink
from drae_model.linear_path import principal_components
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subspaces:
    """Mean and directions of each region's training patches.

    Attributes:
        size: side of the patches in pixels.
        means: by region, float32 [size * size].
        directions: by region, float32 [size * size, components], the largest variance first.
    """

    size: int
    means: Mapping[str, Floats]
    directions: Mapping[str, Floats]

    def rebuild(self, images: Floats, regions: Sequence[str], components: int) -> Floats:
        """Reconstructions, float32 [n, size, size, 1], 0 to 1, by at most so many components.

        Args:
            images: float32 [n, size, size, 1], 0 to 1.
            regions: of the patches.
            components: how many; fewer where training gave fewer.
        """
        rebuilt = np.empty_like(images)
        names = np.array(regions)
        for region in np.unique(names).tolist():
            here = names == region
            axes = self.directions[region][:, :components]
            flat = images[here].reshape(-1, self.size**2) - self.means[region]
            rebuilt[here] = ((flat @ axes) @ axes.T + self.means[region]).reshape(-1, self.size, self.size, 1)
        return np.clip(rebuilt, 0.0, 1.0)


def fit_subspaces(version: Path, regions: Sequence[str], size: int, components: int, most: int) -> Subspaces:
    """Fits each region on training patches.

    Args:
        version: folder of the version whose split train is read.
        regions: names.
        size: side to which patches are averaged down.
        components: most directions to keep.
        most: most patches of a region, evenly spread.
    """
    means, directions = {}, {}
    for region in regions:
        found: list[Any] = []
        for batch in patch_batches(version, ReadOptions("train", 256, False, 2, None, regions=(region,))):
            found.append(shrink(batch["image"], size).numpy().reshape(-1, size**2))
        patches = np.concatenate(found)
        chosen = patches[np.linspace(0, len(patches) - 1, min(most, len(patches))).round().astype(int)]
        means[region], directions[region] = principal_components(chosen, min(components, len(chosen) - 1))
    return Subspaces(size, means, directions)
