"""A trained model as a folder: the `.keras` file, the SavedModel that a line calls, and the card that describes it."""

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from drae_data.errors import OptionError
from drae_model.errors import ModelError, first_line
from drae_model.group_normalization import GroupNormalization
from drae_model.input_size import shrink
from drae_model.linear_path import GatedSum, SubspaceProjection
from drae_model.loss_options import ScoreOptions
from drae_model.model_card import CARD, KERAS_FILE, SAVED_MODEL, SAVED_MODEL_ENTRY, read_card, saved_model_digest
from drae_model.reconstruction import rebuild, takes_regions
from drae_model.scoring import heatmaps, scores

_OWN_LAYERS = {layer.__name__: layer for layer in (GatedSum, GroupNormalization, SubspaceProjection)}
# TensorFlow's attribute of a function's argument; that of a weight is a number.
_NAME = "_user_specified_name"
# What Keras writes as `date_saved`, for the earliest date that a zip archive knows.
_NO_DATE = "1980-01-01@00:00:00"

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any


class Inspector(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """Raw patches to scores, heatmaps and reconstructions: what both signatures and every reader of the model run.

    Beside patches all take the numbers of their regions, int32 [n], which `region_numbers` gives. Only a model with a
    subspace per region needs them.

    Args:
        autoencoder: the trained one.
        score: how a map becomes a score.
        patch_size: side of the raw patches in pixels; the autoencoder's input side divides it.
        regions: names of those that it was trained on; their order gives them their numbers.

    Attributes:
        takes_regions: whether the model needs to know the regions of patches.
    """

    def __init__(self, autoencoder: keras.Model, score: ScoreOptions, patch_size: int, regions: Sequence[str]) -> None:
        super().__init__(name="inspector")
        self.autoencoder = autoencoder
        self.score = score
        self.patch_size = patch_size
        self.regions = tuple(regions)
        self.input_size = int(autoencoder.inputs[0].shape[1])
        self.takes_regions = takes_regions(autoencoder)

    def region_numbers(self, names: Sequence[str]) -> Tensor:
        """The numbers of patches' regions, int32 [n], from 0; raises `ModelError` for one that is not the model's."""
        for name in names:
            if name not in self.regions:
                known = ", ".join(self.regions)
                raise ModelError(f"expected patches of the regions that the model was trained on, {known}, got {name}")
        return tf.constant([self.regions.index(name) for name in names], tf.int32)

    def inspect(self, patches: Tensor, regions: Tensor | None = None) -> dict[str, Tensor]:
        """Judges patches.

        Args:
            patches: uint8 [n, p, p, 1], p being `patch_size`.
            regions: int32 [n], where the model needs them.

        Returns:
            `score`: float32 [n], 0 for a perfect reconstruction; `heatmap`: float32 [n, p, p], 0 to 1, equations 10
            and 11 at the network's input size, interpolated to the patch.
        """
        found = self.examine(patches, regions)
        return {"score": found["score"], "heatmap": self.heatmaps(found["image"], found["reconstruction"])}

    def examine(self, patches: Tensor, regions: Tensor | None = None) -> dict[str, Tensor]:
        """Judges patches and keeps what their heatmaps would be drawn from.

        Args:
            patches: as `inspect` takes them.
            regions: the same.

        Returns:
            `score`: as of `inspect`; `image` and `reconstruction`: float32 [n, s, s, 1], 0 to 1, at input size.
        """
        images = self._images(patches)
        rebuilt = self.rebuild(images, regions)
        return {"score": scores(images, rebuilt, self.score), "image": images, "reconstruction": rebuilt}

    def heatmaps(self, images: Tensor, rebuilt: Tensor) -> Tensor:
        """Where patches differ from their reconstructions.

        Args:
            images: float32 [n, s, s, 1], 0 to 1, at input size.
            rebuilt: the same of their reconstructions.

        Returns:
            float32 [n, p, p], 0 to 1, equations 10 and 11 at input size, interpolated to the patch.
        """
        return tf.image.resize(heatmaps(images, rebuilt), (self.patch_size, self.patch_size))[..., 0]

    def specs(self, count: int | None, dtype: Any) -> list[tf.TensorSpec]:
        """What a graph of this model takes: raw patches and the numbers of their regions.

        Args:
            count: of patches; None for any.
            dtype: of the patches: uint8 as `inspect` takes them, float32 as `score_images` does.
        """
        return [
            tf.TensorSpec((count, self.patch_size, self.patch_size, 1), dtype, name="patches"),
            tf.TensorSpec((count,), tf.int32, name="regions"),
        ]

    def score_images(self, images: Tensor, regions: Tensor | None = None) -> Tensor:
        """Scores of patches that were read already: float32 [n, p, p, 1], 0 to 1, to float32 [n], as `inspect` does."""
        images = shrink(images, self.input_size)
        return scores(images, self.rebuild(images, regions), self.score)

    def reconstruct(self, patches: Tensor, regions: Tensor | None = None) -> dict[str, Tensor]:
        """Reconstructs patches: uint8 [n, p, p, 1] to `reconstruction`, float32 [n, s, s, 1], 0 to 1, at input size."""
        return {"reconstruction": self.rebuild(self._images(patches), regions)}

    def rebuild(self, images: Tensor, regions: Tensor | None = None) -> Tensor:
        """Reconstructs patches at the network's input size: float32 [n, s, s, 1], 0 to 1, to the same.

        Raises:
            ModelError: the model takes regions, and there are none.
            tf.errors.InvalidArgumentError: there are not as many regions as patches, or one is none of the model's.
        """
        if not self.takes_regions:
            return rebuild(self.autoencoder, images, None, training=False)["image"]
        if regions is None:
            raise ModelError("the model needs to know the region of each patch: expected regions, int32 [n], got none")
        counts = tf.shape(images)[0], tf.shape(regions)[0]
        known = tf.reduce_all((regions >= 0) & (regions < len(self.regions)))
        names = ", ".join(f"{number} {name}" for number, name in enumerate(self.regions))
        checks = [
            tf.debugging.Assert(counts[0] == counts[1], ["regions: expected one for each patch; there are", *counts]),
            tf.debugging.Assert(known, [f"regions: expected numbers of the model's regions, {names}, got", regions]),
        ]
        # In a graph the checks come first, else TensorFlow's words about shapes might.
        with tf.control_dependencies(checks):
            images = tf.identity(images)
        return rebuild(self.autoencoder, images, regions, training=False)["image"]

    def _images(self, patches: Tensor) -> Tensor:
        # A true division, as where shards are read: TensorFlow turns one by a constant into a product in a graph.
        return shrink(tf.math.divide_no_nan(tf.cast(patches, tf.float32), 255.0), self.input_size)


def write_model(folder: Path, inspector: Inspector, card: Mapping[str, Any]) -> None:
    """Writes a model's files into an empty folder.

    Args:
        folder: that exists.
        inspector: the model.
        card: JSON values for `model.json`, written last, with the digest of the SavedModel.

    The same model gives the same files, byte for byte.
    """
    _write_keras(folder / KERAS_FILE, inspector.autoencoder)
    _write_saved_model(folder / SAVED_MODEL, inspector)
    card = {**card, SAVED_MODEL_ENTRY: saved_model_digest(folder / SAVED_MODEL)}
    (folder / CARD).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_saved_model(folder: Path, inspector: Inspector) -> None:
    """Writes both signatures with the weights, and nothing of Keras.

    Keras' own export orders weights by their places in memory: another process would give other bytes.
    """
    takes = inspector.specs(None, tf.uint8)[: 2 if inspector.takes_regions else 1]
    module = tf.Module()
    module.weights = [variable.value for variable in inspector.autoencoder.variables]
    signatures = {
        function.__name__: tf.function(function, input_signature=takes, autograph=False)
        for function in (inspector.inspect, inspector.reconstruct)
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)
    # TensorFlow's digest of the file that the next line changes; it has a random part. The card has one of the folder.
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    _take_counters_out(folder / "saved_model.pb")


def _take_counters_out(place: Path) -> None:
    """Takes out of a graph the numbers that count what a process has traced: in names of functions and of weights.

    A training that was resumed has traced other things than one that was not, and ends with the same model.
    """
    model = saved_model_pb2.SavedModel.FromString(place.read_bytes())
    functions = model.meta_graphs[0].graph_def.library.function
    plain = _without_counters([one.signature.name for one in functions])
    names = re.compile(f'"({"|".join(map(re.escape, plain))})"')
    text = names.sub(lambda found: f'"{plain[found[1]]}"', text_format.MessageToString(model))
    model = text_format.Parse(text, saved_model_pb2.SavedModel())
    functions = model.meta_graphs[0].graph_def.library.function
    functions.sort(key=lambda one: one.signature.name)
    for argument in (argument for function in functions for argument in function.arg_attr.values()):
        if _NAME in argument.attr and argument.attr[_NAME].s.isdigit():
            del argument.attr[_NAME]
    place.write_bytes(model.SerializeToString(deterministic=True))


def _without_counters(names: Sequence[str]) -> dict[str, str]:
    """New names: without the numbers at their ends, those that are the same then numbered in the order of these."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(name.rstrip("0123456789_"), []).append(name)
    found = dict[str, str]()
    for stem, same in stems.items():
        same.sort(key=lambda name: [int(number) for number in name.removeprefix(stem).split("_") if number])
        found |= {name: f"{stem}_{number}" if number else stem for number, name in enumerate(same)}
    return found


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
        score = ScoreOptions(**card["score"]["options"])
        inspector = Inspector(autoencoder, score, int(card["patch_size"]), card["regions"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, OptionError) as error:
        raise ModelError(f"{folder}: expected a trained model, got: {first_line(error)}; train it again") from error
    if inspector.takes_regions:
        count = autoencoder.get_layer("linear_path").projections
        if count != len(inspector.regions):
            raise ModelError(
                f"{folder}: expected a subspace for each of the card's regions, {', '.join(inspector.regions)}, got "
                f"{count}; train it again"
            )
    return inspector
