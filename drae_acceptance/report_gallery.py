"""Which strips the report shows with pictures, or invalid ones with words, and what it says beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from drae_acceptance.errors import ScoreError
from drae_acceptance.gallery import FOLDER, GalleryPatch
from drae_acceptance.verdict import ACCEPT, CONFIRMED, INVALID, REJECT, UNDECIDED, RunVerdict
from drae_data.labels import DEFECTIVE, GOOD
from drae_data.pages import data_uri

MISSED_REJECT, FALSE_REJECT, REJECTED_RIGHTLY = "missed reject", "false reject", "rejected rightly"
# Why a strip is shown, in the order in which they are.
KINDS = (MISSED_REJECT, UNDECIDED, FALSE_REJECT, INVALID, REJECTED_RIGHTLY)


@dataclass(frozen=True)
class GalleryEntry:
    """A strip with its pictures.

    Attributes:
        strip: its name.
        kind: why it is shown, a member of `KINDS`.
        facts: (name, value) in the order in which they are read.
        pictures: of the patches that tell most; none where nothing was scored, or where there is no more room.
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
        frames: (name, SHA-256, link) of the frame files that decide the patch; an empty link leads nowhere.
    """

    patch: GalleryPatch
    vial: str
    reconstruction: str
    heatmap: str
    place: tuple[float, float, float, float]
    threshold: float
    frames: tuple[tuple[str, str, str], ...]


def choose_entries(
    runs: Sequence[RunVerdict], patches: Sequence[GalleryPatch], limits: Mapping[str, Mapping[str, float]],
    folder: Path, most: int, frames: str | None,
) -> tuple[GalleryEntry, ...]:  # fmt: skip
    """The strips that are shown: those judged wrongly first, then those rejected rightly; invalid ones always.

    Args:
        runs: verdicts on strips over their runs.
        patches: of the gallery.
        limits: by strip, the thresholds of its regions at the level `run`.
        folder: of the scored set.
        most: how many strips at most have pictures.
        frames: root of the set's frames as seen from the page; None where no link can lead there.

    Raises:
        ScoreError: a picture is missing.
    """
    shown = sorted((one for one in runs if _kind(one)), key=lambda one: (KINDS.index(_kind(one)), one.strip))
    entries = []
    for one in shown[:most]:
        own = [patch for patch in patches if patch.strip == one.strip]
        found = [_picture(patch, limits[one.strip], folder, frames) for patch in _telling(own, limits[one.strip])]
        entries.append(GalleryEntry(one.strip, _kind(one), tuple(_facts(one)), tuple(found)))
    words = [one for one in shown[most:] if _kind(one) == INVALID]
    return (*entries, *(GalleryEntry(one.strip, INVALID, tuple(_facts(one)), ()) for one in words))


def count_shown(runs: Sequence[RunVerdict]) -> int:
    """How many strips there would be to show."""
    return sum(bool(_kind(one)) for one in runs)


def _kind(one: RunVerdict) -> str:
    """Why a strip is shown; empty where it is not."""
    if one.label not in (GOOD, DEFECTIVE):
        return ""
    if one.verdict in (INVALID, UNDECIDED):
        return one.verdict
    if one.state != CONFIRMED:
        return MISSED_REJECT if one.verdict == ACCEPT else FALSE_REJECT
    return REJECTED_RIGHTLY if one.verdict == REJECT else ""


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
    found = [
        ("label", one.label + defect),
        ("verdict over its runs", one.verdict),
        ("runs rejected", f"{one.rejected} of {one.valid} valid"),
        ("greatest score over threshold", f"{one.deciding.ratio:.3f}" if one.deciding else "no valid run"),
    ]
    return [*found, ("runs that are not valid", one.detail)] if one.detail else found


def _picture(patch: GalleryPatch, limits: Mapping[str, float], folder: Path, frames: str | None) -> GalleryPicture:
    vial = _content(folder, patch.picture)
    width, height = int.from_bytes(vial[16:20], "big"), int.from_bytes(vial[20:24], "big")
    left, top, wide, high = patch.box
    place = (100 * left / width, 100 * top / height, 100 * wide / width, 100 * high / height)
    return GalleryPicture(
        patch, data_uri(vial), data_uri(_content(folder, patch.reconstruction)),
        data_uri(_content(folder, patch.heatmap)), place, limits[patch.region],
        tuple((name, digest, _link(frames, name)) for name, digest in patch.frames),
    )  # fmt: skip


def _link(root: str | None, name: str) -> str:
    """A relative link to a file below a root: `./` before it, so that no name is read as a scheme or another host."""
    return "" if root is None else quote(f"./{root}/{name}")


def _content(folder: Path, name: str) -> bytes:
    place = folder / FOLDER / name
    try:
        return place.read_bytes()
    except OSError as error:
        raise ScoreError(f"{place}: expected a picture, got: {error.strerror}; score the set again") from error
