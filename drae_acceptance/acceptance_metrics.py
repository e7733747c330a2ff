"""The figures of an acceptance for `metrics.json`: shares as plain numbers, and what is behind each of them."""

from typing import Any

import numpy as np

from drae_acceptance.acceptance import Acceptance, Discrimination
from drae_acceptance.level_rates import LevelRates
from drae_acceptance.options import STRIP
from drae_acceptance.rates import Rate

_RATES = ("accuracy", "accept_recall", "reject_recall")


def metrics(acceptance: Acceptance) -> dict[str, Any]:
    """Nested by level; None where there are no samples. Under `behind` stand counts and intervals of each rate."""
    regions = acceptance.regions
    discriminations = acceptance.region_discriminations
    strip = acceptance.discriminations[STRIP]
    return {
        "outcome": acceptance.outcome,
        "missing": list(acceptance.missing),
        "warnings": list(acceptance.warnings),
        "optimistic": acceptance.optimistic,
        "protocol": acceptance.protocol,
        "patch": {region: {**_level(regions[region]), **_ranking(discriminations[region])} for region in regions},
        "vial": _level(acceptance.vials),
        "strip": {**_level(acceptance.strips), **_ranking(strip)},
        "run": _level(acceptance.runs),
        "invalid": len(acceptance.invalid),
        "uncounted": len(acceptance.uncounted),
        "detection": {
            one.defect: {
                name: {"share": _share(rate), **_behind(rate)}
                for name, rate in (("patches", one.patches), ("runs", one.runs), ("strips", one.strips))
            }
            for one in acceptance.detections
        },
    }  # fmt: skip


def _level(rates: LevelRates) -> dict[str, Any]:
    found: dict[str, Rate] = {name: getattr(rates, name) for name in _RATES}
    return {
        **{name: _share(rate) for name, rate in found.items()},
        "samples": rates.accuracy.of,
        "behind": {name: _behind(rate) for name, rate in found.items()},
    }


def _share(rate: Rate) -> float | None:
    return None if rate.value is None else round(rate.value, 6)


def _behind(rate: Rate) -> dict[str, Any]:
    """Counts, the exact interval, and that of the bootstrap by strip; None where an interval was not computed."""
    ends = ("low", "high", "strip_low", "strip_high")
    return {"count": rate.count, "of": rate.of, **{name: finite(getattr(rate, name)) for name in ends}}


def _ranking(found: Discrimination) -> dict[str, Any]:
    return {
        "auroc": finite(found.auroc), "average_precision": finite(found.average_precision),
        "ranked": {"good": found.good, "defective": found.defective},
    }  # fmt: skip


def finite(value: float) -> float | None:
    """A figure with six places; None where it is none."""
    return round(value, 6) if np.isfinite(value) else None
