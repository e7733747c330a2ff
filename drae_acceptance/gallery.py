"""Pictures that scoring keeps for the report: the vial of a telling patch, its reconstruction and its heatmap.

For every strip: in each region the patch with the greatest score over its runs, and for every labelled place of a
defect the one with the greatest score there. They lie in the folder `gallery` of a scored set, with `gallery.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drae_acceptance.errors import ScoreError

FOLDER, INDEX = "gallery", "gallery.json"


@dataclass(frozen=True)
class GalleryPatch:
    """A patch with its pictures.

    Attributes:
        key: of the patch, such as `K0021/r3/f07/v4/R1`.
        strip: name of the strip, without run and station.
        run: of the strip.
        image: `f07`, `min` or `max`.
        vial: from 0.
        region: of the patch.
        score: of the patch.
        label: of the patch.
        defect: type of its defect; empty where it has none.
        frames: (path below the root of the set's frames, SHA-256) of the frame files that decide its pixels.
        patch_sha256: of the record's image.
        picture: name of a PNG in the folder: the vial in this image, grey.
        box: left, top, width, height of the patch in the picture, pixels.
        reconstruction: name of a PNG: what the model made of the patch, grey.
        heatmap: name of a PNG with transparency, to lie over the box: where patch and reconstruction differ.
    """

    key: str
    strip: str
    run: int
    image: str
    vial: int
    region: str
    score: float
    label: str
    defect: str
    frames: tuple[tuple[str, str], ...]
    patch_sha256: str
    picture: str
    box: tuple[int, int, int, int]
    reconstruction: str
    heatmap: str


def gallery_bytes(patches: Sequence[GalleryPatch]) -> bytes:
    """`gallery.json`."""
    return (json.dumps([asdict(patch) for patch in patches], indent=1, sort_keys=True) + "\n").encode()


def read_gallery(folder: Path) -> tuple[GalleryPatch, ...]:
    """Reads the gallery of a scored set; raises `ScoreError`.

    Args:
        folder: of the scored set.
    """
    place = folder / FOLDER / INDEX
    try:
        values: list[dict[str, Any]] = json.loads(place.read_text(encoding="utf-8"))
        return tuple(_patch(value) for value in values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoreError(
            f"{place}: expected the pictures of a scored set, got {error!r}; score the set again"
        ) from error


def _patch(value: dict[str, Any]) -> GalleryPatch:
    frames = tuple((str(file), str(digest)) for file, digest in value["frames"])
    left, top, width, height = value["box"]
    return GalleryPatch(**{**value, "frames": frames, "box": (left, top, width, height)})
