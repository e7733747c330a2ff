"""Scores of shards whose set is not whole yet, so that a stopped scoring goes on: `logs/scoring/<set>/<identity>`.

They are neither outputs of DVC nor part of a scored set. What decides a score decides the folder's name, so that scores
of another model, version or code are never taken up; the folders of other identities are removed. Where workers share
no folder with this machine they lie at a URL, and beside them what the workers need of the model.
"""

import importlib.metadata
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

import drae_model
from drae_acceptance.errors import ScoreError
from drae_data import encodings, patch_index, records, shard_plan
from drae_data.files import Files, sha256_hex
from drae_data.local_files import LocalFiles
from drae_data.verification.claims import ShardClaim
from drae_model.model_card import CARD, KERAS_FILE
from pipelines.beam_files import files_at
from pipelines.patient_files import patient

PARTS = Path("logs/scoring")
# What of a model decides scores.
SCORING_FILES = (CARD, KERAS_FILE)
# Whose versions may change a score's last bits.
_PACKAGES = ("keras", "numpy", "tensorflow")


def parts_folder(name: str, place: str = "") -> Files:
    """Where the parts of a set lie, of whatever identity: what is locked while the set is scored.

    Args:
        name: of the set.
        place: a folder or URL for those of all sets, instead of `PARTS`.
    """
    files = files_at(f"{place}/{name}" if place else str(Path(PARTS, name).resolve()))
    return files if isinstance(files, LocalFiles) else patient(files)


def open_parts(folder: Files, dataset_digest: str, model_digest: str, batch_size: int) -> Files:
    """The parts of this very scoring; those of other ones are removed.

    Args:
        folder: of the set, locked.
        dataset_digest: of the version that is scored.
        model_digest: of the model.
        batch_size: patches judged together.
    """
    values = [dataset_digest, model_digest, batch_size, _code(), *map(importlib.metadata.version, _PACKAGES)]
    identity = sha256_hex(json.dumps(values).encode())[:16]
    with suppress(FileNotFoundError):
        for other in sorted(folder.folders(1)):
            if other != identity:
                folder.remove(other)
    parts = files_at(f"{folder.root}/{identity}")
    return parts if isinstance(parts, LocalFiles) else patient(parts)


def remove_parts(folder: Files, parts: Files) -> None:
    """Removes the parts of a set that is whole; what stays there for whatever reason harms nothing."""
    with suppress(OSError):
        folder.remove(parts.root.rpartition("/")[2])
        if isinstance(folder, LocalFiles):
            Path(folder.root).rmdir()


def model_for_workers(folder: Path, parts: Files) -> Files:
    """A model where workers see it: where it lies, or, if parts are kept at a URL, a copy beside them."""
    if isinstance(parts, LocalFiles):
        return LocalFiles(str(folder.absolute()))
    copy = patient(files_at(f"{parts.root}/model"))
    for name in SCORING_FILES:
        copy.write(name, [(folder / name).read_bytes()])
    return copy


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
