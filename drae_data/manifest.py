"""The rows of the tables beside the shards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from drae_data.acquisition import AcquisitionKey


@dataclass(frozen=True)
class FrameFile:
    """One frame file that was read.

    Attributes:
        frame: its index.
        vial: from 0; -1 where the file shows all vials.
        region: empty where the file shows all regions.
        file: its path inside the acquisition's folder.
        bytes: its size.
        sha256: of its content, hexadecimal.
    """

    frame: int
    vial: int
    region: str
    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FrameStatistics:
    """Statistics of one frame file, over the boxes in it.

    Attributes:
        frame: its index.
        vial: see `FrameFile`.
        region: see `FrameFile`.
        mean: of the grey values in the boxes, 0 to 255.
        motion: see `drae_data.statistics.PatchStatistics`; over all boxes.
    """

    frame: int
    vial: int
    region: str
    mean: float
    motion: float


@dataclass(frozen=True)
class ViewSize:
    """Size in pixels of the frames that show one vial and region; vial -1 and no region: the whole strip."""

    vial: int
    region: str
    height: int
    width: int


@dataclass(frozen=True)
class Keyed:
    """A row that begins with the parts of an acquisition's key, see `AcquisitionKey`."""

    strip: str
    run: int
    batch: str
    recipe: str
    station: str

    @property
    def key(self) -> AcquisitionKey:
        """The acquisition's key."""
        return AcquisitionKey(self.strip, self.run, self.batch, self.recipe, self.station)

    @classmethod
    def at(cls, key: AcquisitionKey, **values: Any) -> Self:
        """The row of an acquisition."""
        return cls(**key.columns(), **values)


@dataclass(frozen=True)
class AcquisitionRow(Keyed):
    """One built acquisition.

    Attributes:
        folder: relative to the root; of its files' common folder where acquisitions are files.
        label: good, defective, excluded or unknown.
        views: the sizes of its frames: one for all, or where frames come already cut one for each vial and region.
        shift_x: pixels that the strip lies to the right of where the reference has it; 0 without alignment.
        shift_y: pixels that it lies lower.
        acquired_at: when, in UTC, ISO 8601; empty where not known.
        exposure: the camera's tag as its text; empty where there is none.
        gain: as exposure.
        serial: as exposure.
        notes: codes of what was done to its frames or missed in its tags, sorted.
        patches: how many of its patches are in the dataset.
        splits: where they are.
        shards: where they are.
        ignored_files: files in its folder that are no frames.
        frames: the frame files that were read.
        sidecar: the file beside the frames that was read: one or none.
        frame_statistics: of each frame file that was read, see `drae_data.statistics`.
        signature: perceptual hashes of the boxes in the last of the set's images, one behind the other in their order.
    """

    folder: str
    label: str
    views: tuple[ViewSize, ...]
    shift_x: int
    shift_y: int
    acquired_at: str
    exposure: str
    gain: str
    serial: str
    notes: tuple[str, ...]
    patches: int
    splits: tuple[str, ...]
    shards: tuple[str, ...]
    ignored_files: int
    frames: tuple[FrameFile, ...]
    sidecar: tuple[FrameFile, ...]
    frame_statistics: tuple[FrameStatistics, ...]
    signature: str

    def merge(self, other: "AcquisitionRow") -> "AcquisitionRow":
        """Joins the rows that two shards hold of one acquisition (split by patch)."""
        return replace(
            self,
            patches=self.patches + other.patches,
            splits=tuple(sorted({*self.splits, *other.splits})),
            shards=tuple(sorted({*self.shards, *other.shards})),
        )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """A row from the plain values of a ledger or of a table's row."""
        return cls(**{
            **{field.name: values[field.name] for field in fields(cls)},
            **{name: tuple(values[name]) for name in ("notes", "splits", "shards")},
            "views": tuple(ViewSize(**view) for view in values["views"]),
            **{name: tuple(FrameFile(**file) for file in values[name]) for name in ("frames", "sidecar")},
            "frame_statistics": tuple(FrameStatistics(**one) for one in values["frame_statistics"]),
        })  # fmt: skip


@dataclass(frozen=True, order=True)
class QuarantineRow:
    """One acquisition that was not built, and why.

    Attributes:
        folder: relative to the root; a file where acquisitions are files and its name fits none.
        strip: see `AcquisitionKey`; with the other parts empty, and run -1, where the name gives none.
        run: see strip.
        batch: see strip.
        recipe: see strip.
        station: see strip.
        reason: a key of `drae_data.codes.REASONS`; of `LEFT_OUT` in the table of those left out.
        file: the offending file in the folder; empty where it is the folder itself.
        detail: what was expected and what came.
    """

    folder: str
    strip: str
    run: int
    batch: str
    recipe: str
    station: str
    reason: str
    file: str
    detail: str

    @classmethod
    def of_key(cls, key: AcquisitionKey, folder: str, reason: str, detail: str, file: str = "") -> Self:
        """The row of an acquisition whose key is known."""
        parts = (key.strip, key.run, key.batch, key.recipe, key.station)
        return cls(printable(folder), *parts, reason, printable(file), printable(detail))

    @classmethod
    def of_name(cls, name: str, reason: str, detail: str) -> Self:
        """The row of a folder or file whose name gives no key."""
        return cls(printable(name), "", -1, "", "", "", reason, "", printable(detail))

    @property
    def key(self) -> AcquisitionKey:
        """The acquisition's key; meaningless where run is -1."""
        return AcquisitionKey(self.strip, self.run, self.batch, self.recipe, self.station)


@dataclass(frozen=True, order=True)
class LabelRow:
    """One label, of an acquisition or of a vial or region in it.

    Attributes:
        strip: see `AcquisitionKey`.
        run: -1 where the label holds for all runs.
        batch: see `AcquisitionKey`.
        recipe: see `AcquisitionKey`.
        station: empty also where the label holds for all stations.
        vial: from 0; -1 where the label holds for the whole strip.
        region: empty where the label holds for all regions.
        label: good, defective, excluded or unknown.
        code: as it stood in the source of labels.
        defect: type of the defect as the table names it; empty where it does not.
        size: of the defect in pixels of the frame; 0 where the table does not say it.
    """

    strip: str
    run: int
    batch: str
    recipe: str
    station: str
    vial: int
    region: str
    label: str
    code: str
    defect: str
    size: float


@dataclass(frozen=True, order=True)
class FindingRow:
    """Something odd about labels.

    Attributes:
        kind: a key of `drae_data.codes.FINDINGS`.
        place: the strip or acquisition.
        detail: what was found.
    """

    kind: str
    place: str
    detail: str


@dataclass(frozen=True)
class PlanRow(Keyed):
    """One acquisition's place in the plan; a later version that extends this one goes on from these rows.

    Attributes:
        split: train, validation or test.
        shard: file name; empty where an earlier version held the acquisition and this one does not.
        folder: relative to the root.
        validation_patches: see `PlannedAcquisition`; -1 where the whole acquisition belongs to the split.
    """

    split: str
    shard: str
    folder: str
    validation_patches: int


def printable(text: str) -> str:
    """Text that tables and terminals take: what is no printable character stands as an escape."""
    if text.isprintable():
        return text
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in whole)


def key_of(row: Mapping[str, Any]) -> str:
    """The text form of the key in a table's row."""
    return str(AcquisitionKey.of(row))


def count_by(values: Iterable[str]) -> dict[str, int]:
    """How often each value comes, by value."""
    counts: dict[str, int] = {}
    for value in sorted(values):
        counts[value] = counts.get(value, 0) + 1
    return counts
