"""The published shards by tf.data and tf.io alone, as somebody reads them who knows nothing of this project's code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.sample import SIZE

tf = pytest.importorskip("tensorflow")

_TEXT, _NUMBER = ("image", "key", "strip", "batch", "recipe", "station", "rank", "region"), ("run", "frame", "vial")


def plain_records(version: Path, split: str) -> dict[str, dict[str, Any]]:
    """The features of every record of a split, by key; images as uint8 [256, 256, 1]."""
    features = {
        **{name: tf.io.FixedLenFeature([], tf.string) for name in _TEXT},
        **{name: tf.io.FixedLenFeature([], tf.int64) for name in _NUMBER},
    }
    found = {}
    for data in tf.data.TFRecordDataset([str(path) for path in sorted(version.glob(f"*-{split}.tfrecord-*"))]):
        record = {name: value.numpy() for name, value in tf.io.parse_single_example(data, features).items()}
        record["image"] = (
            np.frombuffer(record["image"], np.uint8).reshape(SIZE, SIZE, 1)
            if len(record["image"]) == SIZE * SIZE
            else tf.io.decode_png(record["image"]).numpy()
        )
        assert record["key"].decode() not in found
        found[record["key"].decode()] = record
    return found
