"""Section `line` of `params.yaml`: the inspection of strips as they come, and the operator's page."""

import argparse
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipelines.params_section import Section

Text = Annotated[str, Field(min_length=1)]
Whole = Annotated[int, Field(ge=1)]
Positive = Annotated[int | float, Field(gt=0)]


class PageParams(Section):
    """Section `line.page`: the operator's page.

    Attributes:
        host: address that it binds to; another than this machine's own needs a token.
        port: on which it is served; 0 takes a free one.
        strips: how many of the last strips it shows.
    """

    host: Text
    port: Annotated[int, Field(ge=0, le=65535)]
    strips: Annotated[int, Field(ge=1, le=200)]


class DriftParams(Section):
    """Section `line.drift`: when scores are said to have moved away from those of the training's validation set.

    Attributes:
        strips: the last accepted strips whose scores are compared.
        index: population stability index from which on they have moved.
    """

    strips: Whole
    index: Positive


class LineParams(Section):
    """Section `line`.

    Attributes:
        set: the section under `build` whose names, frames, images and alignment the line's acquisitions have.
        incoming: folder that the camera's computer writes acquisitions into.
        folder: where log, pictures and events are kept.
        slot_ms: longest time from an acquisition's turn to its verdict, milliseconds; 500 in the paper.
        settle_seconds: a file that nobody was seen to close is whole when it did not change for so long.
        patience_seconds: an acquisition that is not complete so long after its last change is rejected.
        page: the operator's page.
        drift: when its scores have moved.
    """

    set: Text
    incoming: Text
    folder: Text
    slot_ms: Positive
    settle_seconds: Positive
    patience_seconds: Positive
    page: PageParams
    drift: DriftParams

    @model_validator(mode="after")
    def _check_seconds(self) -> Self:
        if self.settle_seconds >= self.patience_seconds:
            raise ValueError("settle_seconds below patience_seconds: else every settling acquisition is given up")
        return self

    def below(self, folder: Path | None) -> Self:
        """The same line with everything it keeps below a folder; itself where that is None."""
        if folder is None:
            return self
        return self.model_copy(update={"incoming": str(folder / "incoming"), "folder": str(folder / "log")})


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that all commands of the line take."""
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER",
        help="work in FOLDER/incoming and FOLDER/log instead of line.incoming and line.folder",
    )  # fmt: skip
