"""What benchmarks of detection share: the aggregates of a score, labels that count, and one AUROC of patches."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.measure import BenchmarkError
from drae_acceptance.discrimination import auroc
from drae_acceptance.score_table import ScoreSet
from drae_data.labels import DEFECTIVE, GOOD, UNKNOWN
from drae_model.loss_options import ScoreOptions
from drae_model.scoring import scores

Values = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any
# SSIM's window makes the map of 1 - SSIM smaller than the patch.
_MAP_LESS = 10


def aggregate_name(options: ScoreOptions) -> str:
    """Such as `mean`, `percentile_99` or `window_max_17`: one name for options that score alike."""
    match options.aggregate:
        case "percentile":
            return f"percentile_{options.percentile:g}"
        case "window_max":
            return f"window_max_{options.window}"
        case _:
            return options.aggregate


AGGREGATES: Mapping[str, ScoreOptions] = {
    aggregate_name(options): options
    for options in (
        ScoreOptions("mean", 99.0, 17), ScoreOptions("percentile", 99.0, 17), ScoreOptions("window_max", 99.0, 9),
        ScoreOptions("window_max", 99.0, 17),
    )
}  # fmt: skip


def aggregates_of(input_size: int, *more: ScoreOptions) -> dict[str, ScoreOptions]:
    """The aggregates of patches of this side: those of `AGGREGATES` whose window fits, and `more`, each once."""
    fitting = [
        options
        for options in AGGREGATES.values()
        if options.aggregate != "window_max" or options.window <= input_size - _MAP_LESS
    ]
    return {aggregate_name(options): options for options in (*fitting, *more)}


def scorer(aggregates: Mapping[str, ScoreOptions]) -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """A compiled function from patches and reconstructions, float32 [n, s, s, 1], to scores [n] by aggregate."""

    def score(image: Tensor, rebuilt: Tensor) -> dict[str, Tensor]:
        return {name: scores(image, rebuilt, options) for name, options in aggregates.items()}

    # In a graph the map of 1 - SSIM, which they share, is computed once.
    compiled: Callable[[Tensor, Tensor], dict[str, Tensor]] = tf.function(score, autograph=False, reduce_retracing=True)
    return compiled


def counted_labels(scored: ScoreSet) -> Texts:
    """The label by which each patch counts: text [n].

    Its own; where that is unknown, the label of its vial, unless another patch of the vial is marked defective; where
    that is unknown too and strips have one vial only, the label of the strip. So whole strips that are labelled by
    their path count, and a strip of several vials of which only the strip is labelled does not.
    """
    patches = scored.patches
    vials = patches.vial_label
    if scored.card.vials == 1:
        vials = np.where(vials == UNKNOWN, patches.strip_label, vials)
    places = np.char.add(np.char.add(patches.acquisition, "/v"), patches.vial.astype(np.str_))
    marked = np.isin(places, np.unique(places[patches.label == DEFECTIVE]))
    return np.where((patches.label == UNKNOWN) & ~marked, vials, patches.label)


def weighted_auroc(values: Values, labels: Texts, regions: Texts) -> float:
    """AUROC of patches per region, as thresholds are, averaged with the regions' defective patches as weights.

    Args:
        values: scores, float [n]; greater is less like the good ones.
        labels: text [n]; what is neither good nor defective takes no part.
        regions: text [n].

    Returns:
        0 to 1; 0.5 is chance.

    Raises:
        BenchmarkError: no region has good and defective patches.
    """
    found, weights = [], []
    for region in np.unique(regions).tolist():
        here = regions == region
        good, defective = values[here & (labels == GOOD)], values[here & (labels == DEFECTIVE)]
        if len(good) and len(defective):
            found.append(auroc(good, defective))
            weights.append(len(defective))
    if not found:
        counts = {label: int((labels == label).sum()) for label in np.unique(labels).tolist()}
        raise BenchmarkError(f"expected a region with good and defective patches, got none; patches by label: {counts}")
    return float(np.average(found, weights=weights))
