"""The acceptance of a kit: rates at every level, detection by defect, and whether the evidence supports acceptance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drae_acceptance.discrimination import auroc, average_precision
from drae_acceptance.options import AcceptanceOptions
from drae_acceptance.rates import Rate, clustered_rate, exact_rate
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.timing import Timing
from drae_acceptance.verdict import CONFIRMED, INVALID, REJECT, RunVerdict, StripVerdict, Verdicts
from drae_data.labels import DEFECTIVE, GOOD

Floats = npt.NDArray[np.float64]
SUPPORTED, NOT_SUPPORTED, INCOMPLETE = "supports acceptance", "does not support acceptance", "incomplete"


@dataclass(frozen=True)
class LevelRates:
    """What share is judged right.

    Attributes:
        accuracy: of all samples.
        accept_recall: of good samples, those accepted.
        reject_recall: of defective samples, those rejected.
    """

    accuracy: Rate
    accept_recall: Rate
    reject_recall: Rate


@dataclass(frozen=True)
class Detection:
    """How a type of defect is found.

    Attributes:
        defect: the type.
        patches: labelled patches over their threshold.
        runs: strips in a run that are rejected.
        strips: strips over their runs that are confirmed.
    """

    defect: str
    patches: Rate
    runs: Rate
    strips: Rate


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
        regions: rates of patches by region.
        vials: rates of vials of a strip in a run.
        strips: rates of strips in a run; those that are invalid count as wrong.
        runs: rates of strips over their runs; invalid ones count as not confirmed.
        detections: by type of defect, sorted.
        discriminations: by region, and `strip` for the ratios of strips in a run.
        criteria: what was asked, and reached.
        human_comparison: whether the machine is at least as good as the human inspectors; None where it is not known.
        outcome: `SUPPORTED`, `NOT_SUPPORTED` or `INCOMPLETE`.
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
    discriminations: Mapping[str, Discrimination]
    criteria: tuple[CriterionOutcome, ...]
    human_comparison: bool | None
    outcome: str
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
    patches = scored.patches
    rates = {}
    for region in scored.card.regions:
        here = patches.region == region
        rates[region] = _rates(
            zip(
                patches.label[here].tolist(),
                verdicts.rejected[here].tolist(),
                patches.strip[here].tolist(),
                strict=True,
            ),
            options,
        )
    runs = _confirmed_rates(verdicts.runs, options)
    criteria = tuple(_criteria(runs, options))
    return Acceptance(
        optimistic=calibrated.optimistic,
        protocol=calibrated.protocol,
        regions=rates,
        vials=_rates(((one.label, one.rejected, one.strip) for one in verdicts.vials), options),
        strips=_strip_rates(verdicts.strips, options),
        runs=runs,
        detections=tuple(_detections(scored, verdicts, options)),
        discriminations=_discriminations(scored, verdicts),
        criteria=criteria,
        human_comparison=human_comparison,
        outcome=_outcome(criteria, human_comparison),
        invalid=(
            *(one for one in verdicts.strips if one.verdict == INVALID),
            *(one for one in verdicts.runs if one.verdict == INVALID),
        ),
        uncounted=tuple(one for one in verdicts.runs if one.label not in (GOOD, DEFECTIVE)),
        timing=timing,
    )


def _rates(samples: Iterable[tuple[str, bool, str]], options: AcceptanceOptions) -> LevelRates:
    """Rates of samples: label, whether rejected, strip. Labels other than good and defective do not count."""
    right = [
        (label, rejected == (label == DEFECTIVE), strip)
        for label, rejected, strip in samples
        if label in (GOOD, DEFECTIVE)
    ]
    return _level(right, lambda hits, strips: _clustered(hits, strips, options))


def _strip_rates(strips: Sequence[StripVerdict], options: AcceptanceOptions) -> LevelRates:
    """Rates of strips in a run; an invalid one is neither accepted nor rejected, hence wrong."""
    right = [
        (one.label, one.verdict != INVALID and (one.verdict == REJECT) == (one.label == DEFECTIVE), one.strip)
        for one in strips
        if one.label in (GOOD, DEFECTIVE)
    ]
    return _level(right, lambda hits, names: _clustered(hits, names, options))


def _confirmed_rates(runs: Sequence[RunVerdict], options: AcceptanceOptions) -> LevelRates:
    """Rates of strips over their runs: each strip is one sample, so that the exact interval holds."""
    right = [(one.label, one.state == CONFIRMED, one.strip) for one in runs if one.label in (GOOD, DEFECTIVE)]
    return _level(right, lambda hits, _: exact_rate(sum(hits), len(hits), options.confidence))


def _level(samples: Sequence[tuple[str, bool, str]], rate: Callable[[list[bool], list[str]], Rate]) -> LevelRates:
    """Rates of samples: label, whether right, strip."""

    def of(labels: tuple[str, ...]) -> Rate:
        chosen = [(right, strip) for label, right, strip in samples if label in labels]
        return rate([right for right, _ in chosen], [strip for _, strip in chosen])

    return LevelRates(of((GOOD, DEFECTIVE)), of((GOOD,)), of((DEFECTIVE,)))


def _clustered(hits: Sequence[bool], strips: Sequence[str], options: AcceptanceOptions) -> Rate:
    return clustered_rate(hits, strips, options.confidence, options.resamples, options.seed)


def _criteria(runs: LevelRates, options: AcceptanceOptions) -> Iterable[CriterionOutcome]:
    for name in ("accuracy", "accept_recall", "reject_recall"):
        required = getattr(options.criteria, name)
        if required is not None:
            reached: Rate = getattr(runs, name)
            yield CriterionOutcome(name, required, reached, reached.value is not None and reached.value >= required)


def _outcome(criteria: Sequence[CriterionOutcome], human_comparison: bool | None) -> str:
    """A failure decides; support needs a criterion, all of them met, and the comparison with human inspectors."""
    if not all(criterion.met for criterion in criteria) or human_comparison is False:
        return NOT_SUPPORTED
    return SUPPORTED if criteria and human_comparison else INCOMPLETE


def _detections(scored: ScoreSet, verdicts: Verdicts, options: AcceptanceOptions) -> Iterable[Detection]:
    patches = scored.patches
    types = sorted({name for one in verdicts.runs if one.label == DEFECTIVE for name in one.defect.split(",") if name})
    for defect in types:
        marked = np.array([defect in names.split(",") for names in patches.defect.tolist()], np.bool_)
        runs = [
            one for one in verdicts.strips if one.label == DEFECTIVE and defect in one.defect.split(",")
            and one.verdict != INVALID
        ]  # fmt: skip
        strips = [one for one in verdicts.runs if one.label == DEFECTIVE and defect in one.defect.split(",")]
        yield Detection(
            defect,
            _clustered(verdicts.rejected[marked].tolist(), patches.strip[marked].tolist(), options),
            _clustered([one.verdict == REJECT for one in runs], [one.strip for one in runs], options),
            exact_rate(sum(one.state == CONFIRMED for one in strips), len(strips), options.confidence),
        )


def _discriminations(scored: ScoreSet, verdicts: Verdicts) -> dict[str, Discrimination]:
    patches, found = scored.patches, {}
    scores = patches.score.astype(np.float64)
    for region in scored.card.regions:
        here = patches.region == region
        found[region] = _discrimination(
            scores[here & (patches.label == GOOD)], scores[here & (patches.label == DEFECTIVE)]
        )
    ratios = {
        label: np.array([one.deciding.ratio for one in verdicts.strips if one.deciding and one.label == label])
        for label in (GOOD, DEFECTIVE)
    }
    return {**found, "strip": _discrimination(ratios[GOOD], ratios[DEFECTIVE])}


def _discrimination(good: Floats, defective: Floats) -> Discrimination:
    return Discrimination(len(good), len(defective), auroc(good, defective), average_precision(good, defective))
