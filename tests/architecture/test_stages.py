"""The stages in dvc.yaml depend on exactly the code that decides their bytes, as the imports themselves say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import grimp
import pytest
from dvc.repo import Repo
from pathspec import GitIgnoreSpec
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]

IGNORED = GitIgnoreSpec.from_lines((ROOT / ".dvcignore").read_text().splitlines()).match_file
PACKAGES = ("drae_data", "drae_model", "drae_acceptance")

# Modules that decide nothing of what a stage leaves: how it starts, what it says, how long it took.
NO_BYTES = {
    "pipelines.collector", "pipelines.console", "pipelines.engines", "pipelines.gate", "pipelines.quiet_tensorflow",
    "pipelines.run_log", "pipelines.runner", "pipelines.score_timing", "drae_data.build_summary",
}  # fmt: skip
# For these stages alone: where files are written; how a version is linked, whose bytes stay what they are.
NO_BYTES_OF = {
    "synthesize": {
        "drae_data.files",
        "drae_data.local_files",
        "pipelines.beam_files",
        "pipelines.patient_files",
        "pipelines.s3_clients",
    },
    "archive": {"drae_data.errors", "drae_data.publication", "pipelines.beam_files"},
}


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
    """The hash that DVC gives a file, or a folder: that of the JSON list of its files, but for those in .dvcignore."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    # With the folder's name before it: what .dvcignore says of the root holds there alone.
    kept = sorted(name for name in files if not IGNORED(f"{path.name}/{name}"))
    rows = [{"md5": dvc_hash(files[name]), "relpath": name} for name in kept]
    return hashlib.md5(json.dumps(rows).encode()).hexdigest() + ".dir"


def test_the_hash_of_a_folder_is_dvcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC itself is asked: every file counts, whatever its suffix, but for what .dvcignore names."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    folder = tmp_path / "code"
    for name in ("b.py", "a/page.html", "a.txt", "build/c.py", "__pycache__/b.pyc", "a/.DS_Store", "ä ö.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / ".dvcignore").write_text((ROOT / ".dvcignore").read_text())
    with Repo.init(str(tmp_path), no_scm=True) as repo:
        (stage,) = repo.add(str(folder), no_commit=True)
        assert stage.outs[0].hash_info.value == dvc_hash(folder)
    before = dvc_hash(folder)
    (folder / "a/page.html").write_text("changed")
    assert dvc_hash(folder) != before


def modules_of(stage: str) -> tuple[set[str], set[str]]:
    """Modules that a stage runs: of pipelines, and those of PACKAGES that these import, directly or not.

    The params loader is not followed: what it reads is DVC's to compare, and what it checks decides no bytes.
    """
    graph = grimp.build_graph("pipelines", *PACKAGES)
    left_out = NO_BYTES | NO_BYTES_OF.get(stage, set())
    shell, entries, todo = set(), set(), {f"pipelines.{stage}"}
    while todo:
        module = todo.pop()
        shell.add(module)
        found = graph.find_modules_directly_imported_by(module) - left_out
        entries |= {name for name in found if name.partition(".")[0] in PACKAGES}
        todo |= {name for name in found if name.startswith("pipelines.") and "params" not in name} - shell
    found = {name for entry in entries for name in {entry, *graph.find_upstream_modules(entry)}}
    # Whoever imports a module of it runs the package's own file; drae_model's says which kernels TensorFlow takes.
    return shell, found | ({"drae_model"} if any(name.startswith("drae_model.") for name in found) else set())


def files_of(modules: set[str]) -> set[Path]:
    bases = {ROOT / name.replace(".", "/") for name in modules}
    return {base / "__init__.py" if base.is_dir() else base.with_suffix(".py") for base in bases}


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_depends_on_the_code_that_it_runs(stage: str) -> None:
    shell, modules = modules_of(stage)
    assert f"pipelines.{stage}" in shell
    listed: set[Path] = set()
    for dependency in code_of(body(stage)["deps"]):
        path = ROOT / dependency
        listed |= set(path.rglob("*.py")) if path.is_dir() else {path}
    # The docstring of a folder that is listed whole is imported with any of its modules.
    texts = {path for path in listed if path.name == "__init__.py" and path.parent.name not in PACKAGES}
    params = {path for path in listed if path.parent.name == "pipelines" and "params" in path.name}
    expected = files_of(shell | modules) - texts
    found = {path for path in listed - texts - params if path.suffix == ".py"}
    missing, spare = (
        sorted(str(path.relative_to(ROOT)) for path in files) for files in (expected - found, found - expected)
    )
    assert (missing, spare) == ([], []), "dvc.yaml must name the first and not the second"


def test_what_is_said_to_decide_no_bytes_is_there() -> None:
    assert all(path.is_file() for path in files_of(NO_BYTES.union(*NO_BYTES_OF.values())))


@pytest.mark.parametrize("stage", sorted(stages("dvc.lock")))
def test_what_dvc_recorded_was_built_by_the_code_in_the_tree(stage: str) -> None:
    recorded = {item["path"]: item["md5"] for item in stages("dvc.lock")[stage]["deps"]}
    code = code_of(body(stage)["deps"])
    expected = {path: dvc_hash(ROOT / path) for path in sorted(code)}
    found = {path: recorded[path] for path in sorted(code_of(list(recorded)))}
    assert found == expected, "dvc.lock is of other code: run dvc repro and commit dvc.lock"
