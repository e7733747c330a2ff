"""Pictures that scoring keeps for the report: the vial of a telling patch, its reconstruction and its heatmap.

For every strip: in each region the patch with the greatest score over its runs, and for every labelled place of a
defect the one with the greatest score there. They lie in the folder `gallery` of a scored set, with `gallery.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drae_acceptance.errors import BindingError, ScoreError
from drae_data.files import sha256_hex

FOLDER, INDEX = "gallery", "gallery.json"
_AGAIN = "score the set again"


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
        pictures_sha256: of picture, reconstruction and heatmap.
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
    pictures_sha256: tuple[str, str, str]


def gallery_bytes(patches: Sequence[GalleryPatch]) -> bytes:
    """`gallery.json`."""
    return (json.dumps([asdict(patch) for patch in patches], indent=1, sort_keys=True) + "\n").encode()


def read_gallery(folder: Path, sha256: str) -> tuple[GalleryPatch, ...]:
    """Reads the gallery of a scored set and checks that it and its pictures are those that were made.

    Args:
        folder: of the scored set.
        sha256: of `gallery.json`, as the set's card says.

    Raises:
        ScoreError: a file is absent or damaged.
        BindingError: a file is another than the one that was made.
    """
    place = folder / FOLDER / INDEX
    content = _read(place)
    _check(place, content, sha256)
    try:
        values = json.loads(content)
        if not isinstance(values, list):
            raise TypeError(f"{type(values).__name__} instead of a list")
        patches = tuple(_patch(value) for value in values)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ScoreError(f"{place}: expected the pictures of a scored set, got {error!r}; {_AGAIN}") from error
    for patch in patches:
        names = (patch.picture, patch.reconstruction, patch.heatmap)
        for name, expected in zip(names, patch.pictures_sha256, strict=True):
            _check(folder / FOLDER / name, _read(folder / FOLDER / name), expected)
    return patches


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise ScoreError(f"{place}: expected the pictures of a scored set, got: {error.strerror}; {_AGAIN}") from error


def _check(place: Path, content: bytes, expected: str) -> None:
    if (came := sha256_hex(content)) != expected:
        raise BindingError(f"{place}: expected the file of SHA-256 {expected}, got {came}; {_AGAIN}")


def _patch(value: dict[str, Any]) -> GalleryPatch:
    frames = tuple((str(file), str(digest)) for file, digest in value["frames"])
    left, top, width, height = value["box"]
    picture, reconstruction, heatmap = value["pictures_sha256"]
    for name in ("picture", "reconstruction", "heatmap"):
        if "/" in value[name]:
            raise ValueError(f"expected the name of a picture in the same folder, got {value[name]!r}")
    found = {"frames": frames, "box": (left, top, width, height)}
    return GalleryPatch(**{**value, **found, "pictures_sha256": (picture, reconstruction, heatmap)})
