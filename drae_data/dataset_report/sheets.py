"""Contact sheets: of every region a sample of patches, as many from each split."""

from collections.abc import Sequence
from dataclasses import dataclass

from drae_data.dataset_report.sampling import sampled, sampled_row
from drae_data.dataset_report.tiles import IndexRow, Tiles, grey_uri, in_grid
from drae_data.quality.measured import Measured

COLUMNS = 12
# Patches of a region on its sheets, over all splits.
_MOST = 24


@dataclass(frozen=True)
class Sheet:
    """A region's patches of one split.

    Attributes:
        region: its name.
        split: its name.
        picture: an address inside the page, see `grey_uri`.
        keys: of the patches, line by line.
    """

    region: str
    split: str
    picture: str
    keys: tuple[str, ...]


def sheet_places(measured: Measured) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """By region and split, which acquisitions show a patch, see `sampled`."""
    splits = sorted({shard.split for shard in measured.claims.shards.values()})
    each = _MOST // max(len(splits), 1)
    return {(region, split): sampled(measured, split, region, each) for region in measured.regions for split in splits}


def contact_sheets(tiles: Tiles) -> dict[str, list[Sheet]]:
    """The sheets of each region; raises like `Tiles.whole`."""
    sheets: dict[str, list[Sheet]] = {region: [] for region in tiles.measured.regions}
    for (region, split), places in sheet_places(tiles.measured).items():
        found = [sampled_row(tiles.rows[n], split, region, before) for n, before in places]
        rows: Sequence[IndexRow] = [row for row in found if row is not None]
        if rows:
            picture = grey_uri(in_grid([tiles.whole(row) for row in rows], COLUMNS))
            sheets[region].append(Sheet(region, split, picture, tuple(row["key"] for row in rows)))
    return sheets
