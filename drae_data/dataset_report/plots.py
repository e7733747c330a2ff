"""The report's plots: distributions of both sides of the split over each other, and what changed over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from drae_data.figures import SETTINGS, svg_element
from drae_data.quality.distributions import EDGES, Counts, Floats
from drae_data.quality.measured import Ints

Flags = npt.NDArray[np.bool_]
# The statistics that are drawn, with the words at their axes.
TITLES = {
    "mean": "mean grey level",
    "std": "spread of grey levels",
    "sharpness": "sharpness",
    "motion": "motion, grey levels",
}
# At most so many bins are drawn, and of the patches this share is beyond them at either end: few odd ones would press
# all others into a line.
_BINS = 60
BEYOND = 0.005
# From which ratio of the largest to the smallest value on an axis is logarithmic.
_DECADE = 10.0
# With more acquisitions, a mark stands for several. Of what rules named, and of changes, no more are drawn.
_MARKS = 400
_WIDTH = 9.6
# Told apart in grey too: a filled outline, a dark line, a dashed line.
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "train": {"fill": True, "facecolor": "#c9dbe8", "edgecolor": "#5b87a6", "linewidth": 0.8},
    "validation": {"fill": False, "edgecolor": "#b3380d", "linewidth": 1.5},
    "test": {"fill": False, "edgecolor": "#1c2530", "linewidth": 1.3, "linestyle": "--"},
}


@mpl.rc_context(SETTINGS)
def draw_distributions(counts: Mapping[str, Mapping[str, Counts]]) -> str:
    """How the patches of one region are distributed, a panel for each statistic, all splits brought to one area.

    Args:
        counts: by statistic, by split; see `drae_data.quality.distributions`.
    """
    figure = Figure(figsize=(_WIDTH, 1.6), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(counts))).ravel()
    for panel, (name, sides) in zip(panels, counts.items(), strict=True):
        if any(side.any() for side in sides.values()):
            _draw_outlines(panel, name, sides)
        else:
            panel.text(0.5, 0.5, "none", transform=panel.transAxes, ha="center", va="center")
            panel.set(xticks=[])
        panel.set(yticks=[])
        panel.set_xlabel(TITLES[name], fontsize=8.5)
        panel.spines["left"].set_visible(False)
        panel.tick_params(labelsize=7.5)
    return svg_element(figure)


def _draw_outlines(panel: Axes, name: str, sides: Mapping[str, Counts]) -> None:
    edges, totals = EDGES[name], np.sum(list(sides.values()), axis=0)
    below, above = np.cumsum(totals), np.cumsum(totals[::-1])[::-1]
    shown = np.flatnonzero((below > BEYOND * below[-1]) & (above > BEYOND * below[-1]))
    first, last = int(shown[0]), int(shown[-1]) + 1
    starts = np.arange(first, last, -(-(last - first) // _BINS))
    bounds = np.append(edges[starts], edges[last])
    positive = bounds[bounds > 0]
    logarithmic = len(positive) > 1 and positive[-1] / positive[0] > _DECADE
    if logarithmic:
        # The first bin begins at 0, which such an axis cannot show.
        bounds = np.where(bounds > 0, bounds, positive[0] / 2)
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        panel.xaxis.set_major_locator(MaxNLocator(5))
    # In units of the axis, so that areas compare: of its logarithm where that is what the axis shows.
    widths = np.diff(np.log(bounds)) if logarithmic else np.diff(bounds)
    for split, side in sides.items():
        if side.any():
            heights = np.add.reduceat(side[:last], starts) / (side.sum() * widths)
            panel.stairs(heights, bounds, baseline=0, **_LOOKS.get(split, _LOOKS["test"]))
    panel.set_ylim(bottom=0)


@dataclass(frozen=True)
class Course:
    """Values of acquisitions, one after the other.

    Attributes:
        name: at the axis.
        values: float64 [n].
        marked: which of them a rule named, bool [n].
        places: of the running median among the acquisitions, float64 [m].
        medians: the running median over strips, float64 [m].
        allowed: lowest and highest value that the rule of single acquisitions takes.
        drift: lowest and highest median that the rule of drift takes.
    """

    name: str
    values: Floats
    marked: Flags
    places: Floats
    medians: Floats
    allowed: tuple[float, float]
    drift: tuple[float, float]


@mpl.rc_context(SETTINGS)
def draw_courses(courses: Sequence[Course], changes: Ints, axis: str) -> str:
    """Values over the acquisitions in their order, with the running median and the limits.

    Args:
        courses: a panel each, one below the other, all of n acquisitions.
        changes: places where the camera changed, int64 [m].
        axis: what the order is.
    """
    figure = Figure(figsize=(_WIDTH, 0.5 + 1.7 * len(courses)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(courses), 1, sharex=True)).ravel()
    for panel, course in zip(panels, courses, strict=True):
        _draw_course(panel, course)
        for place in changes[:_MARKS]:
            panel.axvline(place - 0.5, color="#8a6100", linewidth=0.8, linestyle=(0, (1, 2)))
    panels[-1].set_xlabel(axis)
    return svg_element(figure)


def _draw_course(panel: Axes, course: Course) -> None:
    values = course.values
    if len(values) > _MARKS:
        # The range of several acquisitions in one mark: none of their extremes is lost.
        starts = np.linspace(0, len(values), _MARKS, endpoint=False).astype(np.int64)
        low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        panel.vlines(starts, low, high, color="#9db4c5", linewidth=1.2)
    else:
        panel.plot(values, ".", color="#8fa9bc", markersize=3.5)
    marked = np.flatnonzero(course.marked)[:_MARKS]
    panel.plot(marked, values[marked], "x", color="#b3380d", markersize=6, markeredgewidth=1.4)
    panel.plot(course.places, course.medians, color="#1c2530", linewidth=1.3)
    low, high = values.min(), values.max()
    margin = 0.3 * max(high - low, 1.0)
    for bounds, style in ((course.allowed, "--"), (course.drift, ":")):
        for bound in bounds:
            # A limit far away would press the values into a line.
            if low - margin <= bound <= high + margin:
                panel.axhline(bound, color="#52606d", linewidth=0.8, linestyle=style)
    panel.set(ylabel=course.name, xlim=(-1, len(values)))
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.tick_params(labelsize=7.5)
