"""The report's plots as SVG, the same bytes for the same figures; readable without colour."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drae_acceptance.plot_tables import DetectionPoint, RocCurve, histogram
from drae_acceptance.sides import Sides
from drae_data.figures import SETTINGS, svg_element

Floats = npt.NDArray[np.float64]
NO_SAMPLES = "no samples"
# Okabe and Ito's colours, told apart by colour-blind eyes and, by their lightness, in grey.
_GOOD, _DEFECTIVE, _LINES = "#56B4E9", "#D55E00", ("#000000", "#009E73", "#CC79A7")
_STYLES = ("-", "--", ":")
_MARKERS = "osD^vP*Xp<>h"


@mpl.rc_context(SETTINGS)
def draw_histograms(scores: Mapping[str, Sides], limits: Mapping[str, Mapping[str, float]]) -> str:
    """Scores of good and of defective patches, a panel for each region, with the thresholds of each level.

    Args:
        scores: by region, of good and of defective patches.
        limits: by level, the threshold of each region.
    """
    figure, panels = _panels(max(len(scores), 1), 2.2)
    if not scores:
        _say(panels[0], NO_SAMPLES)
    for panel, (region, sides) in zip(panels, scores.items(), strict=False):
        panel.set_title(region, parse_math=False)
        if any(len(side) for side in sides):
            _draw_histogram(panel, sides, {level: values[region] for level, values in limits.items()})
        else:
            _say(panel, NO_SAMPLES)
    return svg_element(figure)


def _draw_histogram(panel: Axes, sides: Sides, limits: Mapping[str, float]) -> None:
    good, defective = sides
    edges, counts = histogram(sides)
    panel.stairs(counts[0], edges, fill=True, color=_GOOD, label=f"good, {len(good):,}")
    panel.stairs(counts[1], edges, linewidth=1.6, color=_DEFECTIVE, label=f"defective, {len(defective):,}")
    for number, (level, limit) in enumerate(limits.items()):
        style, colour = _STYLES[number % 3], _LINES[number % 3]
        panel.axvline(limit, color=colour, linestyle=style, linewidth=1.2, label=f"threshold, {level}")
    panel.set(xscale="log", yscale="log", xlabel="score", ylabel="patches")
    panel.legend(fontsize=7)


@mpl.rc_context(SETTINGS)
def draw_roc(curves: Sequence[RocCurve]) -> str:
    """Reject recall over false rejects; without curves a plot that says so."""
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    panel = figure.subplots()
    lines = [
        panel.plot(curve.false_reject, curve.recall, linestyle=("-", "--", "-.", ":")[number % 4])[0]
        for number, curve in enumerate(curves)
    ]
    panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    panel.set(xlabel="good rejected", ylabel="defective rejected", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    if curves:
        names = [f"{curve.name}, AUROC {curve.auroc:.3f}" for curve in curves]
        _legend(panel, lines, names, fontsize=8, loc="lower right")
    else:
        _say(panel, "no samples of both labels")
    return svg_element(figure)


@mpl.rc_context(SETTINGS)
def draw_detection(points: Sequence[DetectionPoint], border: float) -> str:
    """How often each defective strip is rejected, by type and size of its defect.

    Args:
        points: of the strips; those without a size are drawn at the left.
        border: share of runs that confirms a strip.
    """
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    panel = figure.subplots()
    names, marks = sorted({one.defect for one in points}), []
    for number, name in enumerate(names):
        chosen = [one for one in points if one.defect == name]
        sizes = [one.size if np.isfinite(one.size) else 0.0 for one in chosen]
        shares = [one.share for one in chosen]
        marks += panel.plot(sizes, shares, _MARKERS[number % len(_MARKERS)], alpha=0.85)
    panel.axhline(border, color="#000000", linestyle="--", linewidth=1)
    panel.set(xlabel="size of the defect, pixels of the frame", ylabel="share of runs rejected", ylim=(-0.05, 1.05))
    if points:
        _legend(figure, marks, names, fontsize=7, loc="outside right upper")
    else:
        _say(panel, NO_SAMPLES)
    return svg_element(figure)


@mpl.rc_context(SETTINGS)
def draw_operating_curve(chances: Floats, confirmed: Floats, rule: str) -> str:
    """Probability that a strip is confirmed over the probability that a run is right."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    panel = figure.subplots()
    panel.plot(chances, confirmed, color=_LINES[0], label=rule)
    panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, label="one run decides")
    panel.set(xlabel="probability that a run is right", ylabel="probability that the strip is confirmed")
    panel.legend(fontsize=8)
    return svg_element(figure)


def _legend(owner: Axes | Figure, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend whose names are shown as they are: Matplotlib would leave out `_burn` and set `a $x$ b` as a formula."""
    legend = owner.legend(handles, [f"{number}" for number in range(len(names))], **options)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def _say(panel: Axes, words: str) -> None:
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center")


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(3.7 * columns, height * rows + 0.3), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for spare in panels[count:]:
        spare.set_visible(False)
    return figure, panels[:count]
