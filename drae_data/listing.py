"""List: which acquisitions lie below the root, by names alone; no frame is opened.

What is no acquisition is refused with a reason, what is not to be built is left out with a reason, leftovers of systems
are counted: nothing that was listed is lost.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import joined
from drae_data.errors import KeyFormatError, ListingError
from drae_data.files import Files
from drae_data.intake import TimeOptions, utc_time
from drae_data.junk import is_junk
from drae_data.manifest import QuarantineRow
from drae_data.options import DatasetOptions
from drae_data.path_template import IMAGE_SUFFIXES, AcquisitionName
from drae_data.split_sides import natural_order

_MOST_CLAIMANTS = 5


@dataclass(frozen=True, order=True, slots=True)
class ListedAcquisition:
    """An acquisition as its names give it.

    Attributes:
        key: its key.
        folder: relative to the root; the files' common folder where acquisitions are files.
        files: their paths in the folder; empty where the acquisition is the folder.
        label: the code in the path, empty where there is none.
        time: the text of the path's field `{time}`, empty where there is none.
    """

    key: AcquisitionKey
    folder: str
    files: tuple[str, ...] = ()
    label: str = ""
    time: str = ""


@dataclass(frozen=True)
class Listing:
    """What lies below the root.

    Attributes:
        acquisitions: to be built, in key order.
        refused: folders or files that are no acquisition, with the reason.
        left_out: acquisitions that are not to be built now, with the reason.
        ignored: how many leftovers of systems and other files were passed over.
    """

    acquisitions: tuple[ListedAcquisition, ...]
    refused: tuple[QuarantineRow, ...]
    left_out: tuple[QuarantineRow, ...]
    ignored: int

    @property
    def listed(self) -> int:
        """How many were listed; each is built, quarantined or left out in the end."""
        return len(self.acquisitions) + len(self.refused) + len(self.left_out)


def list_acquisitions(files: Files, options: DatasetOptions) -> Listing:
    """Lists what lies below the root.

    Raises:
        ListingError: the root cannot be listed, or no name fits the path template.
    """
    template = options.template
    try:
        if template.of_folders:
            listing = list_folders(files.folders(template.depth), options, files.root)
        else:
            listing = list_files(files.names("", template.depth), options, files.root)
            elsewhere, ignored = _elsewhere(files, template.depth)
            refused = tuple(sorted([*listing.refused, *elsewhere]))
            listing = replace(listing, refused=refused, ignored=listing.ignored + ignored)
        return _complete(listing, options, files)
    except OSError as error:
        raise ListingError(
            f"root: expected a folder of acquisitions that can be listed, got {files.root!r}: {error.strerror or error}"
        ) from error


def _elsewhere(files: Files, depth: int) -> tuple[list[QuarantineRow], int]:
    """Images above the level at which the template has files, folders with images below it; how many leftovers."""
    images = [path for above in range(depth) for path in files.names("", above) if _is_image(path)]
    folders = [folder for folder in files.folders(depth + 1) if folder.count("/") == depth]
    kept = [folder for folder in folders if not is_junk(folder) and any(map(_is_image, files.names(folder)))]
    refused = [
        QuarantineRow.of_name(
            path, "unmatched_name", f"expected files {depth} folders below the root (path_template), got {path!r}"
        )
        for path in (*images, *kept)
        if not is_junk(path)
    ]  # fmt: skip
    return refused, len(images) + len(folders) - len(refused)


def _is_image(path: str) -> bool:
    return path.rpartition(".")[2].lower() in IMAGE_SUFFIXES


def list_folders(folders: Iterable[str], options: DatasetOptions, root: str) -> Listing:
    """Sorts folder names into acquisitions and refused ones.

    Args:
        folders: relative to the root, in any order.
        options: gives the path template.
        root: named in the error.

    Raises:
        ListingError: no folder fits the path template.
    """
    claims: defaultdict[AcquisitionKey, list[ListedAcquisition]] = defaultdict(list)
    refused, ignored = list[QuarantineRow](), 0
    match = options.template.match_acquisition
    for folder in folders:
        if is_junk(folder):
            ignored += 1
            continue
        try:
            name = match(folder)
        except KeyFormatError as error:
            refused.append(QuarantineRow.of_name(folder, "unmatched_name", str(error)))
            continue
        claims[name.key].append(ListedAcquisition(name.key, folder, (), name.label, name.time))
    return _listing(claims, refused, ignored, options, root)


def list_files(paths: Iterable[str], options: DatasetOptions, root: str) -> Listing:
    """Sorts file names into acquisitions, one for each key, and refused ones; see `list_folders`.

    A file that is no image by its suffix is passed over and counted; an image whose name does not fit is refused.
    """
    grouped: defaultdict[AcquisitionName, list[str]] = defaultdict(list)
    refused, ignored = list[QuarantineRow](), 0
    match = options.template.match_acquisition
    for path in paths:
        try:
            if is_junk(path):
                ignored += 1
                continue
            grouped[match(path)].append(path)
        except KeyFormatError as error:
            if _is_image(path):
                refused.append(QuarantineRow.of_name(path, "unmatched_name", str(error)))
            else:
                ignored += 1
    claims: defaultdict[AcquisitionKey, list[ListedAcquisition]] = defaultdict(list)
    for name, members in grouped.items():
        folder = _common_folder(members)
        inside = tuple(sorted(path[len(folder) + 1 :] if folder else path for path in members))
        claims[name.key].append(ListedAcquisition(name.key, folder, inside, name.label, name.time))
    return _listing(claims, refused, ignored, options, root)


def _common_folder(paths: Sequence[str]) -> str:
    folders = [PurePosixPath(path).parent.parts for path in paths]
    first, last = min(folders), max(folders)
    shared = next(
        (i for i, (one, two) in enumerate(zip(first, last, strict=False)) if one != two), min(len(first), len(last))
    )
    return "/".join(first[:shared])


def _listing(
    claims: dict[AcquisitionKey, list[ListedAcquisition]], refused: list[QuarantineRow], ignored: int,
    options: DatasetOptions, root: str,
) -> Listing:  # fmt: skip
    listed, left_out = list[ListedAcquisition](), list[QuarantineRow]()
    for key, claimants in claims.items():
        if len(claimants) == 1:
            listed.append(claimants[0])
            continue
        latest = _latest(claimants, options.acquired_at) if options.intake.reacquired == "latest" else None
        places = sorted(_place(item) for item in claimants)
        for item in claimants:
            if latest is None:
                detail = f"expected one acquisition for {key}, got {places[:_MOST_CLAIMANTS]}"
                detail += f" and {len(places) - _MOST_CLAIMANTS} more" if len(places) > _MOST_CLAIMANTS else ""
                refused.append(QuarantineRow.of_key(key, item.folder, "duplicate_acquisition", detail, _file(item)))
            elif item is not latest:
                detail = f"{_place(latest)} is of {latest.time}, this of {item.time}"
                left_out.append(QuarantineRow.of_key(key, item.folder, "superseded", detail, _file(item)))
        if latest is not None:
            listed.append(latest)
    if not listed:
        what = "folders" if options.template.of_folders else "files"
        raise ListingError(
            f"root: expected {what} named like {options.template.text!r} (path_template) below {root!r}, "
            f"got {len(refused)} {what} {options.template.depth} levels down, none usable"
            + "".join(f"\n  {row.folder}: {row.reason}" for row in sorted(refused)[:5])
        )
    # Keys are unique here, and a tuple compares faster than the whole.
    listed.sort(key=lambda item: item.key)
    return Listing(tuple(listed), tuple(sorted(refused)), tuple(sorted(left_out)), ignored)


def _latest(claimants: Sequence[ListedAcquisition], times: TimeOptions) -> ListedAcquisition | None:
    """The one of the latest time, numbers compared as numbers where no format says more; None where it is unclear."""
    named = times.source == "name"
    read = [(utc_time(item.time, times) if named else "", () if named else natural_order(item.time))
            for item in claimants]  # fmt: skip
    unclear = (named and ("", ()) in read) or read.count(max(read)) > 1
    return None if unclear else claimants[read.index(max(read))]


def _place(item: ListedAcquisition) -> str:
    return joined(item.folder, _file(item)) if item.files else item.folder


def _file(item: ListedAcquisition) -> str:
    return item.files[0] if item.files else ""


def _complete(listing: Listing, options: DatasetOptions, files: Files) -> Listing:
    """Leaves out acquisitions that are still being written."""
    if not (options.intake.marker or options.intake.settle_seconds):
        return listing
    settled, left_out = list[ListedAcquisition](), list(listing.left_out)
    now = time.time()
    for item in listing.acquisitions:
        try:
            problem = next(_unfinished(item, options, files, now), "")
        except OSError:
            problem = ""  # The build judges what cannot be looked at.
        if problem:
            left_out.append(QuarantineRow.of_key(item.key, item.folder, "still_written", problem, _file(item)))
        else:
            settled.append(item)
    return replace(listing, acquisitions=tuple(settled), left_out=tuple(sorted(left_out)))


def _unfinished(item: ListedAcquisition, options: DatasetOptions, files: Files, now: float) -> Iterator[str]:
    """Why an acquisition is not complete yet."""
    intake, inside = options.intake, options.template.depth_inside
    if intake.marker and intake.marker not in files.names(item.folder):
        yield f"expected its marker {intake.marker!r} (complete.marker)"
    # No number of seconds enters the row: the version's bytes would depend on the moment of the build.
    if intake.settle_seconds and now - _changed(item, files, inside) < intake.settle_seconds:
        yield (
            f"a file changed less than {intake.settle_seconds} s ago (complete.settle_seconds), "
            "or the clock that dated it is ahead of this machine's"
        )


def _changed(item: ListedAcquisition, files: Files, inside: int) -> float:
    if not item.files:
        return files.changed(item.folder, inside)
    return max(files.changed(joined(item.folder, name)) for name in item.files)
