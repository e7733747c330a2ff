"""What frames say of their taking, and that what they say of their orientation is noted and not obeyed."""

import struct
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from drae_data.frames.decoding import decode_frame
from drae_data.frames.tags import CameraTags, time_text
from tests.drae_data.frames.frame_files import PIXELS, PLAIN, exif, grey_png, ifd, saved

PAGE = PIL.Image.fromarray(PIXELS)
SAID = CameraTags("2024:02:29 23:59:58.125000+01:00", "0.0025", "ISO 800", "SN-0042")


def by_pillow(kind: str) -> bytes:
    """The same tags as `exif`, by Pillow's own writer."""
    said = {
        33434: IFDRational(1, 400), 34855: 800, 36867: "2024:02:29 23:59:58", 36881: "+01:00", 37521: "125",
        42033: "SN-0042",
    }  # fmt: skip
    if kind == "TIFF":
        info = ImageFileDirectory_v2()
        info[274], info[34665] = 6, said
        return saved(PAGE, kind, tiffinfo=info)
    tags = PIL.Image.Exif()
    tags[274] = 6
    tags.get_ifd(34665).update(said)
    return saved(PAGE, kind, exif=tags)


FILES: dict[str, Callable[[], bytes]] = {
    "PNG, little-endian": lambda: grey_png(PIXELS, (b"eXIf", exif("<"))),
    "PNG, big-endian": lambda: grey_png(PIXELS, (b"eXIf", exif(">"))),
    "JPEG": lambda: saved(PAGE, "JPEG", exif=b"Exif\0\0" + exif(">")),
    "PNG by Pillow": lambda: by_pillow("PNG"),
    "JPEG by Pillow": lambda: by_pillow("JPEG"),
    "TIFF by Pillow": lambda: by_pillow("TIFF"),
}


@pytest.mark.parametrize("name", FILES)
def test_exif_is_read_and_orientation_ignored(name: str) -> None:
    frame = decode_frame(FILES[name](), "", PLAIN)
    assert frame.tags == SAID
    assert frame.notes == ("orientation_ignored",)
    assert frame.pixels.shape == PIXELS.shape
    assert np.abs(frame.pixels.astype(int) - PIXELS).mean() < 20  # JPEG of noise; turned pixels differ by 85


def test_texts_of_a_png_are_read_whatever_the_case_of_their_names() -> None:
    texts = [b"EXPOSURE\x000.01", b"Gain\x0012 dB", b"serial\0 A\x07B ", b"creation Time\x002024-02-29T23:59:58+01:00"]
    frame = decode_frame(grey_png(PIXELS, *((b"tEXt", text) for text in texts)), "", PLAIN)
    assert frame.tags == CameraTags("2024:02:29 23:59:58+01:00", "0.01", "12 dB", "A B")


def test_the_time_of_a_png_is_in_utc() -> None:
    frame = decode_frame(grey_png(PIXELS, (b"tIME", struct.pack(">HBBBBB", 2024, 2, 29, 23, 59, 58))), "", PLAIN)
    assert frame.tags == CameraTags(taken="2024:02:29 23:59:58+00:00")


def test_the_time_of_a_tiff() -> None:
    assert decode_frame(saved(PAGE, "TIFF", tiffinfo={306: "2024:02:29 23:59:58"}), "", PLAIN).tags == CameraTags(
        taken="2024:02:29 23:59:58"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024:02:29 23:59:58", "2024:02:29 23:59:58"),
        ("2024-02-29 23:59:58.5", "2024:02:29 23:59:58.500000"),
        ("Thu, 29 Feb 2024 23:59:58 -0330", "2024:02:29 23:59:58-03:30"),
        ("2023:02:29 23:59:58", ""),
        ("0000:00:00 00:00:00", ""),
        ("    :  :     :  :  ", ""),
        ("yesterday", ""),
        ("2024-02-29T23:59:58+00:00:07", ""),
        ("", ""),
    ],
)
def test_times_take_one_form(text: str, expected: str) -> None:
    assert time_text(text) == expected


BROKEN = {
    "cut": exif()[:60],
    "no TIFF": b"nonsense",
    "a directory of itself": b"II*\0\x08\0\0\0" + ifd("<", [(34665, 4, 1, struct.pack("<I", 8))]),
    "a value outside": b"II*\0\x08\0\0\0" + ifd("<", [(306, 2, 20, b"")])[:-4] + bytes(4),
    "a text that is a number": b"II*\0\x08\0\0\0" + ifd("<", [(306, 4, 1, b"1234")]),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tags_never_cost_a_frame(name: str) -> None:
    frame = decode_frame(grey_png(PIXELS, (b"eXIf", BROKEN[name])), "", PLAIN)
    assert np.array_equal(frame.pixels, PIXELS)
    assert frame.tags == CameraTags()


def test_a_long_text_is_cut_at_100_characters() -> None:
    frame = decode_frame(grey_png(PIXELS, (b"tEXt", b"gain\0" + b"x" * 5000)), "", PLAIN)
    assert frame.tags.gain == "x" * 100
