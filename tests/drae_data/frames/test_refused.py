"""What is no good frame is refused by name, before a pixel is decoded, and nothing else is ever raised."""

import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from drae_data.errors import AcquisitionError
from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FRAME_REASONS, FrameOptions
from tests.drae_data.frames.frame_files import EVERYTHING, PIXELS, PLAIN, chunk, grey_png, ifd, pgm, png, saved
from tests.drae_data.frames.test_decoding import GREY_FILES, by_tifffile, reason

ROOT = Path(__file__).resolve().parents[3]
PAGE = PIL.Image.fromarray(PIXELS)
GREY_HEADER = struct.pack(">IIBBBBB", 53, 37, 8, 0, 0, 0, 0)
ROWS = np.pad(PIXELS, ((0, 0), (1, 0))).tobytes()


@pytest.mark.parametrize("name", [name for name in GREY_FILES if name not in ("pgm with comments",)])
def test_a_cut_file_is_refused_wherever_it_is_cut(name: str) -> None:
    data = GREY_FILES[name]
    # Every byte of the head, where structure lies, and many of the rest. Pillow's BMP rows end with padding, and
    # tifffile pads an odd end: only there may a byte be missing.
    for length in [*range(1, 300), *range(300, len(data) - 3, 97)]:
        assert reason(data[:length]) == "unreadable", length


def test_a_cut_jpeg_is_refused() -> None:
    data = saved(PAGE, "JPEG")
    for length in [*range(1, 300), *range(300, len(data) - 20, 31)]:
        assert reason(data[:length]) == "unreadable", length


def test_one_wrong_bit_anywhere_makes_a_png_unreadable() -> None:
    data = grey_png(PIXELS[:9, :9], (b"tEXt", b"Gain\x00high"))
    for place in range(len(data)):
        for bit in range(8):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            assert reason(bytes(broken), EVERYTHING) == "unreadable", (place, bit)


BROKEN_PNGS = {
    "a row too few": png(GREY_HEADER, ROWS[:-54]),
    "a byte too many": png(GREY_HEADER, ROWS + b"\0"),
    "a filter that does not exist": png(GREY_HEADER, b"\5" + ROWS[1:]),
    "garbage behind the end": grey_png(PIXELS) + b"x",
    "an unknown chunk that must be known": grey_png(PIXELS, (b"ABCD", b"")),
    "pixels in two places": grey_png(PIXELS).replace(
        chunk(b"IEND", b""), chunk(b"tIME", bytes(7)) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    ),
    "two headers": grey_png(PIXELS, (b"IHDR", GREY_HEADER)),
    "no palette": png(struct.pack(">IIBBBBB", 53, 37, 8, 3, 0, 0, 0), ROWS),
    "a depth that does not exist": png(struct.pack(">IIBBBBB", 53, 37, 3, 0, 0, 0, 0), ROWS),
    "no pixels": png(GREY_HEADER, b"").replace(chunk(b"IDAT", zlib.compress(b"")), b""),
    "garbage behind the stream": grey_png(PIXELS).replace(
        chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", zlib.compress(ROWS) + b"x")
    ),
    "a stream without its checksum": grey_png(PIXELS).replace(
        chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", zlib.compress(ROWS)[:-4])
    ),
    "a wrong checksum of the pixels": grey_png(PIXELS).replace(
        chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", zlib.compress(ROWS)[:-1] + b"x")
    ),
}


@pytest.mark.parametrize("name", BROKEN_PNGS)
def test_a_png_that_is_not_quite_png_is_unreadable(name: str) -> None:
    assert reason(BROKEN_PNGS[name]) == "unreadable"


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_fewer_than_8_bits_are_refused(bits: int) -> None:
    rows = bytes(8 * (1 + bits))
    assert reason(png(struct.pack(">IIBBBBB", 8, 8, bits, 0, 0, 0, 0), rows), EVERYTHING) == "wrong_depth"
    palette = ((b"PLTE", bytes(3)),)
    assert reason(png(struct.pack(">IIBBBBB", 8, 8, bits, 3, 0, 0, 0), rows, palette), EVERYTHING) == "wrong_depth"
    assert reason(saved(PAGE.convert("1"), "BMP"), EVERYTHING) == "wrong_depth"
    assert reason(saved(PAGE.convert("1"), "TIFF"), EVERYTHING) == "wrong_depth"


