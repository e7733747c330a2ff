"""Scores of shards whose set is not whole yet, so that a stopped scoring goes on: `logs/scoring/<set>/<identity>`.

They are neither outputs of DVC nor part of a scored set. What decides a score decides the folder's name, so that scores
of another model, version or code are never taken up; the folders of other identities are removed.
"""

import importlib.metadata
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

import drae_model
from drae_acceptance.errors import ScoreError
from drae_data import encodings, patch_index, records, shard_plan
from drae_data.files import Files, sha256_hex
from drae_data.local_files import LocalFiles
from drae_data.verification.claims import ShardClaim

PARTS = Path("logs/scoring")
# Whose versions may change a score's last bits.
_PACKAGES = ("keras", "numpy", "tensorflow")


def parts_folder(name: str) -> LocalFiles:
    """Where the parts of a set lie, of whatever identity: what is locked while the set is scored."""
    return LocalFiles(str(Path(PARTS, name).resolve()))


def open_parts(folder: LocalFiles, dataset_digest: str, model_digest: str, batch_size: int) -> LocalFiles:
    """The parts of this very scoring; those of other ones are removed.

    Args:
        folder: of the set, locked.
        dataset_digest: of the version that is scored.
        model_digest: of the model.
        batch_size: patches judged together.
    """
    values = [dataset_digest, model_digest, batch_size, _code(), *map(importlib.metadata.version, _PACKAGES)]
    identity = sha256_hex(json.dumps(values).encode())[:16]
    for other in Path(folder.root).glob("*"):
        if other.is_dir() and other.name != identity:
            shutil.rmtree(other)
    return LocalFiles(str(Path(folder.root, identity)))


def _code() -> str:
    """SHA-256 of the code that scores: the model's package, and what it takes from the builder to read records."""
    modules = [
        *sorted(Path(str(drae_model.__file__)).parent.glob("*.py")),
        *(Path(str(one.__file__)) for one in (encodings, patch_index, records, shard_plan)),
    ]
    return sha256_hex(b"".join(module.read_bytes() for module in modules))


def part_name(shard: str) -> str:
    """Name of the file that keeps a shard's scores."""
    return f"{shard}.npy"


def write_part(parts: Files, shard: ShardClaim, scores: npt.NDArray[np.float32]) -> None:
    """Keeps a shard's scores."""
    stream = io.BytesIO()
    np.save(stream, scores)
    parts.write(part_name(shard.name), [stream.getvalue()])


def read_part(parts: Files, shard: ShardClaim) -> npt.NDArray[np.float32]:
    """A shard's scores, float32 [records], finite, in the order of its records; raises `ScoreError`."""
    place = f"{parts.root}/{part_name(shard.name)}"
    again = "remove that file and score the set again"
    try:
        found = np.load(io.BytesIO(parts.read(part_name(shard.name))), allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ScoreError(f"{place}: expected the scores of a shard, got: {error}; {again}") from error
    if not isinstance(found, np.ndarray) or found.dtype != np.float32 or found.shape != (shard.records,):
        shape = (found.dtype, found.shape) if isinstance(found, np.ndarray) else type(found).__name__
        raise ScoreError(f"{place}: expected {shard.records} numbers of the type float32, got {shape}; {again}")
    if broken := np.flatnonzero(~np.isfinite(found)).tolist():
        raise ScoreError(
            f"{place}: expected finite scores, got {found[broken[0]]} for record {broken[0]} and {len(broken) - 1} "
            f"more; {again}"
        )
    return found
