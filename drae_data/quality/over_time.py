"""Rules that follow strips and acquisitions in time, or in the order of their keys where times are not known."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from drae_data.quality.measured import Floats, Ints, Measured
from drae_data.quality.options import Limits
from drae_data.quality.violation import Finding

_TAGS = ("exposure", "gain", "serial")
# With fewer windows than these there is no first one to compare a later one with.
_FEWEST_WINDOWS = 3
# The median of fewer follows a single odd one.
_FEWEST_STRIPS = 3


def over_time_findings(measured: Measured, limits: Limits) -> Iterator[Finding]:
    """What these rules find."""
    for members in measured.groups():
        kept = set(members.tolist())
        order = np.array([n for n in measured.order if n in kept], np.int64)
        yield from _drift(measured, order, measured.brightness, ("light_drift", "grey levels"), limits)
        if measured.aligned:
            yield from _drift(measured, order, measured.shift[:, 0], ("position_drift", "pixels to the right"), limits)
            yield from _drift(measured, order, measured.shift[:, 1], ("position_drift", "pixels down"), limits)
        yield from _camera_changes(measured, order)


def drift_window(strips: int, limits: Limits) -> int:
    """Strips that the median of a drift is over; 0 where there are too few to compare later ones with the first."""
    fair = strips // _FEWEST_WINDOWS
    return min(limits.window, fair) if fair >= _FEWEST_STRIPS else 0


def running_median(values: Floats, window: int) -> Floats:
    """The median over each `window` values one after the other: float64 [n - window + 1]."""
    medians: Floats = np.median(np.lib.stride_tricks.sliding_window_view(values, window), axis=1)
    return medians


def _drift(measured: Measured, order: Ints, values: Floats, rule: tuple[str, str], limits: Limits) -> Iterator[Finding]:
    """The greatest distance of a running median from the first, as one finding at the strip where it first is too far.

    Strips are what is followed: what its own runs have in common is the strip's, not the line's.
    """
    name, unit = rule
    limit = getattr(limits, name)
    strips = list(dict.fromkeys(measured.strips[order].tolist()))
    window = drift_window(len(strips), limits)
    if not window:
        return
    levels = np.array([np.median(values[order[measured.strips[order] == strip]]) for strip in strips])
    away = running_median(levels, window) - np.median(levels[:window])
    beyond = np.flatnonzero(np.abs(away) > limit)
    if len(beyond):
        most = float(away[np.argmax(np.abs(away))])
        since = measured.strip_names[strips[beyond[0] + window - 1]]
        detail = (
            f"the median of {window} strips moved by up to {most:+.1f} {unit} from that of the first; beyond the limit "
            f"since this strip, in the order of {'times' if measured.timed else 'names'}"
        )
        yield Finding(name, since, abs(most), limit, detail)


def _camera_changes(measured: Measured, order: Ints) -> Iterator[Finding]:
    for before, now in pairwise(order):
        one, other = measured.rows[before], measured.rows[now]
        changed = [f"{tag} from {one[tag]!r} to {other[tag]!r}" for tag in _TAGS if one[tag] != other[tag]]
        if changed:
            detail = f"{'; '.join(changed)}, after {measured.keys[before]}"
            yield Finding("camera_changed", str(measured.keys[now]), float(len(changed)), 0.0, detail)
