"""A strip in a run: all its patches, whatever station saw them, summed up as the greatest score of each region."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_acceptance.score_table import ABSENT, VALID, Acquired, ScoreSet
from drae_data.labels import UNKNOWN

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StripRuns:
    """The n strips in a run of a scored set, sorted by strip and run.

    Attributes:
        strip: text [n], name of the strip.
        run: int [n].
        label: text [n], label of the strip in this run.
        valid: bool [n], whether every acquisition of it is valid.
        detail: text [n], why it is not valid; empty where it is.
        defect: text [n], types of its defects; empty where it has none.
        size: float64 [n], of its largest defect in pixels; NaN where none is given.
        regions: names of the r regions.
        greatest: float64 [n, r], greatest score of its patches in each region; -inf where it has none there.
        patch: int [n, r], row of that patch in the table of scores; -1 where it has none there.
        absent: names of strips that only the labels name, with their label.
    """

    strip: npt.NDArray[np.str_]
    run: npt.NDArray[np.int64]
    label: npt.NDArray[np.str_]
    valid: Bools
    detail: npt.NDArray[np.str_]
    defect: npt.NDArray[np.str_]
    size: Floats
    regions: tuple[str, ...]
    greatest: Floats
    patch: npt.NDArray[np.int64]
    absent: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.strip)


def strip_runs(scored: ScoreSet) -> StripRuns:
    """Sums a scored set up by strip and run.

    A run of a strip is valid where every acquisition of it, one for each station, is. Where its acquisitions have
    different labels, its label is unknown.
    """
    places: defaultdict[tuple[str, int], list[Acquired]] = defaultdict(list)
    for row in scored.acquisitions:
        if row.state != ABSENT:
            places[row.strip, row.run].append(row)
    keys = sorted(places)
    number = {key: index for index, key in enumerate(keys)}
    regions = scored.card.regions
    greatest, patch = _greatest(scored, number, regions)
    found = [_summary(places[key]) for key in keys]
    absent = {(row.strip, row.strip_label) for row in scored.acquisitions if row.state == ABSENT}
    return StripRuns(
        strip=np.array([strip for strip, _ in keys], np.str_),
        run=np.array([run for _, run in keys], np.int64),
        label=np.array([label for label, _, _, _ in found], np.str_),
        valid=np.array([not detail for _, detail, _, _ in found], np.bool_),
        detail=np.array([detail for _, detail, _, _ in found], np.str_),
        defect=np.array([defect for _, _, defect, _ in found], np.str_),
        size=np.array([size for _, _, _, size in found], np.float64),
        regions=regions,
        greatest=greatest,
        patch=patch,
        absent=tuple(sorted(absent)),
    )


def _greatest(
    scored: ScoreSet, number: dict[tuple[str, int], int], regions: tuple[str, ...]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Per strip in a run and region the greatest score and its row; of equal scores the first patch by its key."""
    patches = scored.patches
    column = {region: index for index, region in enumerate(regions)}
    row_of = np.array([number[key] for key in zip(patches.strip.tolist(), patches.run.tolist(), strict=True)])
    column_of = np.array([column[region] for region in patches.region.tolist()])
    greatest = np.full((len(number), len(regions)), -np.inf)
    patch = np.full(greatest.shape, -1, np.int64)
    order = np.lexsort((patches.region, patches.vial, patches.image, patches.acquisition))
    # By score last: the greatest of each place comes last, and of equal ones the first by key.
    order = order[::-1][np.argsort(patches.score[order[::-1]], kind="stable")]
    greatest[row_of[order], column_of[order]] = patches.score[order]
    patch[row_of[order], column_of[order]] = order
    return greatest, patch


def _summary(rows: list[Acquired]) -> tuple[str, str, str, float]:
    """Label, what is wrong, types of defects and largest size of the acquisitions of one strip in one run."""
    labels = {row.strip_label for row in rows}
    detail = "; ".join(f"{row.acquisition}: {row.state}, {row.detail}" for row in rows if row.state != VALID)
    defects = sorted({name for row in rows for name in row.defect.split(",") if name})
    sizes = [row.size for row in rows if np.isfinite(row.size)]
    label = labels.pop() if len(labels) == 1 else UNKNOWN
    return label, detail, ",".join(defects), max(sizes, default=float("nan"))


def padded(groups: list[npt.NDArray[Any]], width: int, fill: float) -> Floats:
    """Arrays [n_i, r] as one of [groups, width, r], filled up at the end."""
    result = np.full((len(groups), width, groups[0].shape[1]), fill)
    for index, rows in enumerate(groups):
        result[index, : len(rows)] = rows
    return result
