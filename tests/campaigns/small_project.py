"""A project folder as a user has it, with frames few enough to be built in seconds and enough to be killed on the way.

Packages, `dvc.yaml` and DVC's settings are the repository's own; `params.yaml` is the repository's with a few values
changed. The set `production` has frames of its own, as a plant would; the set `kit` of the synthetic line stays, tiny,
so that `dvc repro` runs both kinds of stages.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

from drae_data.files import sha256_hex

ROOT = Path(__file__).resolve().parents[2]
SET = "production"
STRIPS, RUNS, FRAMES = 30, 2, [0, 1, 2]
FRAMES_ROOT = f"data/frames/{SET}"
# What a run changes, beside the frames: a state of the project is a copy of these.
CHANGING = ("datasets", "archive", "data/frames/kit*", "reports", ".dvc", "dvc.lock", "logs")
BUILD = [sys.executable, "-m", "pipelines.build", "--set", SET]
# Every stage that makes data.
REPRO = [sys.executable, "-m", "dvc", "repro", "synthesize", "archive"]


def make_project(folder: Path, strips: int = STRIPS) -> Path:
    """Makes the project without a dataset in it, and returns its folder."""
    folder.mkdir(parents=True)
    no_caches = shutil.ignore_patterns("__pycache__")
    for package in [*ROOT.glob("drae_*"), ROOT / "pipelines"]:
        shutil.copytree(package, folder / package.name, ignore=no_caches)
    (folder / ".dvc").mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", ".dvc/config"):
        shutil.copyfile(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    yaml = YAML()
    values = yaml.load(ROOT / "params.yaml")
    _shrink(values)
    yaml.dump(values, folder / "params.yaml")
    if tables := values["build"][SET].get("tables"):
        (folder / tables).mkdir(parents=True)
        (folder / tables / "notes.txt").write_text("no labels\n")
    shape = _frame_shape(values)
    for strip in range(strips):
        for run in range(RUNS):
            for frame in FRAMES:
                _write_frame(frame_path(folder, strip, run, frame), (strip, run, frame), shape)
    return folder


def _shrink(values: Any) -> None:
    values["synthesize"]["sets"] = {
        "kit": {**values["synthesize"]["sets"]["kit"], "good": 1, "defective": 0, "runs": 1, "frames": [0]}
    }
    values["build"] = {SET: values["build"][SET]}
    values["train"]["set"] = SET
    values["build"][SET].pop("labels", None)  # No strip of this line has a label, and so each is built.
    values["build"][SET].pop("align", None)  # Its frames show no strip.
    values["build"][SET].update(
        root=FRAMES_ROOT,
        path_template="{strip}/run_{run}/frame_{frame}.png",
        # Two lists: YAML would name one list that occurs twice, and dvc exp run -S refuses that.
        frames=[*FRAMES],
        images={"frames": [*FRAMES], "rank": ["min", "max"]},
        shard_patches=200,
    )
    # Each of its frames is the same gradient under other noise: one strip under many names, as far as anybody can see.
    values["inspect_data"]["severities"].update(duplicated_strip="note", split_leak="note")


def _frame_shape(values: Any) -> tuple[int, int]:
    """Height and width of frames: the first `frame_size` in the params."""
    found: list[Any] = [values]
    for value in found:
        if isinstance(value, dict):
            if isinstance(size := value.get("frame_size"), dict):
                return size["height"], size["width"]
            found += value.values()
    raise KeyError("params.yaml: expected a frame_size")


def frame_path(project: Path, strip: int, run: int, frame: int) -> Path:
    """Where a frame of the set `production` lies."""
    return project / FRAMES_ROOT / f"P{strip:03d}/run_{run:02d}/frame_{frame:02d}.png"


def _write_frame(path: Path, seed: Sequence[int], shape: tuple[int, int]) -> None:
    """Writes a gradient under sensor noise."""
    height, width = shape
    slope = np.linspace(40, 200, width)[None, :] + np.linspace(-20, 20, height)[:, None]
    pixels = np.clip(slope + np.random.default_rng(seed).normal(0, 1.5, shape), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels), path


def mirror_frame(path: Path) -> None:
    """Gives a frame other pixels."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    assert cv2.imwrite(str(path), pixels[:, ::-1]), path


def environment(project: Path) -> dict[str, str]:
    """The environment of a command: its programs are those of this interpreter, its caches lie in the project."""
    programs = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(project / ".dvc/site"),
    }


def _changing(project: Path) -> list[str]:
    return [path.relative_to(project).as_posix() for pattern in CHANGING for path in project.glob(pattern)]


def save_state(project: Path, state: Path) -> None:
    """Keeps what a run changes, hard links as hard links."""
    state.mkdir(parents=True)
    subprocess.run(["cp", "-a", "--parents", *_changing(project), str(state.resolve())], cwd=project, check=True)


def restore_state(state: Path, project: Path) -> None:
    """Puts a kept state back."""
    for name in _changing(project):
        path = project / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    subprocess.run(["cp", "-a", f"{state}/.", str(project)], check=True)


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, without the empty lock file that a build keeps beside a version."""
    return {
        path.relative_to(folder).as_posix(): sha256_hex(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (path.suffix == ".lock" and path.stat().st_size == 0)
    }
