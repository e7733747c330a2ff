"""One image with rulers in its own pixels and the boxes over it; letters and colours of the whole preview.

Colours and sizes here are taste, not science, so they are no parameters.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from drae_data.patches import resize
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box, PlacedBox

Canvas = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

# The band left of and above an image, in pixels of the panel: the image's pixel (x, y) is drawn from
# (RULER + x * scale, RULER + y * scale) on.
RULER = 54
_EDGE = 2

# Blue, green, red, as OpenCV has them.
_GROUND: Colour = (33, 27, 24)
INK: Colour = (240, 238, 236)
DIM: Colour = (176, 166, 158)
_SHADOW: Colour = (16, 12, 10)
ALARM: Colour = (64, 64, 214)
_GRID: Colour = (220, 190, 60)
# Okabe and Ito's colours, which also people with a colour vision deficiency tell apart (https://jfly.uni-koeln.de/color),
# without their black; an eighth region and those after it share these again.
_REGIONS: tuple[Colour, ...] = (
    (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (167, 121, 204), (0, 94, 213), (178, 114, 0),
)  # fmt: skip


def region_colours(regions: Sequence[str]) -> dict[str, Colour]:
    """A colour (blue, green, red) for each region, in order."""
    return {region: _REGIONS[number % len(_REGIONS)] for number, region in enumerate(regions)}


def draw_panel(pixels: Pixels, placed: Sequence[PlacedBox], colours: Mapping[str, Colour], scale: float) -> Canvas:
    """One image with rulers in its pixels, and the boxes; a grid where there are no boxes.

    Args:
        pixels: uint8 [height, width].
        placed: the boxes.
        colours: of the regions.
        scale: pixels of the panel for one of the image.

    Returns:
        uint8 [RULER + height * scale, RULER + width * scale, 3]. The edge of a box lies on the first and last pixels
        that belong to it.
    """
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    panel = ground(RULER + height, RULER + width)
    picture = cv2.cvtColor(resize(pixels, height, width, "cubic"), cv2.COLOR_GRAY2BGR).astype(np.uint8)
    if not placed:
        _draw_grid(picture, pixels.shape, scale)
    # All shadows before all edges: boxes that touch do not darken each other.
    boxes = [_drawn(item.box, scale) for item in placed]
    for box in boxes:
        _draw_edge(picture, box, 1, _SHADOW)
    for item, box in zip(placed, boxes, strict=True):
        _draw_edge(picture, box, 0, colours[item.region])
    for item, box in zip(placed, boxes, strict=True):
        _draw_tag(picture, box, box_name(item), colours[item.region], boxes)
    panel[RULER:, RULER:] = picture
    _draw_rulers(panel, pixels.shape, scale)
    return panel


def tick_steps(scale: float) -> tuple[int, int]:
    """The steps of a ruler's numbered and plain ticks in pixels of the image, so that numbers have room."""
    for power in range(1, 7):
        for lead, plain in ((1, 5), (2, 4), (5, 5)):
            step = lead * 10**power
            if step * scale >= 48:
                return step, step // plain
    return 10**7, 10**6


def box_name(item: PlacedBox) -> str:
    """The short name of a box: `v0 R1`."""
    return f"v{item.vial} {item.region}"


def text_width(text: str, size: int, weight: int) -> int:
    """How wide a line is in letters of `size` pixels and a weight of 400 (regular) to 700 (bold)."""
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), size, weight)[2])


def write(canvas: Canvas, text: str, left: int, base: int, size: int, weight: int, colour: Colour, room: int) -> None:
    """Writes one line on its base line, smaller where it would be wider than `room`."""
    while size > 8 and text_width(text, size, weight) > room:
        size -= 1
    cv2.putText(canvas, text, (left, base), colour, _font(), size, weight)


def ground(height: int, width: int) -> Canvas:
    """An empty canvas."""
    return np.full((height, width, 3), _GROUND, np.uint8)


