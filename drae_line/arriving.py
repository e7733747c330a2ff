"""One acquisition that comes in: its files, and which of them are whole. No clock, no thread, no event of its own.

A frame is whole when it was seen to be closed or moved here, or did not change for a while.
"""

from dataclasses import dataclass
from pathlib import Path

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import folder_content, joined, needed_places
from drae_data.errors import AcquisitionError
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_line.slot_verdict import STILL_WRITTEN

# Size and time of change of a file.
Signature = tuple[int, int]
_UNKNOWN = (-1, -1)


@dataclass(frozen=True)
class WatchedFolder:
    """The folder that acquisitions come into.

    Attributes:
        files: in it.
        options: of the set whose acquisitions come.
        settle: seconds after which an unchanged file is whole.
        patience: seconds after its last change at which an incomplete acquisition is given up.
    """

    files: LocalFiles
    options: DatasetOptions
    settle: float
    patience: float

    def stat(self, path: str) -> Signature:
        """Size and time of change of a file; raises OSError."""
        found = Path(self.files.root, path).stat()
        return found.st_size, found.st_mtime_ns

    def signature(self, path: str) -> Signature | None:
        """The same; None where there is no such file, or it cannot be looked at."""
        try:
            return self.stat(path)
        except OSError:
            return None

    def age(self, name: str) -> tuple[int, str]:
        """What orders files and folders by their time of change."""
        found = self.signature(name)
        return found[1] if found else 0, name


@dataclass
class _File:
    signature: Signature
    since: float
    closed: bool
    open: bool


class Arriving:
    """An acquisition that has not had its turn.

    Args:
        watched: the folder that it comes into.
        key: its key.
        folder: below the root; the root itself where acquisitions are files.
        first: when it was first heard of, in seconds.
        found: whether a look found it that no event had told of.

    Attributes:
        key: as given.
        folder: as given.
        first: as given.
        refused: why its frames could not be read, and what they were then; None where nobody tried.
    """

    def __init__(self, watched: WatchedFolder, key: AcquisitionKey, folder: str, first: float, found: bool) -> None:
        self.key, self.folder, self.first = key, folder, first
        self.refused: tuple[AcquisitionError, dict[str, Signature]] | None = None
        self._watched, self._found = watched, found
        self._files: dict[str, _File] = {}
        # As of the last event of each file; None where it is open.
        self._told: dict[str, Signature | None] = {}

    @property
    def unannounced(self) -> bool:
        """Whether its files were found by looks, and no event has told of any of them. Folders are never told of."""
        return self._found and bool(self._files) and not self._told

    def add(self, name: str) -> None:
        """Takes a file in, where acquisitions are files; `look` says what it is."""
        self._files.setdefault(name, _File(_UNKNOWN, self.first, False, False))

    def note(self, name: str, closed: bool) -> None:
        """Takes note of an event: a file was closed, or moved here, or changed."""
        # What changes after it was closed is open again, whether an event tells of it or not.
        self._told[name] = self._watched.signature(joined(self.folder, name)) if closed else None

    def look(self, now: float) -> None:
        """Looks at its files; raises OSError."""
        template = self._watched.options.template
        names = (
            self._watched.files.names(self.folder, template.depth_inside)
            if template.of_folders
            else dict.fromkeys(self._files, 0)
        )
        files = {}
        for name in names:
            try:
                signature = self._watched.stat(joined(self.folder, name))
            except FileNotFoundError:
                continue
            known = self._files.get(name)
            since = known.since if known is not None and known.signature == signature else now
            told = self._told.get(name, _UNKNOWN)
            files[name] = _File(signature, since, told == signature, told is None)
        self._files = files

    def changed(self) -> float:
        """When the last of its files changed, as `look` saw it."""
        return max((file.since for file in self._files.values()), default=self.first)

    def signatures(self) -> dict[str, Signature]:
        """Its files as `look` saw them."""
        return {name: file.signature for name, file in self._files.items()}

    def frames(self) -> dict[FramePlace, str]:
        """Names of its needed frame files; raises `AcquisitionError` where they are not as they must be, OSError."""
        sizes = {name: file.signature[0] for name, file in self._files.items()}
        options = self._watched.options
        marker = options.intake.marker
        beside = self._watched.files.names(self.folder) if marker and options.template.depth_inside else sizes
        if marker and marker not in beside:
            raise AcquisitionError(STILL_WRITTEN, f"expected its marker {marker!r} (complete.marker)")
        found = folder_content(self.folder, sizes, options).frames
        return {place: found[place] for place in needed_places(options)}

    def whole(self, name: str) -> float:
        """When a file is whole, unless it changes before: one that was seen open is not, because its writer rests."""
        file = self._files[name]
        if file.closed:
            return file.since
        return file.since + (self._watched.patience if file.open else self._watched.settle)
