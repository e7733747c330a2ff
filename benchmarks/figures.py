"""Pairs of figures, the model's and its rival's, for the table and for the last line."""

import math
from collections.abc import Mapping

Pair = Mapping[str, float | None]


def pair(model: float | None, pca: float | None) -> dict[str, float | None]:
    """Both, rounded; None where there is no number."""
    values = (("model", model), ("pca", pca))
    return {name: None if value is None or math.isnan(value) else round(value, 4) for name, value in values}


def print_levels(name: str, levels: Mapping[str, Mapping[str, Pair]]) -> None:
    """The table of a set."""
    print(f"\n{name + ':':<16} {'level, figure':<48} {'model':>8} {'pca':>8}")
    for level, figures in levels.items():
        for figure, values in figures.items():
            cells = "".join(f" {'none' if value is None else f'{value:.4f}':>8}" for value in values.values())
            print(f"{'':>16} {level + ', ' + figure:<48}{cells}", flush=True)
