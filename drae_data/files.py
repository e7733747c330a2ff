"""Where bytes live: the few file operations that the builder needs, whatever the root.

`local_files` has those of this machine, the shells those of remote roots; no other module knows which one it has.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class Files(ABC):
    """File operations below one root. Paths are relative to it, with forward slashes.

    Attributes:
        root: as the user gave it.
    """

    root: str

    @abstractmethod
    def folders(self, depth: int) -> Iterator[str]:
        """Relative paths of all folders `depth` levels below the root, in no particular order.

        A folder above that level in which nothing leads further down is given too: whoever lists must be able to say
        that it is no acquisition. Hidden folders are passed over. Raises OSError where the root cannot be listed.
        """

    @abstractmethod
    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        """File names in `folder` with their sizes in bytes, -1 where a file is there but cannot be looked at.

        With a depth the files that lie so many folder levels below, by their paths from `folder`; hidden folders and
        leftovers of systems are passed over. Empty where the folder is absent; raises OSError where it, or a folder on
        the way, cannot be listed.
        """

    def leads_out(self, path: str) -> bool:
        """Whether a link on the path leads out of the root; where there are no links, never."""
        return False

    @abstractmethod
    def changed(self, folder: str, depth: int = 0) -> float:
        """When a file in `folder`, or so many levels below, changed last: seconds since 1970; 0 where none is."""

    def stamp(self, path: str) -> str:
        """A text that is another once the file has changed; empty where none can be had or the file is too new for one.

        Raises OSError where the file is absent.
        """
        return ""

    def adopt(self, other: "Files", path: str, name: str) -> None:
        """Takes over a file of another root under a name of its own, without a copy where the file system can."""
        self.write(name, [other.read(path)])

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The whole content of a file; raises OSError."""

    @abstractmethod
    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file as a stream, for what need not lie in memory whole; raises OSError."""

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

    @contextmanager
    def replacing(self, commit_point: str) -> Iterator["Files"]:
        """Where a version is built: the folder itself, or a folder beside it that takes its place in the end.

        Beside it where the folder holds `commit_point`, the file system can, and so a committed version would be lost
        if the build failed. What an earlier attempt left beside it is gone on with.
        """
        yield self


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
