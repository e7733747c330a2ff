"""What to say of thresholds that rest on less than they should, by level and region."""

from collections.abc import Iterator

from drae_acceptance.names import first_names
from drae_acceptance.options import LEVELS, PATCH, RUN, STRIP
from drae_acceptance.threshold_set import QUANTILE, SEARCHED, Calibrated, ThresholdSet
from drae_acceptance.thresholds import EQUAL


def calibration_warnings(calibrated: Calibrated) -> tuple[str, ...]:
    """Sentences on the thresholds of all strips, then on those of folds where these rest on still less."""
    found = list(_warnings(calibrated.thresholds))
    for number, fold in enumerate(calibrated.folds, 1):
        found += [f"Fold {number}. {text}" for text in _warnings(fold.thresholds) if text not in found]
    return tuple(found)


def _warnings(thresholds: ThresholdSet) -> Iterator[str]:
    for level in LEVELS:
        for region, one in thresholds.levels[level].items():
            if one.how == EQUAL:
                yield (
                    f"Level {level}, region {region}: all scores of the calibration are equal, {one.value:.6g}; its "
                    "threshold is that score and tells nothing apart."
                )
    patch = thresholds.levels[PATCH]
    if by_quantile := [region for region, one in patch.items() if one.how == QUANTILE]:
        yield (
            f"Level {PATCH}, no labelled defects in {_regions(by_quantile)}: the threshold is the stated quantile of "
            "good scores."
        )
    unmarked = [region for region, one in patch.items() if not one.defective]
    for level in (STRIP, RUN):
        found = thresholds.levels[level]
        if any(one.how == QUANTILE for one in found.values()):
            yield f"Level {level}, no defective strips: thresholds accept the stated share of good ones."
        elif searched := [region for region in unmarked if found[region].how == SEARCHED]:
            yield (
                f"Level {level}, no labelled defects in {_regions(searched)}: the threshold was searched by labels of "
                "whole strips alone."
            )


def _regions(names: list[str]) -> str:
    return f"region{'s' if len(names) > 1 else ''} {first_names(names)}"
