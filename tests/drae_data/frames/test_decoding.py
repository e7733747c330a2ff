"""Frames of every format decode to the array that another program wrote."""

import io
import struct
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile

from drae_data.errors import AcquisitionError, OptionError
from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FRAME_REASONS, NOTES, FrameOptions
from drae_data.rank_images import Pixels
from tests.drae_data.frames.frame_files import (
    EVERYTHING,
    PIXELS,
    PLAIN,
    bmp,
    chunk,
    grey_png,
    packbits_tiles,
    pgm,
    png,
    saved,
)

FILTERS = {
    "none": cv2.IMWRITE_PNG_FILTER_NONE,
    "sub": cv2.IMWRITE_PNG_FILTER_SUB,
    "up": cv2.IMWRITE_PNG_FILTER_UP,
    "average": cv2.IMWRITE_PNG_FILTER_AVG,
    "paeth": cv2.IMWRITE_PNG_FILTER_PAETH,
    "any": cv2.IMWRITE_PNG_ALL_FILTERS,
}
WIDE = FrameOptions(max_pixels=10_000, depth=12, align="right", convert=())
TWELVE = np.random.default_rng(2).integers(0, 4096, (37, 53), dtype=np.uint16)
GREYS: Pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(256, 3)
COLOURS = np.random.default_rng(3).integers(0, 256, (37, 53, 4), dtype=np.uint8)


def by_cv2(suffix: str, pixels: Any, *settings: int) -> bytes:
    done, data = cv2.imencode(suffix, pixels, settings)
    assert done
    return data.tobytes()


def by_tifffile(pixels: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **{"photometric": "minisblack", "metadata": None, **options})
    return stream.getvalue()


def by_pillow(kind: str, **options: Any) -> bytes:
    return saved(PIL.Image.fromarray(PIXELS), kind, **options)


def reason(data: bytes, options: FrameOptions = PLAIN, name: str = "") -> str:
    with pytest.raises(AcquisitionError) as caught:
        decode_frame(data, name, options)
    assert caught.value.reason in FRAME_REASONS
    return caught.value.reason


GREY_FILES = {
    **{f"png {name}": by_cv2(".png", PIXELS, cv2.IMWRITE_PNG_FILTER, kind) for name, kind in FILTERS.items()},
    "png by pillow": by_pillow("PNG"),
    "png by hand": grey_png(PIXELS),
    "bmp by cv2": by_cv2(".bmp", PIXELS),
    "bmp by pillow": by_pillow("BMP"),
    "bmp bottom-up": bmp(PIXELS, GREYS),
    "bmp top-down": bmp(PIXELS, GREYS, top_down=True),
    "bmp of OS/2": bmp(PIXELS, GREYS, old=True),
    "tiff": by_tifffile(PIXELS),
    "tiff big-endian": by_tifffile(PIXELS, byteorder=">"),
    "tiff in strips": by_tifffile(PIXELS, rowsperstrip=5),
    "tiff in tiles": by_tifffile(PIXELS, tile=(16, 32)),
    "tiff deflate": by_tifffile(PIXELS, compression="zlib", rowsperstrip=7),
    "tiff deflate in tiles": by_tifffile(PIXELS, compression="zlib", tile=(32, 16)),
    "tiff deflate by pillow": by_pillow("TIFF", compression="tiff_adobe_deflate"),
    "tiff of differences": by_pillow("TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 2}),
    "tiff packbits by pillow": by_pillow("TIFF", compression="packbits", strip_size=500),
    "tiff packbits in tiles": packbits_tiles(PIXELS, 16, 32),
    "tiff LZW by pillow": by_pillow("TIFF", compression="tiff_lzw", strip_size=500),
    "tiff LZW of differences by cv2": by_cv2(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 5),
    "tiff by cv2": by_cv2(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 1),
    "pgm by cv2": by_cv2(".pgm", PIXELS),
    "pgm by pillow": by_pillow("PPM"),
    "pgm with comments": pgm(PIXELS, 255, "P5 # a\n# {width}\n\t{width}#b\n{height}\r\n# c\n{largest} "),
}


@pytest.mark.parametrize("name", GREY_FILES)
def test_grey_of_8_bits_is_the_array_that_was_written(name: str) -> None:
    frame = decode_frame(GREY_FILES[name], f"frame.{name.partition(' ')[0].upper()}", PLAIN)
    assert np.array_equal(frame.pixels, PIXELS)
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.flags.c_contiguous
    assert not frame.notes


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 16, 17, 255, 256, 1000])
@pytest.mark.parametrize("name", FILTERS)
def test_png_rows_of_any_width_come_back(name: str, width: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (3, width), dtype=np.uint8)
    data = by_cv2(".png", pixels, cv2.IMWRITE_PNG_FILTER, FILTERS[name])
    assert np.array_equal(decode_frame(data, "", PLAIN).pixels, pixels)


