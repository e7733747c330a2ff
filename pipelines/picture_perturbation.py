"""Draws what training does to patches: `python -m pipelines.picture_perturbation --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_data.errors import OptionError
from drae_data.preview_panel import DIM, INK, Canvas, ground, text_width, write
from drae_model.augmentation import augment
from drae_model.input_size import shrink
from drae_model.patch_dataset import patch_batches, reading_errors
from drae_model.perturbation import perturb
from drae_model.read_options import ReadOptions
from drae_model.training_batches import patch_seeds
from drae_model.training_options import TrainingOptions
from pipelines.beam_files import write_file
from pipelines.console import png_name, positive, run_command, say
from pipelines.params import load_params

_EPILOG = """\
examples:
  python -m pipelines.picture_perturbation --set production --out perturbation.png
  python -m pipelines.picture_perturbation --set production --q 1 --size 256 --seed 3 --out docs/perturbation.png

The set must have been built. Rows are patches of the regions in turn, columns what training makes of them: (a) the
patch as augmented, (b) the patch with noise blended in, which the network sees, (c) the noise on black, (d) the mask,
white where the patch is perturbed. Seed and options are those of the training. (c) and (d) are black for a patch that
is left as it is: with probability 1 - q, and where its field nowhere exceeds the threshold. Change train.perturbation
or train.augmentation in the params file and run it again to see what changes.
"""
_HEADINGS = ("(a) augmented patch", "(b) perturbed", "(c) noise", "(d) mask")

# In pixels of the picture; taste, not science.
_SIDE = 256
_MARGIN = 28
_GAP = 14
_HEADER = 40
_LABEL = 30
_LETTERS = 19


@dataclass(frozen=True, eq=False)
class PictureRow:
    """One patch and what training makes of it.

    Attributes:
        label: which patch it is.
        images: float32 [size, size], 0 to 1, in the order of the headings.
    """

    label: str
    images: tuple[npt.NDArray[np.float32], ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.picture_perturbation",
        description="Draws some patches of a built set, what augmentation and Perlin noise make of them in training, "
        "the noise and its mask, into one PNG.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--set", required=True, help="the section under build in the params file: production, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--split", default="train", help="of the set to take patches from (default: train)")
    parser.add_argument("--count", type=positive, default=4, help="how many patches to draw (default: 4)")
    parser.add_argument("--q", type=float, help="probability that a patch is perturbed, instead of train.q")
    parser.add_argument("--size", type=positive, help="side of the patches, instead of train.network.input_size")
    parser.add_argument("--seed", type=int, help="another one gives other noise (default: train.seed)")
    parser.add_argument(
        "--out", type=png_name, default="perturbation.png", help="the picture to write (default: perturbation.png)"
    )
    known = parser.parse_args(argv)
    params = load_params(known.params)
    params.set_params(known.set)
    options = params.training_options()
    if known.q is not None:
        options = replace(options, perturbation=replace(options.perturbation, q=known.q))
    size = known.size or options.network.input_size
    seed = options.seed if known.seed is None else known.seed
    folder = Path(params.version_folder(known.set))
    batch = read_patches(folder, known.split, params.strip_layout.options().regions, known.count)
    rows = picture_rows(batch, options, size, seed)
    # The smallest file: the picture stands in documents.
    write_file(known.out, cv2.imencode(".png", draw_picture(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())
    perturbed = sum(bool(row.images[3].any()) for row in rows)
    say(f"{known.out}: {len(rows)} patches of {folder}, {perturbed} of them perturbed (q = {options.perturbation.q:g})")


def read_patches(folder: Path, split: str, regions: Sequence[str], count: int) -> dict[str, npt.NDArray[Any]]:
    """The first patches of the regions in turn.

    Args:
        folder: of a published version.
        split: to read.
        regions: in the order in which they take turns.
        count: how many patches.

    Returns:
        `image`, float32 [count, side, side, 1], 0 to 1, and `key`, bytes [count].

    Raises:
        OptionError: the version has no such split, or too few patches of a region.
        DatasetError: it cannot be read.
    """
    each = -(-count // len(regions))
    found: dict[str, list[Any]] = {"image": [], "key": []}
    for region in regions[:count]:
        # Reading alone: no shuffle, and nothing is gained by reading shards at the same time.
        reading = ReadOptions(split, each, drop_remainder=True, parallel_reads=1, shuffle=None, regions=(region,))
        with reading_errors():
            batch = next(iter(patch_batches(folder, reading).as_numpy_iterator()))
        for name, values in found.items():
            values.append(batch[name])
    # Patches first, regions second: so they take turns.
    return {name: np.stack(values, axis=1).reshape(-1, *values[0].shape[1:])[:count] for name, values in found.items()}


def picture_rows(
    batch: dict[str, npt.NDArray[Any]], options: TrainingOptions, size: int, seed: int
) -> list[PictureRow]:
    """What the first epoch makes of some patches.

    Args:
        batch: as `read_patches` gives it.
        options: of the training.
        size: side that patches are averaged down to.
        seed: of augmentation and noise.

    Raises:
        OptionError: size does not divide the side of the patches.
    """
    side = batch["image"].shape[1]
    if side % size:
        raise OptionError("--size or train.network.input_size", size, f"a divisor of the patches' side, {side}")
    seeds = patch_seeds(tf.constant(batch["key"]), seed, tf.constant(0))
    images = augment(shrink(tf.constant(batch["image"]), size), seeds, options.augmentation)
    columns = [column.numpy()[..., 0] for column in (images, *perturb(images, seeds, options.perturbation))]
    return [
        PictureRow(key.decode(), images) for key, images in zip(batch["key"], zip(*columns, strict=True), strict=True)
    ]


def draw_picture(rows: Sequence[PictureRow]) -> Canvas:
    """A row for each patch, a column for each heading.

    Args:
        rows: at least one; all images of the same size.

    Returns:
        uint8 [height, width].
    """
    side = max(_SIDE, rows[0].images[0].shape[0])
    left = [_MARGIN + column * (side + _GAP) for column in range(len(_HEADINGS))]
    picture = ground(2 * _MARGIN + _HEADER + len(rows) * (side + _LABEL) - _LABEL // 2, left[-1] + side + _MARGIN)
    for heading, start in zip(_HEADINGS, left, strict=True):
        indent = (side - text_width(heading, _LETTERS, 600)) // 2
        write(picture, heading, start + indent, _MARGIN + _LETTERS, _LETTERS, 600, INK, side)
    for number, row in enumerate(rows):
        top = _MARGIN + _HEADER + number * (side + _LABEL)
        for image, start in zip(row.images, left, strict=True):
            grey = np.rint(image * 255).astype(np.uint8)
            shown = cv2.resize(grey, (side, side), interpolation=cv2.INTER_NEAREST)
            picture[top : top + side, start : start + side] = shown[..., np.newaxis]
        write(picture, row.label, _MARGIN, top + side + 17, 14, 400, DIM, picture.shape[1] - 2 * _MARGIN)
    # Patches and letters are grey, so a third of the file says all.
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
