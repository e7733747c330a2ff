"""Single patches of a version as the report's small pictures, without reading a whole shard."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drae_data.acquisition import KEY_COLUMNS
from drae_data.errors import DatasetError
from drae_data.files import Files
from drae_data.pages import data_uri
from drae_data.patch_index import read_index, read_patch, verify_advice
from drae_data.patches import resize
from drae_data.png import encode_png
from drae_data.quality.measured import Measured
from drae_data.rank_images import Pixels

# Side of a picture in pixels.
SIDE = 80
_GAP = 4
_PAPER = 255
_COLUMNS = ("key", "image", "vial", "region", "split", "offset", "length", "sha256", "motion")

# A row of the patch index with the shard it is of.
IndexRow = Mapping[str, Any]


@dataclass(frozen=True)
class Tiles:
    """Patches of some acquisitions.

    Attributes:
        files: the version folder.
        measured: of the version.
        rows: by the acquisition's place in `measured`, the rows of its patches in the order of the shards.
    """

    files: Files
    measured: Measured
    rows: Mapping[int, Sequence[IndexRow]]

    def find(self, acquisition: int, image: str, vial: int, region: str) -> IndexRow:
        """The row of one patch; raises `DatasetError` where it is not there, as in no version that was committed."""
        for row in self.rows[acquisition]:
            if (row["image"], row["vial"], row["region"]) == (image, vial, region):
                return row
        key = f"{self.measured.keys[acquisition]}/{image}/v{vial}/{region}"
        raise DatasetError(f"{self.files.root}: expected the patch {key}, got none; {verify_advice(self.files.root)}")

    def whole(self, row: IndexRow) -> Pixels:
        """The patch made small: uint8 [SIDE, SIDE]; raises like `drae_data.patch_index.read_patch`."""
        return resize(self._read(row), SIDE, SIDE, "nearest")

    def middle(self, row: IndexRow) -> Pixels:
        """Its middle, pixel for pixel, to judge focus by: uint8 [SIDE, SIDE]; raises like `whole`."""
        patch = self._read(row)
        start = max(0, (len(patch) - SIDE) // 2)
        return resize(patch[start : start + SIDE, start : start + SIDE], SIDE, SIDE, "nearest")

    def _read(self, row: IndexRow) -> Pixels:
        return read_patch(self.files, self.measured.claims, row["shard"], dict(row))


def read_tiles(files: Files, measured: Measured, acquisitions: Collection[int]) -> Tiles:
    """Reads the rows of some acquisitions' patches.

    Args:
        files: the version folder.
        measured: of the version.
        acquisitions: their places in `measured`.

    Raises:
        DatasetError: a patch index is not the one that was built.
    """
    rows: dict[int, list[IndexRow]] = {n: [] for n in sorted(set(acquisitions))}
    wanted: dict[str, dict[tuple[Any, ...], int]] = {}
    for n in rows:
        for shard in measured.rows[n]["shards"]:
            wanted.setdefault(shard, {})[tuple(measured.keys[n])] = n
    for name, places in sorted(wanted.items()):
        index = read_index(files, measured.claims.shards[name])
        strips = pa.array(sorted({str(key[0]) for key in places}))
        index = index.filter(pc.is_in(index.column("strip"), value_set=strips))
        keys = zip(*(index.column(column).to_pylist() for column in KEY_COLUMNS), strict=True)
        for key, row in zip(keys, index.select(_COLUMNS).to_pylist(), strict=True):
            if key in places:
                rows[places[key]].append({**row, "shard": name})
    return Tiles(files, measured, rows)


def in_grid(tiles: Sequence[Pixels], columns: int) -> Pixels:
    """Small pictures side by side on white.

    Args:
        tiles: at least one, uint8 [SIDE, SIDE] each.
        columns: pictures in a line.

    Returns:
        uint8 [height, width].
    """
    lines = -(-len(tiles) // columns)
    step = SIDE + _GAP
    sheet = np.full((lines * step - _GAP, min(columns, len(tiles)) * step - _GAP), _PAPER, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * step, number % columns * step
        sheet[top : top + SIDE, left : left + SIDE] = tile
    return sheet


def grey_uri(pixels: Pixels) -> str:
    """A grey picture, uint8 [height, width], as the address of a picture inside the page."""
    return data_uri(encode_png(pixels))
