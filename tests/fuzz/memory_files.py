"""A version folder in memory, so that thousands of damaged ones cost no disk."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from drae_data.files import Files


@dataclass(frozen=True)
class MemoryFiles(Files):
    """Files that are only read.

    Attributes:
        content: by path.
    """

    content: Mapping[str, bytes]

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`."""
        yield from sorted({"/".join(path.split("/")[:depth]) for path in self.content if path.count("/") >= depth})

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        """See `Files.names`."""
        prefix = f"{folder}/" if folder else ""
        below = {path.removeprefix(prefix): len(data) for path, data in self.content.items() if path.startswith(prefix)}
        return {path: size for path, size in below.items() if path.count("/") == depth}

    def changed(self, folder: str, depth: int = 0) -> float:
        """See `Files.changed`."""
        return 0.0

    def read(self, path: str) -> bytes:
        """See `Files.read`."""
        if path not in self.content:
            raise FileNotFoundError(2, "there is no such file", path)
        return self.content[path]

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `Files.open`."""
        return io.BytesIO(self.read(path))

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """Nothing is written here."""
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """Nothing is removed here."""
        raise NotImplementedError
