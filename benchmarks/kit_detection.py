"""The kit judged with the scores of the model and with those of principal components, as the stages judge it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import pair
from benchmarks.patch_scores import Values
from benchmarks.rivals import Scores, Way, aurocs, best_of, check_set, open_rivals, score_all
from drae_acceptance.acceptance import Acceptance, accept
from drae_acceptance.binding import check_binding, check_protocol
from drae_acceptance.calibration import calibrate
from drae_acceptance.judging import judge
from drae_acceptance.level_rates import confirmed_rates
from drae_acceptance.protocol_notes import protocol_notes
from drae_acceptance.score_files import read_score_set
from drae_acceptance.score_table import ScoreSet
from drae_acceptance.threshold_set import Calibrated
from drae_acceptance.verdict import Verdicts
from pipelines.console import progress
from pipelines.params import Params

_RATES = ("accuracy", "accept_recall", "reject_recall")


@dataclass(frozen=True)
class Kit:
    """A kit and its calibration set, which are the same with the protocols `paper` and `folds`.

    Attributes:
        params: of the project.
        calibration: scored by the stage `score`.
        kit: the same.
        found: scores of both sets in every way, by name of the set.
    """

    params: Params
    calibration: ScoreSet
    kit: ScoreSet
    found: Mapping[str, Scores]

    def judged(self, way: Way) -> tuple[Calibrated, ScoreSet, Verdicts]:
        """Thresholds, scores and verdicts of a way; raises `BindingError` where the sets may not be used together."""
        rule = self.params.confirm_rule()
        calibration, kit = (
            with_scores(scored, self.found[scored.card.set][way]) for scored in (self.calibration, self.kit)
        )
        calibrated = calibrate(calibration, self.params.calibrate_params().options(rule))
        check_binding(calibrated, kit.card, calibration.card)
        check_protocol(calibrated, kit, calibration.acquisitions)
        return calibrated, kit, judge(kit, calibrated, rule)

    def acceptance(self, way: Way) -> Acceptance:
        """All figures of a way."""
        calibrated, kit, verdicts = self.judged(way)
        options = self.params.evaluate_params().options(self.params.confirm_rule())
        return accept(kit, calibrated, verdicts, options, None, None)

    def run_accuracy(self, way: Way) -> float:
        """Share of strips that their runs confirm."""
        options = self.params.evaluate_params().options(self.params.confirm_rule())
        value = confirmed_rates(self.judged(way)[2].runs, options).accuracy.value
        return math.nan if value is None else value


def with_scores(scored: ScoreSet, values: Values) -> ScoreSet:
    """The same set with other scores."""
    return ScoreSet(scored.card, replace(scored.patches, score=values.astype(np.float32)), scored.acquisitions)


def measure_kit(params: Params) -> dict[str, Any]:
    """Both rivals on the kit of a project whose stages have run."""
    first, second = params.calibrate_params().set, params.evaluate_params().set
    sets = {name: read_score_set(Path(params.score_folder(name))) for name in dict.fromkeys((first, second))}
    for name, scored in sets.items():
        check_set(params, name, scored)
    rivals = open_rivals(params)
    found = {name: score_all(rivals, Path(params.version_folder(name)), scored) for name, scored in sets.items()}
    kit = Kit(params, sets[first], sets[second], found)
    ranked = aurocs(kit.calibration, found[first], rivals.pca())
    best = best_of(ranked)
    for note in protocol_notes(params.calibrate_params().protocol):
        print(note)
    _print_choices(kit, ranked, best)
    reached = aurocs(kit.kit, found[second], [rivals.model, best])
    return figures(kit.acceptance(rivals.model), kit.acceptance(best), reached[rivals.model], reached[best])


def _print_choices(kit: Kit, ranked: Mapping[Way, float], best: Way) -> None:
    """What every choice of the rival reaches, so that nothing is hidden."""
    first, second = kit.calibration.card.set, kit.kit.card.set
    accuracies: dict[Way, float] = {}
    with progress(f"judge {second}", len(ranked), "choices of components and aggregate", lambda: len(accuracies)):
        for way in ranked:
            accuracies[way] = kit.run_accuracy(way)
    print(f"\n{'components':>10} {'aggregate':<16} {'AUROC on ' + first:>22} {'run accuracy on ' + second:>22}")
    for way in ranked:
        mark = "  chosen" if way == best else ""
        print(
            f"{way.components!s:>10} {way.aggregate:<16} {ranked[way]:>22.4f} {accuracies[way]:>22.4f}{mark}",
            flush=True,
        )


def figures(model: Acceptance, pca: Acceptance, model_auroc: float, pca_auroc: float) -> dict[str, Any]:
    """By level and figure, the pair of both rivals."""
    result: dict[str, Any] = {"patch": {"auroc": pair(model_auroc, pca_auroc)}}
    for level in ("vial", "strip", "run"):
        ours, theirs = (getattr(one, f"{level}s") for one in (model, pca))
        result[level] = {name: pair(getattr(ours, name).value, getattr(theirs, name).value) for name in _RATES}
    result["strip"]["auroc"] = pair(*(one.discriminations["strip"].auroc for one in (model, pca)))
    for level, name in (("patch", "patches"), ("strip", "runs"), ("run", "strips")):
        result[f"{level}_by_defect"] = dict(_by_defect(model, pca, name))
    return result


def _by_defect(model: Acceptance, pca: Acceptance, name: str) -> Iterator[tuple[str, dict[str, float | None]]]:
    for ours, theirs in zip(model.detections, pca.detections, strict=True):
        yield ours.defect, pair(getattr(ours, name).value, getattr(theirs, name).value)
