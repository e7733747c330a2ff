"""The rows of the tables of patches: one for each patch, and means over many."""

from dataclasses import dataclass
from typing import Self

from drae_data.statistics import NO_MOTION, RegionSums


@dataclass(frozen=True)
class PatchRow:
    """One patch in a shard; the shard's name is that of the table.

    Attributes:
        key: text form of the `PatchKey`.
        strip: with run, batch, recipe and station the acquisition's key.
        run: see strip.
        batch: see strip.
        recipe: see strip.
        station: see strip.
        image: text form of the `Image`.
        vial: from 0.
        region: its name.
        split: train, validation or test.
        index: record number in the shard, from 0.
        offset: byte offset of the record's data in the shard.
        length: bytes of the record's data.
        sha256: of the encoded image.
        mean: of the patch's grey values, 0 to 255.
        std: their population standard deviation.
        minimum: smallest grey value.
        maximum: largest grey value.
        sharpness: see `drae_data.statistics.PatchStatistics`, as those that follow.
        saturated: share of pixels at 255.
        black: share of pixels at 0.
        motion: mean absolute difference from the frame before; -1 where there is none.
    """

    key: str
    strip: str
    run: int
    batch: str
    recipe: str
    station: str
    image: str
    vial: int
    region: str
    split: str
    index: int
    offset: int
    length: int
    sha256: str
    mean: float
    std: float
    minimum: int
    maximum: int
    sharpness: float
    saturated: float
    black: float
    motion: float


@dataclass(frozen=True)
class StatisticsRow:
    """Means over the patches of one split, region and kind of image.

    Attributes:
        split: train, validation or test.
        region: its name.
        image: frame, min or max.
        patches: how many.
        mean: of the patches' means.
        mean_std: their population standard deviation.
        std: of the patches' spreads, as those that follow.
        sharpness: see `drae_data.statistics.PatchStatistics`.
        saturated: share of pixels at 255.
        black: share of pixels at 0.
        motion: over the patches that have one; -1 where none has.
    """

    split: str
    region: str
    image: str
    patches: int
    mean: float
    mean_std: float
    std: float
    sharpness: float
    saturated: float
    black: float
    motion: float

    @classmethod
    def of(cls, split: str, sums: RegionSums) -> Self:
        """The row that sums give."""
        count = sums.patches
        mean = sums.mean / count
        return cls(
            split, sums.region, sums.image, count, mean, max(sums.mean_squared / count - mean**2, 0.0) ** 0.5,
            sums.std / count, sums.sharpness / count, sums.saturated / count, sums.black / count,
            sums.motion / sums.moving if sums.moving else NO_MOTION,
        )  # fmt: skip
