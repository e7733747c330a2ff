"""Frames damaged at random give pixels or a reason, within a bounded address space, and end no process."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FORMATS = ("png", "bmp", "tiff", "jpeg", "pgm")
# What a process may address, libraries and all; and how long it may take for all of its files.
ADDRESS_SPACE = 2 << 30
SECONDS = 300

_WORKER = """\
import random, resource, struct, sys, zlib
from tests.drae_data.frames import test_decoding as files
from tests.drae_data.frames.frame_files import PIXELS, png, saved
import PIL.Image
from drae_data.errors import AcquisitionError
from drae_data.frames.options import FRAME_REASONS, FrameOptions
from drae_data.frames.decoding import decode_frame

kind, count, space = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (space, space))
draw = random.Random(kind)
groups = (files.GREY_FILES, files.COLOUR_FILES, files.ALPHA_FILES)
seeds = [data for group in groups for name, data in group.items() if name.startswith(kind)]
seeds += [write(files.TWELVE, 4095) for name, write in files.WIDE_FILES.items() if name.startswith(kind)]
rows = b"".join(bytes([y % 5]) + bytes(row) for y, row in enumerate(PIXELS))
if kind == "jpeg":
    page = PIL.Image.fromarray(PIXELS)
    seeds = [saved(image, "JPEG", progressive=way) for image in (page, page.convert("RGB")) for way in (False, True)]
options = [FrameOptions(20_000_000, depth, align, convert) for depth in (8, 12, 16) for align in ("right", "left")
           for convert in ((), ("colour", "alpha"))]


def damaged(data):
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        place = draw.randrange(min(len(data), draw.choice((200, len(data)))))
        match draw.randrange(5):
            case 0: data[place] ^= 1 << draw.randrange(8)
            case 1: data[place] = draw.choice((0, 1, 2, 3, 4, 8, 16, 127, 128, 255))
            case 2: data[place : place + 4] = draw.choice((b"\\0" * 4, b"\\xff" * 4, b"\\x7f\\xff\\xff\\xff"))
            case 3: del data[place : place + draw.choice((1, 4, 64, 10_000))]
            case 4: data[place:place] = data[place : place + 64]
        data = data or bytearray(b"x")
    return bytes(data)


def with_checksums(data):
    data, place = bytearray(data), 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(data)


taken = 0
for _ in range(count):
    data = damaged(draw.choice(seeds))
    if kind == "png":
        header = struct.pack(">IIBBBBB", 53, 37, 8, 0, 0, 0, 0)
        # Damage before deflate reaches the filters, damage after it the stream.
        inner = png(header, damaged(rows)) if draw.random() < 0.8 else png(damaged(header), rows)
        data = draw.choice((data, with_checksums(data), inner, inner))
    try:
        pixels = decode_frame(data, f"frame.{kind}", draw.choice(options)).pixels
        taken += 1
        if pixels.dtype != "uint8" or pixels.ndim != 2 or pixels.size > 20_000_000:
            raise SystemExit(f"pixels of {pixels.dtype}, shape {pixels.shape}")
    except AcquisitionError as error:
        if error.reason not in FRAME_REASONS:
            raise SystemExit(f"reason {error.reason}")
print(taken)
"""


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_frames_end_in_pixels_or_a_reason(kind: str) -> None:
    arguments = [sys.executable, "-c", _WORKER, kind, "5000", str(ADDRESS_SPACE)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    # Some damage leaves an image: the test would show nothing if all were refused at the door.
    assert int(done.stdout) > 10
