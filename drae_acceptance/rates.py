"""Rates with their counts and exact intervals; and intervals that know that runs of a strip belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share of samples.

    Attributes:
        count: samples that count.
        of: all samples.
        low: lower end of the Clopper-Pearson interval (Biometrika 26, 1934, DOI 10.1093/biomet/26.4.404); NaN where
            there are no samples.
        high: upper end.
        strip_low: lower end of the bootstrap interval by strip; NaN where it was not computed, or of fewer than two
            strips.
        strip_high: upper end.
    """

    count: int
    of: int
    low: float
    high: float
    strip_low: float = float("nan")
    strip_high: float = float("nan")

    @property
    def value(self) -> float | None:
        """The share; None where there are no samples."""
        return self.count / self.of if self.of else None


def exact_rate(count: int, of: int, confidence: float) -> Rate:
    """A share with its Clopper-Pearson interval.

    Args:
        count: 0 to `of`.
        of: samples, 0 or more.
        confidence: above 0, below 1.
    """
    if not of:
        return Rate(0, 0, float("nan"), float("nan"))
    interval = binomtest(count, of).proportion_ci(confidence, method="exact")
    return Rate(count, of, float(interval.low), float(interval.high))


def clustered_rate(
    hits: Sequence[bool] | npt.NDArray[np.bool_], strips: Sequence[str] | npt.NDArray[np.str_], confidence: float,
    resamples: int, seed: int,
) -> Rate:  # fmt: skip
    """A share of samples that belong to strips, with both intervals; below two strips only with the exact one.

    The exact interval takes samples for independent; runs, frames and patches of one strip are not. So strips are drawn
    anew, with all their samples, as many as there are, and the interval is that of the drawn shares' quantiles (Efron,
    DOI 10.1214/aos/1176344552).

    Args:
        hits: bool [n], which samples count.
        strips: text [n], the strip of each sample.
        confidence: above 0, below 1.
        resamples: how often strips are drawn.
        seed: of the draws.
    """
    marks = np.asarray(hits, np.bool_)
    rate = exact_rate(int(marks.sum()), len(marks), confidence)
    names, number = np.unique(np.asarray(strips, np.str_), return_inverse=True)
    if len(names) < 2:
        # One strip drawn anew is always itself: an interval of no width would look certain.
        return rate
    many = np.bincount(number).astype(np.float64)
    counted = np.bincount(number, weights=marks)
    random = np.random.default_rng([seed, 11])
    drawn = random.multinomial(len(many), np.full(len(many), 1 / len(many)), size=resamples)
    shares = (drawn @ counted) / (drawn @ many)
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Rate(rate.count, rate.of, rate.low, rate.high, float(low), float(high))
