"""Frames decode to what Pillow sees; anything else is refused by name before a pixel is decoded."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from drae_data.errors import AcquisitionError
from drae_data.frames import decode_frame, read_header
from drae_data.rank_images import Pixels

ROOT = Path(__file__).resolve().parents[2]
PIXELS: Pixels = np.random.default_rng(1).integers(0, 256, (37, 53), dtype=np.uint8)


def saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(header: bytes, rows: bytes) -> bytes:
    """A PNG file from the content of its chunk IHDR and its rows, each behind a filter byte."""
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


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


def test_a_tiff_that_is_to_be_turned_is_refused() -> None:
    """OpenCV obeys tag 274: the pixels of orientation 6 come out on their side."""
    page = PIL.Image.fromarray(PIXELS)
    assert reason(saved(page, "TIFF", tiffinfo={274: 6})) == "unsupported_format"
    assert reason(saved(page, "TIFF", tiffinfo={274: 3})) == "unsupported_format"
    assert np.array_equal(decode_frame(saved(page, "TIFF", tiffinfo={274: 1}), 10_000), PIXELS)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_png_of_fewer_bits_is_refused_though_pillow_calls_it_grey(bits: int) -> None:
    header = struct.pack(">IIBBBBB", 8, 8, bits, 0, 0, 0, 0)
    assert reason(png(header, bytes(8 * (1 + bits)))) == "not_grey_8_bit"


def test_an_animated_png_is_refused() -> None:
    page = PIL.Image.fromarray(PIXELS)
    assert reason(saved(page, "PNG", save_all=True, append_images=[page.rotate(180)])) == "unsupported_format"


def test_the_own_limit_decides_above_pillows() -> None:
    """Pillow's guard would refuse 14,000 x 14,000 pixels, twice its limit of 89 million."""
    data = png(struct.pack(">IIBBBBB", 14_000, 14_000, 8, 0, 0, 0, 0), bytes(1000))
    assert read_header(data, 196_000_000).width == 14_000
    with pytest.raises(AcquisitionError, match=r"max_frame_pixels.*14000 x 14000"):
        read_header(data, 195_999_999)


def test_files_that_are_no_images() -> None:
    assert reason(b"") == "empty_file"
    assert reason(b"\x89PNG\r\n\x1a\n") == "unreadable"
    assert reason(b"hello, this is a text file and no picture" * 10) == "unreadable"


# Growth of a process's peak memory (bytes) over each call; VmHWM, since getrusage's peak outlives fork and exec.
_PEAKS = """\
import re, sys
from pathlib import Path
from drae_data.errors import AcquisitionError
from drae_data.frames import decode_frame

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

for path, most in zip(sys.argv[1::2], sys.argv[2::2]):
    data, before = Path(path).read_bytes(), peak()
    try:
        decode_frame(data, int(most))
        result = "decoded"
    except AcquisitionError as error:
        result = error.reason
    print(result, peak() - before)
"""


def test_a_bomb_costs_nothing(tmp_path: Path) -> None:
    """A PNG that promises 60,000 x 60,000 pixels is refused from its header: 3.6 GB are never asked for.

    Nor are the 64 MB of a small file that keeps its promise; decoding it in the end shows that they would be seen.
    """
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    contents = {
        "warm": saved(PIL.Image.fromarray(PIXELS), "PNG"),
        "promise": b"\x89PNG\r\n\x1a\n" + body,
        "kept": saved(PIL.Image.new("L", (8000, 8000)), "PNG"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    calls = [("warm", 20_000_000), ("promise", 20_000_000), ("kept", 20_000_000), ("kept", 100_000_000)]
    arguments = [text for name, most in calls for text in (str(tmp_path / name), str(most))]
    done = subprocess.run(
        [sys.executable, "-c", _PEAKS, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    _, promise, refused, decoded = (line.split() for line in done.stdout.splitlines())
    assert (promise[0], refused[0], decoded[0]) == ("too_large", "too_large", "decoded")
    assert max(int(promise[1]), int(refused[1])) < 5_000_000
    assert int(decoded[1]) > 60_000_000


def test_the_header_gives_height_and_width_in_that_order() -> None:
    header = read_header(saved(PIL.Image.fromarray(PIXELS), "BMP"), 10_000)
    assert (header.format, header.height, header.width) == ("BMP", 37, 53)
