"""Stage `train`: a published version to the DRAE model. `python -m pipelines.train --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from drae_data import __version__
from drae_data.errors import OptionError
from drae_data.local_files import LocalFiles
from drae_data.staged_folder import staged_folder
from drae_model.checkpoints import remove_checkpoints
from drae_model.errors import TrainingError, first_line
from drae_model.model_card import CARD
from drae_model.model_folder import write_model
from drae_model.patch_selection import version_content
from drae_model.ssim import DEFINITION
from drae_model.training import Trained, train, training_identity
from drae_model.training_batches import check_dataset
from drae_model.training_options import TrainingOptions
from drae_model.validation_scores import VALIDATION_SCORES, validation_bytes, validation_entry
from pipelines.console import run_command, say
from pipelines.gate import check_gate
from pipelines.params import load_params, training_errors
from pipelines.run_log import log_run
from pipelines.train_log import REPORT_NAMES, TrainLog

# Checkpoints, pictures and events of trainings that have not ended; neither outputs of DVC nor part of a model.
RUNS = "logs/training"
REPORT, PICTURES = "report", "pictures"
# Lies in a folder of checkpoints, so that no other folder is ever emptied.
_MARK = ".drae_training"
_AGAIN = "Make room and run the same command again: the training itself is done"

_EPILOG = """\
examples:
  python -m pipelines.train
  python -m pipelines.train --params params.paper.yaml
  python -m pipelines.train --fresh
  tensorboard --logdir logs/tensorboard

A training that was stopped goes on from its last checkpoint when the same command is run again; with
train.deterministic it ends with the very model that it would have had. Other parameters, another dataset or other code
begin a training of their own, unless --checkpoints names a folder: that of another training is refused. What
abandoned trainings leave in logs/training may be removed at any time.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stage; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.train",
        description="Trains the DRAE model on the version of train.set and writes the best model by validation score.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--checkpoints", type=Path, help=f"folder of the checkpoints (default: one below {RUNS})")
    parser.add_argument("--fresh", action="store_true", help="remove this training's checkpoints and begin anew")
    known = parser.parse_args(argv)
    params = load_params(known.params)
    section, options = params.train_params(), params.training_options()
    version, model, report = Path(params.version_folder(section.set)), Path(section.folder), Path(section.report)
    _check_places(model, report)
    check_gate(params, section.set, LocalFiles(str(version)))
    with training_errors():
        check_dataset(version, options)
    identity = training_identity(version, options)
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    run = known.checkpoints or Path(RUNS, name)
    # Two processes in one folder would take each other's checkpoints away.
    with LocalFiles(str(run)).locked():
        _claim(run, known.fresh)
        say(f"train: {version} to {model}; checkpoints in {run}")
        trained = _train(version, options, run, Path("logs/tensorboard", name))
        _publish(model, report, run, trained, version, options)
        _remove(run)
    say(f"{model}: best of {options.epochs} epochs is {trained.best['epoch']}, validation score {trained.score:.5f}")
    say(f"{report}: metrics.json, curves and panels")
    log_run(stage="train", model=str(model), dataset=str(version), history=list(trained.history))


def _check_places(model: Path, report: Path) -> None:
    """A folder that holds anything but a model or a report is never replaced."""
    for key, folder in (("train.folder", model), ("train.report", report)):
        if folder.name in ("", ".."):
            raise OptionError(key, str(folder), "a folder with a name")
    if _is_foreign(model, CARD):
        raise OptionError("train.folder", str(model), f"a folder for one model, which holds nothing or a {CARD}")
    # DVC notes beside its outputs what git shall ignore, and does so anew after each training.
    allowed = {*REPORT_NAMES, ".gitignore"}
    if report.exists() and not (report.is_dir() and {path.name for path in report.iterdir()} <= allowed):
        names = " and ".join(REPORT_NAMES)
        raise OptionError("train.report", str(report), f"a folder for one report, which holds nothing but {names}")
    inner, outer = sorted((model.resolve(), report.resolve()), key=lambda path: -len(path.parts))
    if inner.is_relative_to(outer):
        raise OptionError("train.report", str(report), f"a folder neither inside nor around train.folder, {model}")


