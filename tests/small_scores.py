"""A scored set small enough to follow by hand: strips with a score for each patch, written down by the test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drae_acceptance.score_table import VALID, Acquired, PatchScores, ScoreCard, ScoreSet

MODEL, DATASET = "m" * 64, "d" * 64


@dataclass
class SmallStrip:
    """A strip of a small set.

    Attributes:
        name: of the strip.
        label: of the strip.
        runs: per run the score of each (vial, region); one image, `f00`.
        marked: defective (vial, region), with the type of defect.
        size: of the defects in pixels.
        unknown: (vial, region) of which nothing is known.
    """

    name: str
    label: str
    runs: Sequence[Mapping[tuple[int, str], float]]
    marked: Mapping[tuple[int, str], str] = field(default_factory=dict)
    size: float = float("nan")
    unknown: tuple[tuple[int, str], ...] = ()


def small_set(
    strips: list[SmallStrip], name: str = "kit", model: str = MODEL, dataset: str = DATASET, labels: str = "l" * 64
) -> ScoreSet:
    """A scored set of these strips."""
    rows, acquired = [], []
    for strip in strips:
        for run, scores in enumerate(strip.runs):
            key = f"{strip.name}/r{run}"
            defect = ",".join(sorted(set(strip.marked.values())))
            acquired.append(Acquired(key, strip.name, run, strip.label, defect, strip.size, VALID, ""))
            for (vial, region), score in scores.items():
                place = (vial, region)
                label = "defective" if place in strip.marked else "unknown" if place in strip.unknown else "good"
                size = strip.size if place in strip.marked else float("nan")
                bad = vial in {marked for marked, _ in strip.marked}
                open_vial = vial in {place[0] for place in strip.unknown}
                vial_label = "defective" if bad else "unknown" if open_vial else "good"
                rows.append(
                    (key, strip.name, run, "f00", 0, vial, region, score, label, strip.marked.get(place, ""), size,
                     vial_label, strip.label, dataset, model)
                )  # fmt: skip
    columns = list(zip(*rows, strict=True))
    kinds = [np.str_, np.str_, np.int32, np.str_, np.int16, np.int16, np.str_, np.float32, np.str_, np.str_,
             np.float32, np.str_, np.str_, np.str_, np.str_]  # fmt: skip
    patches = PatchScores(*(np.array(values, kind) for values, kind in zip(columns, kinds, strict=True)))
    card = ScoreCard(
        set=name,
        dataset={"name": name, "version": "1.0.0", "digest": dataset},
        model_digest=model,
        layout_digest="a" * 64,
        labels_digest=labels,
        regions=patches.regions,
        vials=int(patches.vial.max()) + 1,
        images=("f00",),
        score={"definition": "1 - SSIM", "options": {"aggregate": "mean"}},
        split="test",
        left_out=(),
        unlabelled_parts="good",
    )
    return ScoreSet(card, patches, tuple(acquired))
