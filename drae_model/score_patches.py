"""A shard's patches to scores, batch by batch: what a worker does with one shard, on whatever runner."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

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
        size = inspector.patch_size
        self._batch_size = batch_size
        spec = tf.TensorSpec((None, size, size, 1), tf.float32)
        self._score: Any = tf.function(inspector.score_images, input_signature=[spec], autograph=False)

    def scores(self, folder: Path, split: str, shard: str) -> npt.NDArray[np.float32]:
        """Scores of a shard's patches in the order of its records.

        Args:
            folder: of the version.
            split: that the shard belongs to.
            shard: its file name.

        Returns:
            float32 [records], finite.

        Raises:
            DatasetError: the shard cannot be read.
            ModelError: the model gives a score that is no finite number.
        """
        options = ReadOptions(split, self._batch_size, False, 1, None, shards=(shard,))
        parts = []
        with reading_errors():
            for batch in patch_batches(folder, options):
                found = self._score(batch["image"]).numpy()
                if not np.isfinite(found).all():
                    at = int(np.flatnonzero(~np.isfinite(found))[0])
                    raise ModelError(
                        f"{batch['key'].numpy()[at].decode()}: expected a finite score, got {found[at]}; the model is "
                        "broken: see the history in its card, then train it again"
                    )
                parts.append(found.astype(np.float32))
        return np.concatenate(parts)
