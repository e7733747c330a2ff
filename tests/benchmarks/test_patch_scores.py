"""The AUROC that benchmarks compare by, against hand-computed values; which label of a patch counts."""

import os
from dataclasses import replace

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.measure import BenchmarkError
from benchmarks.patch_scores import AGGREGATES, aggregates_of, counted_labels, scorer, weighted_auroc
from drae_acceptance.score_table import ScoreSet
from drae_model.loss_options import ScoreOptions
from drae_model.scoring import scores
from tests.small_scores import SmallStrip, small_set


def auroc(*patches: tuple[str, str, float]) -> float:
    """Of patches: region, label, score."""
    regions, labels, values = zip(*patches, strict=True)
    return weighted_auroc(np.array(values), np.array(labels), np.array(regions))


def test_scores_that_separate_give_1_and_the_reverse_0() -> None:
    assert auroc(("R0", "good", 0.1), ("R0", "good", 0.2), ("R0", "defective", 0.3)) == 1.0
    assert auroc(("R0", "good", 0.5), ("R0", "good", 0.4), ("R0", "defective", 0.3)) == 0.0


def test_regions_weigh_as_much_as_they_have_defective_patches() -> None:
    # R0: its defective patch is above both good ones, 1. R1: two defective patches, each above one of two, 1/2.
    # (1 x 1 + 2 x 1/2) / 3. Thresholds are set by region: that R1's patches score more than R0's is no matter.
    patches = [
        ("R0", "good", 0.1), ("R0", "good", 0.2), ("R0", "defective", 0.3),
        ("R1", "good", 0.9), ("R1", "good", 0.5), ("R1", "defective", 0.7), ("R1", "defective", 0.6),
    ]  # fmt: skip
    assert auroc(*patches) == pytest.approx(2 / 3)
    # A region without defective patches, one without good ones, and other labels take no part.
    others = [
        ("R2", "good", 0.1), ("R3", "defective", 0.1), ("R0", "unknown", 9.0), ("R0", "excluded", 0.0),
    ]  # fmt: skip
    assert auroc(*patches, *others) == pytest.approx(2 / 3)


def test_equal_scores_count_half() -> None:
    assert auroc(("R0", "good", 0.1), ("R0", "defective", 0.1)) == 0.5


def test_a_set_without_both_is_refused_with_its_counts() -> None:
    with pytest.raises(BenchmarkError, match=r"expected a region with good and defective patches.*'unknown': 1"):
        auroc(("R0", "good", 0.1), ("R1", "defective", 0.2), ("R0", "unknown", 0.3))


def unmarked(strip: str, label: str, *places: tuple[int, str]) -> SmallStrip:
    """A strip of which nothing is known but its label."""
    return SmallStrip(strip, label, [dict.fromkeys(places, 0.5)], unknown=places)


def labels_of(scored: ScoreSet) -> dict[str, str]:
    return {scored.patches.key_at(row): str(label) for row, label in enumerate(counted_labels(scored))}


def test_a_strip_of_one_vial_lends_its_label() -> None:
    scored = small_set([unmarked("A", "good", (0, "R0")), unmarked("B", "defective", (0, "R0"))])
    assert labels_of(scored) == {"A/r0/f00/v0/R0": "good", "B/r0/f00/v0/R0": "defective"}


def test_a_strip_of_several_vials_does_not() -> None:
    scored = small_set([unmarked("B", "defective", (0, "R0"), (1, "R0"))])
    assert set(labels_of(scored).values()) == {"unknown"}


def test_a_vial_lends_its_label_unless_one_of_its_patches_is_marked() -> None:
    unknown = ((0, "R1"), (1, "R0"), (1, "R1"))
    strip = SmallStrip(
        "C", "defective", [dict.fromkeys(((0, "R0"), *unknown), 0.5)], {(0, "R0"): "burn"}, unknown=unknown
    )
    scored = small_set([strip])
    assert scored.patches.vial_label.tolist() == ["defective", "defective", "unknown", "unknown"]
    # Where the burn is known, nothing is said of the other region.
    assert list(labels_of(scored).values()) == ["defective", "unknown", "unknown", "unknown"]
    lent = replace(scored.patches, vial_label=np.array(["defective"] * 4))
    other = ScoreSet(scored.card, lent, scored.acquisitions)
    assert list(labels_of(other).values()) == ["defective", "unknown", "defective", "defective"]


def test_aggregates_are_named_once_and_fit_the_map() -> None:
    assert list(AGGREGATES) == ["mean", "percentile_99", "window_max_9", "window_max_17"]
    assert list(aggregates_of(64, ScoreOptions("percentile", 99.0, 3))) == list(AGGREGATES)
    assert list(aggregates_of(19, ScoreOptions("percentile", 99.5, 3))) == [
        "mean", "percentile_99", "window_max_9", "percentile_99.5",
    ]  # fmt: skip


def test_the_compiled_scores_are_those_of_the_score() -> None:
    images, rebuilt = np.random.default_rng(1).random((2, 3, 32, 32, 1)).astype(np.float32)
    aggregates = aggregates_of(32)
    found = scorer(aggregates)(images, rebuilt)
    for name, options in aggregates.items():
        np.testing.assert_allclose(found[name], scores(images, rebuilt, options), atol=1e-6)
