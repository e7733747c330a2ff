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

# A training of seconds on the set `small`, patches of 32 x 32.
TRAIN = """\
train:
  folder: model
  report: report
  set: small
  seed: 3
  network:
    input_size: 16
    widths: [4, 8]
    discriminator_widths: [4, 8]
    blocks: 2
    bottleneck: 6
    merge: add
    activation: pre
    normalization: {kind: none, momentum: 0.9, groups: 2}
    linear_path: null
    lateral: false
  q: 0.75
  perturbation: {octaves: [0, 2], threshold: 0.2, beta: [0.5, 1.0], source: field}
  augmentation: {rotation_degrees: 10, shift: 0, border: reflect, vertical_flip: true, horizontal_flip: false}
  losses:
    {adversarial: 1, contextual: 50, huber: 2, ssim: 1, encoder: 1, noise: 3, noise_target: blend, huber_delta: 1}
  score: {aggregate: mean, percentile: 99, window: 3}
  learning_rate: {start: 1.0e-3, restart_steps: epoch, restart_factor: 0.5}
  batch_size: 8
  epochs: 2
  steps_per_epoch: 6
  validation_patches: 16
  shuffle: {buffer: 20, mixed_shards: 4}
  checkpoint_steps: 2
  precision: float32
  xla: false
  deterministic: false
  devices: 1
  guard: {discriminator_floor: 1.0e-9, latent_floor: 1.0e-12}
  panels: 2
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
