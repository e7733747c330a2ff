"""A small line with all that acceptance needs: production, calibration set and kit, labels, a model and params."""

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from drae_acceptance.score_files import acquisitions_bytes, card_bytes, scores_bytes
from drae_acceptance.score_table import ScoreSet
from drae_data.labels import LabelOptions
from drae_data.options import SplitOptions, select_images
from drae_data.patches import PatchOptions
from tests.small_line import build_dataset, small_options, write_line
from tests.small_params import LINE, TRAIN, set_value

GOOD = ("K01", "K02", "K03")
BAD = ("K04", "K05")
LABELS = "strip,vial,region,defect,size,label\n{good}\n{bad}\nK99,,,,,good\n"
DEFECT_COLUMNS = {"defect": "defect", "size": "size"}
ACCEPTANCE = """
score:
  folder: scores
  batch_size: 7
  unlabelled_parts: good
  timed_products: 2
  sets:
    kit: {split: test, trained_strips: refuse}
    calibration: {split: test, trained_strips: refuse}
acceptance: {runs_required: 2, confirm: {at_least: 7, of: 10}}
calibrate:
  set: calibration
  folder: thresholds
  protocol: disjoint
  goals: {patch: balanced_accuracy, strip: accuracy, run: accuracy}
  false_reject_ceiling: 0.05
  good_quantile: 0.9
  folds: 2
  seed: 1
  reason: first
  author: A. Nother
evaluate:
  set: kit
  folder: reports/acceptance
  page: reports/acceptance.html
  tables: frames/kit_tables
  inspectors: null
  confidence: 0.95
  bootstrap: {resamples: 200, seed: 1}
  criteria: {accuracy: 0.5, accept_recall: null, reject_recall: null}
  gallery: 4
line:
  set: kit
  incoming: line/incoming
  folder: line/log
  slot_ms: 5000
  settle_seconds: 0.1
  patience_seconds: 0.5
  page: {host: 127.0.0.1, port: 0, strips: 12}
  drift: {strips: 4, index: 0.25}
"""


def labels_of(letter: str) -> bytes:
    """Three good strips, two defective ones with a place, and one that was never acquired."""
    good = "\n".join(f"{name.replace('K', letter)},,,,,good" for name in GOOD)
    bad = "\n".join(
        f"{name.replace('K', letter)},1,R1,burn,{size},defective" for name, size in zip(BAD, (9, 14), strict=True)
    )
    return LABELS.format(good=good, bad=bad).replace("K99", f"{letter}99").encode()


def build(folder: Path, name: str, letter: str) -> None:
    """Frames and version of a set of the small line; production's strips are P01 and so on, all good."""
    write_line(folder / "frames" / name, [strip.replace("K", letter) for strip in (*GOOD, *BAD)], runs=2)
    build_version(folder, name, letter)


def build_version(folder: Path, name: str, letter: str, labels: bytes | None = None, **changes: Any) -> None:
    """The version of a set whose frames lie there, in the place of an earlier one; any option can be changed."""
    shutil.rmtree(folder / "datasets" / name, ignore_errors=True)
    options = small_options(
        name=name, patch=PatchOptions(32, "stretch", "linear", 0, "png"), images=select_images([0, 1, 2], []),
        split=SplitOptions("none", Fraction(0), 1), labels=LabelOptions(
            "labels.csv", DEFECT_COLUMNS, (), "", {"good": "good", "defective": "defective"}, ()),
    )  # fmt: skip
    if letter == "P":
        options = replace(options, labels=None, split=SplitOptions("strip", Fraction(1, 5), 7))
    options = replace(options, **changes)
    tables = {} if letter == "P" else {"labels.csv": labels or labels_of(letter)}
    build_dataset(folder / "frames" / name, folder / "datasets" / name / "1.0.0", options, tables=tables)


def write_params(folder: Path) -> None:
    """The params file of all stages."""
    values = YAML(typ="safe", pure=True).load(LINE + TRAIN + ACCEPTANCE)
    set_value(values, "patch.size", 32)
    values["train"] |= {"epochs": 1, "panels": 1, "validation_patches": 8}
    # So that patches must be judged as those of their regions.
    linear_path = {"components": 5, "per_region": True, "fit_patches": 40, "join": "sum"}
    set_value(values, "train.network.linear_path", linear_path)
    for name in ("calibration", "kit"):
        values["build"][name] = {**values["build"]["small"], "root": f"frames/{name}"}
    YAML(typ="safe", pure=True).dump(values, folder / "params.yaml")


def change(folder: Path, **changes: Any) -> None:
    """Changes params at places such as `calibrate__protocol`."""
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(folder / "params.yaml")
    for name, value in changes.items():
        set_value(values, name.replace("__", "."), value)
    yaml.dump(values, folder / "params.yaml")


def fails(command: Any, argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a command that must fail."""
    capsys.readouterr()
    assert command.main(argv) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def write_scores(folder: Path, scored: ScoreSet) -> None:
    """Writes tables and card over those of a scored set; every digest is right."""
    tables = scores_bytes(scored.patches), acquisitions_bytes(scored.acquisitions)
    (folder / "scores.parquet").write_bytes(tables[0])
    (folder / "acquisitions.parquet").write_bytes(tables[1])
    gallery = (folder / "gallery/gallery.json").read_bytes()
    (folder / "scores.json").write_bytes(card_bytes(scored.card, *tables, gallery))


def enter_copy(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a folder, and the test in it."""
    shutil.copytree(source, target)
    monkeypatch.chdir(target)
    return target
