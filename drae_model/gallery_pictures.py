"""Pictures of one patch for the report: its vial, what the model made of it, and where the two differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from drae_data.patches import PatchOptions, resize
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box

_LONGEST = 480
# Shades of the heatmap from cold to hot, blue, green, red; the coldest is transparent.
_HOT = np.array([[40, 160, 255], [0, 40, 255]], np.float64)
_STRONGEST = 0.85


def vial_picture(
    patches: Mapping[str, Pixels], boxes: Mapping[str, Box], options: PatchOptions
) -> tuple[Pixels, dict[str, tuple[int, int, int, int]]]:
    """A vial put together again from the patches of its regions, at most 480 pixels high or wide.

    Args:
        patches: by region, uint8 [size, size]; those of some regions may be missing.
        boxes: by region, in pixels of the frame.
        options: how boxes became patches.

    Returns:
        uint8 [h, w], white where no patch lies, and by region left, top, width and height of its box in it.
    """
    left, top = min(box.left for box in boxes.values()), min(box.top for box in boxes.values())
    right = max(box.left + box.width for box in boxes.values())
    bottom = max(box.top + box.height for box in boxes.values())
    scale = min(1.0, _LONGEST / max(right - left, bottom - top))
    canvas = np.full((round((bottom - top) * scale), round((right - left) * scale)), 255, np.uint8)
    placed = {}
    for region, box in boxes.items():
        x0, y0 = round((box.left - left) * scale), round((box.top - top) * scale)
        x1, y1 = round((box.left + box.width - left) * scale), round((box.top + box.height - top) * scale)
        width, height = max(x1 - x0, 1), max(y1 - y0, 1)
        if region in patches:
            part = resize(_without_bars(patches[region], box, options), height, width, options.grow)
            canvas[y0 : y0 + height, x0 : x0 + width] = part[: canvas.shape[0] - y0, : canvas.shape[1] - x0]
        placed[region] = (x0, y0, width, height)
    return canvas, placed


def stacked_boxes(regions: Sequence[str], size: int) -> dict[str, Box]:
    """Boxes below each other, for regions that come from frames of their own."""
    return {region: Box(0, number * size, size, size) for number, region in enumerate(regions)}


def _without_bars(patch: Pixels, box: Box, options: PatchOptions) -> Pixels:
    """The part of a letterboxed patch that shows its box."""
    if options.fit == "stretch":
        return patch
    longer = max(box.width, box.height)
    width, height = (max(1, (side * options.size + longer // 2) // longer) for side in (box.width, box.height))
    top, left = (options.size - height) // 2, (options.size - width) // 2
    return patch[top : top + height, left : left + width]


def heat_overlay(heatmap: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A heatmap, float32 [h, w], 0 to 1, as blue, green, red and opacity: uint8 [h, w, 4]; cold is transparent."""
    heat = np.clip(heatmap.astype(np.float64), 0.0, 1.0)[..., None]
    colour = _HOT[0] + heat * (_HOT[1] - _HOT[0])
    return np.concatenate([colour, 255 * _STRONGEST * heat], axis=2).round().astype(np.uint8)


def grey_picture(image: npt.NDArray[np.float32]) -> Pixels:
    """Grey values from 0 to 1, float32 [h, w], as uint8 [h, w]."""
    return np.round(np.clip(image.astype(np.float64), 0.0, 1.0) * 255).astype(np.uint8)


def png_bytes(picture: npt.NDArray[Any]) -> bytes:
    """A PNG file of uint8 [h, w] or [h, w, 4]."""
    # Level 9 takes 8 times as long and saves 6 %.
    return bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1])
