"""What decides thresholds, verdicts and acceptance, checked at birth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from drae_data.errors import OptionError

# The paper's three levels, in the order of its tables: a patch; a strip in one run; a strip over all its runs.
PATCH, STRIP, RUN = "patch", "strip", "run"
LEVELS = (PATCH, STRIP, RUN)
# What a threshold is chosen for.
ACCURACY, BALANCED, REJECT_RECALL = "accuracy", "balanced_accuracy", "reject_recall"
GOALS = (ACCURACY, BALANCED, REJECT_RECALL)
# How calibration and judgement share strips: other strips; the same (the paper); each strip by the others' thresholds.
DISJOINT, PAPER, FOLDS = "disjoint", "paper", "folds"
PROTOCOLS = (DISJOINT, PAPER, FOLDS)
Runs = TypeVar("Runs", int, npt.NDArray[np.int64])


@dataclass(frozen=True)
class ConfirmRule:
    """When a strip's label is confirmed by its runs; in the paper at least 7 of 10, section 7.4.

    Of N valid runs, n of them right, `of` n >= `at_least` N must hold, in whole numbers: 7 of 10, 8 of 11, 1 of 1.

    Attributes:
        runs_required: a strip with fewer valid runs is invalid, and never passes.
        at_least: see above.
        of: see above.
    """

    runs_required: int
    at_least: int
    of: int

    def __post_init__(self) -> None:
        if self.runs_required < 1:
            raise OptionError("acceptance.runs_required", self.runs_required, "a whole number, 1 or more")
        if not 0 < self.at_least <= self.of:
            raise OptionError("acceptance.confirm", [self.at_least, self.of], "at_least from 1 to `of`")
        if 2 * self.at_least <= self.of:
            raise OptionError(
                "acceptance.confirm", [self.at_least, self.of], "more than half: else both labels are confirmed at once"
            )

    def needed(self, valid: Runs) -> Runs:
        """The fewest right ones of `valid` runs that confirm a label: 7 of 10, 8 of 11; an array gives an array."""
        return -(-self.at_least * valid // self.of)

    def confirmed(self, right: int, valid: int) -> bool:
        """Whether `right` of `valid` runs confirm a label; False where too few runs are valid."""
        return valid >= self.runs_required and right >= self.needed(valid)


@dataclass(frozen=True)
class CalibrationOptions:
    """How thresholds are chosen.

    Attributes:
        protocol: a member of `PROTOCOLS`.
        goals: for each of `LEVELS` a member of `GOALS`.
        false_reject_ceiling: with the goal `reject_recall` the largest allowed share of good ones rejected, 0 to 1.
        good_quantile: without defective samples thresholds accept the smallest share of good samples that is at least
            this one, 0 to 1: of a region's patches; of strips in a run, and of strips, by all regions together.
        folds: parts of the strips with the protocol `folds`.
        seed: of the folds.
        confirm: when a strip's label is confirmed, for the level `run`.
    """

    protocol: Literal["disjoint", "paper", "folds"]
    goals: Mapping[str, str]
    false_reject_ceiling: float
    good_quantile: float
    folds: int
    seed: int
    confirm: ConfirmRule

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise OptionError("calibrate.protocol", self.protocol, f"one of {', '.join(PROTOCOLS)}")
        if set(self.goals) != set(LEVELS) or any(goal not in GOALS for goal in self.goals.values()):
            raise OptionError("calibrate.goals", dict(self.goals), f"each of {', '.join(LEVELS)} with one of {GOALS}")
        if not 0 <= self.false_reject_ceiling < 1:
            raise OptionError("calibrate.false_reject_ceiling", self.false_reject_ceiling, "a share from 0 to below 1")
        if not 0 < self.good_quantile <= 1:
            raise OptionError("calibrate.good_quantile", self.good_quantile, "a share above 0, at most 1")
        if self.folds < 2:
            raise OptionError("calibrate.folds", self.folds, "a whole number, 2 or more")


@dataclass(frozen=True)
class Criteria:
    """What the confirmed strips must reach at the level `run`, each from 0 to 1; None asks for nothing.

    Attributes:
        accuracy: share of strips whose label is confirmed.
        accept_recall: share of good strips that are confirmed good.
        reject_recall: share of defective strips that are confirmed defective.
    """

    accuracy: float | None
    accept_recall: float | None
    reject_recall: float | None

    def __post_init__(self) -> None:
        for name in ("accuracy", "accept_recall", "reject_recall"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise OptionError(f"evaluate.criteria.{name}", value, "a share from 0 to 1, or null")


@dataclass(frozen=True)
class AcceptanceOptions:
    """How a kit is judged.

    Attributes:
        confirm: when a strip's label is confirmed.
        confidence: of every interval, above 0, below 1.
        resamples: of the bootstrap by strip.
        seed: of the bootstrap.
        criteria: what is asked of the level `run`.
    """

    confirm: ConfirmRule
    confidence: float
    resamples: int
    seed: int
    criteria: Criteria

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise OptionError("evaluate.confidence", self.confidence, "a share between 0 and 1")
        if self.resamples < 100:
            raise OptionError("evaluate.bootstrap.resamples", self.resamples, "a whole number, 100 or more")
