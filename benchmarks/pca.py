"""Principal components as a rival: patches of each region projected on those of good training patches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drae_model.input_size import shrink
from drae_model.linear_path import principal_components
from drae_model.patch_dataset import patch_batches
from drae_model.patch_selection import patches_per_epoch
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

    def counts(self, wanted: Sequence[int]) -> tuple[int, ...]:
        """The numbers of components to try: the wanted ones, at most as many as a region has, each once, sorted."""
        most = max(axes.shape[1] for axes in self.directions.values())
        return tuple(sorted({min(count, most) for count in wanted}))

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


def fit_subspaces(
    version: Path, readings: Sequence[ReadOptions], regions: Sequence[str], size: int, components: int, most: int
) -> Subspaces:
    """Fits each region on its patches.

    Args:
        version: folder of the version.
        readings: what is read of it, one after the other, in their own order.
        regions: names.
        size: side to which patches are averaged down.
        components: most directions to keep; at most one less than patches.
        most: most patches of a region, evenly spread.

    Raises:
        DatasetError: the version cannot be read, or a region's patches are too much alike.
        OptionError: the version has no such patches.
    """
    means, directions = {}, {}
    for region in regions:
        own = [replace(reading, regions=(region,)) for reading in readings]
        patches = np.concatenate(list(_spread(version, own, size, most))).reshape(-1, size**2)
        means[region], directions[region] = principal_components(patches, min(components, len(patches) - 1))
    return Subspaces(size, means, directions)


def _spread(version: Path, readings: Sequence[ReadOptions], size: int, most: int) -> Iterator[Floats]:
    """Evenly spread patches of several readings, float32 [k, size, size, 1], batch by batch."""
    total = sum(patches_per_epoch(version, reading) for reading in readings)
    chosen = np.linspace(0, total - 1, min(most, total)).round().astype(int)
    start = 0
    for reading in readings:
        for batch in patch_batches(version, reading):
            images: Floats = shrink(batch["image"], size).numpy()
            yield images[chosen[(chosen >= start) & (chosen < start + len(images))] - start]
            start += len(images)
