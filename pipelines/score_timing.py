"""How long judging one product takes: all patches of a strip in a run, one product at a time, after warming up."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from drae_acceptance.timing import Timing, timing_bytes
from drae_data.local_files import LocalFiles
from drae_data.patch_index import read_index, read_patch
from drae_model.model_folder import load_inspector

if TYPE_CHECKING:
    from pipelines.score import Scoring

_WARM_UP = 3


def time_products(scoring: "Scoring", place: Path) -> Timing | None:
    """Times the products of the first shard and writes the timing file; None where nothing is to be measured.

    Args:
        scoring: the set.
        place: of the timing file.
    """
    wanted = scoring.section.timed_products
    if not wanted:
        return None
    version, shard = scoring.version, scoring.shards[0]
    products: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in read_index(version.files, shard).to_pylist():
        products.setdefault((row["strip"], row["run"]), []).append(row)
    size = version.patches_per_acquisition
    whole = [rows for _, rows in sorted(products.items()) if len(rows) == size][:wanted]
    if not whole:
        return None
    inspector = load_inspector(scoring.model)
    inspect = tf.function(lambda patches: inspector.inspect(patches)["score"], autograph=False)
    seconds = []
    for number, rows in enumerate([*whole[:1] * _WARM_UP, *whole]):
        pixels = np.stack([read_patch(version.files, version.claims, shard.name, row) for row in rows])[..., None]
        started = time.perf_counter()
        inspect(tf.constant(pixels)).numpy()
        if number >= _WARM_UP:
            seconds.append(time.perf_counter() - started)
    devices = tf.config.list_physical_devices("GPU")
    device = f"{len(devices)} GPU" if devices else f"CPU, {platform.machine()}"
    timing = Timing(scoring.model_digest, device, len(seconds), size, float(np.mean(seconds)), max(seconds))
    LocalFiles(str(place.parent)).write(place.name, [timing_bytes(timing)])
    return timing
