"""Verdicts at the paper's three levels, and of vials: what the thresholds say of each, and whether the label agrees."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ACCEPT, REJECT, INVALID = "accept", "reject", "invalid"
# Of a strip over its runs, beside those above.
CONFIRMED, NOT_CONFIRMED, UNDECIDED = "confirmed", "not_confirmed", "undecided"


@dataclass(frozen=True)
class VialVerdict:
    """A vial of a strip in one run: rejected where any of its patches is.

    Attributes:
        strip: name of the strip.
        run: of the strip.
        vial: from 0.
        label: good, defective, excluded or unknown.
        rejected: whether it is.
    """

    strip: str
    run: int
    vial: int
    label: str
    rejected: bool


@dataclass(frozen=True)
class Deciding:
    """The patch that decided: the one with the greatest score over threshold.

    Attributes:
        patch: its key.
        region: of the patch.
        score: of the patch.
        threshold: of its region.
        ratio: score over threshold (equation 13, read over regions), above 1 where the patch is rejected. Where the
            threshold is 0 or less: inf for a score above it, 0 for one that is not.
    """

    patch: str
    region: str
    score: float
    threshold: float
    ratio: float


@dataclass(frozen=True)
class StripVerdict:
    """A strip in one run: rejected where any patch exceeds its region's threshold.

    Attributes:
        strip: name of the strip.
        run: of the strip.
        label: good, defective, excluded or unknown.
        verdict: accept, reject, or invalid where an acquisition of it is not valid.
        deciding: the patch that decided; None where there is none.
        defect: types of the defects of the strip in this run; empty where it has none; see `StripRuns.defect`.
        size: of its largest defect in pixels; NaN where none is given.
        detail: why it is invalid; empty where it is not.
    """

    strip: str
    run: int
    label: str
    verdict: str
    deciding: Deciding | None
    defect: str
    size: float
    detail: str

    @property
    def key(self) -> str:
        """How the verdict is named: `K0021/r3`."""
        return f"{self.strip}/r{self.run}"


@dataclass(frozen=True)
class RunVerdict:
    """A strip over all its runs.

    Attributes:
        strip: name of the strip.
        label: good, defective, excluded or unknown.
        valid: valid runs.
        rejected: of them, with the thresholds of the level `run`.
        state: `confirmed` where enough runs agree with the label, `not_confirmed`, or `invalid` where too few are
            valid. An invalid strip counts as not confirmed: it never passes.
        verdict: reject where at least the share that confirms was rejected, accept where it was accepted, else
            `undecided`; invalid as above.
        deciding: of the patches of its valid runs, by the thresholds of the level `run`; None where there is none.
        defect: types of its defects in any of its runs.
        size: of the largest in pixels; NaN where none is given.
        detail: what there is to say of runs that are not valid.
    """

    strip: str
    label: str
    valid: int
    rejected: int
    state: str
    verdict: str
    deciding: Deciding | None
    defect: str
    size: float
    detail: str

    @property
    def key(self) -> str:
        """How the verdict is named: `K0021`."""
        return self.strip


@dataclass(frozen=True, eq=False)
class Verdicts:
    """All verdicts on a scored set.

    Attributes:
        rejected: bool [n], per patch of the table of scores, at the level `patch`.
        valid: bool [n], whether the patch belongs to a valid run; others count at no level.
        vials: one per vial of every valid strip in a run.
        strips: one per strip in a run, sorted.
        runs: one per strip, sorted, those that only labels name among them.
    """

    rejected: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    vials: tuple[VialVerdict, ...]
    strips: tuple[StripVerdict, ...]
    runs: tuple[RunVerdict, ...]
