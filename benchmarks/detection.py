"""How well the model finds defects, next to principal components with the same score and protocol.

    python -m benchmarks.detection                                            the kit, after make repro
    python -m benchmarks.detection --sets aliens --data ../shared/data        real images: built, trained, scored here
    python -m benchmarks.detection --sets bottle_strips --data ../shared/data

Both rivals see the same images at the model's input size. Principal components are fitted per region on the splits
train and validation: the network learns from the one, and its best epoch is the best for the other. They are tried with
8 to 128 components, at most one less than patches, and each aggregate of the score: the mean, the 99th percentile,
the largest window of 9 and of 17 pixels. The model keeps the aggregate of its params.

The kit: thresholds come from the calibration set, other strips, by the very code of the stages calibrate and evaluate;
vials, strips in a run and strips over their runs are judged. Components and aggregate of the rival are those of the
greatest AUROC of patches on the calibration set; what all others reach is printed too. The model's scores must be those
of the scored sets.

Real sets: one film of bottles, split by time, and toy aliens; a network is trained as
examples/<set>_detection/params.yaml says, and AUROC of patches is taken on images that nobody trained on. They have no
calibration set: the rival's components, and for the figure auroc its aggregate too, are the best for the judged images
themselves, so that it is flattered.

A patch counts by its own label; where that is unknown by its vial's; where strips have one vial by the strip's.

The last line is JSON: by set, level and figure {"model": x, "pca": y}. The figures of the levels <level>_by_defect are
types of defects, their values the share that was rejected, or over the runs confirmed.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import pipelines.quiet_tensorflow  # noqa: F401
from benchmarks.command import report, some_of
from benchmarks.figures import pair, print_levels
from benchmarks.kit_detection import measure_kit
from benchmarks.measure import BenchmarkError, run_measured
from benchmarks.patch_scores import counted_labels
from benchmarks.rivals import Way, aurocs, best_of, check_set, open_rivals, score_all
from drae_acceptance.score_files import read_score_set
from drae_data.errors import DraeError
from drae_data.labels import DEFECTIVE, GOOD
from pipelines.params import Params, load_params

REPOSITORY = Path(__file__).resolve().parent.parent
SETS = ("kit", "aliens", "bottle_strips")


def compare(params: Params, name: str) -> dict[str, Any]:
    """Both rivals on a set that was scored: AUROC of patches by each aggregate, the number of components the best."""
    scored = read_score_set(Path(params.score_folder(name)))
    check_set(params, name, scored)
    rivals = open_rivals(params)
    found = score_all(rivals, Path(params.version_folder(name)), scored)
    ways = [Way(None, aggregate) for aggregate in rivals.aggregates]
    reached = aurocs(scored, found, [*ways, *rivals.pca()])
    labels = counted_labels(scored)
    print(f"{name}: {(labels == GOOD).sum():,} good and {(labels == DEFECTIVE).sum():,} defective patches")
    print(f"{'AUROC':>16} {'model':>8}" + "".join(f"{count:>5} PC" for count in rivals.counts))
    figures = {}
    ranked = {way: value for way, value in reached.items() if way.components is not None}
    for way in ways:
        rival = {other: value for other, value in ranked.items() if other.aggregate == way.aggregate}
        cells = "".join(f"{value:8.4f}" for value in rival.values())
        print(f"{way.aggregate:>16} {reached[way]:8.4f}{cells}", flush=True)
        figures[f"auroc_{way.aggregate}"] = pair(reached[way], max(rival.values()))
    best = best_of(ranked)
    print(f"auroc: the model with {rivals.model.aggregate}, {best.components} components with {best.aggregate}")
    figures["auroc"] = pair(reached[rivals.model], ranked[best])
    return {"patch": figures}


@contextmanager
def scored_example(name: str, data: Path) -> Iterator[Params]:
    """Params of a real set that was built, trained on and scored in a folder of its own, which goes again."""
    example = REPOSITORY / f"examples/{name}_detection"
    yaml = YAML()
    values = yaml.load(example / "params.yaml")
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as folder:
        values["dataset"]["folder"], values["score"]["folder"] = f"{folder}/datasets", f"{folder}/scores"
        values["train"] |= {"folder": f"{folder}/model", "report": f"{folder}/report"}
        values["build"][name] |= {"root": str((data / name).resolve()), "tables": str(example / "tables")}
        place = Path(folder, "params.yaml")
        yaml.dump(values, place)
        for stage, *arguments in (
            ["build", "--set", name], ["train", "--checkpoints", f"{folder}/run"], ["score", "--set", name],
        ):  # fmt: skip
            print(f"{name}: {stage} ...", end=" ", flush=True)
            command = [sys.executable, "-m", f"pipelines.{stage}", *arguments, "--params", str(place)]
            print(f"took {run_measured(command, REPOSITORY).seconds:.0f} s", flush=True)
        yield load_params(place)


def measure_real(name: str, data: Path | None) -> dict[str, Any]:
    """Both rivals on a real set."""
    if data is None or not (data / name).is_dir():
        raise BenchmarkError(f"{name}: expected --data FOLDER, the folder in which {name} lies, got {data}")
    with scored_example(name, data) as params:
        return compare(params, name)


def measure(params: Path, sets: Sequence[str], data: Path | None) -> dict[str, Any]:
    """Measures each set; raises `BenchmarkError`."""
    result: dict[str, Mapping[str, Any]] = {}
    for name in sets:
        try:
            result[name] = measure_kit(load_params(params)) if name == "kit" else measure_real(name, data)
        except DraeError as error:
            raise BenchmarkError(f"{name}: {error}") from error
        print_levels(name, result[name])
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
