"""What the engines are given: the demo set, a part of it in small shards, a small line to score, a few strips to draw.

All lies below `PLACE`, where commands and workers run; only the frames of the demo set lie beside it and are kept.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from drae_data.files import sha256_hex
from tests import acceptance_line
from tests.engines.commands import Command, Outcome, run_stage
from tests.engines.processes import BASE, PLACE, ROOT
from tests.engines.service import Service
from tests.small_line import tree_bytes
from tests.small_params import read_values

# The set of params.yaml whose dataset every engine builds.
SET = os.environ.get("ENGINES_SET", "kit")
PARAMS = ROOT / "params.yaml"
DATA = BASE / "data"
PART_PARAMS, EXTENDED_PARAMS, DRAWN_PARAMS = (PLACE / f"{name}.yaml" for name in ("part", "extended", "drawn"))
PART = PLACE / "part"
EARLIER_PART = PLACE / "earlier_part"
EARLIER = PLACE / "versions/earlier"
_STRIPS, _EARLIER_STRIPS = 6, 4
# Two acquisitions of the kit in a shard: a build of the part has time to be killed between shards.
_SHARD_PATCHES = 40
_DRAWN = {"good": 6, "defective": 4, "runs": 2, "frames": [0, 7, 15]}


def prepare() -> None:
    """Draws the set's frames where they are not there whole, and makes the folder of all commands anew."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    drawn = DATA / f"{SET}.drawn"
    state = sha256_hex(json.dumps(read_values(PARAMS)["synthesize"], sort_keys=True).encode())
    if not drawn.is_file() or drawn.read_text() != state:
        for folder in (DATA / SET, DATA / f"{SET}_tables"):
            shutil.rmtree(folder, ignore_errors=True)
        succeed(run_stage("synthesize", ["--set", SET, "--params", str(PARAMS), "--folder", str(DATA)], Service()))
        drawn.write_text(state)
    strips = sorted(path.name for path in (DATA / SET).iterdir() if path.is_dir())
    _link(strips[:_STRIPS], PART)
    _link(strips[:_EARLIER_STRIPS], EARLIER_PART)
    _write_params()


def _link(strips: list[str], folder: Path) -> None:
    """A folder with some of the set's strips, as hard links."""
    for strip in strips:
        shutil.copytree(DATA / SET / strip, folder / strip, copy_function=os.link)


def _write_params() -> None:
    """The params files of the part, of the version that extends it, and of the strips that are drawn."""
    values = read_values(PARAMS)
    values["build"] = {SET: {**values["build"][SET], "shard_patches": _SHARD_PATCHES}}
    _write(PART_PARAMS, values)
    values["dataset"]["version"] = "1.1.0"
    values["build"][SET]["extends"] = "1.0.0"
    _write(EXTENDED_PARAMS, values)
    values["synthesize"]["sets"] = {"kit": _DRAWN}
    _write(DRAWN_PARAMS, values)


def _write(path: Path, values: dict[str, Any]) -> None:
    # Stages that the engines do not run would ask for sets that are not there.
    kept = {key: values[key] for key in ("synthesize", "strip_layout", "patch", "dataset", "build")}
    YAML(typ="safe", pure=True).dump(kept, path)


def demo_arguments(out: Path, threads: int) -> list[str]:
    """What builds the whole demo set."""
    frames = ["--root", str(DATA / SET), "--tables", str(DATA / f"{SET}_tables")]
    return ["--set", SET, "--params", str(PARAMS), *frames, "--out", str(out), f"--threads={threads}"]


def part_arguments(out: Path | str, root: Path | str = PART, params: Path = PART_PARAMS) -> list[str]:
    """What builds a part of it, one acquisition at a time in each worker."""
    tables = ["--tables", str(DATA / f"{SET}_tables")]
    return ["--set", SET, "--params", str(params), "--root", str(root), *tables, "--out", str(out), "--threads=1"]


def extended_arguments(out: Path) -> list[str]:
    """What builds the version that extends the earlier part by strips."""
    return [*part_arguments(out, params=EXTENDED_PARAMS), "--earlier", str(EARLIER)]


def drawn_arguments(folder: Path) -> list[str]:
    """What draws a few strips."""
    return ["--set", "kit", "--params", str(DRAWN_PARAMS), "--folder", str(folder), "--threads=1"]


def make_scored_line() -> None:
    """The small line of the acceptance's tests with a trained model, in `PLACE`."""
    for name, letter in (("small", "P"), ("kit", "K"), ("calibration", "C")):
        acceptance_line.build(PLACE, name, letter)
    acceptance_line.write_params(PLACE)
    succeed(Command("train", [], Service()).finish())


def take_scores(service: Service) -> tuple[Outcome, str]:
    """Scores the small line on an engine; returns the digest of the table."""
    shutil.rmtree(PLACE / "scores", ignore_errors=True)
    outcome = succeed(run_stage("score", ["--set", "kit", "--params", str(PLACE / "params.yaml")], service))
    return outcome, sha256_hex((PLACE / "scores/kit/scores.parquet").read_bytes())


def digest_of(version: Path) -> str:
    """The digest of a committed version."""
    digest: str = json.loads((version / "provenance.json").read_bytes())["digest"]
    return digest


def tree_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files below a folder."""
    digests = {name: sha256_hex(content) for name, content in tree_bytes(folder).items()}
    return sha256_hex(json.dumps(digests, sort_keys=True).encode())


def succeed(outcome: Outcome) -> Outcome:
    """An outcome that must be good."""
    if outcome.status:
        sys.stderr.write(outcome.said)
        raise AssertionError(f"{' '.join(outcome.arguments)}: exit status {outcome.status}: {outcome.said[-1500:]}")
    return outcome
