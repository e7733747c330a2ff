"""What is measured of frames and patches while they are built, so that nothing is read a second time for it.

Every value is a sum of whole numbers, or follows from such sums: the same on any processor.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np

from drae_data.manifest import FrameStatistics
from drae_data.opencv import plain_opencv
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box

# Motion where there is no frame before; grey values never differ by less than 0.
NO_MOTION = -1.0
# Cells along each side that a signature compares.
_CELLS = 8
_FULL = 255


@dataclass(frozen=True)
class PatchStatistics:
    """Statistics of one patch.

    Attributes:
        mean: of grey values, 0 to 255.
        std: their population standard deviation: the spread.
        minimum: smallest grey value.
        maximum: largest grey value.
        sharpness: variance of the Laplacian over the 4 neighbours, in squared grey values, 0 up: a measure of focus
            (Pech-Pacheco et al. 2000, DOI 10.1109/ICPR.2000.903548).
        saturated: share of pixels at 255, 0 to 1.
        black: share of pixels at 0, 0 to 1.
        motion: mean absolute difference from the frame read before, over the patch's box at the frame's own size, in
            grey values; -1 where there is none. Of a rank image: the mean over the frames that were read.
    """

    mean: float
    std: float
    minimum: int
    maximum: int
    sharpness: float
    saturated: float
    black: float
    motion: float


def patch_statistics(patch: Pixels, motion: float) -> PatchStatistics:
    """Measures one patch.

    Args:
        patch: uint8 [size, size].
        motion: of its box, see `Motion`.
    """
    plain_opencv()
    mean, std = cv2.meanStdDev(patch)
    minimum, maximum, _, _ = cv2.minMaxLoc(patch)
    return PatchStatistics(
        _stored(mean[0, 0]), _stored(std[0, 0]), int(minimum), int(maximum), _stored(_sharpness(patch)),
        _share(patch, _FULL) if maximum == _FULL else 0.0, _share(patch, 0) if minimum == 0 else 0.0, motion,
    )  # fmt: skip


def _sharpness(patch: Pixels) -> float:
    edges = cv2.Laplacian(patch, cv2.CV_16S)
    # Both sums are exact, below 2^53; meanStdDev takes twenty times as long over 16 bits.
    squares, total = cv2.norm(edges, cv2.NORM_L2SQR), cv2.sumElems(edges)[0]
    return squares / edges.size - (total / edges.size) ** 2


def _share(patch: Pixels, value: int) -> float:
    return _stored(np.count_nonzero(patch == value) / patch.size)


def _stored(value: float) -> float:
    """As the tables store it, float32: rounding here keeps the value equal wherever it is read."""
    return float(np.float32(value))


class Motion:
    """How much the boxes of consecutive frames differ; one frame is kept.

    Attributes:
        means: of the grey values in each box of the last frame.
        motion: of each box of the last frame, see `PatchStatistics`.
    """

    def __init__(self) -> None:
        self.means: tuple[float, ...] = ()
        self.motion: tuple[float, ...] = ()
        self._before: Pixels | None = None
        self._sums: list[float] = []
        self._frames = 0

    def add(self, frame: Pixels, boxes: Sequence[Box]) -> None:
        """Takes the next frame.

        Args:
            frame: uint8 [height, width]; not changed from here on, and of the size of those before.
            boxes: where they lie, the same for all frames.
        """
        now = [_cut(frame, box) for box in boxes]
        self.means = tuple(cv2.mean(part)[0] for part in now)
        if self._before is None:
            self.motion = (NO_MOTION,) * len(boxes)
            self._sums = [0.0] * len(boxes)
        else:
            before = [_cut(self._before, box) for box in boxes]
            self.motion = tuple(
                _stored(cv2.norm(one, other, cv2.NORM_L1) / one.size) for one, other in zip(now, before, strict=True)
            )
            self._frames += 1
            self._sums = [total + value for total, value in zip(self._sums, self.motion, strict=True)]
        self._before = frame

    def over_all(self) -> tuple[float, ...]:
        """The mean of each box's motion over all frames; -1 where there was no more than one."""
        if not self._frames:
            return (NO_MOTION,) * len(self._sums)
        return tuple(_stored(total / self._frames) for total in self._sums)


