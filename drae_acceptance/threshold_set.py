"""Thresholds as verdicts use them: per level and region one number; a patch is rejected where its score is greater."""

from collections.abc import Mapping
from dataclasses import dataclass

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import LEVELS, PROTOCOLS

# How a threshold came about.
SEARCHED, QUANTILE = "searched", "quantile"


@dataclass(frozen=True)
class RegionThreshold:
    """The threshold of one region at one level.

    Attributes:
        value: a patch is rejected where its score is greater; ties are accepted.
        how: `searched` for the level's goal, `quantile` of good scores where the region has no defective samples, or
            `equal scores` where all its scores are one number, which is the threshold.
        good: samples of the search that are good: patches, strips in a run, or strips, by level.
        defective: samples of the search that are defective.
    """

    value: float
    how: str
    good: int
    defective: int


@dataclass(frozen=True)
class ThresholdSet:
    """Thresholds of every level and region.

    Attributes:
        levels: for each of `LEVELS` every region's threshold.
    """

    levels: Mapping[str, Mapping[str, RegionThreshold]]

    def __post_init__(self) -> None:
        regions = {level: sorted(self.levels.get(level, {})) for level in LEVELS}
        if set(self.levels) != set(LEVELS) or len(set(map(tuple, regions.values()))) != 1 or not regions[LEVELS[0]]:
            raise CalibrationError(
                f"thresholds: expected each of {', '.join(LEVELS)} with the same regions, got {regions}"
            )

    def limits(self, level: str) -> dict[str, float]:
        """The number of each region at a level."""
        return {region: threshold.value for region, threshold in self.levels[level].items()}


@dataclass(frozen=True)
class Fold:
    """Thresholds that were searched without some strips, and judge those.

    Attributes:
        strips: their names, sorted.
        thresholds: searched on all others.
    """

    strips: tuple[str, ...]
    thresholds: ThresholdSet


@dataclass(frozen=True)
class Binding:
    """What thresholds were searched on, and with what else they are refused.

    Attributes:
        set: name of the calibration set.
        model_digest: of the model that scored it.
        layout_digest: of the strip layout.
        images: of each acquisition that were scored, such as `f00`.
        dataset_digest: of the calibration set's version.
        labels_digest: of its labels.
        scores_sha256: of its `scores.parquet`.
        card_digest: of its card, see `ScoreCard.digest`: of all of the above, its acquisitions and how it was scored.
    """

    set: str
    model_digest: str
    layout_digest: str
    images: tuple[str, ...]
    dataset_digest: str
    labels_digest: str
    scores_sha256: str
    card_digest: str


@dataclass(frozen=True)
class Calibrated:
    """The outcome of a calibration.

    Attributes:
        protocol: a member of `PROTOCOLS`.
        binding: what it was made from.
        strips: names of the strips that the thresholds know, sorted.
        thresholds: searched on all strips.
        folds: with the protocol `folds` the thresholds that judge each strip; else empty.
    """

    protocol: str
    binding: Binding
    strips: tuple[str, ...]
    thresholds: ThresholdSet
    folds: tuple[Fold, ...]

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise CalibrationError(
                f"thresholds: expected a protocol among {', '.join(PROTOCOLS)}, got {self.protocol!r}"
            )

    @property
    def optimistic(self) -> bool:
        """Whether the judged strips chose the thresholds, as in the paper: then every figure is too good."""
        return self.protocol == "paper"

    def thresholds_for(self, strip: str) -> ThresholdSet:
        """The thresholds that judge a strip: with folds those that never saw it."""
        for fold in self.folds:
            if strip in fold.strips:
                return fold.thresholds
        return self.thresholds
