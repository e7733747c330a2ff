"""One patch of a published dataset, by its key: its record, the frames it came from, and whether they still give it."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pyarrow.compute as pc

from drae_data.acquisition import Image, PatchKey, PathTemplate
from drae_data.errors import AcquisitionError, DatasetError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.frames import decode_frame
from drae_data.manifest import AcquisitionRow, FrameFile, PatchRow, acquisition_row, read_table
from drae_data.metadata import read_json
from drae_data.options import FORMAT_VERSION, DatasetOptions, SplitOptions
from drae_data.patches import PatchOptions, cut_patch
from drae_data.publication import COMMIT_POINT, PROVENANCE
from drae_data.rank_images import Pixels, RankImages
from drae_data.records import IMAGE, RECORD_OVERHEAD, decode_example, frame_record
from drae_data.shards import part_path
from drae_data.strip_layout import Box, StripLayout

_FOOTER_BYTES = 4
_MOST_SUGGESTIONS = 5


@dataclass(frozen=True)
class FoundPatch:
    """A patch and where it came from.

    Attributes:
        key: of the patch.
        options: of the dataset, as its provenance states them.
        digest: of the dataset.
        code_version: that built it.
        row: of the patch index.
        acquisition: whose patch it is.
        frames: the frame files that decide its pixels: one, or for a rank image all.
        box: in pixels of the frame.
        encoded: the record's image, a PNG file.
    """

    key: PatchKey
    options: DatasetOptions
    digest: str
    code_version: str
    row: PatchRow
    acquisition: AcquisitionRow
    frames: tuple[FrameFile, ...]
    box: Box
    encoded: bytes


@dataclass(frozen=True)
class SourceComparison:
    """A patch against its frame files as they are now.

    Attributes:
        changed: names of files whose SHA-256 is another now.
        same_pixels: whether cutting the patch again gives the same pixels; None where it cannot be cut.
        problem: why it cannot be cut; empty where it can.
    """

    changed: tuple[str, ...]
    same_pixels: bool | None
    problem: str

    @property
    def agrees(self) -> bool:
        """Whether all is as it was."""
        return not self.changed and self.same_pixels is True


def find_patch(files: Files, text: str) -> FoundPatch:
    """Finds a patch, reads its record and checks the record's checksums, key and digest.

    Args:
        files: the version folder.
        text: of the key, such as `S0001/r3/f07/v2/R1`.

    Raises:
        KeyFormatError: the text is no patch key.
        DatasetError: the folder is no committed version, or it has no such patch; names keys that it has.
        RecordError: the record is not what the index says.
    """
    key = PatchKey.parse(text)
    read_json(files, COMMIT_POINT, "this is no committed dataset version; run the build to its end")
    provenance = read_json(files, PROVENANCE, "the version was not made by this project's build")
    options = options_from_provenance(provenance)
    acquisition = _find_acquisition(files, key)
    _check_members(key, options)
    row = _find_row(files, key, acquisition)
    placed = options.layout.place(acquisition.height, acquisition.width)
    box = next(item.box for item in placed if (item.vial, item.region) == (key.vial, key.region))
    frames = tuple(frame for frame in acquisition.frames if key.image.rank or frame.frame == key.image.frame)
    return FoundPatch(
        key, options, str(provenance["digest"]), str(provenance["code_version"]), row, acquisition, frames, box,
        _read_image(files, key, row),
    )  # fmt: skip


def options_from_provenance(provenance: Mapping[str, Any]) -> DatasetOptions:
    """The options that a dataset was built with.

    What `provenance.json` does not hold because it changes no byte, `allow_overlap`, is taken as true.

    Raises:
        DatasetError: an entry is absent or of another format.
    """
    try:
        values = provenance["parameters"]
        if values["format_version"] != FORMAT_VERSION:
            raise DatasetError(
                f"{PROVENANCE}: expected format_version {FORMAT_VERSION}, got {values['format_version']!r}; "
                "read this dataset with the code version that built it"
            )
        _ = provenance["digest"], provenance["code_version"]
        return DatasetOptions(
            name=provenance["dataset"],
            version=provenance["version"],
            template=PathTemplate(values["path_template"]),
            frames=tuple(values["frames"]),
            images=tuple(Image.parse(image) for image in values["images"]),
            layout=layout_from_provenance(values["strip_layout"]),
            patch=PatchOptions(**values["patch"]),
            split=SplitOptions(values["split"]["by"], Fraction(values["split"]["validation_fraction"]), values["seed"]),
            shard_patches=values["shard_patches"],
            max_frame_pixels=values["max_frame_pixels"],
            max_quarantined=values["max_quarantined"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{PROVENANCE}: expected the parameters of a build: {error!r}") from error


def layout_from_provenance(values: Mapping[str, Any]) -> StripLayout:
    """The strip layout from the parameters' entry `strip_layout`; raises KeyError, TypeError or ValueError."""
    size = values["frame_size"]
    boxes = {region: tuple((box[0], box[1], box[2], box[3]) for box in row) for region, row in values["boxes"]}
    return StripLayout(values["units"], None if size is None else (size[0], size[1]), boxes, allow_overlap=True)


