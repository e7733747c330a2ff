"""The table of scores: one row per patch, with what a verdict needs to know of it; and the acquisitions behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import BindingError, ScoreError
from drae_data.labels import DEFECTIVE, EXCLUDED, GOOD, UNKNOWN

# States of an acquisition. Only a valid one counts as a run of its strip.
VALID, INCOMPLETE, QUARANTINED, ABSENT = "valid", "incomplete", "quarantined", "absent"
STATES = {
    VALID: "every patch was scored",
    INCOMPLETE: "some of its patches are missing",
    QUARANTINED: "its frames were refused by the build",
    ABSENT: "the labels name the strip, and no acquisition of it was listed",
}
_LABELS = (GOOD, DEFECTIVE, EXCLUDED, UNKNOWN)

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class PatchScores:
    """The columns of a score table, each an array over its n patches.

    Attributes:
        acquisition: text [n], key of the acquisition, such as `K0001/r3`.
        strip: text [n], name of the strip: the key without run and station.
        run: int32 [n].
        image: text [n], `f07`, `min` or `max`.
        frame: int16 [n], -1 for a rank image.
        vial: int16 [n], from 0.
        region: text [n].
        score: float32 [n], finite, 1 - SSIM summed up by the model's aggregate; greater is less like the good ones.
        label: text [n], good, defective, excluded or unknown: of this very patch.
        defect: text [n], type of the patch's defect; empty where it is not defective.
        size: float32 [n], size of the defect in pixels of the frame; NaN where none is given.
        vial_label: text [n], label of the patch's vial.
        strip_label: text [n], label of the strip in this run.
        dataset_digest: text [n], of the version that holds the patch.
        model_digest: text [n], of the model that scored it.
    """

    acquisition: Texts
    strip: Texts
    run: npt.NDArray[np.int32]
    image: Texts
    frame: npt.NDArray[np.int16]
    vial: npt.NDArray[np.int16]
    region: Texts
    score: npt.NDArray[np.float32]
    label: Texts
    defect: Texts
    size: npt.NDArray[np.float32]
    vial_label: Texts
    strip_label: Texts
    dataset_digest: Texts
    model_digest: Texts

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) != 1:
            raise ScoreError(f"score table: expected columns of one length, got {lengths}")
        if not len(self):
            raise ScoreError("score table: expected at least one patch, got none")
        broken = ~np.isfinite(self.score)
        if broken.any():
            raise ScoreError(
                f"score table: expected a number for every patch, got {self.score[broken][0]} for {self.key(broken)} "
                f"and {int(broken.sum()) - 1:,} more; the model is broken: see the history in its card, train it again"
            )
        for name in ("label", "vial_label", "strip_label"):
            if strange := sorted(set(np.unique(getattr(self, name)).tolist()) - set(_LABELS)):
                raise ScoreError(f"score table: {name}: expected {', '.join(_LABELS)}, got {strange}")
        for name, advice in (("model_digest", "model"), ("dataset_digest", "dataset version")):
            found = np.unique(getattr(self, name)).tolist()
            if len(found) > 1:
                counts = {digest[:16]: int((getattr(self, name) == digest).sum()) for digest in found}
                raise BindingError(
                    f"score table: expected the scores of one {advice}, got rows of {counts}; score the set again"
                )
        places = list(zip(self.acquisition, self.image, self.vial, self.region, strict=True))
        if len(set(places)) < len(places):
            raise ScoreError("score table: expected each patch once, some are there twice; score the set again")

    def __len__(self) -> int:
        return len(self.score)

    def key(self, chosen: npt.NDArray[np.bool_]) -> str:
        """Key of the first chosen patch."""
        return self.key_at(int(np.flatnonzero(chosen)[0]))

    def key_at(self, at: int) -> str:
        """Key of the patch in a row."""
        return f"{self.acquisition[at]}/{self.image[at]}/v{self.vial[at]}/{self.region[at]}"

    def take(self, chosen: npt.NDArray[Any]) -> Self:
        """The chosen rows: bool [n] or indices."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions, sorted."""
        return tuple(np.unique(self.region).tolist())


@dataclass(frozen=True)
class Acquired:
    """One acquisition of a scored set, or a labelled strip that has none.

    Attributes:
        acquisition: its key; the strip's name where the state is absent.
        strip: the key without run and station.
        run: -1 where the state is absent.
        strip_label: good, defective, excluded or unknown.
        defect: types of its defects, joined by commas; empty where it has none.
        size: of its largest defect in pixels; NaN where none is given.
        state: a key of `STATES`.
        detail: why it is not valid; empty where it is.
    """

    acquisition: str
    strip: str
    run: int
    strip_label: str
    defect: str
    size: float
    state: str
    detail: str


@dataclass(frozen=True)
class ScoreCard:
    """What a set's scores were made from.

    Attributes:
        set: name of the set.
        dataset: name, version and digest of the version that was scored.
        model_digest: of the model that scored.
        layout_digest: of the strip layout with which the patches were cut.
        labels_digest: of everything that the labels say.
        regions: of the layout, in its order.
        vials: of a strip.
        images: scored of each acquisition, such as `f00`.
        score: definition and options of the score, from the model's card.
        split: that was scored.
        left_out: strips that were not scored because the model was trained on them.
        scores_sha256: of `scores.parquet`.
        acquisitions_sha256: of `acquisitions.parquet`.
    """

    set: str
    dataset: Mapping[str, str]
    model_digest: str
    layout_digest: str
    labels_digest: str
    regions: tuple[str, ...]
    vials: int
    images: tuple[str, ...]
    score: Mapping[str, Any]
    split: str
    left_out: tuple[str, ...]
    scores_sha256: str = ""
    acquisitions_sha256: str = ""


@dataclass(frozen=True, eq=False)
class ScoreSet:
    """A scored set.

    Attributes:
        card: what it was made from.
        patches: the scores.
        acquisitions: every acquisition of the set, also those without scores, in the order of their keys.
    """

    card: ScoreCard
    patches: PatchScores
    acquisitions: tuple[Acquired, ...]


def check_one_source(scored: ScoreSet) -> None:
    """Raises `BindingError` where rows and card are of different models or dataset versions."""
    card, patches = scored.card, scored.patches
    for what, stated, came in (
        ("model", card.model_digest, str(patches.model_digest[0])),
        ("dataset version", card.dataset["digest"], str(patches.dataset_digest[0])),
    ):
        if stated != came:
            raise BindingError(
                f"scores of {card.set}: expected rows of the {what} {stated}, as its card says, got rows of {came}; "
                f"run python -m pipelines.score --set {card.set} again"
            )
