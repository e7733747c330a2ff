"""Numbers as the page shows them."""

import math

import numpy as np

from drae_acceptance.judging import threshold_ratios


def finite(value: float) -> float | None:
    """The number, or None for what JSON cannot hold."""
    return value if math.isfinite(value) else None


def ratio(score: float, threshold: float) -> float:
    """Score over threshold, as the verdict has it; see `Deciding.ratio`."""
    return float(threshold_ratios(np.array([score], np.float64), np.array([threshold], np.float64))[0])


def share(count: int, of: int) -> str:
    """A share in percent with one decimal, such as `3.8 %`."""
    return f"{100 * count / of:.1f} %" if of else "0.0 %"
