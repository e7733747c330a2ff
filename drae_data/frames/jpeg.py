"""JPEG frames: the segments are read and judged here, and the decoder sees only those that make pixels.

Pillow decodes, because it refuses cut files, which OpenCV fills with grey. ITU-T T.81, annex B.
"""

import io
from dataclasses import dataclass

import numpy as np
import PIL.Image

from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.frames.pixels import FrameHeader, judge, to_grey
from drae_data.frames.tags import CameraTags, exif_tags
from drae_data.rank_images import Pixels

SIGNATURE = b"\xff\xd8\xff"
_START, _END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
_FRAMES = range(0xC0, 0xD0)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)  # Huffman tables, a reserved marker, arithmetic conditioning
_TAKEN_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; all with Huffman codes
# Huffman and quantisation tables, number of lines, restart interval, and Adobe's note on the kind of colour.
_KEPT = (0xC4, 0xDB, 0xDC, 0xDD, 0xEE, *_TAKEN_FRAMES)
_EXIF = 0xE1
_BARE = (0x01, *range(0xD0, 0xD8))  # markers without a segment
_MOST_SEGMENTS = 10_000
# Each scan of a progressive file passes over the whole frame; writers use about ten.
_MOST_SCANS = 100


@dataclass(frozen=True)
class _Segments:
    """The segments before the first scan, whole with their markers, and what stands from there on."""

    parts: tuple[tuple[int, memoryview], ...]
    scans: memoryview


def decode_jpeg(data: bytes, options: FrameOptions) -> tuple[Pixels, list[str], CameraTags]:
    """Decodes a JPEG file.

    Returns:
        uint8 [height, width], notes and tags.

    Raises:
        AcquisitionError: see `drae_data.frames.decoding.decode_frame`.
    """
    segments = _read_segments(data)
    header = _header(segments)
    notes = judge(header, options)
    exif = [bytes(part[10:]) for marker, part in segments.parts if marker == _EXIF and bytes(part[4:10]) == b"Exif\0\0"]
    tags, orientation = exif_tags(exif[0]) if exif else (CameraTags(), 1)
    if orientation != 1:
        notes.append("orientation_ignored")
    kept = [part for marker, part in segments.parts if marker in _KEPT]
    try:
        with PIL.Image.open(io.BytesIO(b"".join([_START, *kept, segments.scans])), formats=["JPEG"]) as image:
            image.load()
            samples = np.asarray(image, np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise AcquisitionError("unreadable", f"the pixels cannot be decoded ({error})") from error
    if samples.size != header.height * header.width * header.channels:
        raise AcquisitionError(
            "unreadable", f"the header promises another size than the decoder found: {samples.shape}"
        )
    return to_grey(samples, header, options), notes, tags


def _read_segments(data: bytes) -> _Segments:
    view, place = memoryview(data), len(_START)
    parts: list[tuple[int, memoryview]] = []
    for _ in range(_MOST_SEGMENTS):
        if place + 4 > len(data) or data[place] != 0xFF:
            raise AcquisitionError("unreadable", f"expected a marker at byte {place} of {len(data)}")
        marker = data[place + 1]
        if marker == 0xFF:  # padding before a marker
            place += 1
            continue
        if marker == _SCAN:
            return _Segments(tuple(parts), view[place:])
        if marker in (0, _END):
            raise AcquisitionError("unreadable", f"expected pixels before byte {place}")
        if marker in _BARE:
            place += 2
            continue
        end = place + 2 + int.from_bytes(view[place + 2 : place + 4])
        if end > len(data) or end < place + 4:
            raise AcquisitionError("unreadable", f"expected the segment at byte {place} inside the file")
        parts.append((marker, view[place:end]))
        place = end
    raise AcquisitionError("unreadable", f"expected at most {_MOST_SEGMENTS} segments before the pixels")


def _header(segments: _Segments) -> FrameHeader:
    frames = [(marker, part) for marker, part in segments.parts if marker in _FRAMES and marker not in _NO_FRAMES]
    if len(frames) != 1 or len(frames[0][1]) < 10:
        raise AcquisitionError("unreadable", f"expected one frame header before the pixels, got {len(frames)}")
    marker, part = frames[0]
    if marker not in _TAKEN_FRAMES:
        raise AcquisitionError(
            "unsupported_format", f"expected a baseline or progressive JPEG, got the kind SOF{marker & 15}"
        )
    # A marker is two bytes, and no byte 0xFF of the pixels has 0xDA after it.
    scans = bytes(segments.scans).count(bytes((0xFF, _SCAN)))
    if scans > _MOST_SCANS:
        raise AcquisitionError("unreadable", f"expected at most {_MOST_SCANS} scans, got {scans}")
    bits, components = part[4], part[9]
    if components not in (1, 3):
        raise AcquisitionError("unsupported_format", f"expected a JPEG of grey or colours, got {components} components")
    if bits != 8:
        raise AcquisitionError("wrong_depth", f"expected a JPEG of 8 bits, got {bits}")
    height, width = int.from_bytes(part[5:7]), int.from_bytes(part[7:9])
    return FrameHeader("JPEG", height, width, bits, components == 3, alpha=False)