def _is_foreign(folder: Path, mark: str) -> bool:
    """Something stands there that is neither empty nor holds the file that marks such a folder as this command's."""
    return folder.exists() and not (folder / mark).exists() and (not folder.is_dir() or any(folder.iterdir()))


def _claim(run: Path, fresh: bool) -> None:
    """Marks the folder of the checkpoints as this command's own: it is emptied in the end."""
    if _is_foreign(run, _MARK):
        raise OptionError("--checkpoints", str(run), "a folder that holds nothing, or a training's checkpoints")
    if fresh:
        _remove(run)
    run.mkdir(parents=True, exist_ok=True)
    (run / _MARK).write_text("Checkpoints of a training, removed at its end: python -m pipelines.train --help\n")


def _train(version: Path, options: TrainingOptions, run: Path, tensorboard: Path) -> Trained:
    """Trains; an error of TensorFlow is one message."""
    try:
        with (
            training_errors(),
            TrainLog(run / REPORT, run / PICTURES, tensorboard, options.batch_size, options.epochs) as log,
        ):
            trained = train(version, options, run, log)
            log.summarise({"best_epoch": trained.best["epoch"], "best_score": trained.score})
        return trained
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"no room, in memory or on the disk: {first_line(error)}. Make room, or lower train.batch_size, and run "
            "the same command again: it goes on from the last checkpoint"
        ) from error
    except tf.errors.OpError as error:
        raise TrainingError(f"TensorFlow gave up: {first_line(error)}; the last checkpoint is whole") from error


def _publish(model: Path, report: Path, run: Path, trained: Trained, version: Path, options: TrainingOptions) -> None:
    """Puts model and report in the places of those before, each of which stays until the new one is whole."""
    validation = validation_bytes(trained.validation_regions, trained.validation_scores)
    card = _card(version, options, trained)
    card["validation_scores"] = validation_entry(validation, len(trained.validation_scores))
    try:
        with staged_folder(model) as part:
            (part / VALIDATION_SCORES).write_bytes(validation)
            write_model(part, trained.inspector, card)
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(
            f"{model}: the model cannot be written: {first_line(error)}; the one before stands. {_AGAIN}"
        ) from error
    try:
        with staged_folder(report) as part:
            shutil.copytree(run / REPORT, part, dirs_exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"{report}: the report cannot be written: {first_line(error)}; the new model in {model} is whole. {_AGAIN}"
        ) from error


def _remove(run: Path) -> None:
    """Removes what this command wrote into a run's folder, and nothing else."""
    for name in (REPORT, PICTURES):
        shutil.rmtree(run / name, ignore_errors=True)
    (run / _MARK).unlink(missing_ok=True)
    remove_checkpoints(run)


def _card(version: Path, options: TrainingOptions, trained: Trained) -> dict[str, Any]:
    """What `model.json` says; no time, host or path."""
    content = version_content(version)
    inspector = trained.inspector
    takes = "patches uint8 [n, p, p, 1]" + (", regions int32 [n]" if inspector.takes_regions else "")
    return {
        "format_version": 1,
        "model": "DRAE",
        "code_version": __version__,
        "frameworks": {"keras": keras.__version__, "tensorflow": tf.__version__},
        "dataset": {"name": content.name, "version": content.version, "digest": content.digest},
        "regions": list(content.layouts.regions),
        "patch_size": inspector.patch_size,
        "input_size": inspector.input_size,
        "parameters": int(inspector.autoencoder.count_params()),
        "score": {"definition": DEFINITION, "options": asdict(options.score)},
        "signatures": {
            "inspect": f"{takes} -> score float32 [n], heatmap float32 [n, p, p]",
            "reconstruct": f"{takes} -> reconstruction float32 [n, s, s, 1]",
        },
        "train": asdict(options),
        "metrics": {"validation_score": trained.score, "best": trained.best, "history": list(trained.history)},
    }


if __name__ == "__main__":
    sys.exit(main())
