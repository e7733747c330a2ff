"""Whether two folders of TFRecord files hold the same patches: equal keys, and equal pixels once decoded."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import BenchmarkError
from drae_data.records import decode_example, read_records

_PNG = b"\x89PNG\r\n\x1a\n"


def compare_pixels(ours: Path, theirs: Path) -> int:
    """Compares every patch of two folders; their encodings may differ.

    Args:
        ours: a folder of TFRecord files.
        theirs: another one.

    Returns:
        How many patches were compared.

    Raises:
        BenchmarkError: a patch is on one side only, stands twice, or its pixels differ; names the first such patch.
    """
    expected: dict[str, bytes] = {}
    for key, pixels in _pixels(theirs):
        if expected.setdefault(key, pixels) is not pixels:
            raise BenchmarkError(f"patch {key}: stands twice in {theirs}")
    compared = 0
    for key, pixels in _pixels(ours):
        other = expected.pop(key, None)
        if other is None:
            raise BenchmarkError(f"patch {key}: in {ours} (once too often, or alone), not in {theirs}")
        if pixels != other:
            raise BenchmarkError(f"patch {key}: its pixels differ between {ours} and {theirs}")
        compared += 1
    if expected or not compared:
        raise BenchmarkError(f"{len(expected)} patches are in {theirs} and not in {ours}: {sorted(expected)[:3]}")
    return compared


def _pixels(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Key and SHA-256 of the pixels of every patch."""
    for path in sorted(folder.glob("*.tfrecord*")):
        for _, data in read_records(path.read_bytes()):
            features = decode_example(data)
            key, image = features["key"], features["image"]
            if not isinstance(key, bytes) or not isinstance(image, bytes):
                raise BenchmarkError(f"{path}: expected the features key and image as bytes")
            yield key.decode(), hashlib.sha256(_decoded(image, f"{path}: patch {key.decode()}")).digest()


def _decoded(image: bytes, where: str) -> bytes:
    """The bytes of a square patch's pixels, row by row, whether it is stored as PNG or as just these bytes."""
    if not image.startswith(_PNG):
        return image
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.shape[0] != pixels.shape[1] or pixels.ndim != 2:
        raise BenchmarkError(f"{where}: expected a square grey PNG of 8 bits")
    return pixels.tobytes()
