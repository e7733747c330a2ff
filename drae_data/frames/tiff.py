"""TIFF frames: the directory is read and judged here, and libtiff sees nothing of the file but compressed bytes.

Strips and tiles are unpacked to rows of bytes: raw ones as they lie, deflate by isal, LZW and PackBits by libtiff (in
Pillow, which refuses what libtiff reports), which gets them as the strips of a plain grey file of our own. TIFF 6.0.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
import PIL.Image

from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.frames.pixels import FrameHeader, Samples, inflate, is_grey, judge, look_up, to_grey
from drae_data.frames.tags import CameraTags, Directory, exif_tags, read_directory
from drae_data.rank_images import Pixels

SIGNATURES = (b"II*\0", b"MM\0*")
# Pillow refuses large images by a number of its own. What it is handed here was judged by `max_frame_pixels`.
PIL.Image.MAX_IMAGE_PIXELS = None
_RAW, _LZW, _DEFLATES, _PACKBITS = 1, 5, (8, 32946), 32773
_COMPRESSIONS = {2: "CCITT", 3: "CCITT group 3", 4: "CCITT group 4", 6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000",
                 34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP"}  # fmt: skip
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = range(4)
_PHOTOMETRICS = {4: "mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab", 32803: "colour filter array"}
_UNSIGNED = 1
_HORIZONTAL = 2
_MOST_SEGMENTS = 100_000
# Tiles reach beyond a frame's edges: all together by its own number of pixels and this one at most. Deflate makes a
# thousand of one, so that a small file could ask for any amount.
_MOST_PADDING = 16_000_000


@dataclass(frozen=True)
class _Layout:
    """How samples lie in a file.

    Attributes:
        compression: see the tag of that name.
        photometric: likewise.
        channels: samples of a pixel.
        differences: samples are stored as differences to their left neighbour.
        rows: of a segment (a strip or a tile).
        columns: of a segment.
        tiled: segments are tiles, which all have full size; a last strip may be shorter.
        segments: their bytes, row by row of the grid.
    """

    compression: int
    photometric: int
    channels: int
    differences: bool
    rows: int
    columns: int
    tiled: bool
    segments: tuple[memoryview, ...]


def decode_tiff(data: bytes, options: FrameOptions) -> tuple[Pixels, list[str], CameraTags]:
    """Decodes a TIFF file of one page.

    Returns:
        uint8 [height, width], notes and tags.

    Raises:
        AcquisitionError: see `drae_data.frames.decoding.decode_frame`.
    """
    try:
        directory = read_directory(data)
        header = _header(directory)
        notes = judge(header, options)
        layout = _layout(directory, header)
        palette = _palette(directory) if layout.photometric == _PALETTE else None
    except ValueError as error:
        raise AcquisitionError("unreadable", f"the TIFF directory is damaged: {error}") from error
    tags, orientation = exif_tags(data)
    if orientation != 1:
        notes.append("orientation_ignored")
    samples = _samples(layout, header, directory.order)
    if palette is not None:
        notes.append("palette")
        samples = look_up(samples[:, :, 0].astype(np.uint8, copy=False), palette)
    pixels = to_grey(samples, header, options)
    if layout.photometric == _WHITE_IS_ZERO:
        notes.append("inverted")
        pixels = 255 - pixels
    return pixels, notes, tags


def _header(directory: Directory) -> FrameHeader:
    """Size and kind of samples; raises `ValueError` where the directory is damaged."""
    if directory.next:
        raise AcquisitionError("unsupported_format", "expected a TIFF of one page, got more")
    photometric = directory.number(262, -1)
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE):
        kind = _PHOTOMETRICS.get(photometric, f"number {photometric}")
        raise AcquisitionError("unsupported_format", f"expected a TIFF of grey, colours or a palette, got {kind}")
    bits = set(directory.numbers(258, 100)) or {1}
    if len(bits) > 1:
        raise AcquisitionError("unsupported_format", f"expected samples of equal depth, got {sorted(bits)} bits")
    formats = set(directory.numbers(339, 100)) or {_UNSIGNED}
    if formats != {_UNSIGNED}:
        raise AcquisitionError("unsupported_format", f"expected unsigned samples (1), got sample format {formats}")
    extra = directory.number(277, 1) - (3 if photometric == _RGB else 1)
    if not 0 <= extra <= 1:
        raise AcquisitionError("unsupported_format", f"expected at most one sample beside grey or colour, got {extra}")
    if photometric == _PALETTE and bits == {16}:
        raise AcquisitionError("unsupported_format", "expected a palette of 8 bit samples, got 16")
    colour = photometric == _RGB or (photometric == _PALETTE and not is_grey(_palette(directory)))
    return FrameHeader("TIFF", directory.number(257, 0), directory.number(256, 0), bits.pop(), colour, extra == 1)


def _palette(directory: Directory) -> Pixels:
    """uint8 [entries, 3], red first: the top 8 of the 16 bits of each."""
    values = np.array(directory.numbers(320, 768), np.uint16)
    if not values.size or values.size % 3:
        raise ValueError("expected a palette of 3 lists")
    return (values.reshape(3, -1).T >> 8).astype(np.uint8)


def _layout(directory: Directory, header: FrameHeader) -> _Layout:
    """How samples lie in the file; raises `ValueError` where the directory is damaged."""
    compression = directory.number(259, _RAW)
    if compression not in (_RAW, _LZW, *_DEFLATES, _PACKBITS):
        kind = _COMPRESSIONS.get(compression, f"number {compression}")
        raise AcquisitionError(
            "unsupported_format", f"expected a TIFF without compression or with LZW, deflate or PackBits, got {kind}"
        )
    channels = directory.number(277, 1)
    predictor = directory.number(317, 1) if compression in (_LZW, *_DEFLATES) else 1
    for what, number, allowed in (
        ("fill order", directory.number(266, 1), (1,)),
        ("predictor", predictor, (1, _HORIZONTAL)),
        ("planar configuration", directory.number(284, 1), (1,) if channels > 1 else (1, 2)),
    ):
        if number not in allowed:
            raise AcquisitionError("unsupported_format", f"expected TIFF {what} {allowed[0]}, got {number}")
    tiled = 322 in directory.entries
    if tiled:
        rows, columns = directory.number(323, 0), directory.number(322, 0)
    else:
        rows, columns = min(directory.number(278, header.height), header.height), header.width
    # A tile is at most as large as a few frames, and a small frame may lie in one tile.
    if min(rows, columns) < 1 or (tiled and rows * columns > 4 * header.height * header.width + 1_000_000):
        raise ValueError(f"expected strips or tiles that suit the frame, got {columns} x {rows}")
    count = -(-header.height // rows) * -(-header.width // columns)
    if count > _MOST_SEGMENTS:
        raise ValueError(f"expected at most {_MOST_SEGMENTS} strips or tiles, got {count}")
    if tiled and count * rows * columns > 2 * header.height * header.width + _MOST_PADDING:
        raise ValueError(f"expected tiles that suit the frame, got {count} of {columns} x {rows}")
    places = directory.numbers(324 if tiled else 273, count)
    sizes = directory.numbers(325 if tiled else 279, count)
    row = columns * channels * header.bits // 8
    if not sizes and compression == _RAW and count == 1:
        sizes = (row * rows,)
    if len(places) != count or len(sizes) != count:
        raise ValueError(f"expected {count} strips or tiles, got {len(places)} places and {len(sizes)} sizes")
    view = memoryview(directory.data)
    segments = tuple(view[place : place + size] for place, size in zip(places, sizes, strict=True))
    if any(place + size > len(view) for place, size in zip(places, sizes, strict=True)):
        raise ValueError("expected all strips or tiles inside the file")
    if sum(sizes) > len(view):
        raise ValueError(f"expected strips or tiles that do not overlap, got {sum(sizes)} bytes of {len(view)}")
    return _Layout(
        compression, directory.number(262, -1), channels, predictor == _HORIZONTAL, rows, columns, tiled, segments
    )


def _samples(layout: _Layout, header: FrameHeader, order: str) -> Samples:
    """The samples as stored: [height, width, channels]."""
    row = layout.columns * layout.channels * header.bits // 8
    total = len(layout.segments) * layout.rows if layout.tiled else header.height
    heights = [min(layout.rows, total - start) for start in range(0, total, layout.rows)]
    if layout.compression in (_LZW, _PACKBITS):
        raw = _by_libtiff(layout, row, total)
    else:
        unpack = _stored if layout.compression == _RAW else inflate
        parts = [unpack(part, row * rows) for part, rows in zip(layout.segments, heights, strict=True)]
        raw = np.frombuffer(b"".join(parts), np.uint8)
    found: Samples = raw.view(np.uint8 if header.bits == 8 else f"{order}u2")
    found = found.reshape(total, layout.columns, layout.channels)
    if layout.differences:
        wide = header.bits == 16
        found = np.cumsum(found, axis=1, dtype=np.uint16) if wide else np.cumsum(found, axis=1, dtype=np.uint8)
    if layout.tiled:
        across = -(-header.width // layout.columns)
        grid = found.reshape(-1, across, layout.rows, layout.columns, layout.channels).swapaxes(1, 2)
        found = grid.reshape(-1, across * layout.columns, layout.channels)
    return found[: header.height, : header.width]


def _stored(part: memoryview, expected: int) -> memoryview:
    if len(part) < expected:
        raise AcquisitionError("unreadable", f"expected a strip or tile of {expected} bytes, got {len(part)}")
    return part[:expected]


def _by_libtiff(layout: _Layout, row: int, total: int) -> Pixels:
    """Unpacks segments as the strips of one plain TIFF file: 8 bit grey, as wide as a row has bytes."""
    sizes = [len(part) for part in layout.segments]
    tags = [
        (256, row), (257, total), (258, 8), (259, layout.compression), (262, _BLACK_IS_ZERO), (273, None), (277, 1),
        (278, layout.rows), (279, None),
    ]  # fmt: skip
    # The header, the directory, then sizes and places, then the segments.
    lists = 8 + 2 + 12 * len(tags) + 4
    start = lists + 8 * len(sizes)
    places = [start + sum_ for sum_ in np.cumsum([0, *sizes[:-1]]).tolist()]
    body = [b"II*\0", struct.pack("<IH", 8, len(tags))]
    for tag, value in tags:
        if value is not None:
            body.append(struct.pack("<HHII", tag, 4, 1, value))
        elif len(sizes) == 1:
            body.append(struct.pack("<HHII", tag, 4, 1, places[0] if tag == 273 else sizes[0]))
        else:
            body.append(struct.pack("<HHII", tag, 4, len(sizes), lists + (4 * len(sizes) if tag == 273 else 0)))
    body.append(struct.pack(f"<I{2 * len(sizes)}I", 0, *sizes, *places))
    try:
        with PIL.Image.open(io.BytesIO(b"".join([*body, *layout.segments])), formats=["TIFF"]) as image:
            image.load()
            raw = np.frombuffer(image.tobytes(), np.uint8)
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise AcquisitionError("unreadable", f"the strips or tiles cannot be unpacked ({error})") from error
    if raw.size != row * total:
        raise AcquisitionError("unreadable", f"expected {row * total} bytes of samples, got {raw.size}")
    return raw
