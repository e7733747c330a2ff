"""BMP and PGM frames: their pixels lie in the file as they are, and are read as a view of its bytes."""

import re
import struct

import numpy as np

from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.frames.pixels import FrameHeader, Samples, is_grey, judge, look_up, to_grey
from drae_data.rank_images import Pixels

_OS2_HEADER = 12
_BMP_HEADERS = (_OS2_HEADER, 40, 52, 56, 64, 108, 124)
_MASKS_IN_HEADER = 52  # from this size on the header holds the masks itself
_PLAIN, _MASKS = 0, 3
_COMPRESSIONS = {1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG", 6: "masks with alpha"}
_BLUE_GREEN_RED = (0xFF0000, 0xFF00, 0xFF)
_ALPHA_MASK = 0xFF000000
# Digits are bounded, so that no number grows beyond a machine word; a comment ends with its line.
_SPACE = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_PGM = re.compile(rb"P5" + 2 * (_SPACE + rb"(\d{1,9})") + _SPACE + rb"(\d{1,9})(?:#[^\r\n]*)?[ \t\r\n\v\f]")
_MOST_PGM_HEADER = 4096


def decode_bmp(data: bytes, options: FrameOptions) -> tuple[Pixels, list[str]]:
    """Decodes a BMP file: 8 bit with a palette, or 24 and 32 bit colour; either order of rows.

    Returns:
        uint8 [height, width] and notes.

    Raises:
        AcquisitionError: see `drae_data.frames.decoding.decode_frame`.
    """
    size = _field(data, "I", 14)
    if size not in _BMP_HEADERS:
        raise AcquisitionError("unreadable", f"expected a header of {_BMP_HEADERS} bytes, got {size}")
    old = size == _OS2_HEADER
    width, height = (_field(data, "H", at) for at in (18, 20)) if old else (_field(data, "i", at) for at in (18, 22))
    bits = _field(data, "H", 24 if old else 28)
    compression = _PLAIN if old else _field(data, "I", 30)
    if compression not in (_PLAIN, _MASKS):
        kind = _COMPRESSIONS.get(compression, f"number {compression}")
        raise AcquisitionError("unsupported_format", f"expected a BMP without compression, got {kind}")
    if bits == 16 or (compression == _MASKS and bits != 32):
        raise AcquisitionError("unsupported_format", f"expected a BMP of 8, 24 or 32 bits, got {bits} with masks")
    if bits not in (1, 4, 8, 24, 32):
        raise AcquisitionError("unreadable", f"expected a BMP of 1, 4, 8, 24 or 32 bits, got {bits}")
    palette = _bmp_palette(data, size) if bits == 8 else np.zeros((1, 3), np.uint8)
    header = FrameHeader(
        "BMP",
        abs(height),
        width,
        bits if bits < 8 else 8,
        bits > 8 or not is_grey(palette),
        compression == _MASKS and _has_alpha(data, size),
    )
    notes = judge(header, options)
    # Rows begin at whole 4 bytes.
    stride = (header.width * bits // 8 + 3) // 4 * 4
    rows = _view(data, _field(data, "I", 10), stride * header.height).reshape(header.height, stride)
    rows = rows[:: 1 if height < 0 else -1, : header.width * bits // 8]
    if bits > 8:
        colours = rows.reshape(header.height, header.width, bits // 8)
        return to_grey(colours[:, :, 2::-1], header, options), notes
    if not np.array_equal(palette, np.arange(256, dtype=np.uint8).repeat(3).reshape(256, 3)):
        notes.append("palette")
        rows = look_up(rows, palette)
    return to_grey(rows, header, options), notes


def _bmp_palette(data: bytes, size: int) -> Pixels:
    """The palette behind the header: uint8 [entries, 3], red first."""
    entry = 3 if size == _OS2_HEADER else 4
    count = 256 if size == _OS2_HEADER else _field(data, "I", 46) or 256
    # A file of the old kind may hold fewer colours than its header says: they end where the pixels begin.
    count = min(count, (_field(data, "I", 10) - 14 - size) // entry)
    if not 1 <= count <= 256:
        raise AcquisitionError("unreadable", f"expected a palette of 1 to 256 colours, got {count}")
    return _view(data, 14 + size, count * entry).reshape(count, entry)[:, 2::-1]


def _has_alpha(data: bytes, size: int) -> bool:
    masks = tuple(_field(data, "I", 54 + 4 * i) for i in range(3))
    alpha = _field(data, "I", 66) if size > _MASKS_IN_HEADER else 0
    if masks != _BLUE_GREEN_RED or alpha not in (0, _ALPHA_MASK):
        raise AcquisitionError("unsupported_format", "expected a BMP of blue, green, red and alpha, got other masks")
    return alpha != 0


def decode_pgm(data: bytes, options: FrameOptions) -> tuple[Pixels, list[str]]:
    """Decodes a binary PGM file of 8 or 16 bits.

    Returns:
        uint8 [height, width] and notes.

    Raises:
        AcquisitionError: see `drae_data.frames.decoding.decode_frame`.
    """
    found = _PGM.match(data[:_MOST_PGM_HEADER])
    if found is None:
        raise AcquisitionError("unreadable", "expected a PGM header: P5, width, height and the largest value")
    width, height, largest = (int(number) for number in found.groups())
    if not 0 < largest < 65536:
        raise AcquisitionError("unreadable", f"expected a largest value of 1 to 65535, got {largest}")
    header = FrameHeader("PGM", height, width, 8 if largest < 256 else 16, colour=False, alpha=False)
    notes = judge(header, options)
    shift = 16 - options.depth if options.align == "left" else 0
    # Writers that know nothing of the camera state the largest value of 16 bits; the samples are checked in any case.
    allowed = (255,) if header.bits == 8 else (2**options.depth - 1 << shift, 65535)
    if largest not in allowed:
        raise AcquisitionError(
            "wrong_depth",
            f"expected a largest value of {' or '.join(map(str, allowed))} (pixels.depth {options.depth}, pixels.align "
            f"{options.align}), got {largest}",
        )
    expected, got = height * width * header.bits // 8, len(data) - found.end()
    if got != expected:
        raise AcquisitionError("unreadable", f"expected {expected} bytes of pixels, got {got}")
    samples: Samples = _view(data, found.end(), expected).view(">u2" if header.bits == 16 else np.uint8)
    return to_grey(samples, header, options), notes


def _field(data: bytes, form: str, place: int) -> int:
    """One whole number, little-endian."""
    if place + struct.calcsize(form) > len(data):
        raise AcquisitionError("unreadable", f"expected a whole header, but the file of {len(data)} bytes is cut")
    number: int = struct.unpack_from("<" + form, data, place)[0]
    return number


def _view(data: bytes, place: int, length: int) -> Pixels:
    if place + length > len(data):
        raise AcquisitionError(
            "unreadable", f"expected {length} bytes from byte {place}, but the file of {len(data)} bytes is cut"
        )
    return np.frombuffer(data, np.uint8, length, place)
