"""How plots become SVG elements of a page: the same figures give the same bytes."""

import io
from typing import Any

from matplotlib.figure import Figure

# For `matplotlib.rc_context` around a plot; the salt keeps the names inside an SVG from one drawing to the next.
SETTINGS: Any = {
    "svg.hashsalt": "drae", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "legend.frameon": False,
}  # fmt: skip


def svg_element(figure: Figure) -> str:
    """The figure as an SVG element, without the declaration that stands before it in a file."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
