"""PNG bytes decode to the same pixels in three libraries, and no deflate library's match finder shows in them."""

import io
import struct
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drae_data.png import encode_png
from drae_data.rank_images import Pixels


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_opencv_and_pillow_read_back_the_pixels(pixels: Pixels) -> None:
    data = encode_png(pixels)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert np.array_equal(decoded, pixels)
    with PIL.Image.open(io.BytesIO(data)) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), pixels)


def filtered_by_hand(pixels: Pixels) -> bytes:
    """PNG filter type 3, pixel by pixel, as the specification's section 9.2 defines it."""
    out = bytearray()
    for row in range(pixels.shape[0]):
        out.append(3)
        for column in range(pixels.shape[1]):
            left = int(pixels[row, column - 1]) if column else 0
            up = int(pixels[row - 1, column]) if row else 0
            out.append((int(pixels[row, column]) - (left + up) // 2) % 256)
    return bytes(out)


@pytest.mark.parametrize("spread", [1, 3, 20, 256])
def test_the_bytes_are_those_of_the_standard_zlib(spread: int) -> None:
    """Huffman coding alone: zlib and zlib-ng must agree, or digests would depend on the library's processor paths."""
    pixels = np.random.default_rng(spread).integers(0, spread, (256, 256)).astype(np.uint8)
    deflate = zlib.compressobj(level=1, strategy=zlib.Z_HUFFMAN_ONLY)
    body = deflate.compress(filtered_by_hand(pixels)) + deflate.flush()
    data = encode_png(pixels)
    start = data.index(b"IDAT")
    assert struct.unpack(">I", data[start - 4 : start])[0] == len(body)
    assert data[start + 4 : start + 4 + len(body)] == body
