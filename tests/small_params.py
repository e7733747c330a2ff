"""Params files for tests: the small line as YAML, and files with one value changed."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.params import Params, load_params

LINE = """\
strip_layout:
  units: pixels
  frame_size: {height: 48, width: 64}
  allow_overlap: false
  boxes:
    R0: [[0, 0, 30, 20], [32, 0, 30, 20]]
    R1: [[0, 20, 16, 16], [32, 20, 16, 16]]
patch: {size: 16, fit: stretch, grow: linear, fill: 0, encoding: png}
dataset: {folder: datasets, version: 1.0.0}
build:
  small:
    root: nowhere
    path_template: "{strip}/run_{run}/frame_{frame}.png"
    frames: [0, 1, 2]
    images: {frames: [0, 1, 2], rank: [min, max]}
    split: {by: strip, validation_fraction: 0.2, seed: 7}
    shard_patches: 45
    max_frame_pixels: 10000
    max_quarantined: 0
"""


def read_values(path: Path) -> dict[str, Any]:
    """The values of a params file, for a test to change."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return values


def set_value(values: dict[str, Any], place: str, value: object) -> None:
    """Changes the value at a place such as `network.widths`."""
    *sections, key = place.split(".")
    for section in sections:
        values = values[section]
    values[key] = value


def load_values(folder: Path, values: dict[str, Any]) -> Params:
    """What the product reads from a params file of such values in a folder."""
    path = folder / "params.yaml"
    YAML(typ="safe", pure=True).dump(values, path)
    return load_params(path)
