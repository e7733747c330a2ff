"""What share of a level's samples is judged right: of all, of the good, of the defective ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from drae_acceptance.options import AcceptanceOptions
from drae_acceptance.rates import Rate, clustered_rate, exact_rate
from drae_acceptance.verdict import CONFIRMED, INVALID, REJECT, RunVerdict, StripVerdict
from drae_data.labels import DEFECTIVE, GOOD

# Label, whether judged right, strip.
Sample = tuple[str, bool, str]


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


def sample_rates(samples: Iterable[tuple[str, bool, str]], options: AcceptanceOptions) -> LevelRates:
    """Rates of samples: label, whether rejected, strip."""
    return _level(
        [(label, rejected == (label == DEFECTIVE), strip) for label, rejected, strip in samples],
        lambda hits, strips: clustered(hits, strips, options),
    )


def strip_rates(strips: Sequence[StripVerdict], options: AcceptanceOptions) -> LevelRates:
    """Rates of strips in a run; an invalid one is neither accepted nor rejected, hence wrong."""
    return _level(
        [
            (one.label, one.verdict != INVALID and (one.verdict == REJECT) == (one.label == DEFECTIVE), one.strip)
            for one in strips
        ],
        lambda hits, names: clustered(hits, names, options),
    )


def confirmed_rates(runs: Sequence[RunVerdict], options: AcceptanceOptions) -> LevelRates:
    """Rates of strips over their runs: each strip is one sample, so that the exact interval holds."""
    return _level(
        [(one.label, one.state == CONFIRMED, one.strip) for one in runs],
        lambda hits, _: exact_rate(sum(hits), len(hits), options.confidence),
    )


def clustered(hits: Sequence[bool], strips: Sequence[str], options: AcceptanceOptions) -> Rate:
    """A rate of samples that belong to strips."""
    return clustered_rate(hits, strips, options.confidence, options.resamples, options.seed)


def _level(samples: Sequence[Sample], rate: Callable[[list[bool], list[str]], Rate]) -> LevelRates:
    """Rates of samples. Labels other than good and defective do not count."""

    def of(*labels: str) -> Rate:
        chosen = [(right, strip) for label, right, strip in samples if label in labels]
        return rate([right for right, _ in chosen], [strip for _, strip in chosen])

    return LevelRates(of(GOOD, DEFECTIVE), of(GOOD), of(DEFECTIVE))
