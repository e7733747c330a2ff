"""Rank images of some acquisitions, put together again from their patches so that they look like the strip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drae_data.acquisition import RANK_IMAGES, PatchKey
from drae_data.content import PublishedContent, published_content
from drae_data.dataset_report.sampling import sampled
from drae_data.dataset_report.tiles import SIDE, IndexRow, Tiles, grey_uri, in_grid
from drae_data.labels import LABELS, UNKNOWN
from drae_data.manifest import AcquisitionRow
from drae_data.patch_origin import boxes_of
from drae_data.patches import resize
from drae_data.quality.measured import Measured
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box

_MOST = 4
# A strip is shown at most as long as this, in pixels.
_LONGEST = 480
_GROUND = 232


@dataclass(frozen=True)
class RankPictures:
    """The rank images of an acquisition.

    Attributes:
        key: of the acquisition.
        label: of the acquisition.
        pictures: (min or max, an address inside the page, see `grey_uri`).
    """

    key: str
    label: str
    pictures: tuple[tuple[str, str], ...]


def rank_images_of(measured: Measured) -> tuple[str, ...]:
    """The rank images that a version has patches of."""
    images = measured.claims.content["images"]
    return tuple(rank for rank in RANK_IMAGES if rank in images)


def gallery_places(measured: Measured) -> list[int]:
    """The acquisitions in the gallery, of each label one after the other; none where there are no rank images."""
    if not rank_images_of(measured):
        return []
    splits = sorted({split for row in measured.rows for split in row["splits"]})
    ranked = dict.fromkeys(n for split in splits for n, _ in sampled(measured, split, "rank", len(measured.rows)))
    by_label = [[n for n in ranked if measured.rows[n]["label"] == label] for label in (*LABELS, UNKNOWN)]
    turns = [own[turn] for turn in range(_MOST) for own in by_label if turn < len(own)]
    return turns[:_MOST]


def rank_gallery(tiles: Tiles, provenance: Mapping[str, Any]) -> list[RankPictures]:
    """The gallery; raises like `Tiles.whole`."""
    measured, content = tiles.measured, published_content(provenance)
    shown = []
    for n in gallery_places(measured):
        acquisition = AcquisitionRow.of(measured.rows[n])
        pictures = []
        for image in rank_images_of(measured):
            rows = [row for row in tiles.rows[n] if row["image"] == image]
            pictures.append((image, grey_uri(_strip(tiles, rows, acquisition, content))))
        shown.append(RankPictures(str(acquisition.key), acquisition.label, tuple(pictures)))
    return shown


def _strip(tiles: Tiles, rows: Sequence[IndexRow], acquisition: AcquisitionRow, content: PublishedContent) -> Pixels:
    """Patches where their boxes lie; in lines where frames came already cut, or patches have bars around them."""
    if content.patch.fit != "stretch" or any(view.vial >= 0 or view.region for view in acquisition.views):
        lines = sorted(rows, key=lambda row: (tiles.measured.regions.index(row["region"]), row["vial"]))
        return in_grid([tiles.whole(row) for row in lines], len({row["vial"] for row in rows}))
    keys = [PatchKey.parse(row["key"]) for row in rows]
    boxes = {key.vial: boxes_of(key, acquisition, content) for key in keys}
    return _placed([tiles.whole(row) for row in rows], [boxes[key.vial][key.region] for key in keys])


def _placed(pictures: Sequence[Pixels], boxes: Sequence[Box]) -> Pixels:
    """Pictures at their boxes: uint8 [height, width]."""
    edges = np.array([(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes])
    corner, size = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0) - edges[:, :2].min(axis=0)
    longest = max(max(box.width, box.height) for box in boxes)
    scale = min(SIDE / longest, _LONGEST / float(size.max()))
    width, height = (max(1, round(float(side) * scale)) for side in size)
    canvas = np.full((height, width), _GROUND, np.uint8)
    for picture, edge in zip(pictures, edges, strict=True):
        x0, y0, x1, y1 = (round(float(place) * scale) for place in edge - np.tile(corner, 2))
        if x1 > x0 and y1 > y0:
            canvas[y0:y1, x0:x1] = resize(picture, y1 - y0, x1 - x0, "linear")
    return canvas
