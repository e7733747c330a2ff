"""A shard's patches to scores, batch by batch: what a worker does with one shard, on whatever runner."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_data.errors import DatasetError
from drae_data.local_files import LocalFiles
from drae_data.patch_index import check_shard, index_columns, verify_advice
from drae_data.verification.claims import ShardClaim
from drae_model.errors import ModelError
from drae_model.model_folder import Inspector
from drae_model.patch_dataset import patch_batches, reading_errors
from drae_model.read_options import ReadOptions


class ShardScorer:
    """Scores shards with one model; the graph is made once.

    Args:
        inspector: the model.
        batch_size: patches judged together. The same shard and batch size give the same batches, hence the same scores.
    """

    def __init__(self, inspector: Inspector, batch_size: int) -> None:
        self._batch_size = batch_size
        self._inspector = inspector
        specs = inspector.specs(None, tf.float32)
        self._score: Any = tf.function(inspector.score_images, input_signature=specs, autograph=False)

    def scores(self, folder: Path, shard: ShardClaim) -> npt.NDArray[np.float32]:
        """Scores of a shard's patches in the order of its records, which is that of its patch index.

        Args:
            folder: of the version.
            shard: as `provenance.json` states it.

        Returns:
            float32 [records], finite.

        Raises:
            DatasetError: the shard or its index cannot be read, or is not what was built.
            ModelError: the model gives a score that is no finite number, or was not trained on a region.
        """
        files = LocalFiles(str(folder))
        check_shard(files, shard)
        expected = index_columns(files, shard, ["key"])["key"].tolist()
        options = ReadOptions(shard.split, self._batch_size, False, 1, None, shards=(shard.name,))
        parts: list[npt.NDArray[np.float32]] = []
        with reading_errors():
            for number, batch in enumerate(patch_batches(folder, options)):
                keys = [key.decode() for key in batch["key"].numpy()]
                first = number * self._batch_size
                _check_keys(f"{folder}/{shard.name}", keys, expected[first : first + self._batch_size], first)
                regions = self._inspector.region_numbers([name.decode() for name in batch["region"].numpy()])
                found = self._score(batch["image"], regions).numpy()
                if not np.isfinite(found).all():
                    at = int(np.flatnonzero(~np.isfinite(found))[0])
                    raise ModelError(
                        f"{keys[at]}: expected a finite score, got {found[at]}; the model is broken: see the history "
                        "in its card, then train it again"
                    )
                parts.append(found.astype(np.float32))
        return np.concatenate(parts)


def _check_keys(place: str, keys: list[str], expected: list[str], first: int) -> None:
    """Whether records are those that the patch index names, so that no score is taken for another patch's."""
    for number, (came, key) in enumerate(zip(keys, expected, strict=True), first):
        if came != key:
            raise DatasetError(
                f"{place}: expected the patch {key} in record {number}, as its index says, got {came}; "
                f"{verify_advice(str(Path(place).parent))}"
            )
