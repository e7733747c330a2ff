"""Section `score` of `params.yaml`: which sets the trained model judges, and how."""

from typing import Annotated, Literal

from pydantic import Field

from pipelines.params_section import Section

Text = Annotated[str, Field(min_length=1)]


class ScoreSetParams(Section):
    """Section `score.sets.<set>`.

    Attributes:
        split: of the set's version that is scored.
        trained_strips: what becomes of strips that the model was trained on: refuse, or leave_out.
    """

    split: Literal["train", "validation", "test"]
    trained_strips: Literal["refuse", "leave_out"]


class ScoreParams(Section):
    """Section `score`.

    Attributes:
        folder: scored sets lie in `<folder>/<set>`.
        batch_size: patches judged together.
        unlabelled_parts: what a part of a defective strip is that no label names, see `drae_acceptance.patch_labels`.
        timed_products: strips in a run that are judged one at a time, to see how long it takes; 0 measures nothing.
        sets: sections under `build` that are scored.
    """

    folder: Text
    batch_size: Annotated[int, Field(ge=1)]
    unlabelled_parts: Literal["good", "unknown"]
    timed_products: Annotated[int, Field(ge=0)]
    sets: Annotated[dict[str, ScoreSetParams], Field(min_length=1)]
