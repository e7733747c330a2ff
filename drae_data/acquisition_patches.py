"""One acquisition to its encoded patches: read, validate, rank, align, cut, encode. Frames pass one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from drae_data.acquisition import Image, PatchKey
from drae_data.acquisition_facts import AcquisitionFacts, acquisition_facts
from drae_data.acquisition_folder import (
    FolderContent,
    Source,
    list_folder,
    read_frame,
    read_sidecar,
    source_of,
)
from drae_data.encodings import encode_patch_image
from drae_data.errors import AcquisitionError
from drae_data.files import Files, sha256_hex
from drae_data.frame_log import FrameLog
from drae_data.frames.decoding import CameraTags, DecodedFrame, decode_frame
from drae_data.manifest import AcquisitionRow, FrameFile, FrameStatistics, QuarantineRow, ViewSize
from drae_data.opencv import plain_opencv
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_data.records import patch_record
from drae_data.shard_plan import PlannedAcquisition, ShardTask, patch_split
from drae_data.statistics import (
    Motion,
    PatchStatistics,
    frame_statistics,
    patch_statistics,
    signature,
)
from drae_data.strip_layout import PlacedBox
from drae_data.view import View


@dataclass(frozen=True)
class EncodedPatch:
    """One patch, ready to be written.

    Attributes:
        key: its key.
        record: its TFRecord in pieces.
        sha256: of the encoded image.
        statistics: of the patch.
    """

    key: PatchKey
    record: tuple[bytes, ...]
    sha256: str
    statistics: PatchStatistics


@dataclass(frozen=True)
class BuiltAcquisition:
    """What became of one acquisition.

    Attributes:
        planned: the acquisition.
        found: what it was built from, or its quarantine row.
        row: of the manifest, without what the commit adds (label, splits, shards, ignored files); None where it is in
            quarantine.
        patches: in view, image, vial, region order; empty where quarantined.
    """

    planned: PlannedAcquisition
    found: Source | QuarantineRow
    row: AcquisitionRow | None
    patches: tuple[EncodedPatch, ...]


def build_acquisition(
    planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions, files: Files, log: FrameLog
) -> BuiltAcquisition:
    """Builds the patches of one acquisition that belong to a shard.

    What is wrong with the acquisition ends in its quarantine row, never in an exception. An error of the file system
    that may pass (input/output, stale handle) is raised as OSError, so that the runner tries again.

    Args:
        planned: the acquisition.
        task: the shard it is built for.
        options: of the dataset.
        files: the root of the frames.
        log: where it is noted what was read.
    """
    plain_opencv()
    try:
        return _AcquisitionBuild(planned, task, options, files, log).run()
    except AcquisitionError as error:
        row = QuarantineRow.of_key(planned.key, planned.folder, error.reason, error.detail, error.file)
        return BuiltAcquisition(planned, row, None, ())


class _AcquisitionBuild:
    """The build of one acquisition; view by view, frame by frame, so that one frame and two rank images are kept."""

    def __init__(
        self, planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions, files: Files, log: FrameLog
    ) -> None:
        self._log = log
        self._planned = planned
        self._options = options
        self._files = files
        self._layout = options.layouts.of(planned.key)
        self._wanted = _wanted_keys(planned, task, options)
        self._shift = (0, 0)
        self._tags: CameraTags | None = None
        self._notes = set[str]()
        self._read = list[FrameFile]()
        self._views = list[ViewSize]()
        self._statistics = list[FrameStatistics]()
        self._signature = list[str]()

    def run(self) -> BuiltAcquisition:
        """Builds it; raises `AcquisitionError`, or OSError for what may pass."""
        planned, options = self._planned, self._options
        content = list_folder(planned.folder, planned.files, options, self._files)
        patches = tuple(patch for vial, region in options.views for patch in self._view_patches(vial, region, content))
        sidecar = read_sidecar(planned.folder, content, options, self._files)
        tags = self._tags or CameraTags("", "", "", "")
        facts = acquisition_facts(planned.time, tags, sidecar, options.acquired_at, options.sidecar)
        source = source_of(content, tuple(self._read), sidecar, options)
        return BuiltAcquisition(planned, source, self._row(source, facts, len(patches)), patches)

    def _view_patches(self, vial: int, region: str, content: FolderContent) -> Iterator[EncodedPatch]:
        """The patches of the files that show one vial and region, or the whole strip."""
        options = self._options
        view, motion = View((vial, region), self._layout, options), Motion()
        for index in options.needed_frames:
            name = content.frames[FramePlace(vial, region, index)]
            place = FramePlace(vial, region, index)
            data, row = read_frame(self._planned.folder, name, place, options, self._files, self._log)
            try:
                frame = self._decode(data, name)
                images = view.images(index, frame)
            except AcquisitionError as error:
                raise AcquisitionError(error.reason, error.detail, name) from error
            self._read.append(row)
            boxes = [item.box for item in view.boxes]
            motion.add(frame, boxes)
            self._statistics.append(frame_statistics(index, (vial, region), boxes, motion))
            for image, pixels in images:
                yield from self._image_patches(pixels, image, view.boxes, motion.motion)
        for image, pixels in view.rank_images():
            yield from self._image_patches(pixels, image, view.boxes, motion.over_all())
        self._views.append(ViewSize(vial, region, *view.shape))
        self._shift = view.shift

    def _decode(self, data: bytes, name: str) -> Pixels:
        decoded: DecodedFrame = decode_frame(data, name, self._options.pixels)
        self._notes.update(decoded.notes)
        if self._tags is None:
            self._tags = decoded.tags
        return decoded.pixels

    def _image_patches(
        self, pixels: Pixels, image: Image, placed: tuple[PlacedBox, ...], motion: tuple[float, ...]
    ) -> Iterator[EncodedPatch]:
        options = self._options
        # The last of the set's images stands for the acquisition: a rank image, where there is one.
        signed = image == options.images[-1]
        for item, moved in zip(placed, motion, strict=True):
            key = PatchKey(self._planned.key, image, item.vial, item.region)
            wanted = self._wanted is None or key in self._wanted
            if not (wanted or signed):
                continue
            patch = cut_patch(pixels, item.box, options.patch)
            if signed:
                self._signature.append(signature(patch))
            if wanted:
                yield encode_patch(key, patch, options.patch.encoding, moved)

    def _row(self, source: Source, facts: AcquisitionFacts, patches: int) -> AcquisitionRow:
        return AcquisitionRow.at(
            self._planned.key, folder=self._planned.folder, label="", views=tuple(self._views), shift_x=self._shift[0],
            shift_y=self._shift[1], acquired_at=facts.acquired_at, exposure=facts.exposure, gain=facts.gain,
            serial=facts.serial, notes=tuple(sorted({*self._notes, *facts.notes})), patches=patches, splits=(),
            shards=(), ignored_files=0, frames=source.frames, sidecar=source.sidecar,
            frame_statistics=tuple(self._statistics), signature="".join(self._signature),
        )  # fmt: skip


def _wanted_keys(planned: PlannedAcquisition, task: ShardTask, options: DatasetOptions) -> set[PatchKey] | None:
    """The patches that this shard takes of the acquisition; None where it takes all."""
    if planned.validation_patches is None:
        return None
    keys = {
        PatchKey(planned.key, image, vial, region)
        for image in options.images
        for vial in range(options.layouts.vials)
        for region in options.layouts.regions
    }
    validation = patch_split(keys, planned.validation_patches, options.split.seed)
    return validation if task.split == "validation" else keys - validation


def encode_patch(key: PatchKey, patch: Pixels, encoding: str, motion: float) -> EncodedPatch:
    """Encodes one patch and takes its statistics.

    Args:
        key: its key.
        patch: uint8 [size, size].
        encoding: see `PatchOptions.encoding`.
        motion: see `PatchStatistics`.
    """
    encoded = encode_patch_image(patch, encoding)
    return EncodedPatch(key, patch_record(key, encoded), sha256_hex(encoded), patch_statistics(patch, motion))
