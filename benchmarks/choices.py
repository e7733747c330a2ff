"""Which choices of a short training separate defective patches best: each is trained, then judges the calibration set.

    python -m benchmarks.choices
    python -m benchmarks.choices --choices demo,sum --calibration datasets/calibration/1.0.0

Each choice is the params file with a few values of section `train` changed, trained by `python -m pipelines.train`.
Every model then judges the calibration set's patches: those of good strips, and those whose vial and region are
labelled defective. AUROC is taken per region, as thresholds are, and averaged with the regions' defective patches as
weights; 0.5 is chance. The kit is never read. Neighbouring figures are not told apart by so few strips.

The last line is JSON: by choice, val_score, seconds and the AUROC of each aggregate; null where it was given up.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ruamel.yaml import YAML

import pipelines.quiet_tensorflow  # noqa: F401
from benchmarks.command import report, some_of
from benchmarks.measure import BenchmarkError, run_measured
from benchmarks.patch_scores import aggregates_of, scorer, weighted_auroc
from drae_data.labels import DEFECTIVE, GOOD
from drae_data.local_files import LocalFiles
from drae_data.tables import read_table
from drae_model.input_size import shrink
from drae_model.model_card import read_card
from drae_model.model_folder import load_inspector
from drae_model.patch_dataset import patch_batches
from drae_model.read_options import ReadOptions

REPOSITORY = Path(__file__).resolve().parent.parent
# Dotted places inside `train`, and what they are set to.
CHOICES: dict[str, dict[str, Any]] = {
    "demo": {},
    "one_subspace": {"network.linear_path.per_region": False},
    "sum": {"network.linear_path.join": "sum", "network.lateral": False},
    "no_linear_path": {"network.linear_path": None},
    "no_normalization": {"network.normalization": {"kind": "none", "momentum": 0.99, "groups": 4}},
    "batch": {"network.normalization": {"kind": "batch", "momentum": 0.99, "groups": 4}},
    "no_noise": {"q": 0.0},
    "paper_noise": {"q": 0.75, "perturbation.source": "field"},
    "paper_rotation": {"augmentation.rotation_degrees": 22.5, "augmentation.vertical_flip": True},
}


def judge(model: Path, calibration: Path, every: int) -> dict[str, float]:
    """AUROC of each aggregate.

    Args:
        model: folder of a trained model.
        calibration: folder of a labelled version.
        every: of the good patches only each so many-th is judged.
    """
    inspector = load_inspector(model)
    labels = read_table("labels", LocalFiles(str(calibration)).read("labels.parquet")).to_pylist()
    bad = {(row["strip"], row["vial"], row["region"]) for row in labels if row["label"] == DEFECTIVE}
    # What is not labelled in a strip with a defect is unknown, and unknown is never good.
    good = {row["strip"] for row in labels if row["label"] == GOOD} - {strip for strip, _, _ in bad}
    aggregates = aggregates_of(inspector.input_size)
    score = scorer(aggregates)
    found: dict[str, list[float]] = {name: [] for name in aggregates}
    marks: list[str] = []
    regions: list[str] = []
    seen = 0
    for batch in patch_batches(calibration, ReadOptions("test", 256, False, 2, None)):
        chosen, own = [], []
        keys = zip(*(batch[name].numpy() for name in ("strip", "vial", "region")), strict=True)
        for row, (strip, vial, region) in enumerate(keys):
            marked = (strip.decode(), int(vial), region.decode()) in bad
            seen += strip.decode() in good
            if marked or (strip.decode() in good and seen % every == 0):
                chosen.append(row)
                marks.append(DEFECTIVE if marked else GOOD)
                own.append(region.decode())
        if not chosen:
            continue
        images = tf.gather(shrink(batch["image"], inspector.input_size), chosen)
        regions += own
        for name, values in score(images, inspector.rebuild(images, inspector.region_numbers(own))).items():
            found[name] += values.numpy().tolist()
    counted = np.array(marks), np.array(regions)
    return {name: round(weighted_auroc(np.array(values), *counted), 4) for name, values in found.items()}


def measure(params: Path, choices: Sequence[str], calibration: Path, every: int) -> dict[str, Any]:
    """Trains and judges each choice, printing a line for each; raises `BenchmarkError`."""
    yaml = YAML()
    result: dict[str, Any] = {}
    for choice in choices:
        values = yaml.load(params)
        for place, value in CHOICES[choice].items():
            put(values["train"], place, value)
        with tempfile.TemporaryDirectory() as folder:
            values["train"] |= {"folder": f"{folder}/model", "report": f"{folder}/report"}
            yaml.dump(values, Path(folder, "params.yaml"))
            command = [sys.executable, "-m", "pipelines.train", "--params", f"{folder}/params.yaml"]
            started = time.perf_counter()
            try:
                run_measured([*command, "--checkpoints", f"{folder}/run"], REPOSITORY)
            except BenchmarkError as error:
                print(f"{choice:>16}  {str(error).strip().splitlines()[-1][:160]}", flush=True)
                result[choice] = None
                continue
            seconds = time.perf_counter() - started
            score = read_card(Path(folder, "model"))["metrics"]["validation_score"]
            judged = judge(Path(folder, "model"), calibration, every)
        result[choice] = {"val_score": round(score, 5), "seconds": round(seconds), **judged}
        cells = "  ".join(f"{name} {value}" for name, value in result[choice].items())
        print(f"{choice:>16}  {cells}", flush=True)
    return result


def put(section: Mapping[str, Any], place: str, value: Any) -> None:
    """Sets a value at a dotted place."""
    *folders, name = place.split(".")
    target: Any = section
    for folder in folders:
        target = target[folder]
    target[name] = value


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=REPOSITORY / "params.yaml", help="params file")
    parser.add_argument("--choices", type=some_of(CHOICES), default=tuple(CHOICES), help=",".join(CHOICES))
    parser.add_argument("--calibration", type=Path, default=REPOSITORY / "datasets/calibration/1.0.0")
    parser.add_argument("--every", type=int, default=4, help="judge each so many-th good patch (default: 4)")
    known = parser.parse_args(argv)
    return report(lambda: measure(known.params, known.choices, known.calibration, known.every))


if __name__ == "__main__":
    sys.exit(main())