def rgb_tiff(**options: Any) -> bytes:
    return by_tifffile(np.dstack([PIXELS] * 3), photometric="rgb", **options)


UNSUPPORTED = {
    "animated PNG": saved(PAGE, "PNG", save_all=True, append_images=[PAGE.rotate(180)]),
    "two pages": saved(PAGE, "TIFF", save_all=True, append_images=[PAGE]),
    "planes": by_tifffile(np.stack([PIXELS] * 3), photometric="rgb", planarconfig="separate"),
    "real numbers": by_tifffile(PIXELS.astype(np.float32)),
    "signed numbers": by_tifffile(PIXELS.astype(np.int16)),
    "CMYK TIFF": saved(PAGE.convert("CMYK"), "TIFF"),
    "JPEG in TIFF": saved(PAGE, "TIFF", compression="jpeg"),
    "Zstandard in TIFF": saved(PAGE, "TIFF", compression="zstd"),
    "BigTIFF": by_tifffile(PIXELS, bigtiff=True),
    "BMP of 16 bits": b"BM" + struct.pack("<IIIIiiHHIIiiII", 62, 0, 54, 40, 2, 2, 1, 16, 0, 8, 0, 0, 0, 0) + bytes(8),
    "BMP with runs": b"BM" + struct.pack("<IIIIiiHHIIiiII", 62, 0, 54, 40, 2, 2, 1, 8, 1, 8, 0, 0, 0, 0) + bytes(8),
    "GIF": saved(PAGE, "GIF"),
    "WebP": saved(PAGE, "WEBP"),
    "JPEG 2000": saved(PAGE, "JPEG2000"),
    "PPM": saved(PAGE.convert("RGB"), "PPM"),
    "PGM as text": b"P2\n1 1\n255\n7\n",
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_other_kinds_of_image_are_refused_by_name(name: str) -> None:
    assert reason(UNSUPPORTED[name], EVERYTHING) == "unsupported_format"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pgm(PIXELS, 255) + b"\n", "unreadable"),
        (pgm(PIXELS, 127), "wrong_depth"),
        (pgm(PIXELS, 1023), "wrong_depth"),
        (pgm(PIXELS, 65536), "unreadable"),
        (pgm(PIXELS, 255, "P5\n{width} -{height}\n{largest}\n"), "unreadable"),
        (pgm(PIXELS, 255, "P5" + "#" * 9999 + "\n{width} {height}\n{largest}\n"), "unreadable"),
        (b"P5\n99999999999 9 255\n", "unreadable"),
    ],
)
def test_a_pgm_must_be_exact(data: bytes, expected: str) -> None:
    assert reason(data, EVERYTHING) == expected


def test_files_that_are_no_images() -> None:
    assert reason(b"") == "empty_file"
    assert reason(b"\x89PNG\r\n\x1a\n") == "unreadable"
    assert reason(b"hello, this is a text file and no picture" * 10) == "unreadable"


@pytest.mark.parametrize("name", ["png sub", "bmp bottom-up", "tiff LZW by pillow", "tiff in tiles", "pgm by cv2"])
def test_the_own_limit_decides(name: str) -> None:
    assert reason(GREY_FILES[name], FrameOptions(37 * 53 - 1, 8, "right", ())) == "too_large"
    assert decode_frame(GREY_FILES[name], "", FrameOptions(37 * 53, 8, "right", ())).pixels.shape == (37, 53)


