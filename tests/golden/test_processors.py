"""The same bytes on other processors: parts of this one are switched off for OpenCV and numpy in subprocesses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Prints the digest of a dataset of real frames, and of synthetic frames drawn at a quarter of the demo's size.
PROGRAM = """
import dataclasses, hashlib, sys, tempfile
from pathlib import Path
from drae_data.synthetic.acquisitions import render_acquisition
from drae_data.synthetic.options import FrameOptions
from drae_data.synthetic.rendering import make_appearance, make_rig
from drae_data.synthetic.strips import list_strips
from pipelines.params import load_params
from tests.small_line import build_dataset

with tempfile.TemporaryDirectory() as folder:
    options = load_params(Path("examples/bottle_strips/params.yaml")).dataset_options("bottle_strips")
    sample = Path("tests/data/bottle_strips")
    tables = {"labels.csv": (sample / "labels.csv").read_bytes()}
    print(build_dataset(sample, Path(folder, "out"), options, tables=tables).digest)
line = dataclasses.replace(load_params(Path("params.yaml")).synthesize.options(), frame=FrameOptions(275, 350, 5))
rig = make_rig(line)
appearance = make_appearance(rig, list_strips(line, "kit")[20])
frames = b"".join(frame.tobytes() for _, frame in render_acquisition(rig, appearance, 0, [0, 7]))
print(hashlib.sha256(frames).hexdigest())
"""


def digests(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-2:]


@pytest.fixture(scope="module")
def here() -> list[str]:
    return digests()


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENCV_IPP": "avx2"},
        {"OPENCV_IPP": "disabled"},
        {"OPENCV_CPU_DISABLE": "AVX512_SKX"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    ],
    ids=str,
)
def test_datasets_and_synthetic_frames_without_avx512_and_without_ipp(
    here: list[str], environment: dict[str, str]
) -> None:
    assert digests(**environment) == here


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENCV_CPU_DISABLE": "AVX2,AVX512_SKX"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
    ],
    ids=str,
)
def test_datasets_without_avx2(here: list[str], environment: dict[str, str]) -> None:
    """Synthetic frames want AVX2 (x86-64-v3): their sums of floats round otherwise without it."""
    assert digests(**environment)[0] == here[0]
