"""From a scored set to thresholds at the paper's three levels; and whether thresholds may judge a kit."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import BindingError, CalibrationError
from drae_acceptance.joint_thresholds import Groups, joint_search
from drae_acceptance.options import DISJOINT, FOLDS, PAPER, PATCH, RUN, STRIP, CalibrationOptions, ConfirmRule
from drae_acceptance.score_table import ScoreCard, ScoreSet
from drae_acceptance.strip_runs import StripRuns, padded, strip_runs
from drae_acceptance.threshold_set import (
    QUANTILE,
    SEARCHED,
    Binding,
    Calibrated,
    Fold,
    RegionThreshold,
    ThresholdSet,
)
from drae_acceptance.thresholds import Goal, region_threshold
from drae_data.labels import DEFECTIVE, GOOD

Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]
_ONE_RUN = ConfirmRule(1, 1, 1)
_MOST_NAMED = 5


def calibrate(scored: ScoreSet, options: CalibrationOptions) -> Calibrated:
    """Searches the thresholds of every level on a scored set.

    Patches count by their own labels, strips by theirs; what is unknown or excluded takes no part, nor does a strip in
    a run that is not valid, nor at the level `run` a strip with too few valid runs. With the protocol `folds` the
    strips, shuffled by the seed, are shared out evenly by label, and each fold has thresholds of all other strips.

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
    return Binding(card.set, card.model_digest, card.layout_digest, card.dataset["digest"], card.labels_digest)


def check_binding(calibrated: Calibrated, kit: ScoreCard, calibration: ScoreCard) -> None:
    """Whether thresholds belong to the scores that they shall judge, and to the calibration set as it is now.

    Args:
        calibrated: the thresholds.
        kit: card of the scores to judge.
        calibration: card of the scores of the calibration set.

    Raises:
        BindingError: model or layout are not the kit's, or set, dataset or labels not the calibration set's.
    """
    binding, again = calibrated.binding, "run python -m pipelines.calibrate"
    rescore = f"run python -m pipelines.score --set {kit.set}, then python -m pipelines.calibrate"
    for what, ours, theirs, place, advice in (
        ("model", binding.model_digest, kit.model_digest, f"scores of {kit.set}", rescore),
        ("strip layout", binding.layout_digest, kit.layout_digest, f"scores of {kit.set}", rescore),
        ("calibration set", binding.set, calibration.set, "scores of calibrate.set", again),
        ("model", binding.model_digest, calibration.model_digest, f"scores of {calibration.set}", again),
        ("dataset", binding.dataset_digest, calibration.dataset["digest"], f"scores of {calibration.set}", again),
        ("labels", binding.labels_digest, calibration.labels_digest, f"scores of {calibration.set}", again),
    ):
        if ours != theirs:
            raise BindingError(f"thresholds: expected those of the {what} {theirs} ({place}), got {ours}; {advice}")
    if kit.score != calibration.score:
        raise BindingError(
            f"thresholds: expected scores of one kind, got {dict(calibration.score)} in {calibration.set} and "
            f"{dict(kit.score)} in {kit.set}; {rescore}"
        )


def check_protocol(calibrated: Calibrated, kit: ScoreSet) -> None:
    """Whether calibration set and kit share strips as the protocol says.

    Raises:
        BindingError: with the protocol `disjoint` some strips are in both; with the others the kit is another set.
    """
    if calibrated.protocol != DISJOINT:
        if calibrated.binding.dataset_digest != kit.card.dataset["digest"]:
            raise BindingError(
                f"protocol {calibrated.protocol}: expected calibrate.set to be the kit itself, {kit.card.set}, got "
                f"{calibrated.binding.set}; set calibrate.set: {kit.card.set}, or calibrate.protocol: {DISJOINT}"
            )
        return
    shared = sorted(set(calibrated.strips) & set(kit.patches.strip.tolist()))
    if shared or calibrated.binding.dataset_digest == kit.card.dataset["digest"]:
        named = ", ".join(shared[:_MOST_NAMED]) + (", ..." if len(shared) > _MOST_NAMED else "")
        raise BindingError(
            f"protocol {DISJOINT}: expected other strips in {calibrated.binding.set} than in {kit.card.set}, got "
            f"{len(shared)} in both: {named}. Take other strips, or set calibrate.protocol to {FOLDS} (each strip by "
            f"the others' thresholds) or to {PAPER} (the kit's own, optimistic)"
        )