def test_an_interlaced_png_is_put_together() -> None:
    """Adam7 by hand: pixel (row, column) belongs to the pass that this table of the specification names."""
    table = np.array([
        [1, 6, 4, 6, 2, 6, 4, 6], [7] * 8, [5, 6] * 4, [7] * 8, [3, 6, 4, 6] * 2, [7] * 8, [5, 6] * 4, [7] * 8,
    ])  # fmt: skip
    rows = b""
    for number in range(1, 8):
        for y in range(37):
            columns = [x for x in range(53) if table[y % 8, x % 8] == number]
            rows += b"\0" + bytes(PIXELS[y, columns]) if columns else b""
    data = png(struct.pack(">IIBBBBB", 53, 37, 8, 0, 0, 0, 1), rows)
    assert np.array_equal(decode_frame(data, "", PLAIN).pixels, PIXELS)


def test_a_grey_jpeg_is_what_pillow_decodes() -> None:
    data = by_pillow("JPEG", quality=80, progressive=True)
    assert np.array_equal(decode_frame(data, "a.jpg", PLAIN).pixels, np.asarray(PIL.Image.open(io.BytesIO(data))))


WIDE_FILES = {
    "png by cv2": lambda values, largest: by_cv2(".png", values),
    "png paeth": lambda values, largest: by_cv2(".png", values, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    "png by pillow": lambda values, largest: saved(PIL.Image.fromarray(values), "PNG"),
    "tiff": lambda values, largest: by_tifffile(values),
    "tiff big-endian deflate": lambda values, largest: by_tifffile(values, byteorder=">", compression="zlib"),
    "tiff LZW of differences": lambda values, largest: by_cv2(".tiff", values),
    "pgm": pgm,
    "pgm by cv2": lambda values, largest: by_cv2(".pgm", values),
}


@pytest.mark.parametrize("name", WIDE_FILES)
def test_the_top_8_of_the_declared_bits_are_kept(name: str) -> None:
    """Depth 12 drops 4 bits by whole division, wherever the 12 bits stand in the 16."""
    right = decode_frame(WIDE_FILES[name](TWELVE, 4095), "", WIDE)
    left = decode_frame(WIDE_FILES[name](TWELVE * 16, 4095 * 16), "", FrameOptions(10_000, 12, "left", ()))
    assert np.array_equal(right.pixels, TWELVE // 16)
    assert np.array_equal(left.pixels, TWELVE // 16)
    assert right.notes == left.notes == ("depth_reduced",)
    ten = decode_frame(WIDE_FILES[name](TWELVE // 4, 1023), "", FrameOptions(10_000, 10, "right", ()))
    assert np.array_equal(ten.pixels, TWELVE // 4 // 4)
    full = decode_frame(WIDE_FILES[name](TWELVE * 16 + 5, 65535), "", FrameOptions(10_000, 16, "right", ()))
    assert np.array_equal(full.pixels, (TWELVE * 16 + 5) // 256)


@pytest.mark.parametrize("name", WIDE_FILES)
def test_values_that_do_not_fit_the_declared_depth_are_refused(name: str) -> None:
    assert reason(WIDE_FILES[name](TWELVE, 4095), FrameOptions(10_000, 10, "right", ())) == "wrong_depth"
    assert reason(WIDE_FILES[name](TWELVE, 4095), FrameOptions(10_000, 12, "left", ())) == "wrong_depth"
    with pytest.raises(AcquisitionError, match=r"wrong_depth.*pixels\.depth.*pixels\.align"):
        decode_frame(WIDE_FILES[name](TWELVE, 4095), "", PLAIN)


def test_files_of_8_bits_are_taken_whatever_depth_is_declared() -> None:
    assert np.array_equal(decode_frame(GREY_FILES["bmp by cv2"], "", WIDE).pixels, PIXELS)


def test_white_as_zero_is_turned_round() -> None:
    narrow = decode_frame(by_tifffile(255 - PIXELS, photometric="miniswhite"), "", PLAIN)
    assert np.array_equal(narrow.pixels, PIXELS)
    wide = decode_frame(by_tifffile(4095 - TWELVE, photometric="miniswhite"), "", WIDE)
    assert np.array_equal(wide.pixels, TWELVE // 16)
    assert (narrow.notes, wide.notes) == (("inverted",), ("depth_reduced", "inverted"))


def palette_files(palette: Pixels) -> dict[str, bytes]:
    image = PIL.Image.fromarray(PIXELS)
    image.putpalette(palette.tobytes())
    return {
        "png": saved(image, "PNG"),
        "bmp by pillow": saved(image, "BMP"),
        "bmp top-down": bmp(PIXELS, palette, top_down=True),
        "bmp of OS/2": bmp(PIXELS, palette, old=True),
        "tiff": saved(image, "TIFF"),
        "tiff by tifffile": by_tifffile(PIXELS, photometric="palette", colormap=palette.T.astype(np.uint16) * 257),
    }


@pytest.mark.parametrize("name", palette_files(GREYS))
def test_a_palette_of_greys_is_looked_up_and_one_of_colours_follows_the_rule(name: str) -> None:
    greys = decode_frame(palette_files(GREYS[::-1])[name], "", PLAIN)
    assert np.array_equal(greys.pixels, 255 - PIXELS)
    assert greys.notes == ("palette",)
    colours = np.random.default_rng(4).integers(0, 256, (256, 3), dtype=np.uint8)
    assert reason(palette_files(colours)[name]) == "colour"
    converted = decode_frame(palette_files(colours)[name], "", EVERYTHING)
    assert np.array_equal(converted.pixels, cv2.cvtColor(colours[PIXELS], cv2.COLOR_RGB2GRAY))
    assert converted.notes == ("colour_converted", "palette")


def test_an_index_beyond_the_palette_is_unreadable() -> None:
    assert reason(bmp(np.full((4, 4), 3, np.uint8), GREYS[:3])) == "unreadable"
    header = struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0)
    assert reason(png(header, b"\0\3", ((b"PLTE", bytes(9)),))) == "unreadable"


COLOUR_FILES = {
    "png": by_cv2(".png", COLOURS[:, :, :3]),
    "png paeth": by_cv2(".png", COLOURS[:, :, :3], cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    "png 16 bit": by_cv2(".png", COLOURS[:, :, :3].astype(np.uint16) * 256 + 9),
    "bmp 24": by_cv2(".bmp", COLOURS[:, :, :3]),
    "tiff": by_tifffile(COLOURS[:, :, 2::-1], photometric="rgb"),
    "tiff deflate": by_tifffile(COLOURS[:, :, 2::-1], photometric="rgb", compression="zlib", tile=(16, 16)),
    "tiff LZW of differences": by_cv2(".tiff", COLOURS[:, :, :3], cv2.IMWRITE_TIFF_COMPRESSION, 5),
}
ALPHA_FILES = {
    "png": by_cv2(".png", COLOURS),
    "png paeth": by_cv2(".png", COLOURS, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    "png 16 bit": by_cv2(".png", COLOURS.astype(np.uint16) * 256 + 9),
    "bmp 32": by_cv2(".bmp", COLOURS),
    "tiff": by_tifffile(COLOURS[:, :, [2, 1, 0, 3]], photometric="rgb", extrasamples=["unassalpha"]),
}


@pytest.mark.parametrize("name", COLOUR_FILES)
def test_colour_is_refused_unless_named_and_then_luma(name: str) -> None:
    options = FrameOptions(10_000, 16, "right", ("colour",))
    with pytest.raises(AcquisitionError, match=r"^colour: .*'colour' in pixels\.convert"):
        decode_frame(COLOUR_FILES[name], "", FrameOptions(10_000, 16, "right", ("alpha",)))
    frame = decode_frame(COLOUR_FILES[name], "", options)
    assert np.array_equal(frame.pixels, cv2.cvtColor(COLOURS[:, :, :3], cv2.COLOR_BGR2GRAY))
    assert "colour_converted" in frame.notes


@pytest.mark.parametrize("name", ALPHA_FILES)
def test_alpha_is_dropped_where_named(name: str) -> None:
    assert reason(ALPHA_FILES[name], FrameOptions(10_000, 16, "right", ("colour",))) == "alpha"
    frame = decode_frame(ALPHA_FILES[name], "", EVERYTHING)
    assert np.array_equal(frame.pixels, cv2.cvtColor(COLOURS[:, :, :3], cv2.COLOR_BGR2GRAY))
    assert {"colour_converted", "alpha_dropped"} <= set(frame.notes)


def test_luma_is_that_of_bt_601_by_hand() -> None:
    data = by_cv2(".png", np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [30, 20, 10]]], np.uint8))
    # 0.114, 0.587, 0.299 of blue, green, red; the last one is 3.42 + 11.74 + 2.99.
    assert decode_frame(data, "", EVERYTHING).pixels.tolist() == [[29, 150, 76, 18]]


def test_grey_with_alpha_keeps_the_grey() -> None:
    image = PIL.Image.merge("LA", [PIL.Image.fromarray(PIXELS), PIL.Image.fromarray(255 - PIXELS)])
    keyed = grey_png(PIXELS, (b"tRNS", b"\0\7"))
    both = by_tifffile(np.dstack([PIXELS, 255 - PIXELS]), planarconfig="contig", extrasamples=["unassalpha"])
    for data in (saved(image, "PNG"), keyed, both):
        assert reason(data) == "alpha"
        frame = decode_frame(data, "", FrameOptions(10_000, 8, "right", ("alpha",)))
        assert np.array_equal(frame.pixels, PIXELS)
        assert frame.notes == ("alpha_dropped",)


def test_a_colour_jpeg_follows_the_rule() -> None:
    image = PIL.Image.fromarray(COLOURS[:, :, :3])
    data = saved(image, "JPEG")
    assert reason(data) == "colour"
    expected = cv2.cvtColor(np.asarray(PIL.Image.open(io.BytesIO(data))), cv2.COLOR_RGB2GRAY)
    assert np.array_equal(decode_frame(data, "", EVERYTHING).pixels, expected)
    assert reason(saved(image.convert("CMYK"), "JPEG"), EVERYTHING) == "unsupported_format"


@pytest.mark.parametrize(
    ("name", "noted"),
    [("a.PNG", False), ("a.Png", False), ("a", False), ("a.bmp", True), ("a.tar", True), ("png.tif", True)],
)
def test_a_suffix_that_says_something_else_is_noted(name: str, noted: bool) -> None:
    frame = decode_frame(GREY_FILES["png sub"], name, PLAIN)
    assert np.array_equal(frame.pixels, PIXELS)
    assert frame.notes == (("wrong_suffix",) if noted else ())


def test_options_check_themselves() -> None:
    for key, values in {
        "max_frame_pixels": (0, 8, "right", ()),
        "pixels.depth": (1, 9, "right", ()),
        "pixels.align": (1, 8, "middle", ()),
        "pixels.convert": (1, 8, "left", ("alpha", "alpha")),
    }.items():
        with pytest.raises(OptionError) as caught:
            FrameOptions(*values)
        assert caught.value.key == key


def test_every_note_and_reason_has_a_meaning() -> None:
    assert all(len(meaning.split()) > 3 for meaning in [*NOTES.values(), *FRAME_REASONS.values()])


def test_a_chunk_that_nobody_must_know_is_passed_over() -> None:
    data = grey_png(PIXELS, (b"vpAg", b"12345"))
    assert np.array_equal(decode_frame(data, "", PLAIN).pixels, PIXELS)
    assert chunk(b"vpAg", b"12345") in data
