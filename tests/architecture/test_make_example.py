"""`make example` hands each example its own set, and its own tables where it has some; make is asked, nothing runs."""

from __future__ import annotations

import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from pipelines.params import load_params

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/params.yaml"))
DATA = "tests/data/bottle_strips"


def commands(name: str) -> dict[str, dict[str, str]]:
    """The commands of `make example`, each with its options, in order."""
    lines = subprocess.run(
        ["make", "--dry-run", "example", f"NAME={name}", f"DATA={DATA}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    found = {}
    for line in lines:
        if "python -m pipelines." in line:
            module, *options = shlex.split(line.partition("python -m pipelines.")[2].removesuffix("; fi"))
            found[module] = {key: value.rstrip(";") for key, value in zip(options[::2], options[1::2], strict=True)}
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_run_with_its_own_set_and_tables(name: str) -> None:
    found, params = commands(name), load_params(ROOT / f"examples/{name}/params.yaml")
    assert list(found) == ["preview", "build", "verify", "train", "score"]
    assert {options["--params"] for options in found.values()} == {f"examples/{name}/params.yaml"}
    (chosen,) = params.build
    assert {found[module]["--set"] for module in ("preview", "build", "score")} == {chosen}
    own = ROOT / f"examples/{name}/tables"
    for module in ("preview", "build"):
        assert found[module]["--root"] == DATA
        assert found[module]["--tables"] == (own.relative_to(ROOT).as_posix() if own.is_dir() else DATA)
    if own.is_dir():
        named = params.build[chosen].table_names(str(own))
        assert {path.name for path in own.iterdir()} == set(named) != set()


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith("_detection")])
def test_an_example_of_detection_trains_and_judges_its_one_set(name: str) -> None:
    """`make bench-detection ARGS="--sets aliens"` takes `examples/aliens_detection` and its set `aliens`."""
    params = load_params(ROOT / f"examples/{name}/params.yaml")
    chosen = name.removesuffix("_detection")
    assert list(params.build) == [params.train_params().set] == [chosen]
    assert params.score_params(chosen)[1].split == "test"


def test_no_example_writes_over_another() -> None:
    places = Counter(("reports/train", "models/drae"))
    for name in EXAMPLES:
        params = load_params(ROOT / f"examples/{name}/params.yaml")
        places.update(params.version_folder(chosen) for chosen in params.build)
        if params.train is not None:
            places.update((params.train.folder, params.train.report))
        if params.score is not None:
            places.update(params.score_folder(chosen) for chosen in params.score.sets)
    assert [place for place, count in places.items() if count > 1] == []
