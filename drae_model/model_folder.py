"""A trained model as a folder: the `.keras` file, the SavedModel that a line calls, and the card that describes it."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from drae_data.errors import OptionError
from drae_model.errors import ModelError, first_line
from drae_model.group_normalization import GroupNormalization
from drae_model.input_size import shrink
from drae_model.linear_path import GatedSum, SubspaceProjection
from drae_model.loss_options import ScoreOptions
from drae_model.model_card import CARD, KERAS_FILE, read_card
from drae_model.scoring import heatmaps, scores

SAVED_MODEL = "saved_model"
_OWN_LAYERS = {layer.__name__: layer for layer in (GatedSum, GroupNormalization, SubspaceProjection)}
# What Keras writes as `date_saved`, for the earliest date that a zip archive knows.
_NO_DATE = "1980-01-01@00:00:00"

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any


class Inspector(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """Raw patches to scores, heatmaps and reconstructions: what both signatures and every reader of the model run.

    Args:
        autoencoder: the trained one.
        score: how a map becomes a score.
        patch_size: side of the raw patches in pixels; the autoencoder's input side divides it.
    """

    def __init__(self, autoencoder: keras.Model, score: ScoreOptions, patch_size: int) -> None:
        super().__init__(name="inspector")
        self.autoencoder = autoencoder
        self.score = score
        self.patch_size = patch_size
        self.input_size = int(autoencoder.inputs[0].shape[1])

    def inspect(self, patches: Tensor) -> dict[str, Tensor]:
        """Judges patches.

        Args:
            patches: uint8 [n, p, p, 1], p being `patch_size`.

        Returns:
            `score`: float32 [n], 0 for a perfect reconstruction; `heatmap`: float32 [n, p, p], 0 to 1, equations 10
            and 11 at the network's input size, interpolated to the patch.
        """
        images = self._images(patches)
        rebuilt = self.autoencoder(images, training=False)["image"]
        heatmap = tf.image.resize(heatmaps(images, rebuilt), (self.patch_size, self.patch_size))
        return {"score": scores(images, rebuilt, self.score), "heatmap": heatmap[..., 0]}

    def score_images(self, images: Tensor) -> Tensor:
        """Scores of patches that were read already: float32 [n, p, p, 1], 0 to 1, to float32 [n], as `inspect` does."""
        images = shrink(images, self.input_size)
        return scores(images, self.autoencoder(images, training=False)["image"], self.score)

    def reconstruct(self, patches: Tensor) -> dict[str, Tensor]:
        """Reconstructs patches: uint8 [n, p, p, 1] to `reconstruction`, float32 [n, s, s, 1], 0 to 1, at input size."""
        return {"reconstruction": self.autoencoder(self._images(patches), training=False)["image"]}

    def _images(self, patches: Tensor) -> Tensor:
        return shrink(tf.cast(patches, tf.float32) / 255.0, self.input_size)


def write_model(folder: Path, inspector: Inspector, card: Mapping[str, Any]) -> None:
    """Writes a model's files into an empty folder.

    Args:
        folder: that exists.
        inspector: the model.
        card: JSON values for `model.json`, written last.

    The same model gives the same `.keras` file and card, byte for byte. The SavedModel computes the same, but
    TensorFlow writes a random identifier into it and orders its parts by their places in memory.
    """
    _write_keras(folder / KERAS_FILE, inspector.autoencoder)
    archive = keras.export.ExportArchive()
    archive.track(inspector.autoencoder)
    patches = tf.TensorSpec((None, inspector.patch_size, inspector.patch_size, 1), tf.uint8, name="patches")
    archive.add_endpoint("inspect", inspector.inspect, [patches])
    archive.add_endpoint("reconstruct", inspector.reconstruct, [patches])
    archive.write_out(str(folder / SAVED_MODEL), verbose=False)
    (folder / CARD).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_keras(path: Path, autoencoder: keras.Model) -> None:
    """Writes the `.keras` file, a zip archive, without the time that Keras puts into it."""
    stamped = path.with_name("stamped.keras")
    autoencoder.save(stamped)
    with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": _NO_DATE}, sort_keys=True).encode()
            target.writestr(zipfile.ZipInfo(name), content)
    stamped.unlink()


def load_inspector(folder: Path) -> Inspector:
    """The model in a folder, from its `.keras` file.

    Args:
        folder: that `write_model` filled.

    Raises:
        ModelError: a file is absent, damaged, or does not fit the others.
    """
    card = read_card(folder)
    try:
        autoencoder = keras.models.load_model(folder / KERAS_FILE, custom_objects=_OWN_LAYERS, compile=False)
        return Inspector(autoencoder, ScoreOptions(**card["score"]["options"]), int(card["patch_size"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, OptionError) as error:
        raise ModelError(f"{folder}: expected a trained model, got: {first_line(error)}; train it again") from error
