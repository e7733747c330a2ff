"""Frame files made by hand for the tests: what no library writes on request."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image

from drae_data.frames.options import FrameOptions
from drae_data.rank_images import Pixels

PLAIN = FrameOptions(max_pixels=10_000, depth=8, align="right", convert=())
EVERYTHING = FrameOptions(max_pixels=10_000, depth=16, align="right", convert=("colour", "alpha"))
PIXELS: Pixels = np.random.default_rng(1).integers(0, 256, (37, 53), dtype=np.uint8)


def saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(header: bytes, rows: bytes, before: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """A PNG file from the content of its chunk IHDR, chunks before the pixels, and rows behind a filter byte each."""
    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*pair) for pair in chunks)


def grey_png(pixels: Pixels, *before: tuple[bytes, bytes]) -> bytes:
    """8 bit grey, filter 0."""
    rows = np.pad(pixels, ((0, 0), (1, 0))).tobytes()
    return png(struct.pack(">IIBBBBB", *pixels.shape[::-1], 8, 0, 0, 0, 0), rows, before)


def bmp(pixels: Pixels, palette: Pixels, top_down: bool = False, old: bool = False) -> bytes:
    """8 bit BMP from indices and a palette [entries, 3] of red, green, blue; `old` is the header of OS/2."""
    height, width = pixels.shape
    stride = -(-width // 4) * 4
    rows = np.pad(pixels if top_down else pixels[::-1], ((0, 0), (0, stride - width))).tobytes()
    colours = np.pad(palette[:, ::-1], ((0, 0), (0, 0 if old else 1))).tobytes()
    if old:
        header = struct.pack("<IHHHH", 12, width, height, 1, 8)
    else:
        header = struct.pack(
            "<IiiHHIIiiII", 40, width, -height if top_down else height, 1, 8, 0, len(rows), 0, 0, len(palette), 0
        )
    start = 14 + len(header) + len(colours)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + header + colours + rows


def pgm(pixels: Any, largest: int, header: str = "P5\n{width} {height}\n{largest}\n") -> bytes:
    height, width = pixels.shape
    values = pixels.astype(np.uint8 if largest < 256 else ">u2")
    text = header.format(width=width, height=height, largest=largest).encode()
    return text + bytes(values.tobytes())


def ifd(order: str, entries: list[tuple[int, int, int, bytes]], start: int = 8) -> bytes:
    """A TIFF directory of (tag, type, count, value); values of more than 4 bytes are put behind it."""
    place = start + 2 + 12 * len(entries) + 4
    table, behind = struct.pack(f"{order}H", len(entries)), b""
    for tag, kind, count, value in entries:
        table += struct.pack(f"{order}HHI", tag, kind, count)
        table += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{order}I", place + len(behind))
        behind += value if len(value) > 4 else b""
    return table + bytes(4) + behind


def packbits_tiles(pixels: Pixels, rows: int, columns: int) -> bytes:
    """A TIFF in tiles, each row of which is a run of its bytes as they are (PackBits, at most 128 columns)."""
    height, width = pixels.shape
    padded = np.pad(pixels, ((0, -height % rows), (0, -width % columns)))
    head = bytes([columns - 1])
    tiles = [
        b"".join(head + bytes(row) for row in padded[top : top + rows, left : left + columns])
        for top in range(0, height, rows)
        for left in range(0, width, columns)
    ]
    size, count = len(tiles[0]), len(tiles)
    numbers = {256: width, 257: height, 258: 8, 259: 32773, 262: 1, 277: 1, 322: columns, 323: rows}
    entries = [(tag, 4, 1, struct.pack(">I", number)) for tag, number in numbers.items()]
    start = 8 + 2 + 12 * (len(entries) + 2) + 4 + 8 * count
    places = struct.pack(f">{count}I", *range(start, start + size * count, size))
    entries += [(324, 4, count, places), (325, 4, count, struct.pack(f">{count}I", *[size] * count))]
    return b"MM\0*" + struct.pack(">I", 8) + ifd(">", entries) + b"".join(tiles)


def exif(order: str = "<") -> bytes:
    """Exif data that says everything the tests ask for, orientation 6 among it."""
    pack = struct.pack
    main_size = 2 + 12 * 2 + 4
    inner = ifd(
        order,
        [
            (33434, 5, 1, pack(f"{order}II", 1, 400)),
            (34855, 3, 1, pack(f"{order}H", 800)),
            (36867, 2, 20, b"2024:02:29 23:59:58\0"),
            (36881, 2, 7, b"+01:00\0"),
            (37521, 2, 4, b"125\0"),
            (42033, 2, 8, b"SN-0042\0"),
        ],
        8 + main_size,
    )
    main = ifd(order, [(274, 3, 1, pack(f"{order}H", 6)), (34665, 4, 1, pack(f"{order}I", 8 + main_size))])
    return (b"II*\0" if order == "<" else b"MM\0*") + pack(f"{order}I", 8) + main + inner