def _search(scored: ScoreSet, runs: StripRuns, strips: Texts, options: CalibrationOptions) -> ThresholdSet:
    """The thresholds of all levels on some strips."""
    patch = _patch_level(scored, strips, options)
    levels = {PATCH: patch}
    start = np.array([patch[region].value for region in runs.regions])
    chosen = runs.valid & np.isin(runs.strip, strips) & np.isin(runs.label, (GOOD, DEFECTIVE))
    for level, rule in ((STRIP, _ONE_RUN), (RUN, options.confirm)):
        groups = _groups(runs, chosen, level, rule)
        if groups is None or groups.defective.all():
            raise CalibrationError(
                f"level {level}: expected good strips with at least {rule.runs_required} valid runs to set thresholds, "
                f"got none of {len(strips)} strips in {scored.card.set}; see its acquisitions.parquet"
            )
        levels[level] = _strip_level(groups, runs.regions, level, start, options)
    return ThresholdSet(levels)


def _patch_level(scored: ScoreSet, strips: Texts, options: CalibrationOptions) -> dict[str, RegionThreshold]:
    patches = scored.patches
    among, goal = np.isin(patches.strip, strips), _goal(options, PATCH)
    found = {}
    for region in scored.card.regions:
        here = among & (patches.region == region)
        good, defective = (patches.score[here & (patches.label == label)].astype(float) for label in (GOOD, DEFECTIVE))
        place = f"level {PATCH}, region {region} of {scored.card.set}"
        found[region] = region_threshold(good, defective, goal, options.good_quantile, place)
    return found


def _groups(runs: StripRuns, chosen: Bools, level: str, rule: ConfirmRule) -> Groups | None:
    """The strips in a run, each by itself, or gathered by strip; None where none is left."""
    if level == STRIP:
        rows = [np.array([index]) for index in np.flatnonzero(chosen)]
    else:
        rows = [np.flatnonzero(chosen & (runs.strip == strip)) for strip in np.unique(runs.strip[chosen])]
        # A strip whose runs have different labels has none.
        rows = [row for row in rows if len(row) >= rule.runs_required and len(set(runs.label[row].tolist())) == 1]
    if not rows:
        return None
    counts = np.array([len(row) for row in rows])
    scores = padded([runs.greatest[row] for row in rows], int(counts.max()), np.nan)
    defective = np.array([runs.label[row[0]] == DEFECTIVE for row in rows])
    return Groups(scores, counts, defective, rule)


def _strip_level(
    groups: Groups, regions: Sequence[str], level: str, start: npt.NDArray[np.float64], options: CalibrationOptions
) -> dict[str, RegionThreshold]:
    """The thresholds of all regions together; without defective strips a quantile of the good ones in each region."""
    good, defective = int((~groups.defective).sum()), int(groups.defective.sum())
    if defective:
        limits, how = joint_search(groups, _goal(options, level), [start], options.seed), SEARCHED
    else:
        seen = groups.scores.reshape(-1, len(regions))
        limits = np.nanquantile(seen, options.good_quantile, axis=0, method="higher")
        how = QUANTILE
    pairs = zip(regions, limits.tolist(), strict=True)
    return {region: RegionThreshold(value, how, good, defective) for region, value in pairs}


def _goal(options: CalibrationOptions, level: str) -> Goal:
    return Goal(options.goals[level], options.false_reject_ceiling)


def _folds(runs: StripRuns, options: CalibrationOptions) -> list[list[str]]:
    """Strips shared out: the same number of each label in every fold, give or take one."""
    random = np.random.default_rng([options.seed, 3])
    folds: list[list[str]] = [[] for _ in range(options.folds)]
    label = {strip: str(runs.label[runs.strip == strip][0]) for strip in np.unique(runs.strip).tolist()}
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
