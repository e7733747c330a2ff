"""Section `build.<set>`: where a set's acquisitions are, which of them are taken, and what becomes of them."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from drae_data.errors import OptionError
from drae_data.frames.options import FrameOptions
from drae_data.intake import AlignOptions, IntakeOptions, SidecarOptions, TimeOptions
from drae_data.labels import LabelOptions
from drae_data.options import SplitOptions
from pipelines.params_section import Section

Index = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]


class ImagesParams(Section):
    """Which images of an acquisition become patches."""

    frames: list[Index]
    rank: list[Literal["min", "max"]]
    rank_over: list[Index] = Field(default=[])


class SplitParams(Section):
    """How a set is shared out: see `drae_data.options.SplitOptions`."""

    by: Literal["strip", "acquisition", "patch", "blocks", "list", "none"]
    validation_fraction: Annotated[int | float, Field(ge=0, lt=1)]
    seed: int
    block_strips: Index = 0
    file: str = ""

    def options(self) -> SplitOptions:
        """The checked split; raises `OptionError`."""
        fraction = Fraction(str(self.validation_fraction))
        return SplitOptions(self.by, fraction, self.seed, self.block_strips, self.file)


class PixelsParams(Section):
    """What kinds of frame file are taken: see `drae_data.frames.options.FrameOptions`."""

    depth: Literal[8, 10, 12, 16] = 8
    align: Literal["right", "left"] = "right"
    convert: list[Literal["colour", "alpha"]] = Field(default=[])


class CompleteParams(Section):
    """How a complete acquisition is told from one still being written: see `drae_data.intake.IntakeOptions`."""

    marker: str = ""
    settle_seconds: Index = 0


class TimeParams(Section):
    """Where the time of an acquisition comes from: see `drae_data.intake.TimeOptions`."""

    source: Literal["name", "tag", "sidecar"] = Field(alias="from")
    zone: Text
    format: str = ""


class SidecarParams(Section):
    """A JSON file beside the frames: see `drae_data.intake.SidecarOptions`."""

    file: Text
    keys: dict[str, Text]


class AlignParams(Section):
    """Alignment to a reference frame in the set's folder of tables: see `drae_data.intake.AlignOptions`."""

    reference: Text
    max_shift: Annotated[int, Field(ge=1)]


class LabelsParams(Section):
    """Where labels come from: see `drae_data.labels.LabelOptions`."""

    table: str = ""
    columns: dict[str, Text] = Field(default={})
    vial_columns: list[Text] = Field(default=[])
    field: Literal["", "label", "strip", "batch", "recipe", "station"] = ""
    codes: dict[str, Literal["good", "defective", "excluded"]]
    select: list[Literal["good", "defective", "excluded", "unknown"]] = Field(default=[])

    def options(self) -> LabelOptions:
        """The checked labels; raises `OptionError`."""
        return LabelOptions(
            self.table, self.columns, tuple(self.vial_columns), self.field, dict(self.codes), tuple(self.select)
        )


class SetParams(Section):
    """One dataset under `build`; keys with a value here may be left out of the params file."""

    root: Text
    tables: str | None = None
    path_template: str
    frames: Annotated[list[Index], Field(min_length=1)]
    images: ImagesParams
    split: SplitParams
    extends: str = ""
    first_vial: Index = 0
    pixels: PixelsParams = PixelsParams()
    reacquired: Literal["refuse", "latest"] = "refuse"
    complete: CompleteParams = CompleteParams()
    links: Literal["inside", "anywhere"] = "inside"
    acquired_at: TimeParams | None = None
    sidecar: SidecarParams | None = None
    align: AlignParams | None = None
    labels: LabelsParams | None = None
    shard_patches: Annotated[int, Field(ge=1)]
    max_frame_pixels: Annotated[int, Field(ge=1)]
    max_quarantined: Index

    def table_names(self, folder: str) -> tuple[str, ...]:
        """The files that this set needs of its folder of tables; raises `OptionError` where there is no folder."""
        named = {
            "labels.table": self.labels.table if self.labels else "",
            "split.file": self.split.file,
            "align.reference": self.align.reference if self.align else "",
        }
        names = {key: name for key, name in named.items() if name}
        if names and not folder:
            raise OptionError("tables", self.tables, f"the folder that holds {', '.join(names.values())}")
        for key, name in names.items():
            if ".." in name.split("/") or name.startswith("/"):
                raise OptionError(key, name, "a file in the folder `tables`")
        return tuple(names.values())

    def pixel_options(self) -> FrameOptions:
        """What kinds of frame file are taken."""
        pixels = self.pixels
        return FrameOptions(self.max_frame_pixels, pixels.depth, pixels.align, tuple(pixels.convert))

    def intake_options(self) -> IntakeOptions:
        """Which acquisitions are taken."""
        return IntakeOptions(self.reacquired, self.complete.marker, self.complete.settle_seconds, self.links)

    def time_options(self) -> TimeOptions:
        """Where times come from."""
        time = self.acquired_at
        return TimeOptions("", "", "") if time is None else TimeOptions(time.source, time.format, time.zone)

    def sidecar_options(self) -> SidecarOptions:
        """The file beside the frames."""
        return (
            SidecarOptions("", {})
            if self.sidecar is None
            else SidecarOptions(self.sidecar.file, dict(self.sidecar.keys))
        )

    def align_options(self, reference: bytes) -> AlignOptions | None:
        """Alignment to a reference of the given content."""
        return None if self.align is None else AlignOptions(reference, self.align.reference, self.align.max_shift)
