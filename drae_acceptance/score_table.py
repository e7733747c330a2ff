"""The table of scores: one row per patch, with what a verdict needs to know of it; and the acquisitions behind them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from drae_acceptance.errors import BindingError, ScoreError
from drae_acceptance.names import first_names
from drae_data.acquisition import RANK_IMAGES
from drae_data.files import sha256_hex
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
        frames: SHA-256 of its frame files in their order; empty where none was built.
    """

    acquisition: str
    strip: str
    run: int
    strip_label: str
    defect: str
    size: float
    state: str
    detail: str
    frames: tuple[str, ...] = ()


def layout_digest(parameters: Mapping[str, Any]) -> str:
    """How patches were cut: strip layout, patch, what was done to grey values, images, frames of the rank images.

    Thresholds of patches that were cut otherwise say nothing.

    Args:
        parameters: of a build, as `provenance.json` states them or `drae_data.content.parameters` gives them.
    """
    # The largest size of a frame refuses frames, and changes none.
    pixels = {name: value for name, value in parameters["pixels"].items() if name != "max_pixels"}
    ranked = any(image in RANK_IMAGES for image in parameters["images"])
    values = {
        "strip_layout": parameters["strip_layout"], "patch": parameters["patch"], "pixels": pixels,
        "images": parameters["images"],
        "rank_frames": parameters.get("rank_over", parameters["frames"]) if ranked else [],
    }  # fmt: skip
    return sha256_hex(json.dumps(values, sort_keys=True).encode())


@dataclass(frozen=True)
class ScoreCard:
    """What a set's scores were made from.

    Attributes:
        set: name of the set.
        dataset: name, version and digest of the version that was scored.
        model_digest: of the model that scored.
        layout_digest: of how the patches were cut, see `layout_digest`.
        labels_digest: of everything that the labels say.
        regions: of the layout, in its order.
        vials: of a strip.
        images: scored of each acquisition, such as `f00`.
        score: definition and options of the score, from the model's card.
        split: that was scored.
        left_out: strips that were not scored because the model was trained on them.
        unlabelled_parts: what a part of a defective strip is that no label names: good or unknown.
        scores_sha256: of `scores.parquet`.
        acquisitions_sha256: of `acquisitions.parquet`.
        gallery_sha256: of `gallery.json`, which holds the SHA-256 of every picture.
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
    unlabelled_parts: str
    scores_sha256: str = ""
    acquisitions_sha256: str = ""
    gallery_sha256: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the card says, and through its digests over tables and pictures."""
        return sha256_hex(json.dumps(asdict(self), sort_keys=True).encode())


@dataclass(frozen=True, eq=False)
class ScoreSet:
    """A scored set.

    Attributes:
        card: what it was made from.
        patches: the scores, those of the acquisitions: each of every valid one, else `ScoreError`.
        acquisitions: every acquisition of the set, also those without scores, in the order of their keys.
    """

    card: ScoreCard
    patches: PatchScores
    acquisitions: tuple[Acquired, ...]

    def __post_init__(self) -> None:
        for check in (_check_places, _check_agreement, _check_counts):
            if wrong := check(self):
                raise ScoreError(f"scores of {self.card.set}: expected {wrong}; score the set {self.card.set} again")


def _check_places(scored: ScoreSet) -> str:
    """What is wrong with the places of patches, in words; empty where nothing is."""
    card, patches, listed = scored.card, scored.patches, Counter(row.acquisition for row in scored.acquisitions)
    if twice := [name for name, many in listed.items() if many > 1]:
        return f"each acquisition once, got some twice: {first_names(twice)}"
    for what, found, known in (
        ("listed acquisitions", patches.acquisition, listed), ("regions of its card", patches.region, card.regions),
        ("images of its card", patches.image, card.images), ("vials of its card", patches.vial, range(card.vials)),
    ):  # fmt: skip
        if strange := sorted(set(found.tolist()) - set(known)):
            return f"patches of {what}, got those of {first_names(strange)}"
    return ""


def _check_agreement(scored: ScoreSet) -> str:
    names = ("acquisition", "strip", "run", "strip_label")
    stated = {tuple(getattr(row, name) for name in names) for row in scored.acquisitions}
    other = sorted(set(zip(*(getattr(scored.patches, name).tolist() for name in names), strict=True)) - stated)
    return f"strip, run and label of patches as listed, got {other[0]}" if other else ""


def _check_counts(scored: ScoreSet) -> str:
    card, counts = scored.card, Counter(scored.patches.acquisition.tolist())
    most = len(card.images) * card.vials * len(card.regions)
    for row in scored.acquisitions:
        many, least = counts[row.acquisition], most if row.state == VALID else 0
        if not least <= many <= (most if row.state in (VALID, INCOMPLETE) else 0):
            which = f"got {many} of {row.acquisition}, which is {row.state}"
            return f"{most} patches of a valid acquisition, at most as many of an incomplete, none of others, {which}"
    return ""


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
