"""What all formats of frame share: judging a header before any pixel is decoded, and bringing samples to 8 bit grey."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.opencv import plain_opencv
from drae_data.rank_images import Pixels

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
_UNUSED = 8


@dataclass(frozen=True)
class FrameHeader:
    """What a frame file says of its pixels.

    Attributes:
        format: `PNG`, `BMP`, `TIFF`, `JPEG` or `PGM`.
        height: in pixels.
        width: in pixels.
        bits: per sample.
        colour: red, green and blue instead of grey, or a palette of colours.
        alpha: transparency of any kind.
    """

    format: str
    height: int
    width: int
    bits: int
    colour: bool
    alpha: bool

    @property
    def channels(self) -> int:
        """Samples of a pixel without alpha: 3 for colour, else 1."""
        return 3 if self.colour else 1


def judge(header: FrameHeader, options: FrameOptions) -> list[str]:
    """Refuses what the options do not take.

    Returns:
        Notes on what will be converted.

    Raises:
        AcquisitionError: `unreadable`, `too_large`, `wrong_depth`, `colour`, `alpha`.
    """
    size = f"{header.width} x {header.height}"
    if header.width < 1 or header.height < 1:
        raise AcquisitionError("unreadable", f"expected at least one pixel, got {size}")
    if header.width * header.height > options.max_pixels:
        raise AcquisitionError(
            "too_large", f"expected at most {options.max_pixels} pixels (max_frame_pixels), got {size}"
        )
    notes = []
    for kind, found, note in (
        ("colour", header.colour, "colour_converted"),
        ("alpha", header.alpha, "alpha_dropped"),
    ):
        if found and kind not in options.convert:
            raise AcquisitionError(
                kind,
                f"expected a grey {header.format} without alpha, got one with {kind}; to have it converted to grey, "
                f"name '{kind}' in pixels.convert",
            )
        if found:
            notes.append(note)
    if header.bits not in (8, 16):
        raise AcquisitionError("wrong_depth", f"expected samples of 8 or 16 bits, got {header.bits}")
    if header.bits == 16:
        if options.depth == _UNUSED:
            raise AcquisitionError(
                "wrong_depth",
                "expected samples of 8 bits, got 16; set pixels.depth to the camera's bits (10, 12 or 16) and "
                "pixels.align to where they stand (right or left)",
            )
        notes.append("depth_reduced")
    return notes


def to_grey(samples: Samples, header: FrameHeader, options: FrameOptions) -> Pixels:
    """Brings samples to 8 bit grey.

    Args:
        samples: uint8 or uint16 [height, width] or [height, width, channel], the channels being grey, or red, green
            and blue; one of alpha may follow.
        header: what was judged.
        options: depth and alignment of 16 bit samples.

    Returns:
        uint8 [height, width], C-contiguous; it may be a view of what came.

    Raises:
        AcquisitionError: `wrong_depth` where a value does not fit the declared depth.
    """
    samples = samples.reshape(header.height, header.width, -1)[:, :, : header.channels]
    pixels = _top_bits(samples, options) if samples.dtype.itemsize > 1 else samples.astype(np.uint8, copy=False)
    if header.channels == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    plain_opencv()
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def _top_bits(samples: Samples, options: FrameOptions) -> Pixels:
    """The top 8 of the declared bits of 16 bit samples; nothing is rounded."""
    if options.align == "right":
        largest = int(samples.max())
        if largest >> options.depth:
            raise AcquisitionError(
                "wrong_depth",
                f"expected values to {2**options.depth - 1} (pixels.depth {options.depth}, pixels.align right), "
                f"got {largest}",
            )
        return (samples >> (options.depth - 8)).astype(np.uint8)
    padding = 16 - options.depth
    low = int(np.bitwise_or.reduce(samples, axis=None)) & (2**padding - 1)
    if low:
        raise AcquisitionError(
            "wrong_depth",
            f"expected the lowest {padding} of 16 bits to be 0 (pixels.depth {options.depth}, pixels.align left), "
            f"got bits {low:#x}",
        )
    return (samples >> 8).astype(np.uint8)


def is_grey(palette: Pixels) -> bool:
    """Whether a palette, uint8 [entries, 3], holds greys only."""
    return bool((palette == palette[:, :1]).all())


def look_up(indices: Pixels, palette: Pixels) -> Pixels:
    """Replaces indices by the colours of a palette.

    Args:
        indices: uint8 [height, width].
        palette: uint8 [entries, 3], 1 to 256 entries.

    Returns:
        uint8 [height, width] where the palette holds greys only, else [height, width, 3], red first.

    Raises:
        AcquisitionError: `unreadable` where an index is beyond the palette.
    """
    largest = int(indices.max())
    if largest >= len(palette):
        raise AcquisitionError("unreadable", f"expected pixels below {len(palette)} (the palette), got {largest}")
    colours: Pixels = (palette[:, 0] if is_grey(palette) else palette).take(indices, axis=0)
    return colours


def inflate(body: bytes | memoryview, expected: int) -> bytes:
    """Inflates a zlib stream to exactly the expected bytes, with its checksum; more than one beyond is never made.

    Raises:
        AcquisitionError: `unreadable`.
    """
    stream = isal_zlib.decompressobj()
    try:
        raw: bytes = stream.decompress(body, expected + 1)
    except isal_zlib.error as error:  # type: ignore[misc]  # isal's types call the class an instance
        raise AcquisitionError("unreadable", f"the pixels cannot be inflated ({error})") from error
    if len(raw) != expected or not stream.eof or stream.unused_data:
        raise AcquisitionError(
            "unreadable",
            f"expected a deflate stream of {expected} bytes with its checksum, got {len(raw)} bytes"
            f"{' and more' if stream.unused_data or len(raw) > expected else ''}",
        )
    return raw


def running_sums(rows: Pixels) -> Pixels:
    """Sums along each row modulo 256, as `np.cumsum` makes them at three times the cost.

    Eight neighbours are summed in one machine word by three shifted additions; what comes before a word is added after.

    Args:
        rows: uint8 [height, width].

    Returns:
        uint8 [height, width], C-contiguous.
    """
    height, width = rows.shape
    words = -(-width // 8)
    sums = np.zeros((height, words * 8), np.uint8)
    sums[:, :width] = rows
    # Little-endian whatever the processor: a shift to the left moves a byte to the next pixel.
    whole = sums.view("<u8")
    shifted = np.empty_like(whole)
    for bits in (8, 16, 32):
        np.left_shift(whole, bits, out=shifted)
        np.add(sums, shifted.view(np.uint8), out=sums)
    before = np.cumsum(sums[:, 7:-1:8], axis=1, dtype=np.uint8)
    shifted[:, 0] = 0
    np.multiply(before, np.uint64(0x0101010101010101), out=shifted[:, 1:])
    np.add(sums, shifted.view(np.uint8), out=sums)
    return np.ascontiguousarray(sums[:, :width])
