"""The acceptance of a kit: rates at every level, detection by defect, and whether the evidence supports acceptance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drae_acceptance.detections import Detection, detections
from drae_acceptance.discrimination import auroc, average_precision
from drae_acceptance.level_rates import LevelRates, confirmed_rates, sample_rates, strip_rates
from drae_acceptance.options import STRIP, AcceptanceOptions
from drae_acceptance.rates import Rate
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.sides import Sides, patch_sides, strip_sides
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.threshold_warnings import calibration_warnings
from drae_acceptance.thresholds import all_equal
from drae_acceptance.timing import Timing
from drae_acceptance.verdict import INVALID, RunVerdict, StripVerdict, Verdicts
from drae_data.labels import DEFECTIVE, GOOD

SUPPORTED, NOT_SUPPORTED, INCOMPLETE = "supports acceptance", "does not support acceptance", "incomplete"


@dataclass(frozen=True)
class Discrimination:
    """How well the scores of one region, or the ratios of strips, tell defective from good.

    Attributes:
        good: samples.
        defective: samples.
        auroc: see `drae_acceptance.discrimination.auroc`; NaN where a side is empty.
        average_precision: see there.
    """

    good: int
    defective: int
    auroc: float
    average_precision: float


@dataclass(frozen=True)
class CriterionOutcome:
    """A criterion and what was reached.

    Attributes:
        name: accuracy, accept_recall or reject_recall.
        required: at least this share.
        reached: the rate.
        met: whether it is; False where there are no samples.
    """

    name: str
    required: float
    reached: Rate
    met: bool


@dataclass(frozen=True)
class Acceptance:
    """All figures of a kit.

    Attributes:
        optimistic: whether the kit chose its own thresholds: then every figure is too good.
        protocol: see `Calibrated.protocol`.
        regions: rates of patches of valid runs by region.
        vials: rates of vials of a valid strip in a run.
        strips: rates of strips in a run; those that are invalid count as wrong.
        runs: rates of strips over their runs; invalid ones count as not confirmed.
        detections: by type of defect, sorted.
        region_discriminations: by region, of patches of valid runs.
        discriminations: at the level `strip`, of the ratios of valid strips in a run.
        criteria: what was asked, and reached.
        human_comparison: whether the machine is at least as good as the human inspectors; None where it is not known.
        missing: what the evidence lacks to support acceptance, in words; empty where it lacks nothing.
        outcome: `SUPPORTED`, `NOT_SUPPORTED` or `INCOMPLETE`.
        warnings: what to know of thresholds and scores that rest on less than they should, a sentence each.
        invalid: verdicts that are invalid, of strips in a run and of strips.
        uncounted: strips whose label is neither good nor defective.
        timing: None where it was not measured.
    """

    optimistic: bool
    protocol: str
    regions: Mapping[str, LevelRates]
    vials: LevelRates
    strips: LevelRates
    runs: LevelRates
    detections: tuple[Detection, ...]
    region_discriminations: Mapping[str, Discrimination]
    discriminations: Mapping[str, Discrimination]
    criteria: tuple[CriterionOutcome, ...]
    human_comparison: bool | None
    missing: tuple[str, ...]
    outcome: str
    warnings: tuple[str, ...]
    invalid: tuple[StripVerdict | RunVerdict, ...]
    uncounted: tuple[RunVerdict, ...]
    timing: Timing | None


def accept(
    scored: ScoreSet, calibrated: Calibrated, verdicts: Verdicts, options: AcceptanceOptions,
    human_comparison: bool | None, timing: Timing | None,
) -> Acceptance:  # fmt: skip
    """Sums verdicts up.

    Args:
        scored: the kit.
        calibrated: the thresholds that judged it.
        verdicts: on it.
        options: confidence, bootstrap, criteria.
        human_comparison: see `Acceptance`.
        timing: of the same model.
    """
    regions = scored.card.regions
    runs = confirmed_rates(verdicts.runs, options)
    criteria = tuple(_criteria(runs, options))
    missing = tuple(_missing(calibrated.optimistic, verdicts.runs, criteria, human_comparison))
    sides = patch_sides(scored.patches, verdicts.valid, regions)
    return Acceptance(
        optimistic=calibrated.optimistic,
        protocol=calibrated.protocol,
        regions={region: _region_rates(scored, verdicts, region, options) for region in regions},
        vials=sample_rates(((one.label, one.rejected, one.strip) for one in verdicts.vials), options),
        strips=strip_rates(verdicts.strips, options),
        runs=runs,
        detections=detections(scored, verdicts, options),
        region_discriminations={region: _discrimination(sides[region]) for region in regions},
        discriminations={STRIP: _discrimination(strip_sides(verdicts.strips))},
        criteria=criteria,
        human_comparison=human_comparison,
        missing=missing,
        outcome=_outcome(criteria, human_comparison, missing),
        warnings=(*calibration_warnings(calibrated), *_equal_scores(sides)),
        invalid=(
            *(one for one in verdicts.strips if one.verdict == INVALID),
            *(one for one in verdicts.runs if one.verdict == INVALID),
        ),
        uncounted=tuple(one for one in verdicts.runs if one.label not in (GOOD, DEFECTIVE)),
        timing=timing,
    )


def _region_rates(scored: ScoreSet, verdicts: Verdicts, region: str, options: AcceptanceOptions) -> LevelRates:
    patches = scored.patches
    here = verdicts.valid & (patches.region == region)
    columns = (patches.label, verdicts.rejected, patches.strip)
    return sample_rates(zip(*(column[here].tolist() for column in columns), strict=True), options)


def _discrimination(sides: Sides) -> Discrimination:
    good, defective = sides
    return Discrimination(len(good), len(defective), auroc(good, defective), average_precision(good, defective))


def _criteria(runs: LevelRates, options: AcceptanceOptions) -> Iterable[CriterionOutcome]:
    for name in ("accuracy", "accept_recall", "reject_recall"):
        required = getattr(options.criteria, name)
        if required is not None:
            reached: Rate = getattr(runs, name)
            yield CriterionOutcome(name, required, reached, reached.value is not None and reached.value >= required)


def _missing(
    optimistic: bool, runs: Sequence[RunVerdict], criteria: Sequence[CriterionOutcome], human_comparison: bool | None
) -> Iterable[str]:
    """What the evidence lacks, whatever its figures are."""
    if optimistic:
        yield "optimistic: the judged strips chose the thresholds"
    for label in (GOOD, DEFECTIVE):
        if not any(one.label == label and one.verdict != INVALID for one in runs):
            yield f"no valid {label} strip was judged"
    if not criteria:
        yield "no criterion was asked"
    if human_comparison is None:
        yield "comparison with human inspectors not available"


def _equal_scores(sides: Mapping[str, Sides]) -> Iterable[str]:
    """Regions whose scores in the kit tell nothing apart, in words."""
    for region, both in sides.items():
        scores = np.concatenate(both)
        if all_equal(scores):
            yield f"Region {region}: all scores of the kit are equal, {scores[0]:.6g}; nothing is told apart there."


def _outcome(criteria: Sequence[CriterionOutcome], human_comparison: bool | None, missing: Sequence[str]) -> str:
    """A failure decides; support needs that nothing is missing."""
    if not all(criterion.met for criterion in criteria) or human_comparison is False:
        return NOT_SUPPORTED
    return INCOMPLETE if missing else SUPPORTED
