"""What a model folder says of itself, and its digests; without TensorFlow."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drae_data.files import sha256_hex
from drae_model.errors import ModelError

KERAS_FILE = "drae.keras"
CARD = "model.json"
SAVED_MODEL = "saved_model"
# In the card, so that the model's digest covers the SavedModel too.
SAVED_MODEL_ENTRY = "saved_model_sha256"


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model; raises `ModelError`."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder / CARD}: expected the card of a trained model, got {error}; train it again"
        ) from error
    if not isinstance(card, dict):
        raise ModelError(f"{folder / CARD}: expected a JSON object, got {type(card).__name__}; train it again")
    return card


def model_digest(folder: Path) -> str:
    """SHA-256 over the `.keras` file and the card: what decides every score; raises `ModelError`.

    The card names the SavedModel beside them, which computes the same: `check_saved_model`.
    """
    read_card(folder)
    try:
        parts = [sha256_hex((folder / name).read_bytes()) for name in (KERAS_FILE, CARD)]
    except OSError as error:
        raise ModelError(
            f"{error.filename}: expected a trained model, got: {error.strerror}; train it again"
        ) from error
    return sha256_hex("\n".join(parts).encode())


def saved_model_digest(folder: Path) -> str:
    """SHA-256 over the lines that `sha256sum` prints for a SavedModel's files, in the order of their names.

    Args:
        folder: of the SavedModel.

    Raises:
        OSError: a file cannot be read.
    """
    files = {os.fsencode(path.relative_to(folder).as_posix()): path for path in _files(folder)}
    return sha256_hex(b"".join(b"%s  %s\n" % (_digest_of(files[name]), name) for name in sorted(files)))


def _digest_of(path: Path) -> bytes:
    return sha256_hex(path.read_bytes()).encode()


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder; raises OSError where one cannot be listed."""

    def refuse(error: OSError) -> None:
        raise error

    for place, _, names in os.walk(folder, onerror=refuse):
        yield from (path for name in names if (path := Path(place, name)).is_file())


def check_saved_model(folder: Path) -> None:
    """Checks that the SavedModel in a model folder is the one that the card names; raises `ModelError`."""
    place, named = folder / SAVED_MODEL, read_card(folder).get(SAVED_MODEL_ENTRY)
    if named is None:
        raise ModelError(
            f"{folder / CARD}: expected SHA-256 of the SavedModel at {SAVED_MODEL_ENTRY}, got the card of an earlier "
            "version; train it again"
        )
    try:
        came = saved_model_digest(place)
    except OSError as error:
        raise ModelError(
            f"{error.filename}: expected to read the SavedModel, got: {error.strerror}; make it readable, or copy the "
            "whole model folder again"
        ) from error
    if came != named:
        raise ModelError(
            f"{place}: expected the SavedModel that {CARD} names at {SAVED_MODEL_ENTRY}, {named}, got {came}; copy the "
            "whole model folder again"
        )
