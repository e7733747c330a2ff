"""The accepted strips whose scores are compared with the training, and what there is to say of them."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from drae_line.operator_page.drift import AS_TRAINED, MOVED, RegionDrift, Scores, compare, drift_words
from drae_line.operator_page.ratios import finite
from drae_line.slot_verdict import LoggedVerdict

# A model that is being written now may be whole later.
_AGAIN_SECONDS = 30.0
# So much of a model's digest names it.
_DIGITS = 12
# Beside the states of a region.
NOT_ENOUGH, NOT_AVAILABLE, FEW_ACCEPTED = "not_enough", "not_available", "few_accepted"


@dataclass(frozen=True)
class Reference:
    """The scores that the training's validation set had.

    Attributes:
        model_digest: of the model that gave them; empty where there is none.
        scores: by region, floating [n].
        why: there are none, in words; empty where there are.
    """

    model_digest: str = ""
    scores: Mapping[str, Scores] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Compared:
    """The strips that are compared, taken at one moment.

    Attributes:
        model_digest: of the model that judged them.
        strips: how many.
        spanned: how many verdicts were given from the first of them to now.
        scores: by region, of each strip, float64 [scores of the strip].
    """

    model_digest: str
    strips: int
    spanned: int
    scores: Mapping[str, Sequence[npt.NDArray[np.float64]]]


class AcceptedWindow:
    """The last accepted strips that the newest model judged.

    Args:
        strips: how many.
    """

    def __init__(self, strips: int) -> None:
        self._strips: deque[LoggedVerdict] = deque(maxlen=strips)

    def add(self, logged: LoggedVerdict) -> None:
        """Takes an accepted strip in; one of another model than those before pushes all of them out."""
        if self._strips and self._strips[-1].slot.model_digest != logged.slot.model_digest:
            self._strips.clear()
        self._strips.append(logged)

    def clear(self) -> None:
        """Forgets all."""
        self._strips.clear()

    def take(self, newest: int) -> Compared:
        """What is compared now.

        Args:
            newest: sequence of the last verdict, of whatever kind.
        """
        scores: dict[str, list[npt.NDArray[np.float64]]] = {}
        for logged in self._strips:
            for region in sorted(logged.slot.thresholds):
                rows = (regions.get(region, ()) for regions in logged.slot.scores.values())
                found = [score for row in rows for score in row if score is not None]
                scores.setdefault(region, []).append(np.array(found, np.float64))
        if not self._strips:
            return Compared("", 0, 0, scores)
        return Compared(
            self._strips[-1].slot.model_digest, len(self._strips), newest - self._strips[0].sequence + 1, scores
        )


class DriftWatch:
    """Compares, and reads the reference again where the line has changed its model.

    Args:
        read_reference: reads the scores of the model that is there now.
        strips: how many accepted strips are compared, no fewer.
        limit: index from which on scores have moved.
    """

    def __init__(self, read_reference: Callable[[], Reference], strips: int, limit: float) -> None:
        self._read, self._strips, self._limit = read_reference, strips, limit
        self._reference = Reference(why="not read yet")
        self._asked, self._asked_at = "", 0.0

    def _refresh(self, model_digest: str) -> None:
        """Reads the reference where that of this model is not there: at once for a new model, now and then else."""
        if self._reference.model_digest == model_digest and not self._reference.why:
            self._asked = model_digest
            return
        if self._asked != model_digest or time.monotonic() - self._asked_at > _AGAIN_SECONDS:
            self._reference, self._asked, self._asked_at = self._read(), model_digest, time.monotonic()

    def judge(self, compared: Compared) -> dict[str, Any]:
        """What the page says: a state, a sentence, and the figures of each region."""
        if not compared.strips:
            return _said(NOT_ENOUGH, f"Not enough strips yet: none of {self._strips} accepted.")
        self._refresh(compared.model_digest)
        if self._reference.why:
            return _said(NOT_AVAILABLE, f"Not available: {self._reference.why}")
        if self._reference.model_digest != compared.model_digest:
            here, there = (one[:_DIGITS] for one in (self._reference.model_digest, compared.model_digest))
            return _said(
                NOT_AVAILABLE, f"Not available: the line judges with another model ({there}) than the one this page "
                f"compares with ({here}).",
            )  # fmt: skip
        regions = compare(self._reference.scores, compared.scores, self._limit)
        if compared.spanned >= self._strips and compared.spanned > 2 * compared.strips:
            return _said(
                FEW_ACCEPTED, f"Only {compared.strips:,} of the last {compared.spanned:,} strips were accepted: these "
                "cannot tell. Check light, lens and the strips themselves.", regions,
            )  # fmt: skip
        if compared.strips < self._strips:
            return _said(NOT_ENOUGH, f"Not enough strips yet: {compared.strips} of {self._strips} accepted.")
        state = MOVED if any(one.state == MOVED for one in regions) else AS_TRAINED
        if not any(one.state in (MOVED, AS_TRAINED) for one in regions):
            state = NOT_ENOUGH
        return _said(state, drift_words(regions), regions)


def _said(state: str, text: str, regions: list[RegionDrift] | None = None) -> dict[str, Any]:
    return {
        "state": state, "text": text, "regions": [
            {
                "region": one.region, "state": one.state, "index": finite(one.index), "chance": finite(one.chance),
                "statistic": finite(one.statistic), "p_value": finite(one.p_value), "up": one.up, "scores": one.scores,
                "reference": one.reference,
            }
            for one in regions or []
        ],
    }  # fmt: skip
