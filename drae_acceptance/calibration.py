"""From a scored set to thresholds at the paper's three levels."""

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import CalibrationError
from drae_acceptance.joint_thresholds import Groups
from drae_acceptance.level_thresholds import level_thresholds
from drae_acceptance.options import FOLDS, PATCH, RUN, STRIP, CalibrationOptions, ConfirmRule
from drae_acceptance.score_table import ScoreCard, ScoreSet
from drae_acceptance.sides import patch_sides
from drae_acceptance.strip_runs import StripRuns, padded, strip_runs
from drae_acceptance.threshold_set import Binding, Calibrated, Fold, RegionThreshold, ThresholdSet
from drae_acceptance.thresholds import Goal, region_threshold
from drae_data.labels import DEFECTIVE, GOOD

Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]
_ONE_RUN = ConfirmRule(1, 1, 1)


def calibrate(scored: ScoreSet, options: CalibrationOptions) -> Calibrated:
    """Searches the thresholds of every level on a scored set.

    Patches count by their own labels, strips by theirs; what is unknown or excluded takes no part, nor do patch and
    strip in a run that is not valid, nor at the level `run` a strip with too few valid runs. With the protocol `folds`
    the strips, shuffled by the seed, are shared out evenly by label, and each fold has thresholds of all other strips.

    Args:
        scored: the calibration set; with the protocols `paper` and `folds` the kit itself.
        options: how thresholds are chosen.

    Raises:
        CalibrationError: a level has no good samples, or folds have too few strips.
    """
    runs = strip_runs(scored)
    everything = np.unique(runs.strip)
    folds = _folds(runs, options) if options.protocol == FOLDS else []
    return Calibrated(
        protocol=options.protocol,
        binding=bind(scored.card),
        strips=tuple(everything.tolist()),
        thresholds=_search(scored, runs, everything, options),
        folds=tuple(
            Fold(tuple(fold), _search(scored, runs, np.setdiff1d(everything, fold), options)) for fold in folds
        ),
    )


def bind(card: ScoreCard) -> Binding:
    """What thresholds of this scored set are bound to."""
    return Binding(
        set=card.set,
        model_digest=card.model_digest,
        layout_digest=card.layout_digest,
        images=card.images,
        dataset_digest=card.dataset["digest"],
        labels_digest=card.labels_digest,
        scores_sha256=card.scores_sha256,
        card_digest=card.digest,
    )


def _search(scored: ScoreSet, runs: StripRuns, strips: Texts, options: CalibrationOptions) -> ThresholdSet:
    """The thresholds of all levels on some strips."""
    patch = _patch_level(scored, runs, strips, options)
    levels = {PATCH: patch}
    start = np.array([patch[region].value for region in runs.regions])
    chosen = runs.valid & np.isin(runs.strip, strips)
    for level, rule in ((STRIP, _ONE_RUN), (RUN, options.confirm)):
        groups = _groups(runs, chosen, level, rule)
        if groups is None or groups.defective.all():
            raise CalibrationError(
                f"level {level}: expected good strips with at least {rule.runs_required} valid runs to set thresholds, "
                f"got none of {len(strips)} strips in {scored.card.set}; see its acquisitions.parquet"
            )
        goal = _goal(options, level)
        levels[level] = level_thresholds(groups, runs.regions, goal, start, options.good_quantile, options.seed)
    return ThresholdSet(levels)


def _patch_level(
    scored: ScoreSet, runs: StripRuns, strips: Texts, options: CalibrationOptions
) -> dict[str, RegionThreshold]:
    goal, name = _goal(options, PATCH), scored.card.set
    chosen = runs.valid_patches & np.isin(scored.patches.strip, strips)
    return {
        region: region_threshold(*sides, goal, options.good_quantile, f"level {PATCH}, region {region} of {name}")
        for region, sides in patch_sides(scored.patches, chosen, scored.card.regions).items()
    }


def _groups(runs: StripRuns, chosen: Bools, level: str, rule: ConfirmRule) -> Groups | None:
    """The good and defective strips in a run, each by itself, or gathered by strip; None where none is left.

    A strip in a run has the label of that run, a strip over its runs the one that judging gives it.
    """
    if level == STRIP:
        labelled = [(str(runs.label[row]), np.array([row])) for row in np.flatnonzero(chosen)]
    else:
        labelled = [(strip.label, np.flatnonzero(chosen & (runs.strip == name))) for name, strip in runs.strips.items()]
    found = [
        (label == DEFECTIVE, rows)
        for label, rows in labelled
        if label in (GOOD, DEFECTIVE) and len(rows) >= rule.runs_required
    ]
    if not found:
        return None
    defective, rows = zip(*found, strict=True)
    counts = np.array([len(row) for row in rows])
    scores = padded([runs.greatest[row] for row in rows], int(counts.max()), np.nan)
    return Groups(scores, counts, np.array(defective), rule)


def _goal(options: CalibrationOptions, level: str) -> Goal:
    return Goal(options.goals[level], options.false_reject_ceiling)


def _folds(runs: StripRuns, options: CalibrationOptions) -> list[list[str]]:
    """Strips shared out: the same number of each label in every fold, give or take one."""
    random = np.random.default_rng([options.seed, 3])
    folds: list[list[str]] = [[] for _ in range(options.folds)]
    label = {strip: runs.strips[strip].label for strip in np.unique(runs.strip).tolist()}
    for name in sorted(set(label.values())):
        strips = sorted(strip for strip in label if label[strip] == name)
        if name in (GOOD, DEFECTIVE) and len(strips) < 2:
            raise CalibrationError(
                f"protocol {FOLDS}: expected at least 2 {name} strips, got {len(strips)}; one alone cannot be judged "
                "by others. Take more strips, or another calibrate.protocol"
            )
        for place, index in enumerate(random.permutation(len(strips)).tolist()):
            folds[place % options.folds].append(strips[index])
    return [sorted(fold) for fold in folds if fold]
