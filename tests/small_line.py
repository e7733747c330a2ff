"""A line small enough for tests: strips of 2 vials and 2 regions, 3 frames of 64 x 48 noise, patches of 16 x 16."""

import random
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drae_data.acquisition import PathTemplate
from drae_data.files import Files, LocalFiles
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.patches import PatchOptions
from drae_data.publication import CommittedDataset, commit, open_version
from drae_data.rank_images import Pixels
from drae_data.shard_plan import list_acquisitions, plan_shards
from drae_data.shards import build_shard
from drae_data.strip_layout import StripLayout

HEIGHT, WIDTH = 48, 64
LAYOUT = StripLayout(
    "pixels",
    (HEIGHT, WIDTH),
    {"R0": ((0, 0, 30, 20), (32, 0, 30, 20)), "R1": ((0, 20, 16, 16), (32, 20, 16, 16))},
    allow_overlap=False,
)


def small_options(**changes: Any) -> DatasetOptions:
    """Options of the small line; any of them can be changed."""
    values: dict[str, Any] = {
        "name": "small",
        "version": "1.0.0",
        "template": PathTemplate("{strip}/run_{run}/frame_{frame}.png"),
        "frames": (0, 1, 2),
        "images": select_images([0, 1, 2], ["min", "max"]),
        "layout": LAYOUT,
        "patch": PatchOptions(16, "stretch", "linear", 0),
        "split": SplitOptions("strip", Fraction(1, 5), 7),
        "shard_patches": 45,
        "max_frame_pixels": 10_000,
        "max_quarantined": 0,
    }
    return DatasetOptions(**{**values, **changes})


def small_frame(strip: str, run: int, frame: int) -> Pixels:
    """The pixels of one frame; other keys give other pixels."""
    seed = random.Random(f"{strip}/{run}/{frame}").getrandbits(64)
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def write_line(
    root: Path, strips: Iterable[str] = ("A", "B", "C", "D", "E"), runs: int = 2, frames: int = 3, suffix: str = "png"
) -> Path:
    """Writes acquisition folders and returns their root."""
    for strip in strips:
        for run in range(runs):
            folder = root / strip / f"run_{run:02d}"
            folder.mkdir(parents=True)
            for frame in range(frames):
                cv2.imwrite(str(folder / f"frame_{frame:02d}.{suffix}"), small_frame(strip, run, frame))
    return root


def build_dataset(
    root: Path, version_folder: Path, options: DatasetOptions | None = None, threads: int = 2
) -> CommittedDataset:
    """The whole build without Beam: list, plan, every shard, commit."""
    options = options or small_options()
    source, target = LocalFiles(str(root)), LocalFiles(str(version_folder))
    listing = list_acquisitions(source, options)
    plan = plan_shards(listing, options)
    open_version(target, plan)
    for task in plan:
        build_shard(task, options, source, target, threads)
    return commit(target, options, listing, plan)


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def files_of(folder: Path) -> Files:
    """The `Files` of a local folder."""
    return LocalFiles(str(folder))
