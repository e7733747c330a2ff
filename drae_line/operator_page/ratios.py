"""Numbers as the page shows them."""

import math


def finite(value: float) -> float | None:
    """The number, or None for what JSON cannot hold."""
    return value if math.isfinite(value) else None


def ratio(score: float, threshold: float) -> float:
    """Score over threshold; where the threshold is 0 or less, inf for a score above it and 0 for one that is not."""
    if threshold > 0:
        return score / threshold
    return math.inf if score > threshold else 0.0


def share(count: int, of: int) -> str:
    """A share in percent with one decimal, such as `3.8 %`."""
    return f"{100 * count / of:.1f} %" if of else "0.0 %"