def _draw_rulers(panel: Canvas, shape: tuple[int, ...], scale: float) -> None:
    step, plain = tick_steps(scale)
    # The ruler of y is drawn on the turned panel: one rule for both.
    for canvas, length in ((panel, shape[1]), (panel.transpose(1, 0, 2), shape[0])):
        for value in range(0, length + 1, plain):
            at = min(RULER + _scaled(value, scale), canvas.shape[1] - 1)
            long = value % step == 0
            canvas[RULER - (12 if long else 6) : RULER - 2, at] = INK if long else DIM
    end = 0
    for value in range(0, shape[1] + 1, step):
        room = text_width(str(value), 15, 400)
        left = min(RULER + _scaled(value, scale) - room // 2, panel.shape[1] - room)
        # The last number moves inwards; it is left out where it would touch the one before.
        if left > end:
            write(panel, str(value), left, RULER - 18, 15, 400, DIM, room)
            end = left + room + 6
    for value in range(0, shape[0] + 1, step):
        room = text_width(str(value), 15, 400)
        base = min(RULER + _scaled(value, scale) + 5, panel.shape[0] - 2)
        write(panel, str(value), RULER - 16 - room, base, 15, 400, DIM, room)


def _draw_grid(picture: Canvas, shape: tuple[int, ...], scale: float) -> None:
    step, _ = tick_steps(scale)
    for canvas, length in ((picture, shape[1]), (picture.transpose(1, 0, 2), shape[0])):
        for value in range(0, length, step):
            canvas[:, min(_scaled(value, scale), canvas.shape[1] - 1)] = _GRID


def _draw_edge(picture: Canvas, box: Box, grow: int, colour: Colour) -> None:
    """The edge of a box, `grow` pixels further out; what lies outside the picture is left out."""
    x0, x1 = max(box.left - grow, 0), min(box.left + box.width + grow, picture.shape[1])
    y0, y1 = max(box.top - grow, 0), min(box.top + box.height + grow, picture.shape[0])
    picture[y0 : y0 + _EDGE, x0:x1] = picture[max(y1 - _EDGE, y0) : y1, x0:x1] = colour
    picture[y0:y1, x0 : x0 + _EDGE] = picture[y0:y1, max(x1 - _EDGE, x0) : x1] = colour


def _draw_tag(picture: Canvas, box: Box, name: str, colour: Colour, boxes: Sequence[Box]) -> None:
    """A box's name: beside the box where that hides nothing of any box, else inside; none in a box that is too small.

    Args:
        picture: to draw on.
        box: in pixels of the picture, like `boxes`.
        name: to write.
        colour: of the ground.
        boxes: all of them.
    """
    beside = _tag_place(name, 16, box)
    outside = [replace(beside, left=box.left - beside.width), replace(beside, left=box.left + box.width)]
    inside = [_tag_place(name, size, box) for size in range(18, 8, -1)]
    free = [tag for tag in outside if _inside(tag, picture) and not any(tag.overlaps(other) for other in boxes)]
    free += [tag for tag in inside if tag.width <= box.width and 2 * tag.height <= box.height]
    if not free:
        return
    tag = free[0]
    picture[tag.top : tag.top + tag.height, tag.left : tag.left + tag.width] = colour
    # ITU-R BT.601 luma: dark letters on a light colour, light ones on a dark colour.
    ink = _SHADOW if 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2] > 100 else INK
    size = tag.height - 5
    write(picture, name, tag.left + 5, tag.top + size, size, 700, ink, tag.width)


def _tag_place(name: str, size: int, box: Box) -> Box:
    """What a name takes in letters of a size, from a box's upper left corner on."""
    return Box(box.left, box.top, text_width(name, size, 700) + 10, size + 5)


def _inside(tag: Box, picture: Canvas) -> bool:
    return tag.left >= 0 and tag.left + tag.width <= picture.shape[1] and tag.top + tag.height <= picture.shape[0]


def _scaled(edge: int, scale: float) -> int:
    """Where the edge before a pixel of the image lies in its picture."""
    return math.floor(edge * scale + 0.5)


def _drawn(box: Box, scale: float) -> Box:
    """A box of the image in pixels of its picture."""
    left, top = _scaled(box.left, scale), _scaled(box.top, scale)
    return Box(left, top, _scaled(box.left + box.width, scale) - left, _scaled(box.top + box.height, scale) - top)


@functools.cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")  # comes with OpenCV
