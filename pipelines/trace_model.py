"""From scores to the model that gave them: deciding patches scored again, and what the model was trained on."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_acceptance.errors import TraceError
from drae_acceptance.score_table import ScoreCard
from drae_data.errors import DatasetError
from drae_data.local_files import LocalFiles
from drae_data.patch_lookup import FoundPatch
from drae_data.verification.claims import read_claims
from drae_model.errors import ModelError, first_line
from drae_model.model_card import SAVED_MODEL, check_saved_model
from drae_model.model_folder import load_inspector
from pipelines.model_facts import ModelFacts, read_model_facts
from pipelines.trace_dataset import files_digest

# Batches of another size, and another kind of processor, change a score's last bits.
_TOLERANCE = 1e-5
_AGAIN = "score, calibrate and evaluate again, on a processor of the kind that this is"

Scores = npt.NDArray[np.float32]


def open_model(folder: Path, card: ScoreCard) -> ModelFacts:
    """Reads the model's card, and checks that it is the model that scored; raises `TraceError`, `ModelError`."""
    model = read_model_facts(folder)
    if model.digest != card.model_digest:
        raise TraceError(
            f"broken link, scores to model: the scores are those of model {card.model_digest}, {folder} holds "
            f"{model.digest}; bring that model back, or score, calibrate and evaluate again"
        )
    if dict(model.score) != dict(card.score):
        raise TraceError(
            f"broken link, scores to model: the scores are {dict(card.score)}, those of {folder} {dict(model.score)}; "
            "score, calibrate and evaluate again"
        )
    return model


def check_scores(model: ModelFacts, found: Sequence[FoundPatch], stated: Scores) -> Iterator[str]:
    """Scores patches again, by the model and by the SavedModel that a line calls.

    Args:
        model: that scored them.
        found: the patches.
        stated: their scores in the table, float32 [n].

    Yields:
        What was compared, and what could not be, in words.

    Raises:
        TraceError: a score is another.
    """
    if not found:
        return
    pixels = np.stack([patch.pixels() for patch in found])[..., None]
    keys = [str(patch.key) for patch in found]
    inspector = load_inspector(model.folder)
    inputs = {"patches": tf.constant(pixels)}
    if inspector.takes_regions:
        inputs["regions"] = inspector.region_numbers([patch.key.region for patch in found])
    came = inspector.inspect(**inputs)["score"].numpy()
    _compare("scores to model", f"{model.folder}", keys, stated, came)
    yield f"  scored again: {len(keys)} deciding patches, the same within {_TOLERANCE:g}"
    place = model.folder / SAVED_MODEL
    if not place.is_dir():
        yield f"  saved model: not checked, {place} is not there"
        return
    try:
        check_saved_model(model.folder)
    except ModelError as error:
        raise TraceError(f"broken link, saved model to model: {error}") from error
    try:
        # Its variables live as long as what was loaded does.
        loaded = tf.saved_model.load(str(place))
        came = loaded.signatures["inspect"](**inputs)["score"].numpy()
    except (OSError, ValueError, KeyError, AttributeError, TypeError, tf.errors.OpError) as error:
        raise TraceError(
            f"broken link, saved model to model: {place}: expected a SavedModel, got: {first_line(error)}; train again"
        ) from error
    _compare("saved model to model", f"{place}", keys, stated, came)
    yield f"  saved model: {place}, which the card names, scores them the same"


def _compare(link: str, place: str, keys: Sequence[str], stated: Scores, came: Scores) -> None:
    apart = np.abs(stated.astype(np.float64) - came)
    if not (apart <= _TOLERANCE).all():
        row = int(np.flatnonzero(~(apart <= _TOLERANCE))[0])
        raise TraceError(
            f"broken link, {link}: {keys[row]}: its score is {stated[row]:.6f} in the table, {place} gives "
            f"{came[row]:.6f}; {_AGAIN}"
        )


def check_training_dataset(model: ModelFacts, folder: Path) -> str:
    """What the model was trained on, in words: whether that version is there, by its own digests, or not checked.

    Args:
        model: that scored.
        folder: where the params say that the version lies.

    Raises:
        TraceError: the version is there, and its files' digests give another digest.
    """
    trained = f"trained on {model.dataset['name']} {model.dataset['version']}, digest {model.dataset['digest']}"
    try:
        claims = read_claims(LocalFiles(str(folder)))
    except DatasetError as error:
        return f"  {trained}: not checked, {error}"
    if claims.digest != model.dataset["digest"]:
        return f"  {trained}: not checked, {folder} holds {claims.digest}"
    if (came := files_digest(claims)) != claims.digest:
        raise TraceError(
            f"broken link, model to training dataset: {folder} states the digest {claims.digest}, its files' digests "
            f"give {came}; run python -m pipelines.verify {folder}"
        )
    return f"  {trained}: {folder} states it, and the digests of its files give it; the files were not hashed"
