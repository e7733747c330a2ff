"""How well the model finds defects, next to principal components with the same score, protocol and aggregates.

    python -m benchmarks.detection                                            the kit, after make repro
    python -m benchmarks.detection --sets aliens --data ../shared/data        real images: built, trained, scored here
    python -m benchmarks.detection --sets bottle_strips --data ../shared/data

The kit: thresholds come from the calibration set, other strips, by the very code of the stages calibrate and evaluate;
vials, strips in a run and strips over their runs are judged. Principal components are fitted per region on the model's
own training patches at the model's input size; how many of them is chosen on the calibration set, by AUROC. Real sets:
one film of bottles, split by time, and toy aliens; a network is trained as examples/<set>_detection/params.yaml says,
and AUROC of patches is taken on images that nobody trained on, by each aggregate. There the number of components is the
best for the judged images themselves: a rival that is flattered.

The last line is JSON: by set, level and figure {"model": x, "pca": y}.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

import pipelines.quiet_tensorflow  # noqa: F401
from benchmarks.command import report, some_of
from benchmarks.measure import BenchmarkError, run_measured
from benchmarks.pca import Subspaces, fit_subspaces
from drae_acceptance.acceptance import Acceptance, accept
from drae_acceptance.calibration import calibrate
from drae_acceptance.discrimination import auroc
from drae_acceptance.judging import judge
from drae_acceptance.score_files import read_score_set
from drae_acceptance.score_table import ScoreSet
from drae_data.errors import DraeError
from drae_data.labels import DEFECTIVE, GOOD, UNKNOWN
from drae_model.input_size import shrink
from drae_model.loss_options import ScoreOptions
from drae_model.model_folder import Inspector, load_inspector
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions
from drae_model.scoring import scores
from pipelines.params import Params, load_params

REPOSITORY = Path(__file__).resolve().parent.parent
SETS = ("kit", "aliens", "bottle_strips")
AGGREGATES = {
    "mean": ScoreOptions("mean", 99.0, 17),
    "percentile_99": ScoreOptions("percentile", 99.0, 17),
    "window_max_17": ScoreOptions("window_max", 99.0, 17),
}
# Of principal components; the greatest number that some region has where training gave fewer.
_COMPONENTS = (32, 64, 128)
_FIT_PATCHES = 2000
Values = npt.NDArray[np.float64]
# By (components, aggregate), and by ("model", aggregate), the scores of a set's patches in the order of its table.
Scores = dict[tuple[object, str], Values]


@dataclass(frozen=True)
class Rivals:
    """The model and its rival, ready to score."""

    inspector: Inspector
    subspaces: Subspaces
    aggregates: Mapping[str, ScoreOptions]


def score_all(rivals: Rivals, version: Path, scored: ScoreSet) -> Scores:
    """Scores of every patch of a scored set by model and principal components, with each aggregate."""
    patches = scored.patches
    place = {patches.key_at(row): row for row in range(len(patches))}
    ways: list[object] = ["model", *_COMPONENTS]
    found: Scores = {(way, name): np.full(len(patches), np.nan) for way in ways for name in rivals.aggregates}
    for batch in patch_batches(version, ReadOptions(scored.card.split, 256, False, 2, None)):
        keys = [key.decode() for key in batch["key"].numpy()]
        kept = np.array([key in place for key in keys])
        if not kept.any():
            continue
        rows = [place[key] for key in keys if key in place]
        regions = [region.decode() for region in batch["region"].numpy()[kept]]
        images = shrink(batch["image"], rivals.inspector.input_size).numpy()[kept]
        rebuilt: dict[object, Any] = {"model": rivals.inspector.autoencoder(images, training=False)["image"]}
        rebuilt |= {count: rivals.subspaces.rebuild(images, regions, count) for count in _COMPONENTS}
        for way, image in rebuilt.items():
            for name, options in rivals.aggregates.items():
                found[way, name][rows] = scores(images, image, options).numpy()
    return found


def patch_auroc(scored: ScoreSet, values: Values) -> float:
    """AUROC of patches per region, weighted by their defective ones; a vial's label counts where the patch has none."""
    patches = scored.patches
    labels = np.where(patches.label == UNKNOWN, patches.vial_label, patches.label)
    found, weights = [], []
    for region in patches.regions:
        here = patches.region == region
        good, defective = values[here & (labels == GOOD)], values[here & (labels == DEFECTIVE)]
        if len(good) and len(defective):
            found.append(auroc(good, defective))
            weights.append(len(defective))
    if not found:
        raise BenchmarkError(f"{scored.card.set}: expected good and defective patches in a region, got none")
    return float(np.average(found, weights=weights))


def with_scores(scored: ScoreSet, values: Values) -> ScoreSet:
    """The same set with other scores."""
    return ScoreSet(scored.card, replace(scored.patches, score=values.astype(np.float32)), scored.acquisitions)


def judge_kit(params: Params, calibration: ScoreSet, kit: ScoreSet) -> Acceptance:
    """Thresholds from the calibration set, verdicts on the kit: what the stages do."""
    rule = params.confirm_rule()
    calibrated = calibrate(calibration, params.calibrate_params().options(rule))
    options = params.evaluate_params().options(rule)
    return accept(kit, calibrated, judge(kit, calibrated, rule), options, None, None)


