"""`Files` over Beam's filesystems: any root that Beam opens (s3://, gs://, hdfs://), beside plain local folders."""

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes, FileMetadata, FileSystem
from apache_beam.io.filesystems import FileSystems

from drae_data.errors import OptionError
from drae_data.files import Files
from drae_data.junk import is_junk
from drae_data.local_files import LocalFiles
from pipelines.s3_clients import NO_SUCH_BUCKET, check_bucket

# Characters that Beam's patterns take as more than themselves. Some of its filesystems delete by pattern, some by name,
# so that no way of writing them is safe to delete by on all.
_GLOBBING = re.compile(r"[*?\[]")
# Where these copy an object, its bytes stay with them, and names are never taken for patterns.
_COPIES_ITSELF = ("s3", "gs")
# The number of an error for a missing bucket: not that of an absent object, which may be absent for good reason.
MISSING_BUCKET = errno.ENXIO
# And for refused rights: in a store they belong to whoever asks, not to one acquisition as a file's do.
REFUSED = errno.EKEYREJECTED
_ERRNO = {401: REFUSED, 403: REFUSED, 404: errno.ENOENT}


def files_at(root: str) -> Files:
    """The files below a root: a local folder, or a URL that Beam's filesystems open.

    Raises:
        OptionError: a URL of a scheme that Beam does not know, or without a place behind it.
    """
    scheme, url, rest = root.partition("://")
    if not url:
        return LocalFiles(_local_root(root))
    if scheme == "file" and rest.startswith("/"):
        return LocalFiles(rest)
    schemes = sorted(one.scheme() for one in FileSystem.get_all_subclasses() if one.scheme())
    if scheme not in schemes or not rest.strip("/"):
        known = ", ".join(f"{one}://" for one in schemes)
        raise OptionError("folder or URL", root, f"a folder, file:///FOLDER or a URL that begins with one of {known}")
    return BeamFiles(root.rstrip("/"))


def _local_root(root: str) -> str:
    """A local folder with the home for `~`; one without a name of its own, such as `.`, by its whole path."""
    if root == "~" or root.startswith("~/"):
        root = str(Path(root).expanduser())
    return root if Path(root).name not in ("", "..") else str(Path(root).resolve())


def absolute(files: Files) -> Files:
    """The same files by their whole path, for a worker that runs in another folder."""
    return LocalFiles(str(Path(files.root).absolute())) if isinstance(files, LocalFiles) else files


def write_file(path: str, content: bytes) -> None:
    """Writes one file at a local path or URL; it is wholly there or not there at all."""
    folder, _, name = path.rpartition("/")
    files_at(folder or ("/" if path.startswith("/") else ".")).write(name, [content])


