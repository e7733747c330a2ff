"""From what was measured to the report's plots: which values, which marks, which limits."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from drae_data.dataset_report.plots import TITLES, Course, Flags, draw_courses, draw_distributions
from drae_data.manifest import printable
from drae_data.quality.inspection import Inspection
from drae_data.quality.measured import Floats, Ints, Measured
from drae_data.quality.over_time import drift_window, running_median

# Recipes and stations with plots of their own.
_MOST_GROUPS = 4


@dataclass(frozen=True)
class CourseFigure:
    """Values over the acquisitions of one recipe at one station.

    Attributes:
        name: recipe and station; empty where the line has neither.
        svg: an SVG element, a plot below the other.
        acquisitions: how many.
        window: strips that the running median is over.
        first: key of the first acquisition.
        last: key of the last one.
    """

    name: str
    svg: str
    acquisitions: int
    window: int
    first: str
    last: str


def distribution_figures(measured: Measured) -> Iterator[tuple[str, str]]:
    """Each region with its plot, an SVG element."""
    splits = sorted({split for split, _ in measured.distributions.places()})
    for region in measured.regions:
        counts = {name: {split: measured.distributions.of(split, region, name) for split in splits} for name in TITLES}
        yield region, draw_distributions(counts)


def course_figures(inspection: Inspection) -> Iterator[CourseFigure]:
    """The plots over time, of the first recipes and stations."""
    measured = inspection.measured
    axis = f"acquisitions in the order of their {'times' if measured.timed else 'names'}"
    for members in islice(measured.groups(), _MOST_GROUPS):
        order = measured.order[np.isin(measured.order, members)]
        first, last = measured.keys[order[0]], measured.keys[order[-1]]
        strips = len(np.unique(measured.strips[order]))
        window = max(1, drift_window(strips, inspection.options.limits))
        changes = np.flatnonzero(_named(inspection, order, ("camera_changed",)))
        parts = (("recipe", first.recipe), ("station", first.station))
        yield CourseFigure(
            name=", ".join(f"{part} {value}" for part, value in parts if value),
            svg=draw_courses(list(_courses(inspection, order, window)), changes, axis),
            acquisitions=len(order),
            window=window,
            first=str(first),
            last=str(last),
        )


def _courses(inspection: Inspection, order: Ints, window: int) -> Iterator[Course]:
    measured, limits = inspection.measured, inspection.options.limits
    strips = measured.strips[order]
    marked = _named(inspection, order, ("exposure_outlier", "light_drift"))
    values = measured.brightness[order]
    yield _course("mean grey level", values, strips, marked, (limits.exposure, limits.light_drift), window)
    if measured.aligned:
        marked = _named(inspection, order, ("shifted_strip", "position_drift"))
        for axis, words in enumerate(("pixels right", "pixels down")):
            values = measured.shift[order, axis]
            yield _course(words, values, strips, marked, (limits.shift, limits.position_drift), window)


def _course(name: str, values: Floats, strips: Ints, marked: Flags, reach: tuple[float, float], window: int) -> Course:
    """A course with the limits around the median of all, and around that of the first strips."""
    own = [np.flatnonzero(strips == strip) for strip in dict.fromkeys(strips.tolist())]
    levels = np.array([np.median(values[places]) for places in own])
    places = np.array([places.mean() for places in own])
    middle, first = float(np.median(values)), float(np.median(levels[:window]))
    away, drift = reach
    return Course(
        name, values, marked, np.lib.stride_tricks.sliding_window_view(places, window).mean(axis=1),
        running_median(levels, window), (middle - away, middle + away), (first - drift, first + drift),
    )  # fmt: skip


def _named(inspection: Inspection, order: Ints, rules: Collection[str]) -> Flags:
    """Which acquisitions such rules name, themselves or by their strips: bool [n]."""
    measured = inspection.measured
    places = {row.place for row in inspection.rows if row.rule in rules}
    strips = {number for number, name in enumerate(measured.strip_names) if printable(name) in places}
    return np.array([printable(str(measured.keys[n])) in places or measured.strips[n] in strips for n in order], bool)