def measure_kit(params: Params) -> dict[str, Any]:
    """Both rivals on the kit of a project whose stages have run."""
    names = {
        name: Path(params.version_folder(name))
        for name in (params.calibrate_params().set, params.evaluate_params().set)
    }
    (first, kit_name) = names
    sets = {name: read_score_set(Path(params.score_folder(name))) for name in names}
    inspector = load_inspector(Path(params.train_params().folder))
    aggregate = inspector.score.aggregate
    rivals = rivals_of(params, inspector, sets[kit_name].card.regions, {aggregate: inspector.score})
    found = {name: score_all(rivals, version, sets[name]) for name, version in names.items()}
    ranked = {count: patch_auroc(sets[first], found[first][count, aggregate]) for count in _COMPONENTS}
    best = max(ranked, key=lambda count: ranked[count])
    print(f"kit: score {aggregate}; {best} principal components, best AUROC on {first} of {ranked}")
    judged = {
        rival: judge_kit(params, *(with_scores(sets[name], found[name][way, aggregate]) for name in names))
        for rival, way in (("model", "model"), ("pca", best))
    }
    result: dict[str, Any] = {"patch": {"auroc": _pair(
        *(patch_auroc(sets[kit_name], found[kit_name][way, aggregate]) for way in ("model", best)))}}  # fmt: skip
    for level in ("vials", "strips", "runs"):
        rates = [getattr(judged[rival], level) for rival in ("model", "pca")]
        result[level.removesuffix("s")] = {
            name: _pair(*(getattr(rate, name).value for rate in rates))
            for name in ("accuracy", "accept_recall", "reject_recall")
        }
    result["strip"]["auroc"] = _pair(*(judged[rival].discriminations["strip"].auroc for rival in ("model", "pca")))
    _print_levels("kit", result)
    print(f"\n{'defect':>28}  strips in a run rejected: model, pca")
    for ours, theirs in zip(judged["model"].detections, judged["pca"].detections, strict=True):
        print(
            f"{ours.defect:>28}  {ours.runs.count:3} of {ours.runs.of:3}  {theirs.runs.count:3} of {theirs.runs.of:3}"
        )
    result["defects"] = {
        ours.defect: _pair(ours.runs.value, theirs.runs.value)
        for ours, theirs in zip(judged["model"].detections, judged["pca"].detections, strict=True)
    }
    return result


def rivals_of(
    params: Params, inspector: Inspector, regions: Sequence[str], aggregates: Mapping[str, ScoreOptions]
) -> Rivals:
    """The model, and principal components of its own training patches."""
    version = Path(params.version_folder(params.train_params().set))
    subspaces = fit_subspaces(version, regions, inspector.input_size, max(_COMPONENTS), _FIT_PATCHES)
    return Rivals(inspector, subspaces, aggregates)


def measure_real(name: str, data: Path) -> dict[str, Any]:
    """Both rivals on a real set: built, trained and scored in a folder of its own."""
    example = REPOSITORY / f"examples/{name}_detection"
    yaml = YAML()
    values = yaml.load(example / "params.yaml")
    with tempfile.TemporaryDirectory() as folder:
        values["dataset"]["folder"], values["score"]["folder"] = f"{folder}/datasets", f"{folder}/scores"
        values["train"] |= {"folder": f"{folder}/model", "report": f"{folder}/report"}
        values["build"][name] |= {"root": str((data / name).resolve()), "tables": str(example / "tables")}
        place = Path(folder, "params.yaml")
        yaml.dump(values, place)
        for stage in (["build", "--set", name], ["train", "--checkpoints", f"{folder}/run"], ["score", "--set", name]):
            seconds = run_measured(
                [sys.executable, "-m", f"pipelines.{stage[0]}", *stage[1:], "--params", str(place)], REPOSITORY
            ).seconds
            print(f"{name}: {stage[0]} took {seconds:.0f} s", flush=True)
        params = load_params(place)
        scored = read_score_set(Path(params.score_folder(name)))
        inspector = load_inspector(Path(params.train_params().folder))
        rivals = rivals_of(params, inspector, scored.card.regions, AGGREGATES)
        found = score_all(rivals, Path(params.version_folder(name)), scored)
    result: dict[str, Any] = {"patch": {}}
    for aggregate in AGGREGATES:
        ranked = [patch_auroc(scored, found[count, aggregate]) for count in _COMPONENTS]
        result["patch"][f"auroc_{aggregate}"] = _pair(patch_auroc(scored, found["model", aggregate]), max(ranked))
    own = next(key for key, options in AGGREGATES.items() if options.aggregate == inspector.score.aggregate)
    result["patch"]["auroc"] = result["patch"][f"auroc_{own}"]
    _print_levels(name, result)
    return result


def _pair(model: float | None, pca: float | None) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in (("model", model), ("pca", pca))}


def _print_levels(name: str, result: Mapping[str, Any]) -> None:
    print(f"{name + ':':>16} {'level, figure':<32} {'model':>8} {'pca':>8}")
    for level, figures in result.items():
        for figure, pair in figures.items():
            print(f"{'':>16} {level + ', ' + figure:<32} {pair['model']!s:>8} {pair['pca']!s:>8}", flush=True)


def measure(params: Path, sets: Sequence[str], data: Path | None) -> dict[str, Any]:
    """Measures each set; raises `BenchmarkError`."""
    result: dict[str, Any] = {}
    for name in sets:
        try:
            if name == "kit":
                result[name] = measure_kit(load_params(params))
            elif data is None:
                raise BenchmarkError(f"{name}: expected --data FOLDER, the folder in which {name} lies")
            else:
                result[name] = measure_real(name, data)
        except DraeError as error:
            raise BenchmarkError(f"{name}: {error}") from error
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=REPOSITORY / "params.yaml", help="params file of the kit")
    parser.add_argument("--sets", type=some_of(SETS), default=("kit",), help=",".join(SETS) + " (default: kit)")
    parser.add_argument("--data", type=Path, help="folder that holds the folders aliens and bottle_strips")
    known = parser.parse_args(argv)
    return report(lambda: measure(known.params, known.sets, known.data))


if __name__ == "__main__":
    sys.exit(main())
