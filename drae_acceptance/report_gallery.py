"""Which strips the report shows with pictures, and what it says beside them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drae_acceptance.errors import ScoreError
from drae_acceptance.gallery import FOLDER, GalleryPatch
from drae_acceptance.verdict import ACCEPT, CONFIRMED, INVALID, REJECT, RunVerdict
from drae_data.labels import DEFECTIVE, GOOD


@dataclass(frozen=True)
class GalleryEntry:
    """A strip with its pictures.

    Attributes:
        strip: its name.
        kind: why it is shown: missed reject, false reject, rejected rightly, undecided.
        facts: (name, value) in the order in which they are read.
        pictures: of the patches that tell most.
    """

    strip: str
    kind: str
    facts: tuple[tuple[str, str], ...]
    pictures: tuple["GalleryPicture", ...]


@dataclass(frozen=True)
class GalleryPicture:
    """A patch as the page shows it.

    Attributes:
        patch: what it is.
        vial: the vial's picture as a data URI.
        reconstruction: the same.
        heatmap: the same.
        place: left, top, width, height of the heatmap in percent of the vial's picture.
        threshold: of the patch's region.
    """

    patch: GalleryPatch
    vial: str
    reconstruction: str
    heatmap: str
    place: tuple[float, float, float, float]
    threshold: float


def choose_entries(
    runs: Sequence[RunVerdict], patches: Sequence[GalleryPatch], limits: Mapping[str, Mapping[str, float]],
    folder: Path, most: int,
) -> tuple[GalleryEntry, ...]:  # fmt: skip
    """The strips that are shown: those judged wrongly first, then those rejected rightly.

    Args:
        runs: verdicts on strips over their runs.
        patches: of the gallery.
        limits: by strip, the thresholds of its regions at the level `run`.
        folder: of the scored set.
        most: how many strips at most.

    Raises:
        ScoreError: a picture is missing.
    """
    shown = sorted((_order(one), one.strip, _kind(one), one) for one in runs if _kind(one))
    entries = []
    for _, strip, kind, one in shown[:most]:
        own = [patch for patch in patches if patch.strip == strip]
        found = [_picture(patch, limits[strip], folder) for patch in _telling(own, limits[strip])]
        entries.append(GalleryEntry(strip, kind, tuple(_facts(one)), tuple(found)))
    return tuple(entries)


def count_shown(runs: Sequence[RunVerdict]) -> int:
    """How many strips there would be to show."""
    return sum(bool(_kind(one)) for one in runs)


def _kind(one: RunVerdict) -> str:
    """Why a strip is shown; empty where it is not."""
    if one.label not in (GOOD, DEFECTIVE) or one.verdict == INVALID:
        return ""
    if one.state != CONFIRMED:
        if one.verdict == ACCEPT:
            return "missed reject"
        return "false reject" if one.verdict == REJECT else "undecided"
    return "rejected rightly" if one.verdict == REJECT else ""


def _order(one: RunVerdict) -> int:
    return ("missed reject", "undecided", "false reject", "rejected rightly", "").index(_kind(one))


def _telling(patches: Sequence[GalleryPatch], limits: Mapping[str, float]) -> list[GalleryPatch]:
    """The patch with the greatest score over threshold, and that of a labelled defect where it is another."""
    if not patches:
        return []

    def ratio(patch: GalleryPatch) -> float:
        limit = limits[patch.region]
        return patch.score / limit if limit > 0 else patch.score

    first = max(patches, key=ratio)
    marked = [patch for patch in patches if patch.label == DEFECTIVE]
    second = max(marked, key=ratio, default=first)
    return [first] if second.key == first.key else [first, second]


def _facts(one: RunVerdict) -> list[tuple[str, str]]:
    size = f", {one.size:.1f} pixels" if one.size == one.size else ""
    defect = f" ({one.defect}{size})" if one.defect else ""
    return [
        ("label", one.label + defect),
        ("verdict over its runs", one.verdict),
        ("runs rejected", f"{one.rejected} of {one.valid} valid"),
        ("greatest score over threshold", f"{one.deciding.ratio:.3f}" if one.deciding else "no valid run"),
    ]


def _picture(patch: GalleryPatch, limits: Mapping[str, float], folder: Path) -> GalleryPicture:
    vial = _content(folder, patch.picture)
    width, height = int.from_bytes(vial[16:20], "big"), int.from_bytes(vial[20:24], "big")
    left, top, wide, high = patch.box
    place = (100 * left / width, 100 * top / height, 100 * wide / width, 100 * high / height)
    return GalleryPicture(
        patch, _uri(vial), _uri(_content(folder, patch.reconstruction)), _uri(_content(folder, patch.heatmap)), place,
        limits[patch.region],
    )  # fmt: skip


def _content(folder: Path, name: str) -> bytes:
    place = folder / FOLDER / name
    try:
        return place.read_bytes()
    except OSError as error:
        raise ScoreError(f"{place}: expected a picture, got: {error.strerror}; score the set again") from error


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
