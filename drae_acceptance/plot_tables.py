"""The figures of the plots: as plain values for whoever draws them, and as CSV for `dvc plots`.

Every file has a last column `protocol`, so that no figure is seen without how its thresholds came about.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drae_acceptance.sides import Sides
from drae_data.manifest import printable

Floats = npt.NDArray[np.float64]
_BINS = 48
# What a spreadsheet takes for the beginning of a formula, which may call programs.
_FORMULA = ("=", "+", "-", "@")
# Scores below are drawn here: the axis is logarithmic.
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class RocCurve:
    """How many defective samples are rejected where how many good ones are.

    Attributes:
        name: of the samples.
        false_reject: share of good samples rejected, float64 [k].
        recall: share of defective samples rejected, float64 [k].
        auroc: area under the curve of all points.
    """

    name: str
    false_reject: Floats
    recall: Floats
    auroc: float


@dataclass(frozen=True)
class DetectionPoint:
    """How often a defective strip with enough valid runs is rejected.

    Attributes:
        defect: types of its defects.
        size: of the largest in pixels; NaN where none is given.
        rejected: runs.
        valid: runs, 1 or more.
    """

    defect: str
    size: float
    rejected: int
    valid: int

    @property
    def share(self) -> float:
        """Of its valid runs, those that are rejected."""
        return self.rejected / self.valid


def histogram(sides: Sides) -> tuple[Floats, tuple[Floats, Floats]]:
    """Bins over the scores of a region, evenly spread over their logarithm; every score is in one of them.

    Args:
        sides: scores of good and of defective patches, at least one.

    Returns:
        Edges, float64 [bins + 1], and how many scores of each side each bin holds, float64 [bins] each. The first bin
        holds all scores below it too, 0 and less among them.
    """
    scores = np.concatenate(sides)
    low, high = max(float(scores.min()), _LEAST), max(float(scores.max()), 2 * _LEAST)
    edges = np.geomspace(low * 0.999, high * 1.001, _BINS + 1)
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0].astype(np.float64) for side in sides]
    return edges, (counts[0], counts[1])


def histogram_table(scores: Mapping[str, Sides], limits: Mapping[str, Mapping[str, float]], protocol: str) -> str:
    """Columns region, name, score, count, protocol: patches per bin by their label, and a row for each threshold.

    Args:
        scores: by region, of good and of defective patches; regions without any have no rows.
        limits: by level, the threshold of each region.
        protocol: of the calibration.
    """
    rows: list[tuple[object, ...]] = []
    for region, sides in scores.items():
        if not any(len(side) for side in sides):
            continue
        edges, counts = histogram(sides)
        middles = np.sqrt(edges[:-1] * edges[1:]).tolist()
        for name, side in zip(("good", "defective"), counts, strict=True):
            rows += [
                (region, f"{region} {name}", f"{middle:.6g}", int(count))
                for middle, count in zip(middles, side.tolist(), strict=True)
            ]
        rows += [
            (region, f"{region} threshold {level}", f"{values[region]:.6g}", 0) for level, values in limits.items()
        ]
    return _csv(("region", "name", "score", "count"), rows, protocol)


def roc_table(curves: Sequence[RocCurve], protocol: str) -> str:
    """Columns name, false_reject, reject_recall, protocol."""
    rows = [
        (curve.name, f"{x:.6f}", f"{y:.6f}")
        for curve in curves
        for x, y in zip(curve.false_reject, curve.recall, strict=True)
    ]
    return _csv(("name", "false_reject", "reject_recall"), rows, protocol)


def detection_table(points: Sequence[DetectionPoint], protocol: str) -> str:
    """Columns name (type of defect), size, rejected, valid, share, protocol."""
    rows = [
        (one.defect, f"{one.size:.1f}" if np.isfinite(one.size) else "", one.rejected, one.valid, f"{one.share:.4f}")
        for one in points
    ]
    return _csv(("name", "size", "rejected", "valid", "share"), rows, protocol)


def curve_table(chances: Floats, confirmed: Floats, protocol: str) -> str:
    """Columns right, confirmed, protocol."""
    rows = ((f"{x:.3f}", f"{y:.6f}") for x, y in zip(chances, confirmed, strict=True))
    return _csv(("right", "confirmed"), rows, protocol)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]], protocol: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*columns, "protocol"))
    writer.writerows((*map(_no_formula, row), protocol) for row in rows)
    return stream.getvalue()


def _no_formula(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: a name from outside that begins as one gets an apostrophe."""
    if not isinstance(cell, str):
        return cell
    # A carriage return would begin a row, and so a cell.
    text = printable(cell)
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.startswith(_FORMULA) else text
    return text
