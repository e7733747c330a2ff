"""The report's plots as SVG, the same bytes for the same figures; readable without colour."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
# Okabe and Ito's colours, told apart by colour-blind eyes and, by their lightness, in grey.
_GOOD, _DEFECTIVE, _LINES = "#56B4E9", "#D55E00", ("#000000", "#009E73", "#CC79A7")
_STYLES = ("-", "--", ":")
_MARKERS = "osD^vP*Xp<>h"
_SETTINGS: Any = {
    "svg.hashsalt": "drae", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "legend.frameon": False,
}  # fmt: skip
_BINS = 48


def histogram_edges(good: Floats, defective: Floats) -> Floats:
    """Edges of the bins of a region's scores: float64 [bins + 1], evenly spread over the scores' logarithm."""
    scores = np.concatenate([good, defective])
    low, high = max(float(scores.min()), 1e-6), max(float(scores.max()), 2e-6)
    return np.geomspace(low * 0.999, high * 1.001, _BINS + 1)


@mpl.rc_context(_SETTINGS)
def draw_histograms(scores: Mapping[str, tuple[Floats, Floats]], limits: Mapping[str, Mapping[str, float]]) -> str:
    """Scores of good and of defective patches, a panel for each region, with the thresholds of each level.

    Args:
        scores: by region, of good and of defective patches.
        limits: by level, the threshold of each region.
    """
    figure, panels = _panels(len(scores), 2.2)
    for panel, (region, (good, defective)) in zip(panels, scores.items(), strict=True):
        edges = histogram_edges(good, defective)
        panel.hist(good, edges.tolist(), color=_GOOD, label=f"good, {len(good):,}")
        panel.hist(
            defective,
            edges.tolist(),
            histtype="step",
            linewidth=1.6,
            color=_DEFECTIVE,
            label=f"defective, {len(defective):,}",
        )
        for number, (level, values) in enumerate(limits.items()):
            style, colour = _STYLES[number % 3], _LINES[number % 3]
            panel.axvline(values[region], color=colour, linestyle=style, linewidth=1.2, label=f"threshold, {level}")
        panel.set(xscale="log", yscale="log", title=region, xlabel="score", ylabel="patches")
        panel.legend(fontsize=7)
    return _svg(figure)


@mpl.rc_context(_SETTINGS)
def draw_roc(curves: Mapping[str, tuple[Floats, Floats, float]]) -> str:
    """Reject recall over false rejects.

    Args:
        curves: by region or level, false rejects, reject recall and AUROC.
    """
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    panel = figure.subplots()
    for number, (name, (false_reject, recall, area)) in enumerate(curves.items()):
        panel.plot(
            false_reject, recall, linestyle=("-", "--", "-.", ":")[number % 4], label=f"{name}, AUROC {area:.3f}"
        )
    panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    panel.set(xlabel="good rejected", ylabel="defective rejected", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    panel.legend(fontsize=8, loc="lower right")
    return _svg(figure)


@mpl.rc_context(_SETTINGS)
def draw_detection(points: Sequence[tuple[str, float, int, int]], border: float) -> str:
    """How often each defective strip is rejected, by type and size of its defect.

    Args:
        points: type, size in pixels (NaN where none is given: drawn at the left), rejected and valid runs.
        border: share of runs that confirms a strip.
    """
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    panel = figure.subplots()
    for number, defect in enumerate(sorted({name for name, *_ in points})):
        chosen = [
            (size if np.isfinite(size) else 0.0, rejected / valid)
            for name, size, rejected, valid in points
            if name == defect and valid
        ]
        if chosen:
            sizes, shares = zip(*chosen, strict=True)
            panel.plot(sizes, shares, _MARKERS[number % len(_MARKERS)], alpha=0.85, label=defect)
    panel.axhline(border, color="#000000", linestyle="--", linewidth=1)
    panel.set(xlabel="size of the defect, pixels of the frame", ylabel="share of runs rejected", ylim=(-0.05, 1.05))
    figure.legend(fontsize=7, loc="outside right upper")
    return _svg(figure)


@mpl.rc_context(_SETTINGS)
def draw_operating_curve(chances: Floats, confirmed: Floats, rule: str) -> str:
    """Probability that a strip is confirmed over the probability that a run is right."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    panel = figure.subplots()
    panel.plot(chances, confirmed, color=_LINES[0], label=rule)
    panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, label="one run decides")
    panel.set(xlabel="probability that a run is right", ylabel="probability that the strip is confirmed")
    panel.legend(fontsize=8)
    return _svg(figure)


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(3.7 * columns, height * rows + 0.3), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for spare in panels[count:]:
        spare.set_visible(False)
    return figure, panels[:count]


def _svg(figure: Figure) -> str:
    """The figure as an SVG element, without the declaration that stands before it in a file."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