@dataclass(frozen=True)
class BeamFiles(Files):
    """Files below a URL. Object stores have no folders: they are read off the names of the objects."""

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`; lists all objects below the root."""
        seen = set()
        for path, _ in self._match("", "**"):
            parts = list(takewhile(lambda part: not part.startswith("."), path.split("/")[:-1]))[:depth]
            seen.add("/".join(parts))
        above = {folder[: match.start()] for folder in seen for match in re.finditer("/", folder)}
        yield from seen - above - {""}

    def names(self, folder: str, depth: int = 0) -> dict[str, int]:
        """See `Files.names`."""
        prefix = f"{folder}/" if folder else ""
        found = {path.removeprefix(prefix): size for path, size in self._match(prefix, "**" if depth else "*")}
        return {path: size for path, size in found.items() if _at_depth(path, depth)}

    def changed(self, folder: str, depth: int = 0) -> float:
        """See `Files.changed`."""
        prefix = f"{folder}/" if folder else ""
        found = self._found(prefix, "**" if depth else "*")
        times = (item.last_updated_in_seconds for path, item in found if _at_depth(path.removeprefix(prefix), depth))
        own = (item.last_updated_in_seconds for path, item in self._found(folder, "") if path == folder)
        return max([*times, *own], default=0.0)

    def read(self, path: str) -> bytes:
        """See `Files.read`; raises FileNotFoundError only where the filesystem says that the object is absent."""
        place = f"{self.root}/{path}"
        with _as_os_error(place):
            try:
                with FileSystems.open(place, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
                    content: bytes = stream.read()
            except Exception as error:
                if getattr(_cause(error), "code", 404) != 404 or FileSystems.exists(place):
                    raise
                self._match(path, "*")  # Says so where the bucket is missing.
                raise FileNotFoundError(errno.ENOENT, "there is no such object", place) from error
        return content

    def adopt(self, other: Files, path: str, name: str) -> None:
        """See `Files.adopt`: object stores copy within themselves."""
        source, target = f"{other.root}/{path}", f"{self.root}/{name}"
        scheme = self.root.partition("://")[0]
        if not (isinstance(other, BeamFiles) and scheme in _COPIES_ITSELF and source.startswith(f"{scheme}://")):
            super().adopt(other, path, name)
            return
        with _as_os_error(source):
            # Beam's S3 filesystem raises nothing: it returns sources, targets and errors.
            for _, _, error in FileSystems.copy([source], [target]) or ():
                if error is not None:
                    if error.code == 404:
                        other._match(path, "*")  # Says so where the bucket is missing.
                    raise error

    def holds(self, folder: str) -> bool:
        """Whether any object lies below a folder, at any depth."""
        return bool(self._found(f"{folder}/" if folder else "", "**"))

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """See `Files.open`."""
        place = f"{self.root}/{path}"
        with _as_os_error(place):
            try:
                opened = FileSystems.open(place, compression_type=CompressionTypes.UNCOMPRESSED)
            except FileNotFoundError:
                self._match(path, "*")  # Says so where the bucket is missing.
                raise
            with opened as stream:
                yield stream

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """See `Files.write`. An object appears when its stream is closed, so the parts are joined before it opens."""
        content, place = b"".join(parts), f"{self.root}/{path}"
        with (
            _as_os_error(place),
            FileSystems.create(place, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
        ):
            stream.write(content)

    def remove(self, path: str) -> None:
        """See `Files.remove`; raises OSError for names that some of Beam's filesystems would take for patterns."""
        place = f"{self.root}/{path}"
        with _as_os_error(place):
            targets = [f"{self.root}/{found}" for found, _ in self._match(f"{path}/", "**")]
            if FileSystems.exists(place):
                targets.append(place)
            for target in targets:
                if _GLOBBING.search(target):
                    raise OSError(errno.EINVAL, "cannot be removed: its name holds one of * ? [", target)
            if targets:
                FileSystems.delete(targets)

    def _match(self, literal: str, pattern: str) -> list[tuple[str, int]]:
        """Paths and sizes of the objects below the root that begin with `literal` and go on as `pattern` says."""
        return [(path, item.size_in_bytes) for path, item in self._found(literal, pattern)]

    def _found(self, literal: str, pattern: str) -> list[tuple[str, FileMetadata]]:
        """Objects with their paths below the root, see `_match`.

        Beam has no escape that holds for every character, so that one of them becomes `?`, any character, and what is
        found too much is dropped.
        """
        prefix = f"{self.root}/{literal}"
        with _as_os_error(prefix):
            result = FileSystems.match([_GLOBBING.sub("?", prefix) + pattern])[0]
            if not result.metadata_list:
                check_bucket(self.root)
        return [
            (item.path.removeprefix(f"{self.root}/"), item)
            for item in result.metadata_list
            if item.path.startswith(prefix)
        ]


def _at_depth(path: str, depth: int) -> bool:
    """Whether a file lies so many folders down, none of them hidden or a leftover of a system."""
    return path.count("/") == depth and not is_junk(path.rpartition("/")[0])


@contextmanager
def _as_os_error(place: str) -> Iterator[None]:
    """Whatever a filesystem's client raises leaves as an OSError with the place and a cause in words."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        cause = _cause(error)
        words = getattr(cause, "message", "") or f"{type(cause).__name__}: {cause}"
        if NO_SUCH_BUCKET in words:
            raise OSError(MISSING_BUCKET, "there is no such bucket", place) from error
        # Of several classes of errors, OSError gives the one that belongs to the number.
        raise OSError(_ERRNO.get(getattr(cause, "code", 0), errno.EIO), words, place) from error


def _cause(error: Exception) -> Exception:
    """What the client raised, with the HTTP status as its `code`: Beam packs it into errors of errors by place."""
    while details := getattr(error, "exception_details", None):
        error = next(iter(details.values()))
    return error
