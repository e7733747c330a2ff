"""pyproject.toml: a key stands where its tool reads it; every file of a package that is no module is named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from setuptools import find_packages  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def test_import_linter_is_told_nothing_that_it_does_not_read() -> None:
    assert set(SETTINGS["importlinter"]) == {"root_packages", "include_external_packages", "contracts"}


def test_setuptools_knows_every_package_and_its_other_files() -> None:
    found = set(find_packages(str(ROOT), include=SETTINGS["setuptools"]["packages"]["find"]["include"]))
    packages = {name for name in found if "." not in name}
    assert set(SETTINGS["importlinter"]["root_packages"]) == packages
    # A folder of modules that lacks __init__.py would be left out of the wheel.
    modules = {path.parent for name in packages for path in (ROOT / name).rglob("*.py")}
    assert found == {".".join(folder.relative_to(ROOT).parts) for folder in modules}
    others = {
        path
        for name in packages
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    named = {
        path
        for name, patterns in SETTINGS["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / name).glob(pattern)
    }
    assert others == named != set()
