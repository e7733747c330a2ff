"""What scoring and auditing take from a model's card, checked entry by entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drae_model.errors import ModelError
from drae_model.model_card import CARD, model_digest, read_card

_KINDS = {"patch_size": int, "regions": list, "dataset": dict, "score": dict}
_DATASET = ("name", "version", "digest")


@dataclass(frozen=True)
class ModelFacts:
    """A trained model.

    Attributes:
        folder: of the model.
        digest: of the model.
        patch_size: side of the patches that it takes, in pixels.
        regions: that it was trained on.
        dataset: name, version and digest of the version that it was trained on.
        score: definition and options of its score.
    """

    folder: Path
    digest: str
    patch_size: int
    regions: tuple[str, ...]
    dataset: Mapping[str, str]
    score: Mapping[str, Any]


def read_model_facts(folder: Path) -> ModelFacts:
    """Reads the card of a model; raises `ModelError` where the model is absent or its card lacks an entry."""
    card = read_card(folder)
    for name, kind in _KINDS.items():
        if not isinstance(card.get(name), kind):
            raise ModelError(
                f"{folder / CARD}: {name}: expected {kind.__name__}, got {card.get(name)!r}; train the model again"
            )
    if missing := [name for name in _DATASET if not isinstance(card["dataset"].get(name), str)]:
        raise ModelError(f"{folder / CARD}: dataset: expected {', '.join(missing)}, got none; train the model again")
    dataset = {name: card["dataset"][name] for name in _DATASET}
    return ModelFacts(folder, model_digest(folder), card["patch_size"], tuple(card["regions"]), dataset, card["score"])
