"""Section `strip_layout`: one layout for all acquisitions, or one for each recipe or station."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from drae_data.errors import OptionError
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from pipelines.params_section import Section

Number = Annotated[int | float, Field(ge=0)]
BoxValues = Annotated[list[Number], Field(min_length=4, max_length=4)]


class FrameSize(Section):
    """Height and width of frames in pixels."""

    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]


class StripLayoutParams(Section):
    """One layout: see `drae_data.strip_layout.StripLayout`."""

    units: Literal["pixels", "fractions"]
    frame_size: FrameSize | None
    allow_overlap: bool
    boxes: dict[str, list[BoxValues]]

    def layout(self) -> StripLayout:
        """The checked layout."""
        size = None if self.frame_size is None else (self.frame_size.height, self.frame_size.width)
        boxes = {region: tuple((box[0], box[1], box[2], box[3]) for box in row) for region, row in self.boxes.items()}
        return StripLayout(self.units, size, boxes, self.allow_overlap)

    def options(self) -> StripLayouts:
        """One layout for all acquisitions."""
        return StripLayouts.single(self.layout())


class StripLayoutsParams(Section):
    """A layout for each recipe or station: see `drae_data.strip_layouts.StripLayouts`."""

    by: Literal["recipe", "station"]
    layouts: Annotated[dict[str, StripLayoutParams], Field(min_length=1)]

    def options(self) -> StripLayouts:
        """The checked layouts."""
        return StripLayouts(self.by, {name: _named(name, layout) for name, layout in self.layouts.items()})


def _named(name: str, params: StripLayoutParams) -> StripLayout:
    """A layout of several; what is wrong with it names it."""
    try:
        return params.layout()
    except OptionError as error:
        key = error.key.replace("strip_layout.", f"strip_layout.layouts.{name}.", 1)
        raise OptionError(key, error.value, error.allowed) from error


# Which of the two a section is, by its keys. The tags stand in the places of pydantic's errors and are taken out again.
ONE, SEVERAL = "(one layout)", "(a layout for each)"
KINDS: dict[str, type[Section]] = {ONE: StripLayoutParams, SEVERAL: StripLayoutsParams}


def _kind(values: Any) -> str:
    return SEVERAL if isinstance(values, dict) and {"by", "layouts"} & values.keys() else ONE


LayoutSection = Annotated[
    Annotated[StripLayoutParams, Tag(ONE)] | Annotated[StripLayoutsParams, Tag(SEVERAL)], Discriminator(_kind)
]
