"""One acquisition folder to its encoded patches: read, validate, rank, cut, encode. Frames pass one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from drae_data.acquisition import Image, PatchKey
from drae_data.errors import AcquisitionError
from drae_data.files import Files, sha256_hex
from drae_data.frames import decode_frame
from drae_data.manifest import FrameFile, QuarantineRow
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.png import encode_png
from drae_data.rank_images import Pixels, RankImages
from drae_data.records import patch_example
from drae_data.shard_plan import PlannedAcquisition, ShardTask, patch_split
from drae_data.strip_layout import PlacedBox


@dataclass(frozen=True)
class FolderContent:
    """The frame files of an acquisition folder: name by index, sizes by name, and how many other files lie there."""

    frames: dict[int, str]
    sizes: dict[str, int]
    ignored: int


@dataclass(frozen=True)
class EncodedPatch:
    """One patch, ready to be written.

    Attributes:
        key: its key.
        example: the serialized record.
        sha256: of the encoded image.
        mean: of grey values; with `std`, `minimum` and `maximum` the statistics of the patch index.
        std: population standard deviation.
        minimum: smallest grey value.
        maximum: largest grey value.
    """

    key: PatchKey
    example: bytes
    sha256: str
    mean: float
    std: float
    minimum: int
    maximum: int


@dataclass(frozen=True)
class BuiltAcquisition:
    """What one acquisition gave: patches and the frames they came from, or a quarantine row and the files it read.

    Attributes:
        planned: the acquisition.
        height: of its frames.
        width: of its frames.
        ignored_files: files that the path template does not match.
        frames: the frame files that were read.
        patches: in image, vial, region order; empty where quarantined.
        quarantine: None where built.
    """

    planned: PlannedAcquisition
    height: int
    width: int
    ignored_files: int
    frames: tuple[FrameFile, ...]
    patches: tuple[EncodedPatch, ...]
    quarantine: QuarantineRow | None


def build_acquisition(
    planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions, files: Files
) -> BuiltAcquisition:
    """Builds the patches of one acquisition that belong to a shard.

    What is wrong with the acquisition ends in its quarantine row, never in an exception.

    Args:
        planned: the acquisition.
        task: the shard it is built for.
        options: of the dataset.
        files: the root of the frames.
    """
    try:
        content = folder_content(files.names(planned.folder), options)
        return _build(planned, task, options, files, content)
    except AcquisitionError as error:
        row = QuarantineRow(planned.folder, planned.key.strip, planned.key.run, error.reason, error.file, error.detail)
        return BuiltAcquisition(planned, 0, 0, 0, read_frame_digests(planned, options, files), (), row)


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
            f"expected {len(options.frames)} frames {pattern!r}, got {len(frames)}; missing {missing}",
            pattern.replace("{frame}", str(missing[0])),
        )
    for index in sorted(set(frames) - set(options.frames)):
        raise AcquisitionError("extra_frame", f"expected only the frames {list(options.frames)}", frames[index])
    for name in frames.values():
        if not sizes[name]:
            raise AcquisitionError("empty_file", "expected an image, got a file of 0 bytes", name)
    return FolderContent(frames, sizes, len(sizes) - len(frames))


def read_frame_digests(planned: PlannedAcquisition, options: DatasetOptions, files: Files) -> tuple[FrameFile, ...]:
    """The digests of the files that decide what becomes of an acquisition, without decoding them.

    These are the frames that the build reads and any file with a frame's name that should not be there. A file that
    cannot be read has an empty digest.
    """
    skipped = frozenset(options.frames) - options.needed_frames
    rows = []
    for name in sorted(files.names(planned.folder)):
        index = options.template.match_frame(name)
        if index is None or index in skipped:
            continue
        try:
            data = files.read(f"{planned.folder}/{name}")
            rows.append(FrameFile(index, name, len(data), sha256_hex(data)))
        except OSError:
            rows.append(FrameFile(index, name, 0, ""))
    return tuple(rows)


def _build(
    planned: PlannedAcquisition,
    task: ShardTask,
    options: DatasetOptions,
    files: Files,
    content: FolderContent,
) -> BuiltAcquisition:
    rank, read, patches = RankImages(), list[FrameFile](), list[EncodedPatch]()
    shape, placed = (0, 0), tuple[PlacedBox, ...]()
    wanted = _wanted_keys(planned, task, options)
    for index in sorted(options.needed_frames):
        name = content.frames[index]
        try:
            data = _read(files, f"{planned.folder}/{name}")
            frame = decode_frame(data, options.max_frame_pixels)
            shape = (frame.shape[0], frame.shape[1])
            placed = options.layout.place(*shape)
            rank.add(frame)
        except AcquisitionError as error:
            raise AcquisitionError(error.reason, error.detail, name) from error
        read.append(FrameFile(index, name, len(data), sha256_hex(data)))
        if Image.of_frame(index) in options.images:
            patches += _image_patches(frame, Image.of_frame(index), planned, placed, options, wanted)
    for image in options.images:
        if image.rank:
            patches += _image_patches(rank.image(image.rank), image, planned, placed, options, wanted)
    return BuiltAcquisition(planned, *shape, content.ignored, tuple(read), tuple(patches), None)


def _read(files: Files, path: str) -> bytes:
    try:
        return files.read(path)
    except (FileNotFoundError, PermissionError) as error:
        raise AcquisitionError("unreadable", f"the file cannot be read ({error.strerror or error})") from error


def _wanted_keys(planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions) -> set[PatchKey] | None:
    """The patches that this shard takes of the acquisition; None where it takes all."""
    if planned.validation_patches is None:
        return None
    keys = {
        PatchKey(planned.key, image, vial, region)
        for image in options.images
        for vial in range(options.layout.vials)
        for region in options.layout.regions
    }
    validation = patch_split(keys, planned.validation_patches, options.split.seed)
    return validation if task.split == "validation" else keys - validation


def _image_patches(
    pixels: Pixels,
    image: Image,
    planned: PlannedAcquisition,
    placed: tuple[PlacedBox, ...],
    options: DatasetOptions,
    wanted: set[PatchKey] | None,
) -> Iterator[EncodedPatch]:
    for item in placed:
        key = PatchKey(planned.key, image, item.vial, item.region)
        if wanted is None or key in wanted:
            yield encode_patch(key, cut_patch(pixels, item.box, options.patch))


def encode_patch(key: PatchKey, patch: Pixels) -> EncodedPatch:
    """Encodes one patch and takes its statistics.

    Args:
        key: its key.
        patch: uint8 [size, size].
    """
    encoded = encode_png(patch)
    mean, std = cv2.meanStdDev(patch)
    minimum, maximum, _, _ = cv2.minMaxLoc(patch)
    return EncodedPatch(
        key, patch_example(key, encoded), sha256_hex(encoded),
        # float32 is what the index stores; rounding here keeps the value equal wherever it is read.
        float(np.float32(mean[0, 0])), float(np.float32(std[0, 0])), int(minimum), int(maximum),
    )  # fmt: skip
