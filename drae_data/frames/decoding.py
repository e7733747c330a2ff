"""Frame files to pixels: what a file says of itself is judged before a pixel is decoded."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import cv2

from drae_data.errors import AcquisitionError
from drae_data.frames import jpeg, png, tiff
from drae_data.frames.flat import decode_bmp, decode_pgm
from drae_data.frames.options import FrameOptions
from drae_data.frames.tags import CameraTags
from drae_data.rank_images import Pixels

__all__ = ["CameraTags", "DecodedFrame", "decode_frame"]

# A frame that cannot be decoded becomes a quarantine row with a reason; OpenCV need not print it too.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
SUFFIXES = {
    "PNG": (".png",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "JPEG": (".jpg", ".jpeg", ".jpe"),
    "PGM": (".pgm", ".pnm"),
}
# Formats that are known and refused, by how their files begin.
_REFUSED = {
    rb"II\+\0|MM\0\+": "BigTIFF",
    rb"P[1-467fF][\s#]": "a Netpbm file that is not a binary PGM (P5)",
    rb"GIF8": "GIF",
    rb"RIFF.{4}WEBP": "WebP",
    rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51": "JPEG 2000",
    rb"\0\0\0.ftyp": "HEIF or AVIF",
    rb"\xff\x0a|\0\0\0\x0cJXL ": "JPEG XL",
    rb"8BPS": "Photoshop",
    rb"DDS ": "DDS",
    rb"\x01\xda[\0\1][\1\2]": "SGI",
}


@dataclass(frozen=True)
class DecodedFrame:
    """A frame.

    Attributes:
        pixels: uint8 [height, width], C-contiguous; read-only where they are a view of the file's bytes.
        notes: sorted codes of `drae_data.frames.options.NOTES`.
        tags: see `CameraTags`.
    """

    pixels: Pixels
    notes: tuple[str, ...]
    tags: CameraTags


_Decoded = tuple[Pixels, list[str], CameraTags]


def decode_frame(data: bytes, name: str, options: FrameOptions) -> DecodedFrame:
    """Decodes a frame file.

    The content decides what the file is, whatever its name.

    Args:
        data: the file's bytes: PNG, BMP, TIFF, JPEG or PGM.
        name: the file's name, whose suffix is compared with the content.
        options: what is taken.

    Returns:
        The pixels as stored: no gamma, no orientation, no scaling; what was done to them is noted.

    Raises:
        AcquisitionError: with a code of `drae_data.frames.options.FRAME_REASONS`, and nothing else, whatever the bytes.
    """
    if not data:
        raise AcquisitionError("empty_file", "expected an image, got a file of 0 bytes")
    kind, decode = _decoder(data)
    try:
        pixels, notes, tags = decode(data, options)
    except AcquisitionError:
        raise
    except MemoryError as error:
        raise AcquisitionError("unreadable", f"there is not enough memory for this {kind} file") from error
    except Exception as error:
        # A hostile file can trip any line of a library; all of them mean one thing.
        raise AcquisitionError(
            "unreadable", f"expected a {kind} file, but its {len(data)} bytes cannot be decoded ({error!r:.200})"
        ) from error
    suffix = PurePosixPath(name).suffix.lower()
    if suffix and suffix not in SUFFIXES[kind]:
        notes.append("wrong_suffix")
    return DecodedFrame(pixels, tuple(sorted(set(notes))), tags)


def _decoder(data: bytes) -> tuple[str, Callable[[bytes, FrameOptions], _Decoded]]:
    """The format that the first bytes tell, and what decodes it."""
    if data.startswith(png.SIGNATURE):
        return "PNG", png.decode_png
    if data.startswith(b"BM"):
        return "BMP", lambda data, options: (*decode_bmp(data, options), CameraTags())
    if data.startswith(tiff.SIGNATURES):
        return "TIFF", tiff.decode_tiff
    if data.startswith(jpeg.SIGNATURE):
        return "JPEG", jpeg.decode_jpeg
    if re.match(rb"P5[\s#]", data):
        return "PGM", lambda data, options: (*decode_pgm(data, options), CameraTags())
    for pattern, kind in _REFUSED.items():
        if re.match(pattern, data, re.DOTALL):
            raise AcquisitionError("unsupported_format", f"expected {_taken()}, got {kind}")
    raise AcquisitionError("unreadable", f"expected {_taken()}, got {len(data)} bytes that begin as none of them")


def _taken() -> str:
    return f"{', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]}"
