"""A judge without a model: a function scores the patches, and may take its time over it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_data.acquisition import AcquisitionKey
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_line.judge import Examined, Floats, Judge
from tests.small_line import small_frame

LIMITS = {"R0": 0.5, "R1": 0.25}
Scoring = Callable[[npt.NDArray[np.uint8]], Any]


class FakeJudge(Judge):
    """Judges by the scores that a function gives; reconstructions are the patches upside down.

    Args:
        scoring: scores of patches, or an exception.
        limits: by region.
        name: a letter; the digests repeat it.
    """

    def __init__(self, scoring: Scoring, limits: Mapping[str, float] = LIMITS, name: str = "a") -> None:
        self.limits, self.model_digest, self.thresholds_digest = dict(limits), name * 64, name.upper() * 64
        self.scoring = scoring
        self.drawn: list[list[int]] = []

    def examine(self, patches: npt.NDArray[np.uint8]) -> Examined:
        images = patches.astype(np.float32) / np.float32(255)
        return Examined(np.array(self.scoring(patches), np.float32), images, images[:, ::-1])

    def heatmaps(self, examined: Examined, rows: Sequence[int]) -> Floats:
        self.drawn.append(list(rows))
        return np.array(np.abs(examined.images - examined.rebuilt)[list(rows), ..., 0])


def good(patches: npt.NDArray[np.uint8]) -> list[float]:
    """Scores below every threshold."""
    return [0.1] * len(patches)


def one_bad(row: int, score: float = 0.9) -> Scoring:
    """One patch over its threshold, the others below."""
    return lambda patches: [score if at == row else 0.1 for at in range(len(patches))]


def raising(error: BaseException) -> Scoring:
    def scoring(patches: npt.NDArray[np.uint8]) -> list[float]:
        raise error

    return scoring


def frames_of(key: AcquisitionKey) -> dict[FramePlace, Pixels]:
    """The three frames of an acquisition of the small line, in memory."""
    return {FramePlace(-1, "", frame): small_frame(key.strip, key.run, frame) for frame in range(3)}