def test_the_own_limit_decides_above_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow has a guard of its own at twice 89 million pixels; the parameter alone decides here."""
    data = saved(PIL.Image.new("L", (14_000, 14_000)), "TIFF", compression="packbits")
    assert decode_frame(data, "", FrameOptions(196_000_000, 8, "right", ())).pixels.shape == (14_000, 14_000)
    with pytest.raises(AcquisitionError, match=r"max_frame_pixels.*14000 x 14000"):
        decode_frame(data, "", FrameOptions(195_999_999, 8, "right", ()))


def bombs() -> dict[str, bytes]:
    """Small files that promise or hold very much."""
    zeros = zlib.compress(bytes(100_000_000), 9)
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    values = [(tag, 7, 1_000_000, bytes(1_000_000)) for tag in range(60_000, 60_001)]
    # Every entry names the same million bytes.
    shared = b"".join(struct.pack("<HHII", tag, 7, 900_000, 100_000) for tag in range(30_000, 30_900))
    return {
        "promise": png(huge, bytes(1000)),
        "pixels": png(GREY_HEADER, b"").replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", zeros)),
        "text": grey_png(PIXELS, (b"zTXt", b"key\0\0" + zeros)),
        "profile": grey_png(PIXELS, (b"iCCP", b"key\0\0" + zeros)),
        "value": b"II*\0" + struct.pack("<I", 8) + ifd("<", values),
        "shared values": b"II*\0" + struct.pack("<IH", 8, 900) + shared + bytes(1_000_000),
        "pgm": b"P5 60000 60000 255\n",
    }


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_costs_no_memory(name: str) -> None:
    """Python's own allocations and numpy's are counted; the process as a whole is measured in the next test."""
    data = bombs()[name]
    tracemalloc.start()
    try:
        decode_frame(data, "", PLAIN)
    except AcquisitionError as error:
        assert error.reason in FRAME_REASONS
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


# Growth of a process's peak memory (bytes) over each call; VmHWM, since getrusage's peak outlives fork and exec.
_PEAKS = """\
import re, sys
from pathlib import Path
from drae_data.errors import AcquisitionError
from drae_data.frames.options import FrameOptions
from drae_data.frames.decoding import decode_frame

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

for path, most in zip(sys.argv[1::2], sys.argv[2::2]):
    data, before = Path(path).read_bytes(), peak()
    try:
        decode_frame(data, path, FrameOptions(int(most), 8, "right", ()))
        result = "decoded"
    except AcquisitionError as error:
        result = error.reason
    print(result, peak() - before)
"""


def test_a_frame_that_is_too_large_is_refused_from_its_header(tmp_path: Path) -> None:
    """A PNG that promises 60,000 x 60,000 pixels: 3.6 GB are never asked for.

    Nor are the 64 MB of a small file that keeps its promise; decoding it in the end shows that they would be seen.
    """
    contents = {
        "warm": saved(PAGE, "PNG"),
        "promise": bombs()["promise"],
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


@pytest.mark.parametrize("error", [MemoryError, RecursionError, KeyError, cv2.error])
def test_whatever_a_decoder_raises_becomes_a_reason(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("drae_data.frames.png.inflate", fail)
    assert reason(grey_png(PIXELS)) == "unreadable"


def test_a_short_strip_is_named() -> None:
    data = by_tifffile(PIXELS)
    entry = struct.pack("<HHI", 279, 4, 1)
    broken = data.replace(entry + struct.pack("<I", PIXELS.size), entry + struct.pack("<I", PIXELS.size - 1))
    assert broken != data
    with pytest.raises(AcquisitionError, match=r"unreadable: expected a strip or tile of 1961 bytes, got 1960"):
        decode_frame(broken, "", PLAIN)


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    data = saved(PAGE, "JPEG")
    with pytest.raises(AcquisitionError, match="at most 100 scans, got 101"):
        decode_frame(data + b"\xff\xda" * 100, "", PLAIN)
