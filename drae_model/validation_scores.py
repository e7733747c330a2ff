"""The scores of the patches that a model was validated on: what its scores look like where nothing is wrong.

The line compares what it sees with them. They lie beside the model, without TensorFlow.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from drae_data.files import sha256_hex
from drae_model.errors import ModelError
from drae_model.model_card import read_card

VALIDATION_SCORES = "validation_scores.parquet"
_AGAIN = "train the model again"


def validation_bytes(regions: Sequence[str], scores: npt.NDArray[np.float32]) -> bytes:
    """The file of a model's validation scores; the same scores give the same bytes.

    Args:
        regions: name of each patch's region, n of them.
        scores: float32 [n].
    """
    table = pa.table({"region": pa.array(regions, pa.string()), "score": pa.array(scores, pa.float32())})
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def validation_entry(content: bytes, patches: int) -> dict[str, str | int]:
    """What the model's card says of the file, so that the model's digest covers it."""
    return {"patches": patches, "sha256": sha256_hex(content)}


def read_validation_scores(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The scores of the patches that a model was validated on.

    Args:
        folder: of the model.

    Returns:
        By region float32 [n], in the order of the patches.

    Raises:
        ModelError: model or scores are absent, damaged, or do not belong together.
    """
    place, entry = folder / VALIDATION_SCORES, read_card(folder).get("validation_scores")
    if not isinstance(entry, dict):
        raise ModelError(
            f"{folder}: expected a model with validation scores, got one of before they were kept; {_AGAIN}"
        )
    try:
        content = place.read_bytes()
    except OSError as error:
        raise ModelError(f"{place}: expected the scores of a validation, got: {error.strerror}; {_AGAIN}") from error
    if (came := sha256_hex(content)) != entry.get("sha256"):
        raise ModelError(
            f"{place}: expected the content that the card names, {entry.get('sha256')}, got {came}; {_AGAIN}"
        )
    table = pq.read_table(io.BytesIO(content))
    names, scores = np.array(table["region"].to_pylist()), table["score"].to_numpy()
    return {str(name): scores[names == name] for name in np.unique(names)}
