"""Frames decode to what Pillow sees; anything else is refused by name before a pixel is decoded."""

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest

from drae_data.errors import AcquisitionError
from drae_data.frames import decode_frame, read_header
from drae_data.rank_images import Pixels

PIXELS: Pixels = np.random.default_rng(1).integers(0, 256, (37, 53), dtype=np.uint8)


def saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def reason(data: bytes, max_pixels: int = 10_000) -> str:
    with pytest.raises(AcquisitionError) as caught:
        decode_frame(data, max_pixels)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_the_pixels_are_those_that_another_library_wrote(kind: str) -> None:
    assert np.array_equal(decode_frame(saved(PIL.Image.fromarray(PIXELS), kind), 10_000), PIXELS)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_cut_file_is_unreadable_wherever_it_is_cut(kind: str) -> None:
    data = saved(PIL.Image.fromarray(PIXELS), kind)
    # Some encoders pad the end; everything before the last 16 bytes carries pixels or structure.
    for length in [1, 8, 30, len(data) // 2, len(data) - 17]:
        assert reason(data[:length]) == "unreadable", length


def test_a_damaged_png_is_unreadable() -> None:
    data = bytearray(saved(PIL.Image.fromarray(PIXELS), "PNG"))
    data[len(data) // 2] ^= 1
    assert reason(bytes(data)) == "unreadable"


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (PIL.Image.fromarray(PIXELS).convert("RGB"), "PNG", "not_grey_8_bit"),
        (PIL.Image.fromarray(PIXELS).convert("RGBA"), "PNG", "not_grey_8_bit"),
        (PIL.Image.fromarray(PIXELS).convert("LA"), "PNG", "not_grey_8_bit"),
        (PIL.Image.fromarray(PIXELS).convert("1"), "BMP", "not_grey_8_bit"),
        (PIL.Image.fromarray(PIXELS.astype(np.uint16)), "PNG", "not_grey_8_bit"),
        (PIL.Image.fromarray(PIXELS), "JPEG", "unreadable"),
    ],
)
def test_other_kinds_of_image_are_refused(image: PIL.Image.Image, kind: str, expected: str) -> None:
    assert reason(saved(image, kind)) == expected


def test_a_tiff_of_two_pages_is_refused() -> None:
    page = PIL.Image.fromarray(PIXELS)
    assert reason(saved(page, "TIFF", save_all=True, append_images=[page])) == "unsupported_format"


def test_files_that_are_no_images() -> None:
    assert reason(b"") == "empty_file"
    assert reason(b"\x89PNG\r\n\x1a\n") == "unreadable"
    assert reason(b"hello, this is a text file and no picture" * 10) == "unreadable"


def test_a_bomb_costs_nothing() -> None:
    """A PNG that promises 60,000 x 60,000 pixels is refused from its header: 3.6 GB are never asked for."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    tracemalloc.start()
    assert reason(b"\x89PNG\r\n\x1a\n" + body, max_pixels=20_000_000) == "too_large"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_the_header_gives_height_and_width_in_that_order() -> None:
    header = read_header(saved(PIL.Image.fromarray(PIXELS), "BMP"), 10_000)
    assert (header.format, header.height, header.width) == ("BMP", 37, 53)
