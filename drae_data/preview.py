"""The preview: an acquisition's images with the boxes over them, and below each the patches that come of it.

Drawing alone: arrays in, one picture out, uint8 BGR [height, width, 3].
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drae_data.patches import PatchOptions, cut_patch, resize
from drae_data.preview_panel import (
    ALARM,
    DIM,
    INK,
    RULER,
    Canvas,
    Colour,
    box_name,
    draw_panel,
    ground,
    region_colours,
    text_width,
    write,
)
from drae_data.rank_images import Pixels
from drae_data.strip_layout import PlacedBox

# In pixels of the picture.
WIDTH = 2400
_MARGIN = 40
_GAP = 28
_HIGHEST_PANEL = 1500
_CAPTION = 30


@dataclass(frozen=True)
class PreviewImage:
    """One image to draw.

    Attributes:
        caption: what it is.
        pixels: uint8 [height, width]; the same size for all images of a preview.
    """

    caption: str
    pixels: Pixels


def draw_preview(
    title: str, facts: str, images: Sequence[PreviewImage], placed: Sequence[PlacedBox], problem: str,
    patch: PatchOptions,
) -> Canvas:  # fmt: skip
    """The whole picture: title, legend, the images side by side with boxes and rulers, their patches below.

    A layout that does not suit the images is no error here: the images are drawn with a grid instead of boxes and the
    message above them, so that a user can read off the numbers.

    Args:
        title: the first line, large.
        facts: the second line.
        images: at least one.
        placed: the boxes; none where there is a problem.
        problem: why the layout does not suit the images; empty where it does.
        patch: how patches are cut.

    Returns:
        uint8 [height, WIDTH, 3].
    """
    height, width = images[0].pixels.shape
    colours = region_colours(tuple(dict.fromkeys(item.region for item in placed)))
    block = (WIDTH - 2 * _MARGIN - _GAP * (len(images) - 1)) // len(images)
    scale = min((block - RULER) / width, _HIGHEST_PANEL / height)
    words = f"The strip layout does not suit these images: {problem}" if problem else ""
    rows = [_header(title, facts, words), *([] if problem else [_legend(colours, placed)])]
    blocks = [_block(image, placed, patch, colours, scale, block) for image in images]
    gap = ground(blocks[0].shape[0], _GAP)
    rows.append(np.hstack([part for one in blocks for part in (one, gap)][:-1]))
    picture = ground(sum(row.shape[0] for row in rows) + 2 * _MARGIN, WIDTH)
    top = _MARGIN
    for row in rows:
        picture[top : top + row.shape[0], _MARGIN : _MARGIN + row.shape[1]] = row
        top += row.shape[0]
    return picture


def draw_contact_sheet(
    pixels: Pixels, placed: Sequence[PlacedBox], patch: PatchOptions, colours: Mapping[str, Colour], width: int
) -> Canvas:
    """The patches of one image as the builder cuts them: a row for each region, a column for each vial, captions below.

    Args:
        pixels: uint8 [height, image width].
        placed: the boxes.
        patch: how patches are cut; a patch is shown at its own size or smaller.
        colours: of the regions, in the order of the rows.
        width: of the sheet; each vial has an equal part of it.

    Returns:
        uint8 [sheet height, width, 3].
    """
    vials = sorted({item.vial for item in placed})
    column = width / len(vials)
    # A patch of few pixels is enlarged to something that an eye can see.
    side = max(1, min(round(column) - 12, max(patch.size, 128)))
    sheet = ground(len(colours) * (side + _CAPTION + 8), width)
    for item in placed:
        left = math.floor(vials.index(item.vial) * column)
        top = list(colours).index(item.region) * (side + _CAPTION + 8)
        cut = resize(cut_patch(pixels, item.box, patch), side, side, "nearest")
        sheet[top : top + side, left : left + side] = cut[..., np.newaxis]
        sheet[top + side : top + side + 3, left : left + side] = colours[item.region]
        _caption(sheet, left, top + side + 22, side, item)
    return sheet


def _block(
    image: PreviewImage, placed: Sequence[PlacedBox], patch: PatchOptions, colours: Mapping[str, Colour], scale: float,
    width: int,
) -> Canvas:  # fmt: skip
    """Caption, panel and contact sheet of one image, `width` pixels wide; the sheet begins where the image begins."""
    caption = ground(_CAPTION, width)
    write(caption, image.caption, RULER, 20, 20, 600, INK, width - RULER)
    rows = [caption, draw_panel(image.pixels, placed, colours, scale)]
    if placed:
        sheet = draw_contact_sheet(image.pixels, placed, patch, colours, width - RULER)
        rows += [ground(_GAP, width), np.hstack([ground(sheet.shape[0], RULER), sheet])]
    return np.vstack([np.hstack([row, ground(row.shape[0], width - row.shape[1])]) for row in rows])


def _header(title: str, facts: str, problem: str) -> Canvas:
    room = WIDTH - 2 * _MARGIN
    header = ground(170 if problem else 92, room)
    write(header, title, 0, 34, 40, 700, INK, room)
    write(header, facts, 0, 74, 22, 400, DIM, room)
    if problem:
        header[96:144] = ALARM
        write(header, problem, 18, 128, 23, 600, INK, room - 36)
    return header


def _legend(colours: Mapping[str, Colour], placed: Sequence[PlacedBox]) -> Canvas:
    """A patch of colour, the region's name and the size of its boxes."""
    entries = []
    for region, colour in colours.items():
        boxes = [item.box for item in placed if item.region == region]
        sizes = (_span([box.width for box in boxes]), _span([box.height for box in boxes]))
        entries.append((region, f"{sizes[0]} x {sizes[1]} pixels", colour))
    left, room = 0, WIDTH - 2 * _MARGIN
    lines = [ground(44, room)]
    for region, size, colour in entries:
        name = text_width(region, 22, 700)
        needed = 34 + name + 10 + text_width(size, 22, 400) + 40
        if left and left + needed > room:
            left = 0
            lines.append(ground(44, room))
        lines[-1][2:24, left : left + 22] = colour
        write(lines[-1], region, left + 34, 21, 22, 700, INK, room)
        write(lines[-1], size, left + 34 + name + 10, 21, 22, 400, DIM, room)
        left += needed
    return np.vstack(lines)


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"


def _caption(sheet: Canvas, left: int, base: int, room: int, item: PlacedBox) -> None:
    name, box = box_name(item), item.box
    place = f"{box.left}, {box.top}, {box.width}, {box.height}"
    used = text_width(name, 16, 700)
    if used <= room:
        write(sheet, name, left, base, 16, 700, INK, room)
    if used + 10 + text_width(place, 15, 400) <= room:
        write(sheet, place, left + used + 10, base, 15, 400, DIM, room)
