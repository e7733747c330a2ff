"""Whether two folders of TFRecord files hold the same patches: equal keys, and equal pixels once decoded."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import BenchmarkError
from drae_data.records import decode_example, read_records


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
    expected = dict(_patches(theirs))
    compared = 0
    for key, encoded in _patches(ours):
        other = expected.pop(key, None)
        if other is None:
            raise BenchmarkError(f"patch {key}: in {ours} (once too often, or alone), not in {theirs}")
        one, two = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) for data in (encoded, other))
        if one is None or two is None or not np.array_equal(one, two):
            raise BenchmarkError(f"patch {key}: its pixels differ between {ours} and {theirs}")
        compared += 1
    if expected or not compared:
        raise BenchmarkError(f"{len(expected)} patches are in {theirs} and not in {ours}: {sorted(expected)[:3]}")
    return compared


def _patches(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("*.tfrecord*")):
        for _, data in read_records(path.read_bytes()):
            features = decode_example(data)
            key, image = features["key"], features["image"]
            if not isinstance(key, bytes) or not isinstance(image, bytes):
                raise BenchmarkError(f"{path}: expected the features key and image as bytes")
            yield key.decode(), image
