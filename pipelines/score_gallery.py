"""The pictures of a scored set: which patches are shown, and how their pictures are made."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from drae_acceptance.gallery import INDEX, GalleryPatch, gallery_bytes
from drae_acceptance.score_table import PatchScores
from drae_data.acquisition import PatchKey
from drae_data.acquisition_folder import joined
from drae_data.content import PublishedContent
from drae_data.files import sha256_hex
from drae_data.labels import DEFECTIVE
from drae_data.manifest import AcquisitionRow
from drae_data.patch_index import read_patch
from drae_data.patch_origin import boxes_of, frames_of
from drae_data.rank_images import Pixels
from drae_model.gallery_pictures import grey_picture, heat_overlay, png_bytes, stacked_boxes, vial_picture
from drae_model.model_folder import Inspector
from pipelines.scored_version import LabelledVersion

_BATCH = 32
# A patch's place in the index: its shard and its row there.
Places = Mapping[str, tuple[str, dict[str, Any]]]


def shown_patches(patches: PatchScores) -> list[int]:
    """Rows of the patches that are shown: per strip and region, and per place of a defect, the greatest score.

    Of equal scores the first in the table's order.
    """
    best: dict[tuple[object, ...], int] = {}
    rows = zip(
        patches.strip.tolist(), patches.vial.tolist(), patches.region.tolist(), patches.label.tolist(),
        patches.score.tolist(), strict=True,
    )  # fmt: skip
    for number, (strip, vial, region, label, score) in enumerate(rows):
        places: list[tuple[object, ...]] = [(strip, region)]
        if label == DEFECTIVE:
            places.append((strip, vial, region))
        for place in places:
            if place not in best or score > patches.score[best[place]]:
                best[place] = number
    return sorted(set(best.values()))


def write_gallery(
    folder: Path, version: LabelledVersion, patches: PatchScores, places: Places, inspector: Inspector
) -> bytes:
    """Writes the gallery of a scored set into a folder that it makes; the same bytes on every runner.

    Args:
        folder: of the gallery.
        version: that was scored.
        patches: the scores.
        places: of the scored patches, by key.
        inspector: the model that scored.

    Returns:
        The content of `gallery.json`.
    """
    # Workers of their own set this for themselves only.
    tf.config.experimental.enable_op_determinism()
    folder.mkdir()
    acquisitions = {row.key: row for row in version.acquisitions}
    shown = shown_patches(patches)
    # One graph, also for a last batch that is smaller.
    draw: Any = tf.function(
        partial(_drawn, inspector), input_signature=inspector.specs(None, tf.uint8), autograph=False
    )
    entries = []
    for first in range(0, len(shown), _BATCH):
        rows = shown[first : first + _BATCH]
        keys = [PatchKey.parse(patches.key_at(row)) for row in rows]
        batch = tf.constant(np.stack([_read(version, places, key) for key in keys])[..., None])
        regions = inspector.region_numbers([key.region for key in keys])
        rebuilt, heat = (pictures.numpy() for pictures in draw(batch, regions))
        for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
            acquisition = acquisitions[key.acquisition]
            picture, box = _vial(version, key, acquisition, places)
            name = f"{first + number:05d}"
            files = {
                f"{name}_vial.png": png_bytes(picture),
                f"{name}_reconstruction.png": png_bytes(grey_picture(rebuilt[number, ..., 0])),
                f"{name}_heatmap.png": png_bytes(heat_overlay(heat[number])),
            }
            for file, content in files.items():
                (folder / file).write_bytes(content)
            names, digests = list(files), [sha256_hex(content) for content in files.values()]
            entries.append(
                GalleryPatch(
                    key=str(key), strip=str(patches.strip[row]), run=int(patches.run[row]), image=str(key.image),
                    vial=key.vial, region=key.region, score=float(patches.score[row]), label=str(patches.label[row]),
                    defect=str(patches.defect[row]), frames=_frames(key, acquisition, version.content), box=box,
                    patch_sha256=places[str(key)][1]["sha256"], picture=names[0], reconstruction=names[1],
                    heatmap=names[2], pictures_sha256=(digests[0], digests[1], digests[2]),
                )
            )  # fmt: skip
    content = gallery_bytes(entries)
    (folder / INDEX).write_bytes(content)
    return content


def _drawn(inspector: Inspector, batch: Any, regions: Any) -> tuple[Any, Any]:
    """Reconstructions and heatmaps of patches."""
    found = inspector.examine(batch, regions)
    return found["reconstruction"], inspector.heatmaps(found["image"], found["reconstruction"])


def _vial(
    version: LabelledVersion, key: PatchKey, acquisition: AcquisitionRow, places: Places
) -> tuple[Pixels, tuple[int, int, int, int]]:
    """The picture of a patch's vial and the patch's box in it.

    Patches of the vial that are in another split are not shown. The boxes of regions that come from frames of their own
    lie below each other.
    """
    content = version.content
    regions = content.layouts.regions
    boxes = boxes_of(key, acquisition, content)
    if len(boxes) < len(regions):
        boxes = stacked_boxes(regions, content.patch.size)
    keys = {region: PatchKey(key.acquisition, key.image, key.vial, region) for region in regions}
    pixels = {region: _read(version, places, one) for region, one in keys.items() if str(one) in places}
    picture, placed = vial_picture(pixels, boxes, content.patch)
    return picture, placed[key.region]


def _read(version: LabelledVersion, places: Places, key: PatchKey) -> Pixels:
    shard, row = places[str(key)]
    return read_patch(version.files, version.claims, shard, row)


def _frames(key: PatchKey, acquisition: AcquisitionRow, content: PublishedContent) -> tuple[tuple[str, str], ...]:
    """Path below the root and SHA-256 of the frame files that decide a patch's pixels."""
    frames = frames_of(key, acquisition, content)
    return tuple((joined(acquisition.folder, frame.file), frame.sha256) for frame in frames)
