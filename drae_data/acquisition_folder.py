"""An acquisition before its pixels: which frames lie there, their bytes, and what these alone decide."""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from drae_data.errors import AcquisitionError, AmbiguousNameError
from drae_data.files import Files, sha256_hex
from drae_data.frame_log import FrameLog
from drae_data.junk import is_junk
from drae_data.manifest import FrameFile
from drae_data.options import DatasetOptions
from drae_data.path_template import ANY_IMAGE, FramePlace

# Errors of the file system that say something about the acquisition, not about the moment.
_LASTING = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
_UNKNOWN_SIZE = -1
# No file is read whole that is larger: a sidecar, and what a frame may hold beside the eight bytes of a pixel at most.
_MOST_SIDECAR, _MOST_BESIDE_PIXELS = 1 << 24, 1 << 26


@dataclass(frozen=True)
class FolderContent:
    """What lies in an acquisition that has every frame it must have.

    Attributes:
        frames: file name by place; vials count from 0.
        sidecar: the name of the file beside the frames; empty where there is none.
        ignored: how many other files lie there.
    """

    frames: Mapping[FramePlace, str]
    sidecar: str
    ignored: int


@dataclass(frozen=True)
class Source:
    """What an acquisition is built from; with the options it decides every byte.

    Attributes:
        frames: the frame files that were read, in the order of views and frames.
        unread: names of frame files that had to be there, but that no patch needs.
        ignored: how many other files lie in the folder.
        sidecar: the file beside the frames that was read: one or none.
    """

    frames: tuple[FrameFile, ...]
    unread: tuple[str, ...]
    ignored: int
    sidecar: tuple[FrameFile, ...]


def list_folder(folder: str, names: Sequence[str], options: DatasetOptions, files: Files) -> FolderContent:
    """Lists an acquisition and judges its names.

    Args:
        folder: relative to the root.
        names: of its files in the folder, where acquisitions are files; empty where the acquisition is the folder.
        options: of the dataset.
        files: the root of the frames.

    Raises:
        AcquisitionError: see `folder_content`; `unreadable`, `outside_root`.
        OSError: for what may pass.
    """
    try:
        _check_inside(folder, options, files)
        if options.template.of_folders:
            sizes = files.names(folder, options.template.depth_inside)
        else:
            sizes = dict.fromkeys(names, _UNKNOWN_SIZE)
    except OSError as error:
        raise _judged(error, "") from error
    return folder_content(folder, sizes, options)


def read_file(folder: str, name: str, options: DatasetOptions, files: Files) -> bytes:
    """The bytes of a file; raises `AcquisitionError` (`unreadable`, `outside_root`), or OSError for what may pass."""
    path = joined(folder, name)
    try:
        _check_inside(path, options, files, name)
        return files.read(path)
    except MemoryError as error:
        raise AcquisitionError("too_large", "there is not enough memory for its bytes", name) from error
    except OSError as error:
        raise _judged(error, name) from error


def _check_inside(path: str, options: DatasetOptions, files: Files, name: str = "") -> None:
    if options.intake.links == "inside" and files.leads_out(path):
        raise AcquisitionError("outside_root", "a link leads out of the root (links: anywhere follows it)", name)


def _judged(error: OSError, name: str) -> Exception:
    """Quarantine for what will be the same tomorrow (rights, loops, names); the error itself for what may pass."""
    if error.errno not in _LASTING:
        return error
    return AcquisitionError("unreadable", f"it cannot be read ({error.strerror or error})", name)


def joined(folder: str, name: str) -> str:
    """The path of a file in a folder; the folder may be the root itself, which is the empty text."""
    return f"{folder}/{name}" if folder else name


def frame_file(place: FramePlace, name: str, data: bytes) -> FrameFile:
    """The row of a file that was read."""
    return FrameFile(place.frame, place.vial, place.region, name, len(data), sha256_hex(data))


def needed_places(options: DatasetOptions) -> tuple[FramePlace, ...]:
    """The frames that are read, view by view."""
    return tuple(FramePlace(vial, region, index) for vial, region in options.views for index in options.needed_frames)


def source_of(
    content: FolderContent, read: tuple[FrameFile, ...], sidecar: bytes | None, options: DatasetOptions
) -> Source:
    """The source of an acquisition whose needed frames were read."""
    needed = set(options.needed_frames)
    unread = (name for place, name in sorted(content.frames.items()) if place.frame not in needed)
    beside = () if sidecar is None else (frame_file(FramePlace(-1, "", -1), content.sidecar, sidecar),)
    return Source(read, tuple(unread), content.ignored, beside)


def read_sidecar(folder: str, content: FolderContent, options: DatasetOptions, files: Files) -> bytes | None:
    """The file beside the frames; None where there is none."""
    if not content.sidecar:
        return None
    try:
        _check_inside(joined(folder, content.sidecar), options, files, content.sidecar)
        return files.read(joined(folder, content.sidecar))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _judged(error, content.sidecar) from error


def read_source(folder: str, names: Sequence[str], options: DatasetOptions, files: Files, log: FrameLog) -> Source:
    """What an acquisition would be built from now, without decoding a frame; raises as `list_folder`.

    Frames that did not change since they were logged are not read.
    """
    content = list_folder(folder, names, options, files)
    read = (_hashed(folder, content.frames[place], place, options, files, log) for place in needed_places(options))
    return source_of(content, tuple(read), read_sidecar(folder, content, options, files), options)


