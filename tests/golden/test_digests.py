"""Digests of whole datasets, pinned: the bytes of today are the bytes of tomorrow. See README.md beside this file."""

import hashlib
import json
from pathlib import Path

import pytest

from drae_data.patches import PatchOptions
from drae_data.png import encode_png
from drae_data.shard_plan import hash_order
from pipelines.params import load_params
from tests.small_line import build_dataset, small_frame, small_options, write_line

ROOT = Path(__file__).resolve().parents[2]
GOLDEN: dict[str, str] = json.loads((Path(__file__).parent / "digests.json").read_text())


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_the_small_line(tmp_path: Path, suffix: str) -> None:
    template = type(small_options().template)(f"{{strip}}/run_{{run}}/frame_{{frame}}.{suffix}")
    root = write_line(tmp_path / "frames", suffix=suffix)
    assert build_dataset(root, tmp_path / "out", small_options(template=template)).digest == GOLDEN[f"small_{suffix}"]


def test_the_small_line_with_raw_patches(tmp_path: Path) -> None:
    options = small_options(patch=PatchOptions(16, "stretch", "linear", 0, "raw"))
    assert build_dataset(write_line(tmp_path / "frames"), tmp_path / "out", options).digest == GOLDEN["small_raw"]


def test_real_frames(tmp_path: Path) -> None:
    options = load_params(ROOT / "examples/bottle_strips/params.yaml").dataset_options("bottle_strips")
    sample = ROOT / "tests/data/bottle_strips"
    tables = {"labels.csv": (sample / "labels.csv").read_bytes()}
    committed = build_dataset(sample, tmp_path / "out", options, tables=tables)
    assert committed.digest == GOLDEN["bottle_strips_sample"]


def test_the_parts_that_a_digest_is_made_of() -> None:
    frame = small_frame("A", 0, 0)
    assert hashlib.sha256(frame.tobytes()).hexdigest() == GOLDEN["frame"]
    assert hashlib.sha256(encode_png(frame)).hexdigest() == GOLDEN["png"]
    assert hash_order(7, "record", "A/r0/f00/v0/R0").hex() == GOLDEN["hash_order"]
