"""Which acquisitions in the watched folder have their turn: no clock, no thread, no event of its own.

An acquisition is complete when all its frames are whole; one that is not complete a while after its last change is
given up, with the reason.
"""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_folder import joined
from drae_data.errors import AcquisitionError, KeyFormatError
from drae_data.junk import is_junk
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_line.arriving import Arriving, WatchedFolder
from drae_line.slot_verdict import STILL_WRITTEN

# An acquisition that never comes to rest is given up after so many times the patience.
_MOST_PATIENCE = 10
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
        unannounced: whether only looks have found it: no event told of it, though it came while they were listened to.
    """

    key: AcquisitionKey
    folder: str
    frames: dict[FramePlace, str]
    complete: float
    problem: AcquisitionError | None
    unannounced: bool = False


class Incoming:
    """The acquisitions in a folder that have no verdict yet.

    Args:
        root: the folder that is watched.
        options: of the set whose acquisitions come.
        settle: seconds after which an unchanged file is whole.
        patience: seconds after its last change at which an incomplete acquisition is given up.
        judged: text forms of the keys of acquisitions that have a verdict; the caller's own, which may grow.
    """

    def __init__(
        self, root: Path, options: DatasetOptions, settle: float, patience: float, judged: Container[str]
    ) -> None:
        self._watched = WatchedFolder(LocalFiles(str(root)), options, settle, patience)
        self._template = options.template
        self._judged = judged
        # Those that were given out and have no verdict yet.
        self._taken = set[str]()
        self._pending: dict[AcquisitionKey, Arriving] = {}
        # Folders and files of acquisitions whose turn came: a scan reads no names again of what still lies there.
        self._passed = set[str]()
        # What the last acquisitions had when their turn came.
        self._recent: dict[AcquisitionKey, Arriving] = {}
        # What the first scan finds was there before anybody listened to events.
        self._scanned = False

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
        template = self._template
        parts = path.split("/")
        if is_junk(path):
            return ""
        if template.of_folders and len(parts) <= template.depth:
            return f"{path}: expected files {template.depth} folders below the watched one (path_template)"
        claimed = self._claim("/".join(parts[: template.depth]) if template.of_folders else path, now, False)
        name = "/".join(parts[template.depth :]) if template.of_folders else path
        if isinstance(claimed, AcquisitionKey):
            return self._late(claimed, path, name)
        if isinstance(claimed, str):
            return claimed
        claimed.note(name, closed)
        return ""

    def scan(self, now: float) -> list[str]:
        """Looks for acquisitions that no event told of.

        Returns:
            As `notice`, of every folder or file.

        Raises:
            OSError: the root cannot be listed.
        """
        depth, files = self._template.depth, self._watched.files
        if self._template.of_folders:
            # Shallower ones may be those of a strip whose next run has not come yet.
            names = [folder for folder in files.folders(depth) if folder.count("/") == depth - 1]
        else:
            names = list(files.names("", depth))
        self._passed.intersection_update(names)
        known = {pending.folder for pending in self._pending.values()} | self._passed
        new = [name for name in names if name not in known and not is_junk(name)]
        strange = []
        # Those that lie there when the line begins have their turns in the order in which they came.
        for name in sorted(new, key=self._watched.age):
            claimed = self._claim(name, now, self._scanned)
            if isinstance(claimed, str):
                strange.append(claimed)
            elif isinstance(claimed, AcquisitionKey):
                self._passed.add(name)
                # Those of the first scan were judged before the line began.
                strange += self._all_late(claimed, name) if self._scanned else []
        self._scanned = True
        return strange

    def _claim(self, name: str, now: float, found: bool) -> Arriving | AcquisitionKey | str:
        """The acquisition of a folder, or of a file where acquisitions are files; its key alone where its turn is over.

        Text says why there is none.
        """
        template = self._template
        try:
            key = template.match_acquisition(name).key
        except KeyFormatError as error:
            return f"{name}: {error}"
        if str(key) in self._judged or str(key) in self._taken:
            return key
        folder = name if template.of_folders else ""
        pending = self._pending.setdefault(key, Arriving(self._watched, key, folder, now, found))
        if pending.folder != folder:
            return f"{name}: expected one acquisition for {key}, got another in {pending.folder}"
        if not template.of_folders:
            pending.add(name)
        return pending

    def _late(self, key: AcquisitionKey, path: str, name: str) -> str:
        """What to say of a file of an acquisition whose turn is over: nothing where it is known not to have changed."""
        pending, found = self._recent.get(key), self._watched.signature(path)
        if found is None:
            return ""
        if pending is not None and path == joined(pending.folder, name) and pending.signatures().get(name) == found:
            return ""
        return (
            f"{path}: came or changed after the turn of {key}, whose verdict stands; a name may come only once in a "
            "line.folder"
        )

    def _all_late(self, key: AcquisitionKey, name: str) -> list[str]:
        """The same of each file of a folder, or of a file where acquisitions are files."""
        if not self._template.of_folders:
            return list(filter(None, [self._late(key, name, name)]))
        try:
            files = sorted(self._watched.files.names(name, self._template.depth_inside))
        except OSError:
            return []
        return list(filter(None, (self._late(key, joined(name, file), file) for file in files)))

    def take(self, now: float) -> Arrival | None:
        """The acquisition whose turn it is: of those that are complete or given up the one that came first."""
        for pending in self._pending.values():
            arrival = self._arrival(pending, now)
            if arrival is not None:
                self._taken = {key for key in self._taken if key not in self._judged} | {str(pending.key)}
                self._passed |= {pending.folder} if self._template.of_folders else set(pending.signatures())
                self._recent[pending.key] = pending
                if len(self._recent) > _RECENT:
                    del self._recent[next(iter(self._recent))]
                del self._pending[pending.key]
                return arrival
        return None

    def unchanged(self, arrival: Arrival) -> bool:
        """Whether the frames of an acquisition are still those of its turn, now that they were read."""
        before, signature = self._recent[arrival.key].signatures(), self._watched.signature
        return all(signature(joined(arrival.folder, name)) == before[name] for name in arrival.frames.values())

    def put_back(self, arrival: Arrival, problem: AcquisitionError) -> None:
        """Takes an acquisition back whose frames cannot be read yet: it has its turn when they change, or is given up.

        Args:
            arrival: that `take` gave.
            problem: with its frames.
        """
        self._taken.discard(str(arrival.key))
        pending = self._recent.pop(arrival.key)
        # As they were at its turn: what changed since may be what was awaited.
        pending.refused = problem, pending.signatures()
        self._pending[arrival.key] = pending

    def _arrival(self, pending: Arriving, now: float) -> Arrival | None:
        try:
            pending.look(now)
            frames = pending.frames()
        except AcquisitionError as error:
            return self._given_up(pending, error, now)
        except OSError as error:
            problem = AcquisitionError("unreadable", f"it cannot be looked at ({error.strerror or error})")
            return self._given_up(pending, problem, now)
        if pending.refused is not None and pending.refused[1] == pending.signatures():
            return self._given_up(pending, pending.refused[0], now)
        whole = max(pending.whole(name) for name in frames.values())
        if whole > now:
            problem = AcquisitionError(STILL_WRITTEN, "its frames were not closed, and did not come to rest")
            return self._given_up(pending, problem, now)
        return Arrival(pending.key, pending.folder, frames, whole, None, pending.unannounced)

    def _given_up(self, pending: Arriving, problem: AcquisitionError, now: float) -> Arrival | None:
        """An acquisition that is not complete; None where there is time left."""
        waited, since_first = now - pending.changed(), now - pending.first
        if waited < self._watched.patience and since_first < _MOST_PATIENCE * self._watched.patience:
            return None
        return Arrival(pending.key, pending.folder, {}, now, problem, pending.unannounced)
