"""Every file of a corpus of broken and hostile images, planted among frames, through the real command.

Each acquisition ends built or quarantined with a reason and words, within bounds of time and memory, and nothing that
was listed is lost.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.codes import REASONS
from drae_data.tables import TABLES, read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import files_of

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared/data/bad_images"
FRAMES = 16
SECONDS = 400
ADDRESS_SPACE = 8 << 30
pytestmark = [pytest.mark.slow, pytest.mark.beam]


@pytest.fixture(scope="module")
def corpus() -> list[Path]:
    if not CORPUS.is_dir():
        pytest.skip("needs data: the folder shared/data/bad_images beside the project")
    return sorted(path for path in CORPUS.rglob("*") if path.is_file())


def build(tmp_path: Path, root: Path, convert: list[str]) -> Path:
    """Runs the command with bounds; returns the version folder."""
    params = {
        "strip_layout": {
            "units": "fractions", "frame_size": None, "allow_overlap": False,
            "boxes": {"R0": [[0, 0, 0.5, 1], [0.5, 0, 0.5, 1]]},
        },
        "patch": {"size": 16, "fit": "stretch", "grow": "linear", "fill": 0, "encoding": "png"},
        "dataset": {"folder": str(tmp_path), "version": "1.0.0"},
        "build": {
            "bad": {
                "root": str(root), "path_template": "{strip}/frame_{frame}.*", "frames": list(range(FRAMES)),
                "images": {"frames": [0, 5], "rank": ["min"]},
                "split": {"by": "none", "validation_fraction": 0, "seed": 1},
                "pixels": {"depth": 16, "convert": convert}, "shard_patches": 300, "max_frame_pixels": 4_000_000,
                "max_quarantined": 2000, "links": "anywhere",
            }
        },
    }  # fmt: skip
    path = tmp_path / "params.json"
    path.write_text(json.dumps(params))
    # prlimit, not preexec_fn: a child forked from a process with open gRPC channels can abort before its command runs
    # (grpc/grpc#43055), and tests of other modules leave such channels.
    limited = ["prlimit", f"--as={ADDRESS_SPACE}", sys.executable, "-m", "pipelines.build"]
    done = subprocess.run(
        [*limited, "--set", "bad", "--params", str(path), "--threads", "2"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return tmp_path / "bad/1.0.0"


def check_balance(version: Path, names: set[str]) -> tuple[set[str], dict[str, tuple[str, str]]]:
    """What was built and what was refused; together they are all that was planted, each with a reason in words."""
    files = files_of(version)
    built = {row["strip"] for row in read_table("acquisitions", files.read(TABLES["acquisitions"])).to_pylist()}
    refused = read_table("quarantine", files.read(TABLES["quarantine"])).to_pylist()
    reasons = {row["strip"]: (row["reason"], row["detail"]) for row in refused}
    assert built | reasons.keys() == names and not built & reasons.keys() and len(refused) == len(reasons)
    assert all(reason in REASONS and len(detail) > 10 for reason, detail in reasons.values())
    assert verify_dataset(files, 2).faults == ()
    return built, reasons


def suffix_of(path: Path) -> str:
    known = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".pgm")
    return path.suffix if path.suffix.lower() in known else ".png"


def test_each_file_as_one_frame_of_sixteen(corpus, tmp_path):
    root = tmp_path / "frames"
    good = tmp_path / "good.png"
    cv2.imwrite(str(good), np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8))
    names = {"good"} | {f"a{number:04d}" for number in range(len(corpus))}
    for name in sorted(names):
        folder = root / name
        folder.mkdir(parents=True)
        planted = None if name == "good" else corpus[int(name[1:])]
        for frame in range(FRAMES):
            if planted is not None and frame == 5:
                (folder / f"frame_{frame:02d}{suffix_of(planted)}").symlink_to(planted)
            else:
                os.link(good, folder / f"frame_{frame:02d}.png")
    built, reasons = check_balance(build(tmp_path, root, []), names)
    assert "good" in built
    # The corpus holds files of 32 x 32 grey, which are as good as the others, and hundreds that are not.
    assert 1 < len(built) < 100
    assert Counter(reason for reason, _ in reasons.values()).keys() >= {
        "unreadable", "unsupported_format", "colour", "alpha", "unequal_sizes", "empty_file"
    }  # fmt: skip


@pytest.mark.parametrize("convert", [[], ["colour", "alpha"]])
def test_each_file_as_every_frame_of_its_own_acquisition(corpus, tmp_path, convert):
    root = tmp_path / "frames"
    for number, path in enumerate(corpus):
        folder = root / f"a{number:04d}"
        folder.mkdir(parents=True)
        for frame in range(FRAMES):
            (folder / f"frame_{frame:02d}{suffix_of(path)}").symlink_to(path)
    names = {f"a{number:04d}" for number in range(len(corpus))}
    built, _ = check_balance(build(tmp_path, root, convert), names)
    assert len(built) > (300 if convert else 30)
