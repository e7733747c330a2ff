"""`Files` of this machine: whole or absent, links instead of copies, a committed version replaced in two renames."""

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drae_data.errors import BusyError
from drae_data.files import Files
from drae_data.junk import is_junk

STAGING_SUFFIX = ".incomplete"
_TOO_NEW_SECONDS = 3.0


@dataclass(frozen=True)
class LocalFiles(Files):
    """Files below a folder of this machine. A path that would lead out of it by its own words is an OSError."""

    def _below(self, path: str) -> Path:
        """Where a path lies. Paths come from tables and JSON files too, and those from anywhere."""
        if path.startswith("/") or "\0" in path or ".." in path.split("/"):
            raise PermissionError(errno.EPERM, "expected a path below the folder", path)
        return Path(self.root, path)

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`. Links to folders are followed."""
        level = [""]
        for _ in range(depth):
            below: list[str] = []
            for above in level:
                names = self._subfolders(above)
                if above and not names:
                    yield above
                below += (f"{above}/{name}" if above else name for name in names)
            level = below
        yield from level

    def _folder_names(self, folder: str) -> list[str]:
        """The folders in a folder; raises OSError where it cannot be listed."""
        with os.scandir(self._below(folder)) as entries:
            return [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]

    def _subfolders(self, folder: str) -> list[str]:
        try:
            return self._folder_names(folder)
        except OSError:
            if not folder:
                raise
            return []

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        """See `Files.names`."""
        path = self._below(folder)
        if not path.is_dir():
            return {}
        if depth:
            return {
                f"{name}/{below}": size
                for name in self._folder_names(folder)
                if not is_junk(name)
                for below, size in self.names(f"{folder}/{name}" if folder else name, depth - 1).items()
            }
        sizes = {}
        with os.scandir(path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # A staging file may be gone by now.
                    size = _file_size(entry)
                    if size is not None:
                        sizes[entry.name] = size
        return sizes

    def leads_out(self, path: str) -> bool:
        """See `Files.leads_out`."""
        root = os.path.realpath(self.root)
        place = os.path.realpath(Path(self.root, path))
        return os.path.commonpath([root, place]) != root

    def changed(self, folder: str, depth: int = 0) -> float:
        """See `Files.changed`; the folder itself counts, since a file may have been moved into it with an old time."""
        times = [Path(self.root, folder).stat().st_mtime]
        for name in self.names(folder, depth):
            with suppress(FileNotFoundError):
                times.append(Path(self.root, folder, name).stat().st_mtime)
        return max(times)

    def stamp(self, path: str) -> str:
        """See `Files.stamp`: size, times and inode; the time of change of the inode cannot be set back."""
        found = self._below(path).stat()
        # A file system's clock ticks coarsely: a file just written may change once more within the same tick.
        if time.time() - found.st_mtime < _TOO_NEW_SECONDS:
            return ""
        return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"

    def adopt(self, other: Files, path: str, name: str) -> None:
        """See `Files.adopt`: a hard link."""
        if not isinstance(other, LocalFiles):
            super().adopt(other, path, name)
            return
        source, target = other._below(path), self._below(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = _staging(target)
        try:
            _link(source, staging)
            staging.replace(target)
            sync_to_disk(target.parent)
        finally:
            staging.unlink(missing_ok=True)

    def read(self, path: str) -> bytes:
        """See `Files.read`."""
        return self._below(path).read_bytes()

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `Files.open`."""
        return self._below(path).open("rb")

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """See `Files.write`: a staging name, fsync, then rename."""
        target = self._below(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = _staging(target)
        try:
            with staging.open("wb") as stream:
                for part in parts:
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            staging.replace(target)
            sync_to_disk(target.parent)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(target)) from error
        finally:
            staging.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See `Files.locked`. The lock file lies beside the folder, never in it; raises `BusyError`."""
        folder = Path(self.root).resolve()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f".{folder.name}.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(
                    f"{self.root}: another process is at work in this folder; wait for it, or end it, and run again"
                ) from error
            yield

    @contextmanager
    def replacing(self, commit_point: str) -> Iterator[Files]:
        """See `Files.replacing`. The folder beside starts with hard links to what the committed version holds."""
        # Its neighbours are those of the folder itself, where the version is a link to it.
        folder = Path(self.root).resolve()
        beside, aside = (folder.with_name(f".{folder.name}.{word}") for word in ("rebuild", "replaced"))
        if aside.is_dir() and not folder.exists():
            # A kill between the two renames below: the new version is whole.
            (beside if (beside / commit_point).is_file() else aside).rename(folder)
        if aside.is_dir():
            shutil.rmtree(aside)
        if not (folder / commit_point).is_file():
            if beside.is_dir():
                shutil.rmtree(beside)
            yield self
            return
        for path in folder.rglob("*"):
            twin = beside / path.relative_to(folder)
            if path.is_file() and not twin.exists():
                twin.parent.mkdir(parents=True, exist_ok=True)
                _link(path, twin)
        yield LocalFiles(str(beside))
        folder.rename(aside)
        beside.rename(folder)
        sync_to_disk(folder.parent)
        shutil.rmtree(aside)

    def remove(self, path: str) -> None:
        """See `Files.remove`."""
        target = self._below(path)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder; a link that leads in circles counts as one that nothing leads down from."""
    try:
        return entry.is_dir()
    except OSError:
        return True


def _file_size(entry: os.DirEntry[str]) -> int | None:
    """Size of a file, None where the entry is none, -1 where it cannot be looked at; raises FileNotFoundError."""
    try:
        return entry.stat().st_size if entry.is_file() else None
    except FileNotFoundError:
        raise
    except OSError:
        return -1


def _staging(target: Path) -> Path:
    """A name of its own keeps two workers that retry the same shard, on any hosts, out of each other's file."""
    return target.with_name(f"{target.name}.{secrets.token_hex(8)}{STAGING_SUFFIX}")


def _link(path: Path, twin: Path) -> None:
    """Gives a file a second name; a copy where the file system has no hard links."""
    try:
        twin.hardlink_to(path)
    except OSError:
        shutil.copy2(path, twin)


def sync_to_disk(path: Path) -> None:
    """Makes a file, or the names in a folder, last through a power cut; raises OSError.

    Without it after a rename, the commit point may be there before what it commits.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
