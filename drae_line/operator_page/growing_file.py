"""The whole lines of a file that others append to, cut, replace or remove."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 23


@dataclass(frozen=True)
class Growth:
    """What became of a file since the last look.

    Attributes:
        lines: that are new and whole, without their ends.
        anew: what was read before is not in the file any more; the lines are those of another file, or of none.
        more: further lines wait for the next look.
    """

    lines: list[bytes]
    anew: bool
    more: bool


class GrowingFile:
    """Follows a file by looking at it now and then; it may not be there yet.

    A last line without its end is left for a later look, so that it does no harm where it is taken off again. Whether
    the file is still the same is told by the line that was read last: it must stand where it stood.

    Args:
        place: of the file.
        tail: of a file that is longer at the first look only so many bytes are read, its newest; None reads all.
    """

    def __init__(self, place: Path, tail: int | None = None) -> None:
        self._place, self._tail = place, tail
        self._offset, self._last = 0, b""
        self._seen: tuple[int, int, int] | None = None

    def read(self, block: int = _BLOCK) -> Growth:
        """The next lines, about as many as fit into a block of bytes.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            stream = self._place.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            anew = self._offset > 0
            self._forget()
            return Growth([], anew, more=False)
        with stream:
            status = os.fstat(stream.fileno())
            seen = status.st_ino, status.st_size, status.st_mtime_ns
            if seen == self._seen:
                return Growth([], anew=False, more=False)
            anew = not self._continues(stream)
            if anew:
                self._forget()
            if self._offset == 0 and self._tail is not None and status.st_size > self._tail:
                # The byte before the tail belongs to it: a tail that begins with a line keeps that line.
                self._offset = status.st_size - self._tail - 1
                stream.seek(self._offset)
                self._offset += len(stream.readline())
            lines, more = self._lines(stream, block)
            self._seen = None if more else seen
            return Growth(lines, anew, more)

    def _forget(self) -> None:
        self._offset, self._last, self._seen = 0, b"", None

    def _continues(self, stream: BinaryIO) -> bool:
        stream.seek(self._offset - len(self._last))
        return stream.read(len(self._last)) == self._last

    def _lines(self, stream: BinaryIO, block: int) -> tuple[list[bytes], bool]:
        stream.seek(self._offset)
        content = stream.read(block)
        while b"\n" not in content and (further := stream.read(block)):
            content += further
        more = bool(stream.read(1))
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.split(b"\n")[:-1]
        self._offset += len(whole)
        if lines:
            self._last = lines[-1] + b"\n"
        return lines, more
