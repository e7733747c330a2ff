"""A small synthetic line at half size, and the faults that happen on real ones, planted into its frames."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
FRAMES = (0, 5, 10, 15)
SET = "production"
Pixels = npt.NDArray[np.uint8]


def line_values() -> dict[str, Any]:
    """The product's own params, rules and limits among them, with frames of half the size and fewer strips."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    sections = ("synthesize", "strip_layout", "patch", "dataset", "build", "inspect_data")
    values = {name: values[name] for name in sections}
    size = values["synthesize"]["line"]["frame"]
    size["height"], size["width"] = size["height"] // 2, size["width"] // 2
    values["synthesize"]["folder"] = "frames"
    values["synthesize"]["sets"] = {SET: {"good": 14, "defective": 0, "runs": 3, "frames": list(FRAMES)}}
    layout = values["strip_layout"]
    layout["frame_size"] = {"height": size["height"], "width": size["width"]}
    layout["boxes"] = {
        region: [[number // 2 for number in box] for box in row] for region, row in layout["boxes"].items()
    }
    values["patch"]["size"] = 64
    chosen = values["build"][SET]
    chosen |= {"root": f"frames/{SET}", "tables": f"frames/{SET}_tables", "frames": list(FRAMES)}
    chosen["images"] = {"frames": list(FRAMES), "rank": ["min", "max"]}
    # Whoever copies a strip's folder has no line for it in the table of labels.
    chosen["labels"]["select"] = []
    chosen["split"]["validation_fraction"] = 0.2
    values["build"] = {SET: chosen}
    return values


def frame_paths(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("frame_*.png"))


def change_frames(folder: Path, change: Callable[[Pixels], Pixels]) -> None:
    """Reads every frame below a folder and writes it again, changed."""
    for path in frame_paths(folder):
        pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
        cv2.imwrite(str(path), change(pixels))


def freeze(root: Path) -> None:
    """The camera hands out its first frame again and again, encoded anew each time."""
    first, *others = frame_paths(root / "P0004/run_01")
    for number, path in enumerate(others):
        pixels = np.asarray(cv2.imread(str(first), cv2.IMREAD_GRAYSCALE), np.uint8)
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, number])


def repeat(root: Path) -> None:
    """One frame comes twice."""
    paths = list(frame_paths(root / "P0004/run_01"))
    shutil.copyfile(paths[1], paths[2])


def misfile(root: Path) -> None:
    """A run of one strip lies in another's folder."""
    shutil.rmtree(root / "P0009/run_02")
    (root / "P0006/run_02").rename(root / "P0009/run_02")


def dim(root: Path) -> None:
    """From the seventh strip on the lamp grows weaker, to 0.88 of its light."""
    strips = sorted(path for path in root.iterdir() if path.is_dir())
    for number, strip in enumerate(strips[6:], start=1):
        change_frames(strip, partial(_dimmed, 1 - 0.12 * number / len(strips[6:])))


def _dimmed(gain: float, pixels: Pixels) -> Pixels:
    dimmed: Pixels = np.rint(pixels * gain).astype(np.uint8)
    return dimmed


def shift(root: Path) -> None:
    """A strip lies 10 pixels to the right, in each of its runs."""
    change_frames(root / "P0011", lambda pixels: np.concatenate([np.repeat(pixels[:, :1], 10, 1), pixels[:, :-10]], 1))


def duplicate(root: Path) -> None:
    """A strip is acquired once more under another name: the same pictures, a little brighter, with other noise."""
    shutil.copytree(root / "P0003", root / "P0099")
    noise = np.random.default_rng(1)

    def again(pixels: Pixels) -> Pixels:
        changed = pixels + 2.0 + noise.normal(0, 1.5, pixels.shape)
        return np.clip(np.rint(changed), 0, 255).astype(np.uint8)

    change_frames(root / "P0099", again)


def blur(root: Path) -> None:
    """In one run the lens was out of focus."""
    change_frames(root / "P0008/run_00", lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.2), np.uint8))


def overexpose(root: Path) -> None:
    """One run was exposed for longer."""
    change_frames(root / "P0005/run_02", lambda pixels: np.clip(pixels * 1.2, 0, 255).astype(np.uint8))


# Those whose severity is error in the product's params.
ERRORS = {"frozen_camera", "repeated_frame", "misfiled_run", "duplicated_strip"}
# Each fault, the rule that must name it, and where.
FAULTS: dict[str, tuple[Callable[[Path], None], str, set[str]]] = {
    "frozen camera": (freeze, "frozen_camera", {"P0004/r1"}),
    "frame that comes twice": (repeat, "repeated_frame", {"P0004/r1"}),
    "run under another strip": (misfile, "misfiled_run", {"P0009/r2"}),
    "drifted light": (dim, "light_drift", {"P0012"}),
    "shifted strip": (shift, "shifted_strip", {"P0011/r0", "P0011/r1", "P0011/r2"}),
    "strip under another name": (duplicate, "duplicated_strip", {"P0099"}),
    "defocus": (blur, "defocus", {"P0008/r0"}),
    "overexposed run": (overexpose, "exposure_outlier", {"P0005/r2"}),
}
