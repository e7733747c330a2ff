"""How long judging one product takes: all patches of a strip in a run, one product at a time, after warming up."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import platform
import time
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_acceptance.timing import Timing, timing_bytes, timing_place
from drae_data.acquisition import AcquisitionKey
from drae_data.local_files import LocalFiles
from drae_data.patch_index import read_index, read_patch
from drae_model.model_folder import load_inspector
from pipelines.scoring import Scoring

_WARM_UP = 3
# A strip in a run.
Product = tuple[str, int]
# Its patches: each with its shard and its row of the index.
Places = list[tuple[str, dict[str, Any]]]


def write_timing(scoring: Scoring) -> str:
    """Times some products and writes the timing file of a set; where nothing is measured, an earlier file goes.

    Args:
        scoring: the set.

    Returns:
        What was measured, or why nothing was, in words.
    """
    place = timing_place(scoring.name)
    files = LocalFiles(str(place.parent))
    files.remove(place.name)
    if not scoring.section.timed_products:
        return "not timed: score.timed_products is 0"
    whole = whole_products(scoring)
    if not whole:
        return f"not timed: no strip in a run has all its patches in the split {scoring.chosen.split}"
    timing = _measured(scoring, whole)
    files.write(place.name, [timing_bytes(timing)])
    return (
        f"one product, {timing.patches} patches, takes {1000 * timing.mean_seconds:.1f} ms, at most "
        f"{1000 * timing.max_seconds:.1f} ms"
    )


def whole_products(scoring: Scoring) -> list[Places]:
    """As many products as shall be timed, each with all patches that its stations took of it, all of one size.

    Shards are read one after the other until there are enough. Most products have the size that is timed; of sizes
    that are as frequent the greatest is.
    """
    version, split = scoring.version, scoring.chosen.split
    stations = Counter((row.key.strip_id, row.run) for row in version.acquisitions if split in row.splits)
    expected = {product: count * version.patches_per_acquisition for product, count in stations.items()}
    sizes = Counter(expected.values())
    size = max(sizes, key=lambda one: (sizes[one], one), default=0)
    found: dict[Product, Places] = {}
    whole: list[Places] = []
    for shard in scoring.shards:
        for row in read_index(version.files, shard).to_pylist():
            key = AcquisitionKey.of(row)
            found.setdefault((key.strip_id, key.run), []).append((shard.name, row))
        whole = [places for product, places in sorted(found.items()) if len(places) == expected[product] == size]
        if len(whole) >= scoring.section.timed_products:
            break
    return whole[: scoring.section.timed_products]


def _measured(scoring: Scoring, products: list[Places]) -> Timing:
    inspector = load_inspector(scoring.model.folder)
    inspect = tf.function(lambda patches, regions: inspector.inspect(patches, regions)["score"], autograph=False)
    seconds = []
    for number, places in enumerate([*products[:1] * _WARM_UP, *products]):
        pixels = _pixels(scoring, places)
        regions = inspector.region_numbers([row["region"] for _, row in places])
        started = time.perf_counter()
        inspect(tf.constant(pixels), regions).numpy()
        if number >= _WARM_UP:
            seconds.append(time.perf_counter() - started)
    devices = tf.config.list_physical_devices("GPU")
    return Timing(
        model_digest=scoring.model.digest,
        dataset_digest=scoring.version.claims.digest,
        device=f"{len(devices)} GPU" if devices else f"CPU, {platform.machine()}",
        products=len(products),
        patches=len(products[0]),
        mean_seconds=float(np.mean(seconds)),
        max_seconds=max(seconds),
    )


def _pixels(scoring: Scoring, places: Places) -> npt.NDArray[np.uint8]:
    """The patches of a product, uint8 [n, size, size, 1]."""
    version = scoring.version
    return np.stack([read_patch(version.files, version.claims, shard, row) for shard, row in places])[..., None]
