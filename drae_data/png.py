"""Grey patches to PNG bytes, fast and always the same.

One filter (average) and Huffman coding without matching: on noisy camera images that is smaller than a library's
default and less than half its time. Because nothing is matched, the bytes do not depend on the match finder that a
deflate library picks for the processor at hand; zlib and zlib-ng write the same bytes (see the decision record on patch
encoding and the test that compares them). Any PNG reader reads them: W3C PNG specification, section 9 (filters) and
10 (deflate).
"""

import struct
import threading

import numpy as np
from zlib_ng import zlib_ng

from drae_data.rank_images import Pixels

# Changes whenever the bytes that `encode_png` writes change: part of a shard's fingerprint.
CODEC = "png:average+huffman:1"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AVERAGE_FILTER = 3
_GREY_8_BIT = b"\x08\x00\x00\x00\x00"
_buffers = threading.local()


def encode_png(patch: Pixels) -> bytes:
    """Encodes without loss.

    Args:
        patch: uint8 [height, width].

    Returns:
        A whole PNG file: 8 bit grey, one IDAT chunk.
    """
    height, width = patch.shape
    deflate = zlib_ng.compressobj(level=1, strategy=zlib_ng.Z_HUFFMAN_ONLY)
    body = deflate.compress(_filtered(patch)) + deflate.flush()
    return b"".join((
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">II", width, height) + _GREY_8_BIT),
        _chunk(b"IDAT", body),
        _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib_ng.crc32(body, zlib_ng.crc32(name)))


def _filtered(patch: Pixels) -> Pixels:
    """The scanlines, each with its filter type before it; the array is good until this thread's next call.

    The pixels lie in a buffer with a zero row above and a zero column between the rows, so that the left and upper
    neighbours are shifts of one flat array: long runs for the processor, and no array is made.
    """
    height, width = patch.shape
    stride = width + 1
    if getattr(_buffers, "shape", None) != patch.shape:
        _buffers.padded = np.zeros((height + 1) * stride + 1, np.uint8)
        _buffers.mean = np.empty(height * stride, np.uint8)
        _buffers.out = np.empty(height * stride, np.uint8)
        _buffers.shape = patch.shape
    padded: Pixels = _buffers.padded
    mean: Pixels = _buffers.mean
    out: Pixels = _buffers.out
    # A scanline starts with the place of its filter type, which is the zero to the left of its first pixel.
    padded[stride:-1].reshape(height, stride)[:, 1:] = patch
    here, left, above = padded[stride:-1], padded[stride - 1 : -2], padded[: -stride - 1]
    # (a & b) + ((a ^ b) >> 1) is floor((a + b) / 2) without a wider type; the difference wraps modulo 256 as it must.
    np.bitwise_xor(left, above, out=mean)
    np.right_shift(mean, 1, out=mean)
    np.bitwise_and(left, above, out=out)
    np.add(mean, out, out=mean)
    np.subtract(here, mean, out=out)
    out[::stride] = _AVERAGE_FILTER
    return out
