"""An acquisition folder before its pixels: which frames lie there, their bytes, and what these alone decide."""

import errno
from dataclasses import dataclass

from drae_data.errors import AcquisitionError
from drae_data.files import Files, sha256_hex
from drae_data.manifest import FrameFile
from drae_data.options import DatasetOptions

# Errors of the file system that say something about the acquisition, not about the moment.
_LASTING = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


@dataclass(frozen=True)
class FolderContent:
    """What lies in an acquisition folder that has every frame it must have.

    Attributes:
        frames: file name by frame index.
        ignored: how many other files lie there.
    """

    frames: dict[int, str]
    ignored: int


@dataclass(frozen=True)
class Source:
    """What an acquisition is built from; with the options it decides every byte.

    Attributes:
        frames: the frame files that were read, by frame index.
        unread: names of frame files that had to be there, but that no patch needs.
        ignored: how many other files lie in the folder.
    """

    frames: tuple[FrameFile, ...]
    unread: tuple[str, ...]
    ignored: int


def list_folder(folder: str, options: DatasetOptions, files: Files) -> FolderContent:
    """Lists an acquisition folder and judges its names; raises `AcquisitionError`, or OSError for what may pass."""
    try:
        return folder_content(files.names(folder), options)
    except OSError as error:
        raise _judged(error, "") from error


def read_frame(folder: str, name: str, files: Files) -> bytes:
    """The bytes of a frame file; raises `AcquisitionError` (`unreadable`), or OSError for what may pass."""
    try:
        return files.read(f"{folder}/{name}")
    except OSError as error:
        raise _judged(error, name) from error


def _judged(error: OSError, name: str) -> Exception:
    """Quarantine for what will be the same tomorrow (rights, loops, names); the error itself for what may pass."""
    if error.errno not in _LASTING:
        return error
    return AcquisitionError("unreadable", f"it cannot be read ({error.strerror or error})", name)


def frame_file(index: int, name: str, data: bytes) -> FrameFile:
    """The row of a frame file that was read."""
    return FrameFile(index, name, len(data), sha256_hex(data))


def source_of(content: FolderContent, read: tuple[FrameFile, ...], options: DatasetOptions) -> Source:
    """The source of an acquisition whose needed frames were read."""
    unread = (name for index, name in sorted(content.frames.items()) if index not in options.needed_frames)
    return Source(read, tuple(unread), content.ignored)


def read_source(folder: str, options: DatasetOptions, files: Files) -> Source:
    """What an acquisition would be built from now, without decoding a frame; raises as `list_folder`."""
    content = list_folder(folder, options, files)
    read = (
        frame_file(index, content.frames[index], read_frame(folder, content.frames[index], files))
        for index in sorted(options.needed_frames)
    )
    return source_of(content, tuple(read), options)


def folder_content(sizes: dict[str, int], options: DatasetOptions) -> FolderContent:
    """Sorts the names in an acquisition folder into frames and others, and checks that the frames are as expected.

    Raises:
        AcquisitionError: `missing_frame`, `extra_frame`, `duplicate_frame`, `empty_file`.
    """
    frames: dict[int, str] = {}
    for name in sorted(sizes):
        index = options.template.match_frame(name)
        if index is None:
            continue
        if index in frames:
            raise AcquisitionError("duplicate_frame", f"frame {index} is also in {frames[index]}", name)
        frames[index] = name
    pattern = options.template.text.rsplit("/", 1)[1]
    missing = sorted(set(options.frames) - set(frames))
    if missing:
        raise AcquisitionError(
            "missing_frame",
            f"expected {len(options.frames)} frames {pattern!r}, got {len(frames)}; "
            + (f"missing {missing}" if frames else f"in the folder: {', '.join(sorted(sizes)[:3]) or 'no file'}"),
            # Named with as many digits as the frames that are there; the folder itself where there are none.
            pattern.replace("{frame}", f"{missing[0]:0{_digits(pattern, frames)}d}") if frames else "",
        )
    for index in sorted(set(frames) - set(options.frames)):
        raise AcquisitionError("extra_frame", f"expected only the frames {list(options.frames)}", frames[index])
    for name in frames.values():
        if not sizes[name]:
            raise AcquisitionError("empty_file", "expected an image, got a file of 0 bytes", name)
    return FolderContent(frames, len(sizes) - len(frames))


def _digits(pattern: str, frames: dict[int, str]) -> int:
    """How many digits the frame indices of a folder have."""
    return len(next(iter(frames.values()))) - len(pattern.replace("{frame}", ""))
