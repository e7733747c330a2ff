"""The figures of the plots as CSV, for `dvc plots`."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from drae_acceptance.report_plots import histogram_edges

Floats = npt.NDArray[np.float64]


def histogram_table(scores: Mapping[str, tuple[Floats, Floats]], limits: Mapping[str, Mapping[str, float]]) -> str:
    """Columns region, name, score, count: patches per bin by their label, and a row for each threshold.

    Args:
        scores: by region, of good and of defective patches.
        limits: by level, the threshold of each region.
    """
    rows: list[tuple[object, ...]] = []
    for region, sides in scores.items():
        edges = histogram_edges(*sides)
        middles = np.sqrt(edges[:-1] * edges[1:])
        for name, side in zip(("good", "defective"), sides, strict=True):
            counts, _ = np.histogram(side, edges)
            rows += [
                (region, f"{region} {name}", f"{middle:.6g}", int(count))
                for middle, count in zip(middles, counts, strict=True)
            ]
        rows += [
            (region, f"{region} threshold {level}", f"{values[region]:.6g}", 0) for level, values in limits.items()
        ]
    return _csv(("region", "name", "score", "count"), rows)


def roc_table(curves: Mapping[str, tuple[Floats, Floats, float]]) -> str:
    """Columns name, false_reject, reject_recall."""
    rows = [
        (name, f"{x:.6f}", f"{y:.6f}")
        for name, (false_reject, recall, _) in curves.items()
        for x, y in zip(false_reject, recall, strict=True)
    ]
    return _csv(("name", "false_reject", "reject_recall"), rows)


def detection_table(points: Sequence[tuple[str, float, int, int]]) -> str:
    """Columns name (type of defect), size, rejected, valid, share."""
    rows = [
        (defect, f"{size:.1f}" if np.isfinite(size) else "", rejected, valid, f"{rejected / valid:.4f}")
        for defect, size, rejected, valid in points
        if valid
    ]
    return _csv(("name", "size", "rejected", "valid", "share"), rows)


def curve_table(chances: Floats, confirmed: Floats) -> str:
    """Columns right, confirmed."""
    return _csv(("right", "confirmed"), ((f"{x:.3f}", f"{y:.6f}") for x, y in zip(chances, confirmed, strict=True)))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()
