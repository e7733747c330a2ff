"""A line small enough for tests: strips of 2 vials and 2 regions, 3 frames of 64 x 48 noise, patches of 16 x 16."""

import random
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drae_data.earlier_version import read_earlier_version
from drae_data.files import Files
from drae_data.frames.options import FrameOptions
from drae_data.intake import IntakeOptions, SidecarOptions, TimeOptions
from drae_data.listing import list_acquisitions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.patches import PatchOptions
from drae_data.path_template import PathTemplate
from drae_data.publication import CommittedDataset, commit, open_version
from drae_data.rank_images import Pixels
from drae_data.selection import Selection, select
from drae_data.shard_plan import Plan, plan_shards
from drae_data.shards import Roots, build_shard
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts

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
        "extends": "",
        "template": PathTemplate("{strip}/run_{run}/frame_{frame}.png"),
        "frames": (0, 1, 2),
        "images": select_images([0, 1, 2], ["min", "max"]),
        "rank_over": (),
        "first_vial": 0,
        "layouts": StripLayouts.single(LAYOUT),
        "patch": PatchOptions(16, "stretch", "linear", 0, "png"),
        "pixels": FrameOptions(10_000, 8, "right", ()),
        "intake": IntakeOptions("refuse", "", 0, "inside"),
        "acquired_at": TimeOptions("", "", ""),
        "sidecar": SidecarOptions("", {}),
        "align": None,
        "labels": None,
        "split": SplitOptions("strip", Fraction(1, 5), 7),
        "shard_patches": 45,
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


def plan_line(source: Files, options: DatasetOptions | None = None) -> tuple[Selection, Plan]:
    """What a build of these frames selects and plans, where no table and no earlier version counts."""
    options = options or small_options()
    selection = select(list_acquisitions(source, options), options, {})
    return selection, plan_shards(selection.listing.acquisitions, options, selection.sides)


def build_dataset(
    root: Path, version_folder: Path, options: DatasetOptions | None = None, threads: int = 2,
    tables: Mapping[str, bytes] | None = None, earlier: Path | None = None, logs: Path | None = None,
) -> CommittedDataset:  # fmt: skip
    """The whole build without Beam: list, select, plan, every shard, commit."""
    options = options or small_options()
    before = read_earlier_version(files_of(earlier), options.extends, options.split.by) if earlier else None
    roots = Roots(
        LocalFiles(str(root)),
        files_of(version_folder),
        before.files if before else None,
        files_of(logs) if logs else None,
    )
    selection = select(list_acquisitions(roots.source, options), options, tables or {})
    plan = plan_shards(selection.listing.acquisitions, options, selection.sides, before.plan if before else ())
    open_version(roots.target, plan)
    for task in plan.tasks:
        build_shard(task, options, roots, threads)
    return commit(roots.target, options, selection, plan, before.extended if before else None)


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def files_of(folder: Path) -> Files:
    """The `Files` of a local folder."""
    return LocalFiles(str(folder))
