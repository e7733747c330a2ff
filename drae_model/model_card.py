"""What a model folder says of itself, and its digest; without TensorFlow."""

import json
from pathlib import Path
from typing import Any

from drae_data.files import sha256_hex
from drae_model.errors import ModelError

KERAS_FILE = "drae.keras"
CARD = "model.json"


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model; raises `ModelError`."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / CARD}: expected the card of a trained model, got {error}; train it again"
        ) from error
    if not isinstance(card, dict):
        raise ModelError(f"{folder / CARD}: expected a JSON object, got {type(card).__name__}; train it again")
    return card


def model_digest(folder: Path) -> str:
    """SHA-256 over the `.keras` file and the card: what decides every score; raises `ModelError`.

    The SavedModel beside them is made from both and computes the same.
    """
    read_card(folder)
    try:
        parts = [sha256_hex((folder / name).read_bytes()) for name in (KERAS_FILE, CARD)]
    except OSError as error:
        raise ModelError(
            f"{error.filename}: expected a trained model, got: {error.strerror}; train it again"
        ) from error
    return sha256_hex("\n".join(parts).encode())
