"""Boxes of an image to patches of one size."""

from dataclasses import dataclass

import cv2
import numpy as np

from drae_data.encodings import CODECS
from drae_data.errors import OptionError
from drae_data.opencv import plain_opencv
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box

_GROWING = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


@dataclass(frozen=True)
class PatchOptions:
    """How a box becomes a patch.

    Attributes:
        size: side of the square patch in pixels; 256 in the paper.
        fit: `stretch` fills the square; `letterbox` keeps the box's proportions and fills what is left.
        grow: interpolation where a side grows: nearest, linear, cubic or lanczos. Shrinking is always by area.
        fill: grey value, 0 to 255, of a letterbox's bars.
        encoding: how records hold patches, a key of `drae_data.encodings.CODECS`.
    """

    size: int
    fit: str
    grow: str
    fill: int
    encoding: str

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 4096:
            raise OptionError("patch.size", self.size, "8 to 4096 pixels")
        if self.fit not in ("stretch", "letterbox"):
            raise OptionError("patch.fit", self.fit, "'stretch' or 'letterbox'")
        if self.grow not in _GROWING:
            raise OptionError("patch.grow", self.grow, f"one of {', '.join(_GROWING)}")
        if not 0 <= self.fill <= 255:
            raise OptionError("patch.fill", self.fill, "0 to 255")
        if self.encoding not in CODECS:
            raise OptionError("patch.encoding", self.encoding, f"one of {', '.join(CODECS)}")


def cut_patch(image: Pixels, box: Box, options: PatchOptions) -> Pixels:
    """Cuts one box and brings it to the patch size.

    Args:
        image: uint8 [height, width].
        box: lies inside the image.
        options: size, fit and interpolation.

    Returns:
        uint8 [size, size].
    """
    cut = image[box.top : box.top + box.height, box.left : box.left + box.width]
    if options.fit == "stretch":
        return resize(cut, options.size, options.size, options.grow)
    longer = max(box.width, box.height)
    width, height = (max(1, (side * options.size + longer // 2) // longer) for side in (box.width, box.height))
    patch = np.full((options.size, options.size), options.fill, np.uint8)
    top, left = (options.size - height) // 2, (options.size - width) // 2
    patch[top : top + height, left : left + width] = resize(cut, height, width, options.grow)
    return patch


def resize(pixels: Pixels, height: int, width: int, grow: str) -> Pixels:
    """Shrinks by area (anti-aliased), grows by the named interpolation, each side by itself.

    Args:
        pixels: uint8 [h, w].
        height: wanted, in pixels.
        width: wanted, in pixels.
        grow: see `PatchOptions.grow`.

    Returns:
        uint8 [height, width].
    """
    plain_opencv()
    before_height, before_width = pixels.shape
    shrunk_height, shrunk_width = min(before_height, height), min(before_width, width)
    # INTER_AREA turns into another interpolation where a side grows, so the sides that shrink go first.
    if (shrunk_height, shrunk_width) != (before_height, before_width):
        pixels = cv2.resize(pixels, (shrunk_width, shrunk_height), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    if (shrunk_height, shrunk_width) != (height, width):
        pixels = cv2.resize(pixels, (width, height), interpolation=_GROWING[grow]).astype(np.uint8, copy=False)
    return np.ascontiguousarray(pixels)
