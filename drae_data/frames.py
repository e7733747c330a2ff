"""Frame files to pixels: the header is judged before a pixel is decoded."""

import io
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import PIL.TiffImagePlugin

from drae_data.errors import AcquisitionError
from drae_data.rank_images import Pixels, size_text

FORMATS = ("PNG", "BMP", "TIFF")
# A frame that cannot be decoded becomes a quarantine row with a reason; OpenCV need not print it too.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
_TIFF_PHOTOMETRIC = 262
_TIFF_MIN_IS_BLACK = 1
_TIFF_ORIENTATION = 274
_TIFF_TOP_LEFT = 1
# The signature, then length, name, width and height of the chunk IHDR, which comes first.
_PNG_BIT_DEPTH = 24

# Pillow refuses large images by a number of its own, before `max_frame_pixels` is asked. Nothing is decoded by Pillow
# here, and `_judge` decides from the header alone.
PIL.Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class FrameHeader:
    """What a frame file says of itself.

    Attributes:
        format: one of `FORMATS`.
        height: in pixels.
        width: in pixels.
    """

    format: str
    height: int
    width: int


def read_header(data: bytes, max_pixels: int) -> FrameHeader:
    """Reads size and pixel type without decoding.

    Args:
        data: the file's bytes.
        max_pixels: a larger frame is refused; a 60,000 x 60,000 bomb costs nothing.

    Raises:
        AcquisitionError: `empty_file`, `unreadable`, `unsupported_format`, `not_grey_8_bit`, `too_large`.
    """
    if not data:
        raise AcquisitionError("empty_file", "expected an image, got a file of 0 bytes")
    try:
        with warnings.catch_warnings():
            # Pillow warns of broken metadata; broken pixels are judged by the decoder.
            warnings.simplefilter("ignore")
            with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _judge(image, data, max_pixels)
    except AcquisitionError:
        raise
    except Exception as error:
        # A hostile header can trip any line of a parser (struct, index, overflow, memory); all of them mean one thing.
        raise AcquisitionError(
            "unreadable", f"expected a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image, got {len(data)} bytes with "
            f"no such header ({type(error).__name__})",
        ) from error  # fmt: skip


def _judge(image: PIL.Image.Image, data: bytes, max_pixels: int) -> FrameHeader:
    width, height = image.size
    if width * height > max_pixels:
        raise AcquisitionError(
            "too_large", f"expected at most {max_pixels} pixels (max_frame_pixels), got {width} x {height}"
        )
    if image.mode != "L":
        raise AcquisitionError("not_grey_8_bit", f"expected 8 bit grey, got pixel type {image.mode!r}")
    if isinstance(image, PIL.PngImagePlugin.PngImageFile):
        # Pillow's mode is L for grey of 2 and 4 bits too, which the decoder would spread over 0 to 255.
        if data[_PNG_BIT_DEPTH] != 8:
            raise AcquisitionError("not_grey_8_bit", f"expected 8 bit grey, got {data[_PNG_BIT_DEPTH]} bit")
        if image.n_frames != 1:
            raise AcquisitionError("unsupported_format", f"expected a PNG of one image, got {image.n_frames}")
    if isinstance(image, PIL.TiffImagePlugin.TiffImageFile):
        if image.n_frames != 1:
            raise AcquisitionError("unsupported_format", f"expected a TIFF of one page, got {image.n_frames}")
        orientation = image.tag_v2.get(_TIFF_ORIENTATION, _TIFF_TOP_LEFT)
        # The decoder would turn the pixels, and the boxes would lie elsewhere.
        if orientation != _TIFF_TOP_LEFT:
            raise AcquisitionError("unsupported_format", f"expected TIFF orientation 1 or none, got {orientation}")
        photometric = image.tag_v2.get(_TIFF_PHOTOMETRIC)
        if photometric != _TIFF_MIN_IS_BLACK:
            raise AcquisitionError("unsupported_format", f"expected TIFF MinIsBlack (1), got photometric {photometric}")
    return FrameHeader(image.format or "", height, width)


def decode_frame(data: bytes, max_pixels: int) -> Pixels:
    """Decodes a frame file.

    Args:
        data: the bytes of a PNG, BMP or TIFF file, 8 bit grey.
        max_pixels: a larger frame is refused before it is decoded.

    Returns:
        uint8 [height, width], as stored: no gamma, no orientation, no scaling.

    Raises:
        AcquisitionError: see `read_header`; `unreadable` also where the pixels are cut or damaged.
    """
    header = read_header(data, max_pixels)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise AcquisitionError("unreadable", f"the pixels cannot be decoded ({error.err})") from error
    if pixels is None:
        raise AcquisitionError(
            "unreadable",
            f"expected {header.width} x {header.height} pixels, but the file of {len(data)} bytes is cut or damaged",
        )
    if pixels.dtype != np.uint8 or pixels.shape != (header.height, header.width):
        raise AcquisitionError(
            "unreadable",
            f"the header promises {header.width} x {header.height} grey pixels of 8 bit, "
            f"the decoder found {size_text(pixels.shape)} of {pixels.dtype}, shape {pixels.shape}",
        )
    return np.ascontiguousarray(pixels, dtype=np.uint8)
