"""A strip in a run: all its patches, whatever station saw them, summed up as the greatest score of each region.

What counts is decided here once, for every level: a run is valid where each of its acquisitions is, and patches of a
run that is not valid take part nowhere; a strip's label over its runs is the one that all its runs have, valid or not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_acceptance.score_table import ABSENT, VALID, Acquired, ScoreSet
from drae_data.labels import UNKNOWN

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StripRuns:
    """The n strips in a run of a scored set, sorted by strip and run.

    Attributes:
        strip: text [n], name of the strip.
        run: int [n].
        label: text [n], label of the strip in this run.
        valid: bool [n], whether every acquisition of it is valid.
        detail: text [n], why it is not valid; empty where it is.
        defect: text [n], types of its defects; those of the whole strip where it is not valid and states none.
        size: float64 [n], of its largest defect in pixels; NaN where none is given.
        regions: names of the r regions.
        greatest: float64 [n, r], greatest score of its patches in each region; -inf where it has none there.
        patch: int [n, r], row of that patch in the table of scores; -1 where it has none there.
        row_of: int [patches], for each patch of the table of scores its strip in a run.
        strips: by name, each strip over all its runs, those that only the labels name among them.
    """

    strip: npt.NDArray[np.str_]
    run: Indices
    label: npt.NDArray[np.str_]
    valid: Bools
    detail: npt.NDArray[np.str_]
    defect: npt.NDArray[np.str_]
    size: Floats
    regions: tuple[str, ...]
    greatest: Floats
    patch: Indices
    row_of: Indices
    strips: Mapping[str, "StripSummary"]

    def __len__(self) -> int:
        return len(self.strip)

    @property
    def valid_patches(self) -> Bools:
        """Whether each patch of the table of scores belongs to a valid run: bool [patches]."""
        return np.asarray(self.valid[self.row_of], np.bool_)


@dataclass(frozen=True)
class StripSummary:
    """What the acquisitions of a strip, or of a strip in one run, say together.

    Attributes:
        label: good, defective, excluded or unknown; unknown where they differ.
        defect: types of its defects in any of them, sorted and joined by commas; empty where it has none.
        size: of the largest defect in pixels; NaN where none is given.
        detail: what there is to say of those that are not valid; empty where all are.
    """

    label: str
    defect: str
    size: float
    detail: str


def strip_runs(scored: ScoreSet) -> StripRuns:
    """Sums a scored set up by strip and run."""
    places: defaultdict[tuple[str, int], list[Acquired]] = defaultdict(list)
    of_strip: defaultdict[str, list[Acquired]] = defaultdict(list)
    for row in scored.acquisitions:
        of_strip[row.strip].append(row)
        if row.state != ABSENT:
            places[row.strip, row.run].append(row)
    keys = sorted(places)
    strips = {strip: _summary(rows) for strip, rows in sorted(of_strip.items())}
    found = [_summary(places[key]) for key in keys]
    number = {key: index for index, key in enumerate(keys)}
    patches = scored.patches
    row_of = np.array([number[key] for key in zip(patches.strip.tolist(), patches.run.tolist(), strict=True)], np.int64)
    greatest, patch = _greatest(scored, row_of, len(keys))
    return StripRuns(
        strip=np.array([strip for strip, _ in keys], np.str_),
        run=np.array([run for _, run in keys], np.int64),
        label=np.array([one.label for one in found], np.str_),
        valid=np.array([not one.detail for one in found], np.bool_),
        detail=np.array([one.detail for one in found], np.str_),
        defect=np.array([_defect(one, strips[key[0]]) for one, key in zip(found, keys, strict=True)], np.str_),
        size=np.array([one.size for one in found], np.float64),
        regions=scored.card.regions,
        greatest=greatest,
        patch=patch,
        row_of=row_of,
        strips=strips,
    )


def _greatest(scored: ScoreSet, row_of: Indices, many: int) -> tuple[Floats, Indices]:
    """Per strip in a run and region the greatest score and its row; of equal scores the first patch by its key."""
    patches, regions = scored.patches, scored.card.regions
    column = {region: index for index, region in enumerate(regions)}
    column_of = np.array([column[region] for region in patches.region.tolist()])
    greatest = np.full((many, len(regions)), -np.inf)
    patch = np.full(greatest.shape, -1, np.int64)
    order = np.lexsort((patches.region, patches.vial, patches.image, patches.acquisition))
    # By score last: the greatest of each place comes last, and of equal ones the first by key.
    order = order[::-1][np.argsort(patches.score[order[::-1]], kind="stable")]
    greatest[row_of[order], column_of[order]] = patches.score[order]
    patch[row_of[order], column_of[order]] = order
    return greatest, patch


def _summary(rows: Sequence[Acquired]) -> StripSummary:
    labels = {row.strip_label for row in rows}
    defects = sorted({name for row in rows for name in row.defect.split(",") if name})
    return StripSummary(
        label=labels.pop() if len(labels) == 1 else UNKNOWN,
        defect=",".join(defects),
        size=max((row.size for row in rows if np.isfinite(row.size)), default=float("nan")),
        detail="; ".join(f"{row.acquisition}: {row.state}, {row.detail}" for row in rows if row.state != VALID),
    )


def _defect(run: StripSummary, strip: StripSummary) -> str:
    """Types of the defects of a strip in a run; a run that was refused states none, and the strip has them still."""
    return run.defect or (strip.defect if run.detail else "")


def padded(groups: list[npt.NDArray[Any]], width: int, fill: float) -> Floats:
    """Arrays [n_i, r] as one of [groups, width, r], filled up at the end."""
    result = np.full((len(groups), width, groups[0].shape[1]), fill)
    for index, rows in enumerate(groups):
        result[index, : len(rows)] = rows
    return result