def _cut(frame: Pixels, box: Box) -> Pixels:
    return frame[box.top : box.top + box.height, box.left : box.left + box.width]


def frame_statistics(frame: int, place: tuple[int, str], boxes: Sequence[Box], motion: Motion) -> FrameStatistics:
    """Sums up what was measured of the last frame, each box by its pixels.

    Args:
        frame: its index.
        place: vial and region that the file shows; (-1, '') for the whole strip.
        boxes: where they lie.
        motion: of which it is the last frame.
    """
    sizes = [box.width * box.height for box in boxes]

    def over_boxes(values: Sequence[float]) -> float:
        total = math.fsum(size * value for size, value in zip(sizes, values, strict=True))
        return _stored(total / sum(sizes))

    return FrameStatistics(frame, *place, over_boxes(motion.means), over_boxes(motion.motion))


def signature(patch: Pixels) -> str:
    """A perceptual hash of a patch: 64 bits as 16 hexadecimal digits, which of 8 x 8 cells are brighter than the next.

    A difference hash (N. Krawetz, "Kind of Like That", 2013), whose rows close to a ring so that each cell has a next
    one: it stays nearly the same when a picture is encoded again, made a little brighter or noisier.

    Args:
        patch: uint8 [size, size], size at least 8.
    """
    starts = np.arange(_CELLS) * patch.shape[0] // _CELLS
    sums = np.add.reduceat(np.add.reduceat(patch.astype(np.int64), starts, axis=0), starts, axis=1)
    # Where the size is no multiple of 8, columns of cells are not equally wide: compared by their means, exactly.
    widths = np.diff(np.append(starts, patch.shape[1]))
    brighter = sums * np.roll(widths, -1) > np.roll(sums, -1, axis=1) * widths
    return np.packbits(brighter).tobytes().hex()


@dataclass(frozen=True)
class RegionSums:
    """Sums over the patches of one region and kind of image, from which their means follow.

    Attributes:
        region: its name.
        image: frame, min or max.
        patches: how many.
        mean: sum of the patches' means; with the other sums see `PatchStatistics`.
        mean_squared: sum of the squares of the patches' means.
        std: sum.
        sharpness: sum.
        saturated: sum.
        black: sum.
        motion: sum over the patches that have one.
        moving: patches that have one.
    """

    region: str
    image: str
    patches: int
    mean: float
    mean_squared: float
    std: float
    sharpness: float
    saturated: float
    black: float
    motion: float
    moving: int


_SUMMED = tuple(field.name for field in fields(RegionSums))[2:]
FRAME = "frame"


def region_sums(patches: Iterable[tuple[str, str, PatchStatistics]]) -> list[RegionSums]:
    """Sums of patches by region and kind of image, in the order of both names.

    Args:
        patches: region, rank (empty for a frame) and statistics of each.
    """
    return add_sums(
        RegionSums(
            region, rank or FRAME, 1, one.mean, one.mean**2, one.std, one.sharpness, one.saturated, one.black,
            max(one.motion, 0.0), int(one.motion >= 0),
        )
        for region, rank, one in patches
    )  # fmt: skip


def add_sums(parts: Iterable[RegionSums]) -> list[RegionSums]:
    """The sums of each region and kind of image, correctly rounded, so that no order of the parts changes them."""
    groups: dict[tuple[str, str], list[RegionSums]] = {}
    for part in parts:
        groups.setdefault((part.region, part.image), []).append(part)
    return [_added(groups[place]) for place in sorted(groups)]


def _added(parts: Sequence[RegionSums]) -> RegionSums:
    sums: Mapping[str, Any] = {
        name: math.fsum(getattr(part, name) for part in parts)
        if isinstance(getattr(parts[0], name), float)
        else sum(getattr(part, name) for part in parts)
        for name in _SUMMED
    }
    return RegionSums(parts[0].region, parts[0].image, **sums)
