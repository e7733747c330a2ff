"""Frame files: damaged ones give pixels or a reason, whatever format they claim to be."""

import random
import struct
from functools import partial
from pathlib import Path

import PIL.Image

from drae_data.errors import AcquisitionError
from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FRAME_REASONS, FrameOptions
from tests.drae_data.frames import test_decoding as files
from tests.drae_data.frames.frame_files import PIXELS, png, saved
from tests.fuzz.damage import damaged, with_png_checksums
from tests.fuzz.target import Feeder, Target, promise

MOST_PIXELS = 20_000_000
_OPTIONS = [
    FrameOptions(MOST_PIXELS, depth, align, convert)
    for depth in (8, 12, 16)
    for align in ("right", "left")
    for convert in ((), ("colour", "alpha"))
]
_Case = tuple[bytes, FrameOptions]


def _seeds(kind: str) -> list[bytes]:
    if kind == "jpeg":
        page = PIL.Image.fromarray(PIXELS)
        pages = (page, page.convert("RGB"))
        return [saved(image, "JPEG", progressive=way) for image in pages for way in (False, True)]
    groups = (files.GREY_FILES, files.COLOUR_FILES, files.ALPHA_FILES)
    wide = [write(files.TWELVE, 4095) for name, write in files.WIDE_FILES.items() if name.startswith(kind)]
    return [data for group in groups for name, data in group.items() if name.startswith(kind)] + wide


def _damaged_png(draw: random.Random, data: bytes) -> bytes:
    """Damage before deflate reaches the filters, damage after it the stream, and both pass the checksums."""
    rows = b"".join(bytes([y % 5]) + bytes(row) for y, row in enumerate(PIXELS))
    header = struct.pack(">IIBBBBB", 53, 37, 8, 0, 0, 0, 0)
    inner = png(header, damaged(draw, rows)) if draw.random() < 0.8 else png(damaged(draw, header), rows)
    data = damaged(draw, data)
    return draw.choice((data, with_png_checksums(data), inner, inner))


def _feed(kind: str, case: _Case) -> None:
    data, options = case
    try:
        pixels = decode_frame(data, f"frame.{kind}", options).pixels
    except AcquisitionError as error:
        promise(error.reason in FRAME_REASONS, f"reason {error.reason}")
        raise
    promise(
        pixels.dtype == "uint8" and pixels.ndim == 2 and pixels.size <= MOST_PIXELS,
        f"pixels of {pixels.dtype}, shape {pixels.shape}",
    )


def _prepare(kind: str, _: Path) -> Feeder:
    seeds = _seeds(kind)

    def draw_case(draw: random.Random) -> _Case:
        seed = draw.choice(seeds)
        data = _damaged_png(draw, seed) if kind == "png" else damaged(draw, seed)
        return data, draw.choice(_OPTIONS)

    return Feeder(draw_case, partial(_feed, kind), (AcquisitionError,))


TARGETS = [Target(f"frames {kind}", 20_000, partial(_prepare, kind)) for kind in ("png", "bmp", "tiff", "jpeg", "pgm")]
