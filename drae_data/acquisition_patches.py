"""One acquisition folder to its encoded patches: read, validate, rank, cut, encode. Frames pass one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from drae_data.acquisition import Image, PatchKey
from drae_data.acquisition_folder import Source, frame_file, list_folder, read_frame, source_of
from drae_data.errors import AcquisitionError
from drae_data.files import Files, sha256_hex
from drae_data.frames import decode_frame
from drae_data.manifest import FrameFile, QuarantineRow
from drae_data.opencv import plain_opencv
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.png import encode_png
from drae_data.rank_images import Pixels, RankImages
from drae_data.records import patch_example
from drae_data.shard_plan import PlannedAcquisition, ShardTask, patch_split
from drae_data.strip_layout import PlacedBox


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
    """What became of one acquisition.

    Attributes:
        planned: the acquisition.
        height: of its frames; 0 where quarantined.
        width: of its frames; 0 where quarantined.
        found: what it was built from, or why it was not.
        patches: in image, vial, region order; empty where quarantined.
    """

    planned: PlannedAcquisition
    height: int
    width: int
    found: Source | QuarantineRow
    patches: tuple[EncodedPatch, ...]


def build_acquisition(
    planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions, files: Files
) -> BuiltAcquisition:
    """Builds the patches of one acquisition that belong to a shard.

    What is wrong with the acquisition ends in its quarantine row, never in an exception. An error of the file system
    that may pass (input/output, stale handle) is raised as OSError, so that the runner tries again.

    Args:
        planned: the acquisition.
        task: the shard it is built for.
        options: of the dataset.
        files: the root of the frames.
    """
    plain_opencv()
    try:
        return _build(planned, task, options, files)
    except AcquisitionError as error:
        key = planned.key
        row = QuarantineRow(planned.folder, key.strip, key.run, error.reason, error.file, error.detail)
        return BuiltAcquisition(planned, 0, 0, row, ())


def _build(planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions, files: Files) -> BuiltAcquisition:
    content = list_folder(planned.folder, options, files)
    rank, read, patches = RankImages(), list[FrameFile](), list[EncodedPatch]()
    shape, placed = (0, 0), tuple[PlacedBox, ...]()
    wanted = _wanted_keys(planned, task, options)
    for index in sorted(options.needed_frames):
        name = content.frames[index]
        data = read_frame(planned.folder, name, files)
        try:
            frame = decode_frame(data, options.max_frame_pixels)
            shape = (frame.shape[0], frame.shape[1])
            placed = options.layout.place(*shape)
            rank.add(frame)
        except AcquisitionError as error:
            raise AcquisitionError(error.reason, error.detail, name) from error
        read.append(frame_file(index, name, data))
        if Image.of_frame(index) in options.images:
            patches += _image_patches(frame, Image.of_frame(index), planned, placed, options, wanted)
    for image in options.images:
        if image.rank:
            patches += _image_patches(rank.image(image.rank), image, planned, placed, options, wanted)
    return BuiltAcquisition(planned, *shape, source_of(content, tuple(read), options), tuple(patches))


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
