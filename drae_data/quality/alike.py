"""Which acquisitions look alike: nearest ones by grey values, and those whose signatures hardly differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from drae_data.quality.measured import STATISTICS, Floats, Ints, Measured
from drae_data.quality.options import Limits

# Rows compared with all others at a time: bounds memory to as many rows of n distances.
_BLOCK = 256
# Grey levels below which a spread is that of rounding.
_LEAST_SPREAD = 0.01
# Signatures of fewer boxes are too short to tell strips apart: pictures that merely resemble each other share them.
_BOX_BITS = 64
FEWEST_BITS = 8 * _BOX_BITS
_NORMAL = 1.4826  # a normal distribution's standard deviation over its median absolute deviation


@dataclass(frozen=True)
class Nearest:
    """The nearest acquisitions of each of m, by what is usual between runs of one strip.

    Attributes:
        own: distance to the nearest other run of the same strip; infinite where there is none. float64 [m].
        other: distance to the nearest acquisition of another strip; infinite where there is none. float64 [m].
        which: that acquisition's place among the m; int64 [m].
    """

    own: Floats
    other: Floats
    which: Ints


def nearest(measured: Measured, members: Ints) -> Nearest:
    """Finds the nearest acquisitions by mean and spread of the boxes, each in units of its spread between runs.

    Args:
        measured: of the version.
        members: the m acquisitions to compare; at least one strip among them has two.
    """
    strips = measured.strips[members]
    grey = measured.statistics[members][:, :, [STATISTICS.index("mean"), STATISTICS.index("std")]]
    features = grey.reshape(len(members), -1)
    features = features / _spread_between_runs(features, strips)
    own, other, which = (np.full(len(members), np.inf), np.full(len(members), np.inf), np.zeros(len(members), np.int64))
    for start in range(0, len(members), _BLOCK):
        block = slice(start, start + _BLOCK)
        distances = _distances(features[block], features)
        same = strips[block][:, None] == strips[None, :]
        elsewhere = np.where(same, np.inf, distances)
        other[block], which[block] = elsewhere.min(axis=1), elsewhere.argmin(axis=1)
        rows = np.arange(len(distances))
        same[rows, start + rows] = False
        own[block] = np.where(same, distances, np.inf).min(axis=1)
    return Nearest(own, other, which)


def _spread_between_runs(features: Floats, strips: Ints) -> Floats:
    """How much each feature differs between runs of one strip, robustly: float64 [features]."""
    away = [
        features[strips == strip] - np.median(features[strips == strip], axis=0)
        for strip in np.unique(strips)
        if np.count_nonzero(strips == strip) > 1
    ]
    spread: Floats = np.maximum(_NORMAL * np.median(np.abs(np.concatenate(away)), axis=0), _LEAST_SPREAD)
    return spread


def _distances(some: Floats, others: Floats) -> Floats:
    """Root mean square distances: float64 [len(some), len(others)]."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2 * some @ others.T
    distances: Floats = np.sqrt(np.maximum(squares, 0.0) / some.shape[1])
    return distances


@dataclass(frozen=True)
class Twins:
    """Two strips with acquisitions whose signatures hardly differ.

    Attributes:
        first: number of the strip whose name comes first.
        second: of the other.
        pairs: acquisitions of the second that have a twin in the first.
        distance: the smallest share of bits that differ.
    """

    first: int
    second: int
    pairs: int
    distance: float


def twins(measured: Measured, members: Ints, limits: Limits) -> list[Twins]:
    """Pairs of strips that show the same: copies, also encoded again, a little brighter or noisier.

    Args:
        measured: of the version.
        members: the acquisitions to compare.
        limits: how far signatures and grey values may differ.
    """
    found: dict[tuple[int, int], dict[int, float]] = {}
    signatures = telling_bits(measured.signatures[members])
    grey = measured.statistics[members][:, :, STATISTICS.index("mean")]
    near = (
        (one, other, distance)
        for one, other, distance in _near_signatures(signatures, measured.strips[members], limits.duplicate_distance)
        if grey_difference(grey[one], grey[other]) <= limits.duplicate_grey
    )
    for one, other, distance in chain(near, _shared_files(measured, members)):
        strips = measured.strips[members[one]], measured.strips[members[other]]
        later = other if strips[0] < strips[1] else one
        place = (int(min(strips)), int(max(strips)))
        nearest_of = found.setdefault(place, {})
        nearest_of[later] = min(distance, nearest_of.get(later, 1.0))
    return [Twins(*place, len(pairs), min(pairs.values())) for place, pairs in sorted(found.items())]


def _shared_files(measured: Measured, members: Ints) -> Iterator[tuple[int, int, float]]:
    """Pairs of places, of different strips, with a frame file of the same content; they differ in nothing."""
    first: dict[str, int] = {}
    for place, n in enumerate(members):
        for file in measured.rows[n]["frames"]:
            before = first.setdefault(file["sha256"], place)
            if measured.strips[members[before]] != measured.strips[n]:
                yield before, place, 0.0


def grey_difference(one: Floats, other: Floats) -> float:
    """How far the boxes' means of two acquisitions differ once one's light was brought to the other's, in grey levels.

    The root mean square of what a straight line, least squares, leaves: gain and offset of the light do not count.

    Args:
        one: means of the boxes of an acquisition, float64 [b].
        other: of another one, float64 [b].
    """
    line = np.stack([one, np.ones_like(one)], axis=1)
    fitted = line @ np.linalg.lstsq(line, other, rcond=None)[0]
    return float(np.sqrt(np.mean((fitted - other) ** 2)))


def telling_bits(signatures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The bits of those boxes that tell anything: a flat box has no cell that is brighter than the next.

    Args:
        signatures: bits, uint8 [n, 64 b].

    Returns:
        uint8 [n, 64 c] of the c boxes that are not flat in most acquisitions.
    """
    boxes = signatures.reshape(len(signatures), -1, _BOX_BITS)
    kept = boxes.any(axis=2).mean(axis=0) > 0.5
    return boxes[:, kept].reshape(len(signatures), -1)


def _near_signatures(signatures: npt.NDArray[np.uint8], strips: Ints, limit: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of places, of different strips, and the share of bits that differ."""
    if signatures.shape[1] < FEWEST_BITS:
        return
    # As -1 and 1, so that a product counts agreeing less differing bits: whole numbers, exact in float32.
    signs = signatures.astype(np.float32) * 2 - 1
    bits = signs.shape[1]
    for start in range(0, len(signs), _BLOCK):
        shares = (bits - signs[start : start + _BLOCK] @ signs.T) / (2 * bits)
        near = (shares <= limit) & (strips[start : start + _BLOCK, None] != strips[None, :])
        for one, other in np.argwhere(near):
            if start + one < other:
                yield start + int(one), int(other), float(shares[one, other])
