"""The stages in dvc.yaml depend on exactly the code that decides their bytes, as the imports themselves say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import grimp
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = ("drae_data", "drae_model", "drae_acceptance")

# The modules of PACKAGES that a stage calls, itself or in its workers.
ENTRIES: dict[str, list[str]] = {
    # Its bytes are those of the version, whatever the code.
    "archive": [],
    "synthesize": ["drae_data.synthetic.acquisitions", "drae_data.synthetic.labels", "drae_data.synthetic.strips"],
    "build": [
        "drae_data.listing",
        "drae_data.local_files", "drae_data.selection", "drae_data.earlier_version", "drae_data.shard_plan",
        "drae_data.shards", "drae_data.publication",
    ],
    "train": ["drae_model.training", "drae_model.model_folder", "drae_model.panels"],
    # How long judging takes is no part of what it finds.
    "score": [
        "drae_model.score_patches", "drae_model.gallery_pictures", "drae_model.model_card",
        "drae_model.patch_selection", "drae_acceptance.score_files", "drae_acceptance.patch_labels",
        "drae_acceptance.gallery", "drae_acceptance.timing", "drae_data.patch_index", "drae_data.staged_folder",
    ],
    "calibrate": [
        "drae_acceptance.calibration", "drae_acceptance.score_files", "drae_acceptance.threshold_file",
        "drae_data.local_files",
    ],
    "evaluate": [
        "drae_acceptance.acceptance", "drae_acceptance.acceptance_tables", "drae_acceptance.calibration",
        "drae_acceptance.judging", "drae_acceptance.knapp", "drae_acceptance.plot_tables", "drae_acceptance.report",
        "drae_acceptance.verdict_table", "drae_acceptance.score_files", "drae_acceptance.threshold_file",
        "drae_data.local_files",
    ],
}  # fmt: skip


def stages(name: str = "dvc.yaml") -> dict[str, Any]:
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / name)["stages"]
    return values


def body(stage: str) -> dict[str, Any]:
    """What a stage says, `do` of one for each set; the set's name after @ does not count."""
    said = stages()[stage.partition("@")[0]]
    values: dict[str, Any] = said.get("do", said)
    return values


def code_of(dependencies: list[str]) -> set[str]:
    return {path for path in dependencies if path.partition("/")[0] in (*PACKAGES, "pipelines")}


def dvc_hash(path: Path) -> str:
    """The hash that DVC gives a file, or a folder: that of the JSON list of its files."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*.py")}
    rows = [{"md5": dvc_hash(file), "relpath": name} for name, file in sorted(files.items())]
    return hashlib.md5(json.dumps(rows).encode()).hexdigest() + ".dir"


def imported(entries: list[str]) -> set[Path]:
    """The files of PACKAGES that the entries import, directly or not, and themselves."""
    graph = grimp.build_graph(*PACKAGES)
    names = {name for entry in entries for name in {entry, *graph.find_upstream_modules(entry)}}
    bases = {ROOT / name.replace(".", "/") for name in names}
    return {base / "__init__.py" if base.is_dir() else base.with_suffix(".py") for base in bases}


@pytest.mark.parametrize("stage", sorted(ENTRIES))
def test_a_stage_depends_on_the_code_that_it_runs(stage: str) -> None:
    listed: set[Path] = set()
    for dependency in body(stage)["deps"]:
        path = ROOT / dependency
        if dependency.startswith(PACKAGES):
            listed |= set(path.rglob("*.py")) if path.is_dir() else {path}
    # The docstring of a folder that is listed whole is imported with any of its modules.
    texts = {path for path in listed if path.name == "__init__.py" and path.parent.name not in PACKAGES}
    assert listed - texts == imported(ENTRIES[stage]) - texts


def test_every_stage_of_the_pipeline_is_known_here() -> None:
    assert set(stages()) == set(ENTRIES)


@pytest.mark.parametrize("stage", sorted(stages("dvc.lock")))
def test_what_dvc_recorded_was_built_by_the_code_in_the_tree(stage: str) -> None:
    recorded = {item["path"]: item["md5"] for item in stages("dvc.lock")[stage]["deps"]}
    code = code_of(body(stage)["deps"])
    expected = {path: dvc_hash(ROOT / path) for path in sorted(code)}
    found = {path: recorded[path] for path in sorted(code_of(list(recorded)))}
    assert found == expected, "dvc.lock is of other code: run dvc repro and commit dvc.lock"
