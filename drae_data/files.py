"""Where bytes live: the few file operations that the builder needs, for local folders.

The shells give an implementation with the same methods for remote roots; nothing here knows which one it has.
"""

import fcntl
import hashlib
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drae_data.errors import BusyError

STAGING_SUFFIX = ".incomplete"


@dataclass(frozen=True)
class Files(ABC):
    """File operations below one root. Paths are relative to it, with forward slashes.

    Attributes:
        root: as the user gave it.
    """

    root: str

    @abstractmethod
    def folders(self, depth: int) -> Iterator[str]:
        """Relative paths of all folders exactly `depth` levels below the root, in no particular order."""

    @abstractmethod
    def names(self, folder: str) -> dict[str, int]:
        """File names in `folder` with their sizes in bytes; empty where the folder is absent."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The whole content of a file; raises OSError."""

    @abstractmethod
    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """Writes a file that is wholly there under its name or not there at all."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Removes a file or a folder with all it holds; nothing happens where it is absent."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second builder out of the folder, where the file system can; released when the process ends."""
        yield


@dataclass(frozen=True)
class LocalFiles(Files):
    """Files below a folder of this machine."""

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`. Links to folders are followed; hidden folders are passed over."""
        level = [""]
        for _ in range(depth):
            level = [
                f"{above}/{entry.name}" if above else entry.name
                for above in level
                for entry in os.scandir(Path(self.root, above))
                if entry.is_dir() and not entry.name.startswith(".")
            ]
        yield from level

    def names(self, folder: str) -> dict[str, int]:
        """See `Files.names`."""
        path = Path(self.root, folder)
        if not path.is_dir():
            return {}
        with os.scandir(path) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}

    def read(self, path: str) -> bytes:
        """See `Files.read`."""
        return Path(self.root, path).read_bytes()

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """See `Files.write`: a staging name, fsync, then rename."""
        target = Path(self.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # The process id keeps two workers that retry the same shard out of each other's staging file.
        staging = target.with_name(f"{target.name}.{os.getpid()}{STAGING_SUFFIX}")
        try:
            with staging.open("wb") as stream:
                for part in parts:
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            staging.replace(target)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(target)) from error
        finally:
            staging.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See `Files.locked`. The lock file lies beside the folder, never in it; raises `BusyError`."""
        folder = Path(self.root)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f".{folder.name}.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(
                    f"{self.root}: another build is at work in this folder; wait for it, or end it, and run again"
                ) from error
            yield

    def remove(self, path: str) -> None:
        """See `Files.remove`."""
        target = Path(self.root, path)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
