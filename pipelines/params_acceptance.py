"""Sections `acceptance`, `calibrate` and `evaluate` of `params.yaml`: thresholds, verdicts and the report."""

from typing import Annotated, Literal

from pydantic import Field

from drae_acceptance.options import LEVELS, AcceptanceOptions, CalibrationOptions, ConfirmRule, Criteria
from pipelines.params_section import Section

Number = int | float
Whole = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Goal = Literal["accuracy", "balanced_accuracy", "reject_recall"]


class ConfirmParams(Section):
    """How many of a strip's runs must be right: `at_least` of `of`."""

    at_least: Whole
    of: Whole


class AcceptanceParams(Section):
    """Section `acceptance`: when the runs of a strip confirm its label."""

    runs_required: Whole
    confirm: ConfirmParams

    def options(self) -> ConfirmRule:
        """The checked rule; raises `OptionError`."""
        return ConfirmRule(self.runs_required, self.confirm.at_least, self.confirm.of)


class GoalsParams(Section):
    """Section `calibrate.goals`: what the thresholds of each level are chosen for."""

    patch: Goal
    strip: Goal
    run: Goal


class CalibrateParams(Section):
    """Section `calibrate`: see `drae_acceptance.options.CalibrationOptions`."""

    set: Text
    folder: Text
    protocol: Literal["disjoint", "paper", "folds"]
    goals: GoalsParams
    false_reject_ceiling: Number
    good_quantile: Number
    folds: Whole
    seed: Count
    reason: str
    author: str

    def options(self, confirm: ConfirmRule) -> CalibrationOptions:
        """The checked options; raises `OptionError`."""
        return CalibrationOptions(
            protocol=self.protocol,
            goals={level: getattr(self.goals, level) for level in LEVELS},
            false_reject_ceiling=float(self.false_reject_ceiling),
            good_quantile=float(self.good_quantile),
            folds=self.folds,
            seed=self.seed,
            confirm=confirm,
        )


class BootstrapParams(Section):
    """Section `evaluate.bootstrap`: intervals by drawing strips anew."""

    resamples: Whole
    seed: Count


class CriteriaParams(Section):
    """Section `evaluate.criteria`: what the confirmed strips must reach; null asks for nothing."""

    accuracy: Number | None
    accept_recall: Number | None
    reject_recall: Number | None


class EvaluateParams(Section):
    """Section `evaluate`: see `drae_acceptance.options.AcceptanceOptions`."""

    set: Text
    folder: Text
    page: Annotated[str, Field(pattern=r".+\.html$")]
    tables: Text
    inspectors: str | None
    confidence: Number
    bootstrap: BootstrapParams
    criteria: CriteriaParams
    gallery: Count

    def options(self, confirm: ConfirmRule) -> AcceptanceOptions:
        """The checked options; raises `OptionError`."""
        return AcceptanceOptions(
            confirm=confirm,
            confidence=float(self.confidence),
            resamples=self.bootstrap.resamples,
            seed=self.bootstrap.seed,
            criteria=Criteria(**self.criteria.model_dump()),
        )
