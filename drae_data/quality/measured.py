"""What the build measured of a published version, read from its tables alone: no frame and no shard is opened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drae_data.acquisition import KEY_COLUMNS, AcquisitionKey
from drae_data.files import Files
from drae_data.patch_index import read_index
from drae_data.quality.distributions import Distributions
from drae_data.verification.claims import Claims, read_claims
from drae_data.version_tables import version_table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Means over the images of a box, in this order.
STATISTICS = ("mean", "std", "sharpness", "saturated", "black")


@dataclass(frozen=True)
class Measured:
    """What was measured of a version: n acquisitions in key order, b boxes in each.

    Attributes:
        claims: of the version.
        keys: of the acquisitions, [n].
        rows: of the table of acquisitions, [n].
        strips: number of each acquisition's strip, int64 [n].
        strip_names: names of the strips by number.
        order: acquisitions by time, or by key where times are not known of all, int64 [n].
        timed: whether times are known.
        boxes: vial and region of each box, [b].
        statistics: means over the images of each box, float64 [n, b, 5], see `STATISTICS`.
        brightness: mean over frames and boxes, grey levels, float64 [n].
        shift: from the reference, (x, y) in pixels, float64 [n, 2].
        aligned: whether boxes were aligned to a reference, so that `shift` says something.
        signatures: bits of the perceptual hashes, uint8 [n, 64 b].
        distributions: of the statistics of all patches, by split and region.
    """

    claims: Claims
    keys: tuple[AcquisitionKey, ...]
    rows: tuple[dict[str, Any], ...]
    strips: Ints
    strip_names: tuple[str, ...]
    order: Ints
    timed: bool
    boxes: tuple[tuple[int, str], ...]
    statistics: Floats
    brightness: Floats
    shift: Floats
    aligned: bool
    signatures: npt.NDArray[np.uint8]
    distributions: Distributions

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions, in the order of the boxes."""
        return tuple(dict.fromkeys(region for _, region in self.boxes))

    def groups(self) -> Iterator[Ints]:
        """Acquisitions that may be compared with each other: those of one recipe at one station, int64 [m]."""
        names = [(key.recipe, key.station) for key in self.keys]
        for name in sorted(set(names)):
            yield np.array([n for n, other in enumerate(names) if other == name], np.int64)

    def columns(self, region: str) -> list[int]:
        """The places of a region's boxes, one for each vial."""
        return [place for place, (_, name) in enumerate(self.boxes) if name == region]

    def splits(self, strip: int) -> tuple[str, ...]:
        """The sides on which a strip has patches, sorted."""
        return tuple(sorted({side for n in np.flatnonzero(self.strips == strip) for side in self.rows[n]["splits"]}))


def read_measured(files: Files) -> Measured:
    """Reads what was measured of a version.

    Args:
        files: the version folder.

    Raises:
        DatasetError: not committed, or a table is not the one that was built.
    """
    claims = read_claims(files)
    rows = tuple(version_table(files, claims, "acquisitions"))
    keys = tuple(AcquisitionKey.of(row) for row in rows)
    names = tuple(sorted({key.strip_id for key in keys}))
    number = {name: index for index, name in enumerate(names)}
    boxes = tuple(dict.fromkeys(_box(part) for part in claims.expected_patches))
    distributions = Distributions()
    statistics = _box_means(_parts(files, claims, distributions), keys, boxes)
    times = [row["acquired_at"] for row in rows]
    timed = bool(times) and all(times)
    order = sorted(range(len(keys)), key=lambda n: (times[n], n)) if timed else range(len(keys))
    return Measured(
        claims, keys, rows, np.array([number[key.strip_id] for key in keys], np.int64), names,
        np.array(order, np.int64), timed, boxes, statistics,
        np.array([np.mean([one["mean"] for one in row["frame_statistics"]]) for row in rows]),
        np.array([(row["shift_x"], row["shift_y"]) for row in rows], np.float64).reshape(-1, 2),
        claims.content.get("align") is not None, _bits([row["signature"] for row in rows]), distributions,
    )  # fmt: skip


def _box(part: str) -> tuple[int, str]:
    """Vial and region in the last parts of a patch key, `f07/v2/R1`."""
    _, vial, region = part.split("/", 2)
    return int(vial[1:]), region


def _parts(files: Files, claims: Claims, distributions: Distributions) -> Iterator[pa.Table]:
    """The patch index, a shard at a time; what is read is added to the distributions."""
    for shard in claims.shards.values():
        table = read_index(files, shard)
        distributions.add(shard.split, table)
        yield table


def _box_means(parts: Iterator[pa.Table], keys: Sequence[AcquisitionKey], boxes: Sequence[tuple[int, str]]) -> Floats:
    """The means over the images of each acquisition's boxes: float64 [n, b, 5]."""
    row_of = {key: n for n, key in enumerate(keys)}
    column_of: Mapping[tuple[int, str], int] = {box: n for n, box in enumerate(boxes)}
    sums = np.zeros((len(keys), len(boxes), len(STATISTICS)))
    counts = np.zeros((len(keys), len(boxes), 1))
    for table in parts:
        # Not on several threads, which would add up in an order of their own.
        grouped = table.group_by([*KEY_COLUMNS, "vial", "region"], use_threads=False).aggregate(
            [(name, "sum") for name in STATISTICS] + [("mean", "count")]
        )
        places = grouped.select([*KEY_COLUMNS, "vial", "region"]).to_pylist()
        rows = [row_of[AcquisitionKey.of(place)] for place in places]
        columns = [column_of[place["vial"], place["region"]] for place in places]
        values = np.stack([grouped.column(f"{name}_sum").to_numpy() for name in STATISTICS], axis=1)
        np.add.at(sums, (rows, columns), values)
        np.add.at(counts, (rows, columns), grouped.column("mean_count").to_numpy()[:, None])
    means: Floats = sums / np.maximum(counts, 1)
    return means


def _bits(signatures: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Signatures as bits: uint8 [n, 64 b], values 0 and 1."""
    return np.array([np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)) for text in signatures], np.uint8)
