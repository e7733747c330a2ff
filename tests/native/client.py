"""Building the C++ client, small models for it, and calling it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "native"
SIDE = 32
# In another order than the alphabet's, and one that holds what else separates names.
REGIONS = ["R1", "R0", "neck, left"]
Patches = npt.NDArray[np.uint8]
Argument = str | bytes | Path


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker of a test run makes, and all others wait for."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


def need_tools() -> None:
    """Skips where the programs that build are missing."""
    for program in ("cmake", "g++"):
        if shutil.which(program) is None:
            pytest.skip(f"needs package: {program}")


def configure(source: Path, build: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs CMake; without Ninja by make."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    command: list[Argument] = ["cmake", *generator, "-S", source, "-B", build, "-DCMAKE_CXX_COMPILER=g++", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def build(folder: Path) -> None:
    """Builds everything in `native`, warnings being errors."""
    need_tools()
    for done in (
        configure(NATIVE, folder, f"-DPython_EXECUTABLE={sys.executable}", "-DDRAE_WERROR=ON"),
        subprocess.run(["cmake", "--build", folder, "-j", "2"], capture_output=True, text=True, check=False),
    ):
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def export_models(folder: Path) -> None:
    """Untrained models: `regions` takes regions, `plain` takes none."""
    from drae_model.loss_options import ScoreOptions
    from drae_model.model_folder import Inspector, write_model
    from drae_model.networks import build_autoencoder
    from tests.small_training import LINEAR, NETWORK

    score = ScoreOptions("window_max", 99.0, 3)
    card = {
        "patch_size": SIDE, "regions": REGIONS,
        "score": {"options": {"aggregate": "window_max", "percentile": 99.0, "window": 3}},
    }  # fmt: skip
    for name, network, subspaces in (("regions", LINEAR, 3), ("plain", NETWORK, 1)):
        autoencoder = build_autoencoder(network, subspaces, 7, "float32")
        (folder / name).mkdir()
        write_model(folder / name, Inspector(autoencoder, score, SIDE, REGIONS), card)


def patches(count: int) -> Patches:
    """Patches of noise and of smooth pictures in turn, the first two black and white."""
    from tests.small_training import smooth_images

    noise = np.random.default_rng(11).integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    smooth = (smooth_images(count, SIDE)[..., 0] * 255).round().astype(np.uint8)
    mixed = np.where((np.arange(count) % 2 == 0)[:, None, None], noise, smooth)
    mixed[:2] = np.array([0, 255], np.uint8)[:2, None, None][: min(count, 2)]
    return mixed


def expected(model: Path, pixels: Patches, regions: Sequence[str] = ()) -> dict[str, npt.NDArray[np.float32]]:
    """What Python's call of the same signature says; regions by name."""
    import tensorflow as tf

    inputs = {"patches": tf.constant(pixels[..., None])}
    if regions:
        inputs["regions"] = tf.constant([REGIONS.index(name) for name in regions], tf.int32)
    loaded = tf.saved_model.load(str(model / "saved_model"))
    return {name: value.numpy() for name, value in loaded.signatures["inspect"](**inputs).items()}


class Client:
    """The programs of a build folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self,
        *arguments: Argument,
        program: str = "drae_inspect",
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program as a shell would, TensorFlow's messages as they are by default.

        drae_inspect finds TensorFlow's faster kernels by itself; other programs are told, as docs/native.md says.
        """
        own = {"TF_CPP_MIN_LOG_LEVEL"} | ({"TF_ENABLE_ONEDNN_OPTS"} if program == "drae_inspect" else set())
        names = {name: value for name, value in os.environ.items() if name not in own}
        return subprocess.run(
            [self.folder / program, *arguments], capture_output=True, input=stdin, encoding="utf-8", check=False,
            env={**names, **(environment or {})}, cwd=cwd,
        )  # fmt: skip

    def inspect(self, model: Path, *arguments: Argument, **options: Any) -> dict[str, Any]:
        """The JSON document of a call that succeeds."""
        done = self.run("--model", model, *arguments, **options)
        assert (done.returncode, done.stderr) == (0, "")
        document = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert isinstance(document, dict)
        return document

    def scores(self, model: Path, *arguments: Argument, **options: Any) -> npt.NDArray[np.float64]:
        """The scores of a call that succeeds, as they are read from JSON."""
        return np.array([patch["score"] for patch in self.inspect(model, *arguments, **options)["patches"]])

    def refusal(self, *arguments: Argument, status: int = 1, **options: Any) -> str:
        """The one line of a call that fails."""
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stdout) == (status, ""), done
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert done.stderr.endswith("\n")
        return done.stderr.removeprefix("error: ").rstrip("\n")
