"""dvc.lock records one run of every stage, with the params in the tree: no stage of it is older than another."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".dvc/cache/files/md5"

# MD5 of each file of a folder by its path in it, from the MD5 of the folder; None where nobody has it.
Listing = Callable[[str], Mapping[str, str] | None]


def read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / name)
    return values


def listing_in_cache(md5: str) -> Mapping[str, str] | None:
    """What DVC wrote down of a folder; a fresh clone has none of it."""
    place = CACHE / md5[:2] / md5[2:]
    if not place.is_file():
        return None
    return {row["relpath"]: row["md5"] for row in json.loads(place.read_text())}


def older_parts(stages: Mapping[str, Any], listing: Listing) -> list[str]:
    """Dependencies that are not the output which the stage before left, or not what another stage read there."""
    outs = {item["path"]: item["md5"] for stage in stages.values() for item in stage.get("outs", ())}
    seen: dict[str, str] = {}
    found = []
    for name, stage in stages.items():
        for item in stage.get("deps", ()):
            path, md5 = item["path"], item["md5"]
            expected = outs.get(path, seen.setdefault(path, md5))
            for folder in map(str, PurePosixPath(path).parents):
                if folder in outs and (files := listing(outs[folder])) is not None:
                    expected = files.get(path.removeprefix(f"{folder}/"), "no such file")
            if md5 != expected:
                found.append(f"{name}: {path}: read {md5}, expected {expected}")
    return found


def value_at(values: Any, place: str) -> Any:
    for key in place.split("."):
        values = values[key]
    return values


def other_params(stages: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Recorded parameters that are not those of the params file."""
    return [
        f"{name}: {place}"
        for name, stage in stages.items()
        for place, value in stage.get("params", {}).get("params.yaml", {}).items()
        if value_at(params, place) != value
    ]


def test_every_stage_read_what_the_stage_before_it_left() -> None:
    assert older_parts(read("dvc.lock")["stages"], listing_in_cache) == [], "run dvc repro and commit dvc.lock"


def test_the_recorded_params_are_those_in_the_tree() -> None:
    stages, params = read("dvc.lock")["stages"], read("params.yaml")
    assert other_params(stages, params) == [], "run dvc repro and commit dvc.lock"
    for name, recorded in stages.items():
        stage, _, key = name.partition("@")
        said = read("dvc.yaml")["stages"][stage]
        expected = {place.replace("${key}", key) for place in said.get("do", said).get("params", ())}
        assert set(recorded.get("params", {}).get("params.yaml", {})) == expected, name


def lock(**changed: str) -> dict[str, Any]:
    """A training, and two sets that its model judged."""
    md5 = {"train": "1", "kit_model": "k", "production_model": "k", "kit_set": "3", "report": "3"} | changed
    return {
        "train": {"deps": [{"path": "code.py", "md5": "0"}], "outs": [{"path": "models/drae", "md5": md5["train"]}]},
        "score@kit": {
            "deps": [{"path": "models/drae/drae.keras", "md5": md5["kit_model"]}, {"path": "code.py", "md5": "0"}],
            "outs": [{"path": "scores/kit", "md5": md5["kit_set"]}],
        },
        "score@production": {"deps": [{"path": "models/drae/drae.keras", "md5": md5["production_model"]}]},
        "evaluate": {"deps": [{"path": "scores/kit", "md5": md5["report"]}]},
    }


def cached(md5: str) -> Mapping[str, str] | None:
    """A cache that knows the folder of the training."""
    return {"drae.keras": "k"} if md5 == "1" else None


def not_cached(md5: str) -> None:
    """A cache that knows nothing."""


def test_a_lock_of_one_run_passes() -> None:
    assert older_parts(lock(), cached) == []
    assert older_parts(lock(), not_cached) == []


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({"report": "2"}, "evaluate"),  # An output of another run.
        ({"kit_model": "j", "production_model": "j"}, "score@kit"),  # A file in a folder of another run.
        ({"production_model": "j"}, "score@production"),
    ],
)
def test_a_lock_of_two_runs_is_found(changed: dict[str, str], stage: str) -> None:
    assert stage in [one.partition(":")[0] for one in older_parts(lock(**changed), cached)]


def test_two_stages_that_read_different_files_are_found_without_a_cache() -> None:
    assert [one.partition(":")[0] for one in older_parts(lock(production_model="j"), not_cached)] == [
        "score@production"
    ]


def test_a_changed_parameter_is_found() -> None:
    stages = {"train": {"params": {"params.yaml": {"train": {"q": 0.5}, "dataset.folder": "datasets"}}}}
    assert other_params(stages, {"train": {"q": 0.5}, "dataset": {"folder": "datasets"}}) == []
    assert other_params(stages, {"train": {"q": 0.6}, "dataset": {"folder": "datasets"}}) == ["train: train"]