def _hashed(
    folder: str, name: str, place: FramePlace, options: DatasetOptions, files: Files, log: FrameLog
) -> FrameFile:
    path = joined(folder, name)
    try:
        _check_inside(path, options, files, name)
        known = log.known(path, log.stamp(path))
    except OSError as error:
        raise _judged(error, name) from error
    if known is not None:
        return FrameFile(place.frame, place.vial, place.region, name, *known)
    return read_frame(folder, name, place, options, files, log)[1]


def read_frame(
    folder: str, name: str, place: FramePlace, options: DatasetOptions, files: Files, log: FrameLog
) -> tuple[bytes, FrameFile]:
    """A frame file's bytes and its row; raises as `read_file`."""
    path = joined(folder, name)
    try:
        stamp = log.stamp(path)
    except OSError as error:
        raise _judged(error, name) from error
    data = read_file(folder, name, options, files)
    row = frame_file(place, name, data)
    log.note(path, stamp, row)
    return data, row


def folder_content(folder: str, sizes: Mapping[str, int], options: DatasetOptions) -> FolderContent:
    """Sorts the names in an acquisition into frames and others, and checks that the frames are as expected.

    Args:
        folder: relative to the root.
        sizes: of its files by name; -1 where not known.
        options: of the dataset.

    Raises:
        AcquisitionError: `missing_frame`, `extra_frame`, `duplicate_frame`, `empty_file`, `too_large`,
            `unmatched_name`.
    """
    frames: dict[FramePlace, str] = {}
    for name in sorted(sizes):
        try:
            place = _place(folder, name, options)
        except AmbiguousNameError as error:
            raise AcquisitionError("unmatched_name", str(error), name) from error
        if place is None:
            continue
        if place in frames:
            raise AcquisitionError("duplicate_frame", f"{_words(place)} is also in {frames[place]}", name)
        frames[place] = name
    expected = {FramePlace(vial, region, index) for vial, region in options.views for index in options.frames}
    missing = sorted(expected - frames.keys())
    if missing:
        pattern = options.template.file_text
        raise AcquisitionError(
            "missing_frame",
            f"expected {len(expected)} files {pattern!r}, got {len(frames)}; "
            + (
                f"missing {', '.join(map(_words, missing[:5]))}{' ...' if len(missing) > 5 else ''}"
                if frames
                else f"in the folder: {', '.join(sorted(sizes)[:3]) or 'no file'}"
            ),
            _missing_name(pattern, missing[0], frames),
        )
    for place in sorted(frames.keys() - expected):
        raise AcquisitionError("extra_frame", f"expected only {_expected_words(options)}", frames[place])
    sidecar = _sidecar(frames, options)
    for name, most in (*((name, _most_bytes(options)) for name in frames.values()), (sidecar, _MOST_SIDECAR)):
        size = sizes.get(name, _UNKNOWN_SIZE)
        if not size and name != sidecar:
            raise AcquisitionError("empty_file", "expected an image, got a file of 0 bytes", name)
        if size > most:
            raise AcquisitionError("too_large", f"expected a file of at most {most} bytes, got {size}", name)
    # Where frames lie deeper than the folder, what lies in the folder itself was not listed.
    if options.template.of_folders and not options.template.depth_inside and sidecar not in sizes:
        sidecar = ""
    known = {*frames.values(), sidecar, options.intake.marker}
    return FolderContent(frames, sidecar, sum(1 for name in sizes if name not in known))


def _place(folder: str, name: str, options: DatasetOptions) -> FramePlace | None:
    """What a file of an acquisition holds; None where it is no frame."""
    if is_junk(name):
        return None
    place = options.template.match_frame(name if options.template.of_folders else joined(folder, name))
    if place is None or place.vial < 0:
        return place
    return FramePlace(place.vial - options.first_vial, place.region, place.frame)


def _most_bytes(options: DatasetOptions) -> int:
    """What a frame file of `max_frame_pixels` may have, in any format that is taken."""
    return 8 * options.pixels.max_pixels + _MOST_BESIDE_PIXELS


def _sidecar(frames: Mapping[FramePlace, str], options: DatasetOptions) -> str:
    stem = PurePosixPath(frames[min(frames)]).with_suffix("")
    return options.sidecar.file.replace("{stem}", str(stem))


def _missing_name(pattern: str, place: FramePlace, frames: Mapping[FramePlace, str]) -> str:
    """The name that the absent file would have, with as many digits as the others; empty where it cannot be told."""
    if "{frame}" not in pattern or pattern.count("{") > 1 or pattern.endswith(ANY_IMAGE) or not frames:
        return ""
    digits = len(next(iter(frames.values()))) - len(pattern.replace("{frame}", ""))
    return pattern.replace("{frame}", f"{place.frame:0{digits}d}")


def _words(place: FramePlace) -> str:
    parts = (f"vial {place.vial}" if place.vial >= 0 else "", place.region, f"frame {place.frame}")
    return " ".join(part for part in parts if part)


def _expected_words(options: DatasetOptions) -> str:
    words = f"the frames {list(options.frames)}"
    if len(options.views) > 1:
        words += f" of vials 0 to {options.layouts.vials - 1} and regions {', '.join(options.layouts.regions)}"
    return words
