"""The pictures of a rejected strip: the folder `pictures/<sequence>`, with `index.json`, which is written last."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PICTURES, INDEX = "pictures", "index.json"


@dataclass(frozen=True)
class Heatmap:
    """Where a rejected patch differs from its reconstruction.

    Attributes:
        region: of the patch.
        file: a PNG with transparency, to lie over the box.
        box: left, top, width, height of the patch in the vial's picture, pixels.
        score: of the patch.
        threshold: of its region.
    """

    region: str
    file: str
    box: tuple[int, int, int, int]
    score: float
    threshold: float


@dataclass(frozen=True)
class VialPicture:
    """A vial with rejected patches, in one image.

    Attributes:
        vial: from 0.
        image: `f07`, `min` or `max`.
        file: a grey PNG.
        size: its width and height, pixels.
        heatmaps: of its rejected patches.
    """

    vial: int
    image: str
    file: str
    size: tuple[int, int]
    heatmaps: tuple[Heatmap, ...]


def pictures_folder(line_folder: Path, sequence: int) -> Path:
    """Where the pictures of a verdict lie."""
    return line_folder / PICTURES / f"{sequence:06d}"


def index_bytes(pictures: list[VialPicture], sequence: int, acquisition: str) -> bytes:
    """The content of `index.json`, with the verdict that they belong to."""
    values = {"sequence": sequence, "acquisition": acquisition, "pictures": [asdict(picture) for picture in pictures]}
    return (json.dumps(values, indent=1) + "\n").encode()
