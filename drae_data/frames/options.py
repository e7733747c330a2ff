"""What kinds of frame file are taken, checked at birth; the codes that say why one is refused and what was noted."""

from dataclasses import dataclass

from drae_data.errors import OptionError

DEPTHS = (8, 10, 12, 16)
ALIGNS = ("right", "left")
CONVERSIONS = ("colour", "alpha")
# Why a frame file is refused and what each code means: all that `drae_data.frames.decoding.decode_frame` raises.
FRAME_REASONS = {
    "empty_file": "a file of 0 bytes",
    "unreadable": "not an image of a supported format, or cut or damaged",
    "unsupported_format": "an image, but of a kind that is refused",
    "colour": "an image of colours, which pixels.convert does not name",
    "alpha": "an image with transparency, which pixels.convert does not name",
    "wrong_depth": "samples that do not suit pixels.depth and pixels.align",
    "too_large": "more pixels than max_frame_pixels",
}
# What was done to a frame that was taken, and what each code means.
NOTES = {
    "wrong_suffix": "the content is of another format than the file's suffix says; the content was read",
    "palette": "grey values were looked up in the file's palette",
    "inverted": "the file stores white as 0; the values were turned round",
    "orientation_ignored": "the file asks to be turned or mirrored; the pixels are as stored",
    "depth_reduced": "samples of more than 8 bits; the top 8 bits were kept",
    "colour_converted": "colours were converted to grey (luma of ITU-R BT.601)",
    "alpha_dropped": "transparency was dropped, not blended",
}


@dataclass(frozen=True)
class FrameOptions:
    """What kinds of frame file are taken.

    Attributes:
        max_pixels: larger frames are refused before they are decoded.
        depth: 8, 10, 12 or 16: significant bits of files with 16 bit samples; with 8 such files are refused.
        align: where those bits stand in the 16: `right` or `left`.
        convert: what is converted to grey instead of refused: any of `colour` and `alpha`.
    """

    max_pixels: int
    depth: int
    align: str
    convert: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise OptionError("max_frame_pixels", self.max_pixels, "1 or more")
        if self.depth not in DEPTHS:
            raise OptionError("pixels.depth", self.depth, f"one of {', '.join(map(str, DEPTHS))}")
        if self.align not in ALIGNS:
            raise OptionError("pixels.align", self.align, f"one of {', '.join(ALIGNS)}")
        if len(set(self.convert)) != len(self.convert) or not set(self.convert) <= set(CONVERSIONS):
            raise OptionError("pixels.convert", list(self.convert), f"any of {', '.join(CONVERSIONS)}, each once")
