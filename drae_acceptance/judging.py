"""From scores and thresholds to verdicts: a patch, a vial, a strip in a run, a strip over its runs."""

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import BindingError
from drae_acceptance.options import PATCH, RUN, STRIP, ConfirmRule
from drae_acceptance.score_table import PatchScores, ScoreSet
from drae_acceptance.strip_runs import StripRuns, strip_runs
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.verdict import (
    ACCEPT,
    CONFIRMED,
    INVALID,
    NOT_CONFIRMED,
    REJECT,
    UNDECIDED,
    Deciding,
    RunVerdict,
    StripVerdict,
    Verdicts,
    VialVerdict,
)
from drae_data.labels import DEFECTIVE, GOOD, UNKNOWN

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def judge(scored: ScoreSet, calibrated: Calibrated, rule: ConfirmRule) -> Verdicts:
    """Judges a scored set.

    Args:
        scored: the kit.
        calibrated: the thresholds; each strip is judged by those that may judge it, see `Calibrated.thresholds_for`.
        rule: when a strip's label is confirmed.

    Raises:
        BindingError: scores and thresholds have other regions.
    """
    runs = strip_runs(scored)
    rejected = _patches(scored.patches, calibrated)
    return Verdicts(
        rejected=rejected,
        valid=runs.valid_patches,
        vials=tuple(_vials(scored.patches, rejected, runs.valid_patches)),
        strips=tuple(_strips(scored.patches, runs, _limits(runs, calibrated, STRIP))),
        runs=tuple(_runs(scored.patches, runs, _limits(runs, calibrated, RUN), rule)),
    )


def judge_runs(scored: ScoreSet, calibrated: Calibrated) -> tuple[StripVerdict, ...]:
    """Strips in a run by the thresholds of the level `run`: what a verdict over runs counts. Raises like `judge`."""
    runs = strip_runs(scored)
    return tuple(_strips(scored.patches, runs, _limits(runs, calibrated, RUN)))


def _patches(patches: PatchScores, calibrated: Calibrated) -> Bools:
    """Whether each patch exceeds its region's threshold at the level `patch`."""
    limits = np.empty(len(patches))
    for strip in np.unique(patches.strip).tolist():
        found = calibrated.thresholds_for(strip).limits(PATCH)
        _check_regions(patches.regions, found)
        here = patches.strip == strip
        limits[here] = [found[region] for region in patches.region[here].tolist()]
    # As float64: NumPy would round a threshold to float32 before it compares.
    return patches.score.astype(np.float64) > limits


def _vials(patches: PatchScores, rejected: Bools, valid: Bools) -> list[VialVerdict]:
    places: dict[tuple[str, int, int], bool] = {}
    labels: dict[tuple[str, int, int], set[str]] = {}
    columns = (patches.strip, patches.run, patches.vial, patches.vial_label, rejected)
    for strip, run, vial, label, over in zip(*(column[valid].tolist() for column in columns), strict=True):
        place = (strip, run, vial)
        places[place] = places.get(place, False) or over
        labels.setdefault(place, set()).add(label)
    return [
        VialVerdict(*place, labels[place].pop() if len(labels[place]) == 1 else UNKNOWN, places[place])
        for place in sorted(places)
    ]


def _limits(runs: StripRuns, calibrated: Calibrated, level: str) -> Floats:
    """The thresholds that judge each strip in a run: float64 [n, r]."""
    rows = []
    for strip in runs.strip.tolist():
        found = calibrated.thresholds_for(strip).limits(level)
        _check_regions(runs.regions, found)
        rows.append([found[region] for region in runs.regions])
    return np.array(rows, np.float64).reshape(len(runs), len(runs.regions))


def _check_regions(regions: tuple[str, ...], limits: dict[str, float]) -> None:
    if sorted(regions) != sorted(limits):
        raise BindingError(
            f"thresholds: expected one for each of the regions {', '.join(sorted(regions))}, got "
            f"{', '.join(sorted(limits))}; run python -m pipelines.calibrate on scores of the same strip layout"
        )


def threshold_ratios(greatest: Floats, limits: Floats) -> Floats:
    """Scores over thresholds; see `Deciding.ratio`.

    Args:
        greatest: scores, float64.
        limits: thresholds, float64 of the same shape.
    """
    over = np.where(greatest > limits, np.inf, 0.0)
    # A score over a threshold next to nothing is more than a number can hold: inf.
    with np.errstate(over="ignore"):
        return np.divide(greatest, limits, out=over, where=limits > 0)


def _strips(patches: PatchScores, runs: StripRuns, limits: Floats) -> list[StripVerdict]:
    over = np.any(runs.greatest > limits, axis=1)
    found = []
    for row in range(len(runs)):
        verdict = (REJECT if over[row] else ACCEPT) if runs.valid[row] else INVALID
        found.append(
            StripVerdict(
                strip=str(runs.strip[row]), run=int(runs.run[row]), label=str(runs.label[row]), verdict=verdict,
                deciding=_deciding(patches, runs, limits, np.array([row])),
                defect=str(runs.defect[row]), size=float(runs.size[row]), detail=str(runs.detail[row]),
            )
        )  # fmt: skip
    return found


def _deciding(patches: PatchScores, runs: StripRuns, limits: Floats, rows: npt.NDArray[np.int64]) -> Deciding | None:
    """The patch with the greatest ratio among some strips in a run."""
    rows = rows[(runs.patch[rows] >= 0).any(axis=1)]
    if not len(rows):
        return None
    ratios = threshold_ratios(runs.greatest[rows], limits[rows])
    place, region = (int(index) for index in np.unravel_index(int(np.argmax(ratios)), ratios.shape))
    row = int(rows[place])
    return Deciding(
        patch=patches.key_at(int(runs.patch[row, region])),
        region=runs.regions[region],
        score=float(runs.greatest[row, region]),
        threshold=float(limits[row, region]),
        ratio=float(ratios[place, region]),
    )


def _runs(patches: PatchScores, runs: StripRuns, limits: Floats, rule: ConfirmRule) -> list[RunVerdict]:
    over = np.any(runs.greatest > limits, axis=1)
    found = []
    for strip, summary in runs.strips.items():
        valid = np.flatnonzero((runs.strip == strip) & runs.valid)
        rejected = int(over[valid].sum())
        state, verdict = _confirmation(summary.label, len(valid), rejected, rule)
        found.append(
            RunVerdict(
                strip=strip, label=summary.label, valid=len(valid), rejected=rejected, state=state, verdict=verdict,
                deciding=_deciding(patches, runs, limits, valid),
                defect=summary.defect, size=summary.size, detail=summary.detail,
            )
        )  # fmt: skip
    return found


def _confirmation(label: str, valid: int, rejected: int, rule: ConfirmRule) -> tuple[str, str]:
    """State and verdict of a strip over its runs."""
    if valid < rule.runs_required:
        return INVALID, INVALID
    reject, accept = rule.confirmed(rejected, valid), rule.confirmed(valid - rejected, valid)
    verdict = REJECT if reject else ACCEPT if accept else UNDECIDED
    right = (label == DEFECTIVE and reject) or (label == GOOD and accept)
    return CONFIRMED if right else NOT_CONFIRMED, verdict
