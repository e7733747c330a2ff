"""Pictures of the places that rules named, beside what they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from drae_data.acquisition import RANK_IMAGES
from drae_data.dataset_report.offenders import Offender
from drae_data.dataset_report.tiles import Tiles, grey_uri, in_grid
from drae_data.quality.violation import ViolationRow

# Pictures side by side.
_MOST_IMAGES = 8
# Rules of frames: their pictures show one box in one frame after the other.
_FRAME_RULES = ("frozen_camera", "repeated_frame")


@dataclass(frozen=True)
class PatchesInLine:
    """Patches of an acquisition, in a line.

    Attributes:
        words: what the acquisition is here.
        key: of the acquisition.
        shows: which patches these are.
        picture: an address inside the page, see `grey_uri`.
    """

    words: str
    key: str
    shows: str
    picture: str


@dataclass(frozen=True)
class PicturedOffender:
    """A place with its pictures.

    Attributes:
        place: a key or a strip's name.
        severity: of the worst that was found there.
        rows: what was found there, worst first.
        pictures: of the place itself, then of what stands beside it.
    """

    place: str
    severity: str
    rows: tuple[ViolationRow, ...]
    pictures: tuple[PatchesInLine, ...]


def picture_offenders(chosen: Sequence[Offender], tiles: Tiles) -> list[PicturedOffender]:
    """The chosen places with their pictures; raises like `Tiles.whole`."""
    shown = []
    for one in chosen:
        worst = one.rows[0]
        members = (("this acquisition", one.acquisition), *one.beside)
        frames = _frames(tiles, one.acquisition) if worst.rule in _FRAME_RULES else []
        pictures = tuple(_line(words, n, frames, worst.rule, tiles) for words, n in members)
        shown.append(PicturedOffender(worst.place, worst.severity, one.rows, pictures))
    return shown


def _line(words: str, n: int, frames: Sequence[str], rule: str, tiles: Tiles) -> PatchesInLine:
    """The patches of an acquisition: one of each region, or of one box the frames that are named."""
    measured = tiles.measured
    vials = sorted({vial for vial, _ in measured.boxes})
    vial = vials[len(vials) // 2]
    if frames:
        region = _liveliest(tiles)
        rows = [tiles.find(n, image, vial, region) for image in frames]
        shows = f"{region} of vial {vial} in {', '.join(frames)}"
    else:
        image = _images(tiles)[0]
        rows = [tiles.find(n, image, vial, region) for region in measured.regions]
        shows = f"{', '.join(measured.regions)} of vial {vial}, {image}"
    draw = tiles.whole
    if rule == "defocus":
        draw, shows = tiles.middle, f"the middle of {shows}, pixel for pixel"
    picture = grey_uri(in_grid([draw(row) for row in rows], _MOST_IMAGES))
    return PatchesInLine(words, str(measured.keys[n]), shows, picture)


def _images(tiles: Tiles) -> list[str]:
    """The images of which a version has patches."""
    return list(dict.fromkeys(part.split("/", 1)[0] for part in tiles.measured.claims.expected_patches))


def _frames(tiles: Tiles, n: int) -> list[str]:
    """The frames around the one that moved least; none where a version has patches of no more than one frame."""
    frames = [image for image in _images(tiles) if image not in RANK_IMAGES]
    if len(frames) < 2:
        return []
    moved = [one for one in tiles.measured.rows[n]["frame_statistics"] if one["motion"] >= 0]
    least = min(moved, key=lambda one: (one["motion"], one["frame"]), default={"frame": 0})["frame"]
    place = min(range(len(frames)), key=lambda number: abs(int(frames[number][1:]) - least))
    start = max(0, min(place - _MOST_IMAGES // 2, len(frames) - _MOST_IMAGES))
    return frames[start : start + _MOST_IMAGES]


def _liveliest(tiles: Tiles) -> str:
    """The region in which most moves, over all acquisitions at hand, since nothing moves in a frozen one."""
    sums = dict.fromkeys(tiles.measured.regions, 0.0)
    for rows in tiles.rows.values():
        for row in rows:
            sums[row["region"]] += max(row["motion"], 0.0)
    return max(sums, key=lambda region: sums[region])