def compare_with_frames(found: FoundPatch, source: Files) -> SourceComparison:
    """Reads the frame files of a patch again and cuts it again.

    Args:
        found: the patch.
        source: the root of the frames.
    """
    changed, rank = [], RankImages()
    for frame in found.frames:
        path = f"{found.acquisition.folder}/{frame.file}"
        try:
            data = source.read(path)
            if sha256_hex(data) != frame.sha256:
                changed.append(frame.file)
            rank.add(decode_frame(data, found.options.max_frame_pixels))
        except OSError as error:
            return SourceComparison(tuple(changed), None, f"{path}: cannot be read ({error.strerror or error})")
        except AcquisitionError as error:
            return SourceComparison(tuple(changed), None, f"{path}: {error}")
    # Over one frame both rank images are the frame itself.
    image = rank.image(found.key.image.rank or "min")
    height, width = image.shape
    if (height, width) != (found.acquisition.height, found.acquisition.width):
        return SourceComparison(tuple(changed), None, f"the frames are {width} x {height} pixels now")
    patch = cut_patch(image, found.box, found.options.patch)
    return SourceComparison(tuple(changed), np.array_equal(patch, decode_patch(found.encoded)), "")


def decode_patch(encoded: bytes) -> Pixels:
    """The pixels of a record's image: uint8 [size, size]; raises `RecordError`."""
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED) if encoded else None
    if pixels is None or pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise RecordError("the record's image: expected a grey PNG of 8 bit")
    return pixels.astype(np.uint8)


def _find_acquisition(files: Files, key: PatchKey) -> AcquisitionRow:
    where = (pc.field("strip") == key.acquisition.strip) & (pc.field("run") == key.acquisition.run)
    rows = _rows(files, "acquisitions", "acquisitions.parquet", where)
    if rows:
        return acquisition_row(rows[0])
    refused = _rows(files, "quarantine", "quarantine.parquet", where)
    if refused:
        reasons = "; ".join(f"{row['folder']}: {row['reason']}: {row['detail']}" for row in refused)
        raise DatasetError(f"{key}: acquisition {key.acquisition} is in quarantine, so it has no patches: {reasons}")
    table = _rows(files, "acquisitions", "acquisitions.parquet", None, ["strip", "run"])
    runs = sorted(row["run"] for row in table if row["strip"] == key.acquisition.strip)
    if runs:
        raise DatasetError(
            f"{key}: strip {key.acquisition.strip} has the runs {_listed(runs)}, not {key.acquisition.run}"
        )
    strips = sorted({row["strip"] for row in table})
    near = difflib.get_close_matches(key.acquisition.strip, strips, n=_MOST_SUGGESTIONS) or strips
    raise DatasetError(
        f"{key}: expected one of {len(strips)} strips, such as {_listed(near)}; got {key.acquisition.strip!r}"
    )


def _check_members(key: PatchKey, options: DatasetOptions) -> None:
    """Whether the dataset has such an image, vial and region."""
    members = {
        "image": (str(key.image), [str(image) for image in options.images]),
        "vial": (f"v{key.vial}", [f"v{vial}" for vial in range(options.layout.vials)]),
        "region": (key.region, list(options.layout.regions)),
    }
    for name, (value, allowed) in members.items():
        if value not in allowed:
            raise DatasetError(f"{key}: {name}: expected one of {', '.join(allowed)}; got {value!r}")


def _find_row(files: Files, key: PatchKey, acquisition: AcquisitionRow) -> PatchRow:
    for shard in acquisition.shards:
        rows = _rows(files, "patches", part_path(shard), pc.field("key") == str(key))
        if rows:
            return PatchRow(**rows[0])
    raise DatasetError(
        f"{key}: expected in the index of {', '.join(acquisition.shards)}, but it is in none: the dataset is damaged; "
        f"python -m pipelines.verify {files.root} says where"
    )


def _rows(
    files: Files, name: str, path: str, where: pc.Expression | None, columns: list[str] | None = None
) -> list[dict[str, Any]]:
    """The rows of a table that fulfil a condition, with the named columns."""
    try:
        table = read_table(name, files.read(path))
    except (OSError, DatasetError) as error:
        raise DatasetError(f"{files.root}/{path}: expected the table {name}: {error}") from error
    table = table if where is None else table.filter(where)
    return (table if columns is None else table.select(columns)).to_pylist()  # type: ignore[no-any-return]


def _read_image(files: Files, key: PatchKey, row: PatchRow) -> bytes:
    place = f"{key}: shard {row.shard} record {row.index}"
    try:
        content = files.read(row.shard)
    except OSError as error:
        raise DatasetError(f"{place}: the shard cannot be read ({error.strerror or error})") from error
    data = content[row.offset : row.offset + row.length]
    start, end = row.offset - (RECORD_OVERHEAD - _FOOTER_BYTES), row.offset + row.length + _FOOTER_BYTES
    if content[start:end] != frame_record(data):
        raise RecordError(f"{place}: the record's length or a checksum is wrong at byte {row.offset}")
    example = decode_example(data)
    encoded = example.get(IMAGE)
    if example.get("key") != str(key).encode() or not isinstance(encoded, bytes):
        raise RecordError(f"{place}: expected the image of this key, the record's key is {example.get('key')!r}")
    if sha256_hex(encoded) != row.sha256:
        raise RecordError(f"{place}: expected an image of SHA-256 {row.sha256}, got {sha256_hex(encoded)}")
    return encoded


def _listed(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:_MOST_SUGGESTIONS]) + (", ..." if len(texts) > _MOST_SUGGESTIONS else "")
