"""PNG frames: every checksum is checked, and what OpenCV is handed is a plain PNG of our own.

A file's chunks are read here and its pixels are inflated here, within the size that the header promises. Rows of one
simple filter (OpenCV writes such files) are brought back by numpy, at less than half of OpenCV's time. Other filters
and interlaced files go to OpenCV with nothing but the filtered rows in a fresh file: filters work on bytes at a
distance, so that a pixel of any kind is one of grey or colour with as many bytes. W3C PNG specification, sections 5
(chunks), 7 (interlace), 9 (filters) and 11 (chunk contents).
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from isal import isal_zlib
from zlib_ng import zlib_ng

from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.frames.pixels import FrameHeader, Samples, inflate, is_grey, judge, look_up, running_sums, to_grey
from drae_data.frames.tags import CameraTags, exif_tags, printable, text_tags, time_text
from drae_data.rank_images import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 100_000
_MOST_TEXTS = 100
# Sample bits that the specification allows, and samples per pixel, by colour type.
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGB_ALPHA: (8, 16)}
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 4}
# Colour type and bits of a plain file whose pixels have so many bytes.
_CARRIERS = {1: (_GREY, 8), 2: (_GREY, 16), 3: (_RGB, 8), 4: (_RGB_ALPHA, 8), 6: (_RGB, 16), 8: (_RGB_ALPHA, 16)}
# First column, first row, step in columns, step in rows of the seven passes of an interlaced file.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_NONE, _SUB, _UP = 0, 1, 2


@dataclass(frozen=True)
class _Chunks:
    """The chunks of a file: the first of each kind, the pieces of IDAT, the texts by keyword in lower case."""

    first: dict[bytes, memoryview]
    pieces: list[memoryview]
    texts: dict[str, str]

    @property
    def colour_type(self) -> int:
        return self.first[b"IHDR"][9]

    @property
    def interlaced(self) -> bool:
        return bool(self.first[b"IHDR"][12])

    @property
    def palette(self) -> Pixels:
        return np.frombuffer(self.first.get(b"PLTE", b""), np.uint8).reshape(-1, 3)


def decode_png(data: bytes, options: FrameOptions) -> tuple[Pixels, list[str], CameraTags]:
    """Decodes a PNG file.

    Returns:
        uint8 [height, width], notes and tags.

    Raises:
        AcquisitionError: see `drae_data.frames.decoding.decode_frame`.
    """
    chunks = _read_chunks(data)
    header = _header(chunks)
    notes = judge(header, options)
    tags, orientation = _tags(chunks)
    if orientation != 1:
        notes.append("orientation_ignored")
    samples = _samples(chunks, header)
    if chunks.colour_type == _PALETTE:
        notes.append("palette")
        samples = look_up(samples.astype(np.uint8, copy=False), chunks.palette)
    return to_grey(samples, header, options), notes, tags


def _read_chunks(data: bytes) -> _Chunks:
    chunks = _Chunks({}, [], {})
    view, place, name = memoryview(data), len(SIGNATURE), b""
    for _ in range(_MOST_CHUNKS):
        length = int.from_bytes(view[place : place + 4])
        before, name = name, bytes(view[place + 4 : place + 8])
        end = place + 8 + length
        if end + 4 > len(data):
            raise AcquisitionError(
                "unreadable", f"expected chunks up to IEND, but the file of {len(data)} bytes is cut"
            )
        if isal_zlib.crc32(view[place + 4 : end]) != int.from_bytes(view[end : end + 4]):
            raise AcquisitionError("unreadable", f"the checksum of chunk {name!r} at byte {place} is wrong")
        _take(chunks, name, before, view[place + 8 : end])
        place = end + 4
        if name == b"IEND":
            break
    else:
        raise AcquisitionError("unreadable", f"expected at most {_MOST_CHUNKS} chunks")
    if place != len(data):
        raise AcquisitionError("unreadable", f"expected the end after chunk IEND, got {len(data) - place} bytes more")
    return chunks


def _take(chunks: _Chunks, name: bytes, before: bytes, body: memoryview) -> None:
    """Takes in one chunk, judging whether it may stand where it stands."""
    if (name == b"IHDR") == bool(chunks.first):
        raise AcquisitionError("unreadable", f"expected chunk IHDR first and only there, got {name!r} after {before!r}")
    if name in (b"acTL", b"fcTL", b"fdAT"):
        raise AcquisitionError("unsupported_format", "expected a PNG of one image, got an animated PNG")
    if name == b"IDAT":
        if chunks.pieces and before != b"IDAT":
            raise AcquisitionError("unreadable", f"expected all chunks IDAT together, got {before!r} between them")
        chunks.pieces.append(body)
    elif name == b"PLTE":
        if chunks.pieces or name in chunks.first or len(body) % 3 or not 3 <= len(body) <= 768:
            raise AcquisitionError("unreadable", "expected one palette of 1 to 256 colours before the pixels")
    elif name == b"tEXt" and len(chunks.texts) < _MOST_TEXTS:
        key, _, text = bytes(body[:300]).partition(b"\0")
        chunks.texts.setdefault(printable(key).lower(), printable(text))
    # The fifth bit of a name's first letter is unset where a reader must know the chunk.
    elif not name[0] & 32 and name not in (b"IHDR", b"IEND"):
        raise AcquisitionError("unreadable", f"expected chunks that PNG defines, got {name!r}")
    chunks.first.setdefault(name, body)


def _header(chunks: _Chunks) -> FrameHeader:
    if len(chunks.first[b"IHDR"]) != 13 or not chunks.pieces:
        raise AcquisitionError("unreadable", "expected a chunk IHDR of 13 bytes and pixels in chunks IDAT")
    width, height, bits, colour_type, *methods = struct.unpack(">IIBBBBB", chunks.first[b"IHDR"])
    if bits not in _DEPTHS.get(colour_type, ()) or methods not in ([0, 0, 0], [0, 0, 1]):
        raise AcquisitionError(
            "unreadable", f"expected what PNG defines, got colour type {colour_type} of {bits} bits, methods {methods}"
        )
    if colour_type == _PALETTE and not chunks.palette.size:
        raise AcquisitionError("unreadable", "expected a palette, got none")
    colour = colour_type in (_RGB, _RGB_ALPHA) or (colour_type == _PALETTE and not is_grey(chunks.palette))
    alpha = colour_type in (_GREY_ALPHA, _RGB_ALPHA) or b"tRNS" in chunks.first
    return FrameHeader("PNG", height, width, bits, colour, alpha)


def _samples(chunks: _Chunks, header: FrameHeader) -> Samples:
    """The samples as stored: [height, width] or [height, width, channels]."""
    channels = _CHANNELS[chunks.colour_type]
    size = channels * header.bits // 8
    raw = inflate(b"".join(chunks.pieces), _filtered_size(header, size, chunks.interlaced))
    found = None if chunks.interlaced else _unfiltered(raw, header, size)
    if found is None:
        found = _by_opencv(raw, header, size, chunks.interlaced)
    samples: Samples = found.view(">u2" if header.bits == 16 else np.uint8)
    return samples.reshape(header.height, header.width, channels)


def _filtered_size(header: FrameHeader, size: int, interlaced: bool) -> int:
    """Bytes of the filtered rows: each has its filter type before it; a pass without columns has no rows."""
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns = -(-(header.width - left) // across)
        rows = -(-(header.height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + columns * size)
    return total


def _unfiltered(raw: bytes, header: FrameHeader, size: int) -> Pixels | None:
    """The bytes of the pixels where all rows have one simple filter: uint8 [height, width * size]."""
    rows = np.frombuffer(raw, np.uint8).reshape(header.height, -1)
    kind = raw[0]
    if kind > _UP or not (rows[:, 0] == kind).all():
        return None
    if kind == _NONE:
        return np.ascontiguousarray(rows[:, 1:])
    if kind == _UP:
        return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
    if size == 1:
        return running_sums(rows[:, 1:])
    return np.cumsum(rows[:, 1:].reshape(header.height, -1, size), axis=1, dtype=np.uint8)


def _by_opencv(raw: bytes, header: FrameHeader, size: int, interlaced: bool) -> Pixels:
    """The bytes of the pixels from OpenCV, which gets the filtered rows, not deflated, in a file of our own."""
    colour_type, bits = _CARRIERS[size]
    fields = struct.pack(">IIBBBBB", header.width, header.height, bits, colour_type, 0, 0, interlaced)
    chunks = [(b"IHDR", fields), (b"IDAT", zlib_ng.compress(raw, 0)), (b"IEND", b"")]
    parts = [SIGNATURE]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body]
        parts += [struct.pack(">I", isal_zlib.crc32(body, isal_zlib.crc32(name)))]
    try:
        found = cv2.imdecode(np.frombuffer(b"".join(parts), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise AcquisitionError("unreadable", f"the pixels cannot be decoded ({error.err})") from error
    if (
        found is None
        or found.shape[:2] != (header.height, header.width)
        or found.nbytes != header.height * header.width * size
    ):
        raise AcquisitionError("unreadable", "the rows are filtered in a way that PNG does not define")
    if found.ndim == 3:
        # OpenCV turns red, green, blue round.
        found = found[:, :, [2, 1, 0, 3][: found.shape[2]]]
    return np.ascontiguousarray(found.astype(">u2" if bits == 16 else np.uint8)).view(np.uint8)


def _tags(chunks: _Chunks) -> tuple[CameraTags, int]:
    exif, orientation = exif_tags(bytes(chunks.first.get(b"eXIf", b"")))
    texts = text_tags(chunks.texts)
    modified = ""
    if len(chunks.first.get(b"tIME", b"")) == 7:
        year, *rest = struct.unpack(">HBBBBB", chunks.first[b"tIME"])
        modified = time_text("{:04}:{:02}:{:02} {:02}:{:02}:{:02}+00:00".format(year, *rest))
    return CameraTags(
        exif.taken or texts.taken or modified,
        exif.exposure or texts.exposure,
        exif.gain or texts.gain,
        exif.serial or texts.serial,
    ), orientation
