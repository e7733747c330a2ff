"""One patch of a published dataset, by its key: its record, the frames it came from, and whether they still give it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from drae_data.acquisition import PatchKey
from drae_data.acquisition_folder import joined
from drae_data.content import PublishedContent, published_content
from drae_data.encodings import decode_patch_image
from drae_data.errors import AcquisitionError, DatasetError, RecordError
from drae_data.files import Files, sha256_hex
from drae_data.frames.decoding import decode_frame
from drae_data.manifest import AcquisitionRow, FrameFile, ViewSize, key_of
from drae_data.metadata import read_json
from drae_data.patch_origin import boxes_of, frames_of, view_of
from drae_data.patch_rows import PatchRow
from drae_data.patches import cut_patch
from drae_data.rank_images import Pixels, RankImages
from drae_data.records import IMAGE, RECORD_OVERHEAD, decode_example, frame_record
from drae_data.strip_layout import Box
from drae_data.tables import TABLES, read_table, table_rows
from drae_data.version_files import COMMIT_POINT, PROVENANCE, part_path

_FOOTER_BYTES = 4
_MOST_SUGGESTIONS = 5


@dataclass(frozen=True)
class FoundPatch:
    """A patch and where it came from.

    Attributes:
        key: of the patch.
        content: of the dataset, as its provenance states it.
        shard: the file that holds its record.
        row: of the patch index.
        acquisition: whose patch it is.
        view: the frames that show it.
        frames: the frame files that decide its pixels: one, or those that a rank image is over.
        box: in pixels of the frame.
        encoded: the record's image.
    """

    key: PatchKey
    content: PublishedContent
    shard: str
    row: PatchRow
    acquisition: AcquisitionRow
    view: ViewSize
    frames: tuple[FrameFile, ...]
    box: Box
    encoded: bytes

    def pixels(self) -> Pixels:
        """The patch: uint8 [size, size]; raises `RecordError`."""
        return decode_patch_image(self.encoded, self.content.patch.size, self.content.patch.encoding)


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
    content = published_content(provenance)
    acquisition = _find_acquisition(files, key)
    _check_members(key, content)
    shard, row = _find_row(files, key, acquisition)
    view = view_of(key, acquisition)
    box, frames = boxes_of(key, acquisition, content)[key.region], frames_of(key, acquisition, content)
    return FoundPatch(key, content, shard, row, acquisition, view, frames, box, _read_image(files, key, shard, row))


def compare_with_frames(found: FoundPatch, source: Files) -> SourceComparison:
    """Reads the frame files of a patch again and cuts it again.

    Args:
        found: the patch.
        source: the root of the frames.
    """
    changed, rank = [], RankImages()
    for frame in found.frames:
        path = joined(found.acquisition.folder, frame.file)
        try:
            data = source.read(path)
            if sha256_hex(data) != frame.sha256:
                changed.append(frame.file)
            rank.add(decode_frame(data, frame.file, found.content.pixels).pixels)
        except OSError as error:
            return SourceComparison(tuple(changed), None, f"{path}: cannot be read ({error.strerror or error})")
        except AcquisitionError as error:
            return SourceComparison(tuple(changed), None, f"{path}: {error}")
    # Over one frame both rank images are the frame itself.
    image = rank.image(found.key.image.rank or "min")
    height, width = image.shape
    if (height, width) != (found.view.height, found.view.width):
        return SourceComparison(tuple(changed), None, f"the frames are {width} x {height} pixels now")
    patch = cut_patch(image, found.box, found.content.patch)
    return SourceComparison(tuple(changed), np.array_equal(patch, found.pixels()), "")


def _find_acquisition(files: Files, key: PatchKey) -> AcquisitionRow:
    where = pc.scalar(True)
    for name, value in key.acquisition.columns().items():
        where = where & (pc.field(name) == value)
    rows = _rows(files, "acquisitions", where)
    if rows:
        return AcquisitionRow.of(rows[0])
    for name, state in (("quarantine", "is in quarantine"), ("left_out", "was left out")):
        if refused := _rows(files, name, where):
            reasons = "; ".join(f"{row['folder']}: {row['reason']}: {row['detail']}" for row in refused)
            raise DatasetError(f"{key}: acquisition {key.acquisition} {state}, so it has no patches: {reasons}")
    table = _rows(files, "acquisitions", None)
    if any(row["batch"] or row["recipe"] or row["station"] for row in table):
        names = [key_of(row) for row in table]
        near = difflib.get_close_matches(str(key.acquisition), names, n=_MOST_SUGGESTIONS) or names
        raise DatasetError(f"{key}: expected one of {len(names)} acquisitions, such as {_listed(near)}")
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


def _check_members(key: PatchKey, content: PublishedContent) -> None:
    """Whether the dataset has such an image, vial and region."""
    members = {
        "image": (str(key.image), [str(image) for image in content.images]),
        "vial": (f"v{key.vial}", [f"v{vial}" for vial in range(content.layouts.vials)]),
        "region": (key.region, list(content.layouts.regions)),
    }
    for name, (value, allowed) in members.items():
        if value not in allowed:
            raise DatasetError(f"{key}: {name}: expected one of {', '.join(allowed)}; got {value!r}")


def _find_row(files: Files, key: PatchKey, acquisition: AcquisitionRow) -> tuple[str, PatchRow]:
    """The shard that holds a patch, and its row there."""
    for shard in acquisition.shards:
        rows = _rows(files, "patches", pc.field("key") == str(key), part_path(shard))
        if rows:
            return shard, PatchRow(**rows[0])
    raise DatasetError(
        f"{key}: expected in the index of {', '.join(acquisition.shards)}, but it is in none: the dataset is damaged; "
        f"python -m pipelines.verify {files.root} says where"
    )


def _rows(files: Files, name: str, where: pc.Expression | None, path: str = "") -> list[dict[str, Any]]:
    """The rows of a table that fulfil a condition."""
    path = path or TABLES[name]
    try:
        table = read_table(name, files.read(path))
    except (OSError, DatasetError) as error:
        raise DatasetError(f"{files.root}/{path}: expected the table {name}: {error}") from error
    return table_rows(table if where is None else table.filter(where))


def _read_image(files: Files, key: PatchKey, shard: str, row: PatchRow) -> bytes:
    place = f"{key}: shard {shard} record {row.index}"
    try:
        content = files.read(shard)
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
