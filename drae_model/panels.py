"""Pictures of what the model does to patches: input, perturbed, reconstruction, heatmap."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_data.preview_panel import DIM, INK, ground, write
from drae_model.perturbation import perturb
from drae_model.reconstruction import rebuild
from drae_model.scoring import heatmaps, scores
from drae_model.training_batches import patch_seeds, validation_batches
from drae_model.training_options import TrainingOptions

Images = npt.NDArray[np.float32]

# The draws of noise for pictures, apart from those of any pass over the data.
_PICTURE_PASS = -1
# Sizes in pixels of the picture; taste, not science.
_SIDE, _GAP, _TOP, _LINE = 176, 8, 40, 26
_COLUMNS = ("input", "perturbed", "reconstruction", "heatmap")


@dataclass(frozen=True, eq=False)
class PanelPatches:
    """Some good patches of the split validation, each perturbed.

    Attributes:
        keys: of the patches.
        images: float32 [n, s, s, 1], 0 to 1.
        perturbed: like `images`.
        regions: numbers of the patches' regions, int32 [n].
        rebuilt: like `images`; None before `reconstructed`.
        heatmaps: like `images`, of perturbed against rebuilt; None before `reconstructed`.
        scores: float32 [n], of perturbed against rebuilt; None before `reconstructed`.
        options: of the training.
    """

    keys: tuple[str, ...]
    images: Images
    perturbed: Images
    regions: npt.NDArray[np.int32]
    options: TrainingOptions
    rebuilt: Images | None = None
    heatmaps: Images | None = None
    scores: Images | None = None

    def reconstructed(self, autoencoder: keras.Model) -> "PanelPatches":
        """The same patches with what the model makes of them."""
        perturbed = tf.constant(self.perturbed)
        rebuilt = rebuild(autoencoder, perturbed, tf.constant(self.regions), training=False)["image"]
        return replace(
            self,
            rebuilt=rebuilt.numpy(),
            heatmaps=keras.ops.convert_to_numpy(heatmaps(perturbed, rebuilt)),
            scores=keras.ops.convert_to_numpy(scores(perturbed, rebuilt, self.options.score)),
        )


def panel_patches(folder: Path, options: TrainingOptions) -> PanelPatches:
    """Chooses patches spread over the split validation and perturbs every one, the same in each epoch."""
    # However many devices train, one draws.
    batches = list(validation_batches(folder, replace(options, devices=1), options.panels).as_numpy_iterator())
    images = np.concatenate([batch["image"] for batch in batches])
    keys, regions = (np.concatenate([batch[name] for batch in batches]) for name in ("key", "region"))
    seeds = patch_seeds(tf.constant(keys), options.seed, tf.constant(_PICTURE_PASS))
    perturbed, _, _ = perturb(tf.constant(images), seeds, replace(options.perturbation, q=1.0))
    return PanelPatches(tuple(key.decode() for key in keys), images, perturbed.numpy(), regions, options)


def draw_panels(patches: PanelPatches, title: str) -> npt.NDArray[np.uint8]:
    """A row per patch, a column per step: uint8 [height, width, 3], blue, green, red."""
    columns = (patches.images, patches.perturbed, patches.rebuilt, patches.heatmaps)
    cell = _SIDE + _GAP
    width = _GAP + cell * len(_COLUMNS)
    canvas = ground(_TOP + _LINE + len(patches.keys) * (cell + _LINE), width)
    write(canvas, title, _GAP, 27, 18, 600, INK, width - 2 * _GAP)
    for number, name in enumerate(_COLUMNS):
        write(canvas, name, _GAP + number * cell, _TOP + 16, 14, 400, DIM, _SIDE)
    for row, key in enumerate(patches.keys):
        top = _TOP + _LINE + row * (cell + _LINE)
        for number, images in enumerate(columns):
            if images is not None:
                left = _GAP + number * cell
                canvas[top : top + _SIDE, left : left + _SIDE] = _picture(images[row, :, :, 0], number == 3)
        score = f"   score {patches.scores[row]:.4f}" if patches.scores is not None else ""
        write(canvas, key + score, _GAP, top + _SIDE + 16, 13, 400, DIM, width - 2 * _GAP)
    return canvas


def _picture(image: Images, coloured: bool) -> npt.NDArray[np.uint8]:
    """A square of the picture: uint8 [side, side, 3]."""
    grey = np.round(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)
    large = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST if coloured else cv2.INTER_CUBIC)
    shown = cv2.applyColorMap(large, cv2.COLORMAP_INFERNO) if coloured else cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
    return np.asarray(shown, np.uint8)
