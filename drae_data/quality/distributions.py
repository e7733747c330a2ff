"""How the statistics of patches are distributed, by split and region, in bins that do not depend on the data."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
# Edges of the bins: grey levels one by one; sharpness, which spans decades, in twentieths of one; values beyond the
# last edges count in the outermost bins.
EDGES: Mapping[str, Floats] = MappingProxyType({
    "mean": np.arange(0.0, 257.0),
    "std": np.arange(0.0, 128.5, 0.5),
    "sharpness": np.concatenate([[0.0], np.logspace(0, 6, 121)]),
    "motion": np.concatenate([[0.0], np.logspace(-2, 2, 81)]),
})  # fmt: skip


class Distributions:
    """Counts of patches in bins, added up shard by shard."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], Counts] = {}

    def add(self, split: str, index: pa.Table) -> None:
        """Takes the patch index of a shard into account.

        Args:
            split: of the shard.
            index: with the columns region and those of `EDGES`.
        """
        for region in pc.unique(index.column("region")).to_pylist():
            part = index.filter(pc.equal(index.column("region"), region))
            for name, edges in EDGES.items():
                values = part.column(name).to_numpy().astype(np.float64)
                # A patch without a frame before it has no motion.
                kept = values[values >= 0]
                counts = np.histogram(np.clip(kept, edges[0], edges[-1]), edges)[0].astype(np.int64)
                place = (split, region, name)
                self._counts[place] = self._counts.get(place, np.zeros(len(counts), np.int64)) + counts

    def of(self, split: str, region: str, statistic: str) -> Counts:
        """Patches in each bin of a statistic: int64 [bins]; zeros where the split has none of the region."""
        empty = np.zeros(len(EDGES[statistic]) - 1, np.int64)
        return self._counts.get((split, region, statistic), empty)

    def places(self) -> Iterator[tuple[str, str]]:
        """Splits and regions that have patches, sorted."""
        yield from sorted({(split, region) for split, region, _ in self._counts})
