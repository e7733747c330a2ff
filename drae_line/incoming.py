"""Which acquisitions in the watched folder are complete: no clock, no thread, no event of its own.

A frame is whole when it was seen to be closed or moved here, or did not change for a while. An acquisition is complete
when all its frames are; one that is not complete a while after its last change is given up, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import FolderContent, folder_content, joined, needed_places
from drae_data.errors import AcquisitionError, KeyFormatError
from drae_data.junk import is_junk
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_line.slot_verdict import STILL_WRITTEN

# An acquisition that never comes to rest is given up after so many times the patience.
_MOST_PATIENCE = 10
# Size and time of change of a file.
Signature = tuple[int, int]
_UNKNOWN = (-1, -1)
# Of so many acquisitions it is noticed when files come after their turn.
_RECENT = 1000


@dataclass(frozen=True)
class Arrival:
    """An acquisition whose turn has come.

    Attributes:
        key: its key.
        folder: below the root; the root itself where acquisitions are files.
        frames: names of its needed frame files, in the folder; empty where it is given up.
        complete: when it was complete, in seconds of the clock that `take` is told.
        problem: why it is given up; None where it is complete.
    """

    key: AcquisitionKey
    folder: str
    frames: dict[FramePlace, str]
    complete: float
    problem: AcquisitionError | None


@dataclass
class _File:
    signature: Signature
    since: float
    closed: bool
    open: bool


@dataclass
class _Pending:
    key: AcquisitionKey
    folder: str
    first: float
    files: dict[str, _File] = field(default_factory=dict)
    closed: dict[str, Signature | None] = field(default_factory=dict)
    refused: tuple[AcquisitionError, dict[str, Signature]] | None = None

    def changed(self) -> float:
        return max((file.since for file in self.files.values()), default=self.first)

    def signatures(self) -> dict[str, Signature]:
        return {name: file.signature for name, file in self.files.items()}


class Incoming:
    """The acquisitions in a folder that have no verdict yet.

    Args:
        root: the folder that is watched.
        options: of the set whose acquisitions come.
        settle: seconds after which an unchanged file is whole.
        patience: seconds after its last change at which an incomplete acquisition is given up.
        judged: text forms of the keys of acquisitions that have a verdict.
    """

    def __init__(
        self, root: Path, options: DatasetOptions, settle: float, patience: float, judged: Iterable[str]
    ) -> None:
        self._files, self._options = LocalFiles(str(root)), options
        self._settle, self._patience = settle, patience
        self._done = set(judged)
        self._pending: dict[AcquisitionKey, _Pending] = {}
        # Folders and files of acquisitions whose turn is over: a scan need not read their names again.
        self._passed = set[str]()
        # What the last acquisitions had when their turn came.
        self._recent: dict[AcquisitionKey, _Pending] = {}

    def __len__(self) -> int:
        """How many acquisitions are there without a verdict, complete or not."""
        return len(self._pending)

    def notice(self, path: str, closed: bool, now: float) -> str:
        """Takes note of a file that appeared or changed.

        Args:
            path: below the root.
            closed: whether its writer has closed it, or moved it here.
            now: seconds.

        Returns:
            What is wrong with it, in words: its name does not fit the path template, its acquisition lies elsewhere, or
            it comes after its acquisition's turn; empty where nothing is.
        """
        template = self._options.template
        parts = path.split("/")
        if is_junk(path):
            return ""
        if template.of_folders and len(parts) <= template.depth:
            return f"{path}: expected files {template.depth} folders below the watched one (path_template)"
        claimed = self._claim("/".join(parts[: template.depth]) if template.of_folders else path, now)
        name = "/".join(parts[template.depth :]) if template.of_folders else path
        if isinstance(claimed, AcquisitionKey):
            return self._late(claimed, path, name)
        if isinstance(claimed, str):
            return claimed
        # What changes after it was closed is open again, whether an event tells of it or not.
        claimed.closed[name] = self._signature(joined(claimed.folder, name)) if closed else None
        return ""

    def scan(self, now: float) -> list[str]:
        """Looks for acquisitions that no event told of.

        Returns:
            As `notice`, of every folder or file.

        Raises:
            OSError: the root cannot be listed.
        """
        depth = self._options.template.depth
        if self._options.template.of_folders:
            # Shallower ones may be those of a strip whose next run has not come yet.
            names = [folder for folder in self._files.folders(depth) if folder.count("/") == depth - 1]
        else:
            names = list(self._files.names("", depth))
        known = {pending.folder for pending in self._pending.values()} | self._passed
        new = [name for name in names if name not in known and not is_junk(name)]
        strange = []
        # Those that lie there when the line begins have their turns in the order in which they came.
        for name in sorted(new, key=self._age):
            claimed = self._claim(name, now)
            if isinstance(claimed, str):
                strange.append(claimed)
            elif isinstance(claimed, AcquisitionKey):
                self._passed.add(name)
        return strange

    def _age(self, name: str) -> tuple[float, str]:
        try:
            return Path(self._files.root, name).stat().st_mtime, name
        except OSError:
            return 0.0, name

    def _claim(self, name: str, now: float) -> "_Pending | AcquisitionKey | str":
        """The acquisition of a folder, or of a file where acquisitions are files; its key alone where its turn is over.

        Text says why there is none.
        """
        template = self._options.template
        try:
            key = template.match_acquisition(name).key
        except KeyFormatError as error:
            return f"{name}: {error}"
        if str(key) in self._done:
            return key
        folder = name if template.of_folders else ""
        pending = self._pending.setdefault(key, _Pending(key, folder, now))
        if pending.folder != folder:
            return f"{name}: expected one acquisition for {key}, got another in {pending.folder}"
        if not template.of_folders:
            pending.files.setdefault(name, _File(_UNKNOWN, now, False, False))
        return pending

    def _late(self, key: AcquisitionKey, path: str, name: str) -> str:
        """What to say of a file of an acquisition whose turn is over: nothing where it is known not to have changed."""
        pending, found = self._recent.get(key), self._signature(path)
        if found is None:
            return ""
        if pending is not None and path == joined(pending.folder, name) and pending.signatures().get(name) == found:
            return ""
        return (
            f"{path}: came or changed after the turn of {key}, whose verdict stands; a name may come only once in a "
            "line.folder"
        )

    def take(self, now: float) -> Arrival | None:
        """The acquisition whose turn it is: of those that are complete or given up the one that came first."""
        for pending in self._pending.values():
            arrival = self._arrival(pending, now)
            if arrival is not None:
                self._done.add(str(pending.key))
                self._recent[pending.key] = pending
                if len(self._recent) > _RECENT:
                    del self._recent[next(iter(self._recent))]
                del self._pending[pending.key]
                return arrival
        return None

    def unchanged(self, arrival: Arrival) -> bool:
        """Whether the frames of an acquisition are still those of its turn, now that they were read."""
        before = self._recent[arrival.key].signatures()
        return all(self._signature(joined(arrival.folder, name)) == before[name] for name in arrival.frames.values())

    def put_back(self, arrival: Arrival, problem: AcquisitionError) -> None:
        """Takes an acquisition back whose frames cannot be read yet: it has its turn when they change, or is given up.

        Args:
            arrival: that `take` gave.
            problem: with its frames.
        """
        self._done.discard(str(arrival.key))
        pending = self._recent.pop(arrival.key)
        # As they were at its turn: what changed since may be what was awaited.
        pending.refused = problem, pending.signatures()
        self._pending[arrival.key] = pending

    def _arrival(self, pending: _Pending, now: float) -> Arrival | None:
        try:
            self._refresh(pending, now)
            content = self._content(pending)
        except AcquisitionError as error:
            return self._given_up(pending, error, now)
        except OSError as error:
            problem = AcquisitionError("unreadable", f"it cannot be looked at ({error.strerror or error})")
            return self._given_up(pending, problem, now)
        frames = {place: content.frames[place] for place in needed_places(self._options)}
        if pending.refused is not None and pending.refused[1] == pending.signatures():
            return self._given_up(pending, pending.refused[0], now)
        whole = [self._whole(pending.files[name]) for name in frames.values()]
        if max(whole) > now:
            problem = AcquisitionError(STILL_WRITTEN, "its frames were not closed, and did not come to rest")
            return self._given_up(pending, problem, now)
        return Arrival(pending.key, pending.folder, frames, max(whole), None)

    def _whole(self, file: _File) -> float:
        """When a file is whole, unless it changes before: one that was seen open is not, because its writer rests."""
        if file.closed:
            return file.since
        return file.since + (self._patience if file.open else self._settle)

    def _given_up(self, pending: _Pending, problem: AcquisitionError, now: float) -> Arrival | None:
        """An acquisition that is not complete; None where there is time left."""
        waited, since_first = now - pending.changed(), now - pending.first
        if waited < self._patience and since_first < _MOST_PATIENCE * self._patience:
            return None
        return Arrival(pending.key, pending.folder, {}, now, problem)

    def _refresh(self, pending: _Pending, now: float) -> None:
        """Looks at the files of an acquisition; raises OSError."""
        template = self._options.template
        names = (
            self._files.names(pending.folder, template.depth_inside)
            if template.of_folders
            else dict.fromkeys(pending.files, 0)
        )
        files = {}
        for name in names:
            try:
                signature = self._stat(joined(pending.folder, name))
            except FileNotFoundError:
                continue
            known = pending.files.get(name)
            since = known.since if known is not None and known.signature == signature else now
            closed = pending.closed.get(name, _UNKNOWN)
            files[name] = _File(signature, since, closed == signature, closed is None)
        pending.files = files

    def _stat(self, path: str) -> Signature:
        """Raises OSError."""
        found = Path(self._files.root, path).stat()
        return found.st_size, found.st_mtime_ns

    def _signature(self, path: str) -> Signature | None:
        """None where there is no such file, or it cannot be looked at."""
        try:
            return self._stat(path)
        except OSError:
            return None

    def _content(self, pending: _Pending) -> FolderContent:
        """Its frames; raises `AcquisitionError` where they are not as they must be."""
        sizes = {name: file.signature[0] for name, file in pending.files.items()}
        marker = self._options.intake.marker
        beside = self._files.names(pending.folder) if marker and self._options.template.depth_inside else sizes
        if marker and marker not in beside:
            raise AcquisitionError(STILL_WRITTEN, f"expected its marker {marker!r} (complete.marker)")
        return folder_content(pending.folder, sizes, self._options)
