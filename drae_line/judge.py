"""A model and the thresholds that belong to it, loaded, checked and warm: what judges on the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import STRIP
from drae_acceptance.score_table import layout_digest
from drae_acceptance.threshold_file import read_thresholds
from drae_data.content import parameters
from drae_data.options import DatasetOptions
from drae_line.errors import JudgeError
from drae_model.errors import ModelError, first_line
from drae_model.model_card import model_digest
from drae_model.model_folder import Inspector, load_inspector

Floats = npt.NDArray[np.float32]
_WARM_UP = 3


@dataclass(frozen=True, eq=False)
class Examined:
    """What the model says of the patches of one product.

    Attributes:
        scores: float32 [n].
        images: float32 [n, s, s, 1], 0 to 1: the patches at the network's input size.
        rebuilt: the same of their reconstructions.
    """

    scores: Floats
    images: Floats
    rebuilt: Floats


class Judge:
    """Scores products of one size, and holds the threshold of each region; one graph, made and warmed at birth.

    Args:
        inspector: the model.
        digest: of the model.
        limits: by region; a patch is rejected where its score is greater.
        thresholds_digest: of the file that the thresholds come from.
        regions: name of the region of each patch of a product, in the order in which products are cut.

    Attributes:
        limits: as given.
        model_digest: as given.
        thresholds_digest: as given.
    """

    def __init__(
        self,
        inspector: Inspector,
        digest: str,
        limits: dict[str, float],
        thresholds_digest: str,
        regions: Sequence[str],
    ) -> None:
        self.limits, self.model_digest, self.thresholds_digest = limits, digest, thresholds_digest
        self._inspector = inspector
        self._regions = inspector.region_numbers(regions)
        # A batch of one fixed size: one graph, which no product makes anew.
        examine: Any = tf.function(
            inspector.examine, input_signature=inspector.specs(len(regions), tf.uint8), autograph=False
        )
        self._examine = examine.get_concrete_function()
        self._shape = (len(regions), inspector.patch_size, inspector.patch_size, 1)
        for _ in range(_WARM_UP):
            self.examine(np.zeros(self._shape, np.uint8))

    def examine(self, patches: npt.NDArray[np.uint8]) -> Examined:
        """Runs the model once.

        Args:
            patches: uint8 [n, p, p, 1], of one whole product in the order of the regions given at birth.

        Raises:
            JudgeError: patches of another number or size, or a score that is no finite number.
        """
        if patches.shape != self._shape or patches.dtype != np.uint8:
            raise JudgeError(
                f"expected the patches of one product, uint8 {list(self._shape)}, got {patches.dtype} "
                f"{list(patches.shape)}"
            )
        found = self._examine(tf.constant(patches), self._regions)
        scores = found["score"].numpy()
        if not np.isfinite(scores).all():
            raise JudgeError("expected finite scores, got others; the model is broken: swap it for another")
        return Examined(scores, found["image"].numpy(), found["reconstruction"].numpy())

    def heatmaps(self, examined: Examined, rows: Sequence[int]) -> Floats:
        """Heatmaps of some patches of an examined product: float32 [rows, p, p], 0 to 1; see `Inspector.inspect`."""
        chosen = list(rows)
        maps: Floats = self._inspector.heatmaps(examined.images[chosen], examined.rebuilt[chosen]).numpy()
        return maps


def load_judge(model: Path, thresholds: Path, options: DatasetOptions) -> Judge:
    """Loads a model and thresholds, and checks that they belong together and to the line's acquisitions.

    Args:
        model: folder of the model.
        thresholds: a `thresholds.json`.
        options: of the set whose acquisitions the line inspects.

    Raises:
        JudgeError: they do not belong together, or something is absent or damaged.
    """
    # As scoring sets it, so that the same product has the same scores.
    tf.config.experimental.enable_op_determinism()
    try:
        digest, stored = model_digest(model), read_thresholds(thresholds)
        inspector = load_inspector(model)
        if model_digest(model) != digest:
            raise JudgeError(
                f"{model}: expected a model that stands still, it was replaced while it was loaded; try again"
            )
    except (ModelError, CalibrationError) as error:
        raise JudgeError(str(error)) from error
    binding, again = stored.calibrated.binding, "calibrate thresholds for this model, or name those that were"
    limits = stored.calibrated.thresholds.limits(STRIP)
    built = layout_digest(parameters(options))
    for what, expected, came, advice in (
        ("thresholds of the model", digest, binding.model_digest, again),
        ("thresholds for the images", [str(image) for image in options.images], list(binding.images), again),
        ("thresholds for patches cut as those of line.set", built, binding.layout_digest, again),
        ("thresholds for the regions", sorted(options.layouts.regions), sorted(limits), again),
        ("a model of the regions", sorted(options.layouts.regions), sorted(inspector.regions), "train one"),
        ("a model of patches of side", options.patch.size, inspector.patch_size, "train one"),
    ):
        if expected != came:
            raise JudgeError(f"{model} and {thresholds}: expected {what} {expected}, got {came}; {advice}")
    try:
        return Judge(inspector, digest, limits, stored.digest, product_regions(options))
    except tf.errors.OpError as error:
        raise JudgeError(f"{model}: expected a model that runs here, got: {first_line(error)}") from error


def product_regions(options: DatasetOptions) -> tuple[str, ...]:
    """The region of each patch of a product, in the order in which `cut_product` cuts them."""
    return tuple(
        name
        for vial, region in options.views
        for _ in options.images
        for _ in range(options.layouts.vials if vial < 0 else 1)
        for name in options.layouts.regions
        if region in ("", name)
    )
