"""The shape of the house, read from the source files themselves: an independent look beside import-linter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["pipelines", "drae_data", "drae_model", "drae_acceptance", "drae_line"]
LONGEST_MODULE = 300  # lines; a module that outgrows it holds two things
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_roots(source: str) -> Iterator[str]:
    """Yields the top-level package of each import, also of `import_module("name")` and `__import__("name")`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield module.partition(".")[0]


def test_both_packages_were_found() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} >= {"pipelines", "drae_data"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_short_enough_to_hold_one_thing(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines < LONGEST_MODULE, f"{_name(path)} has {lines} lines: split it at the seam that its names show"


@pytest.mark.parametrize(
    ("source", "roots"),
    [
        ("import apache_beam as beam", ["apache_beam"]),
        ("from apache_beam.io import filesystems", ["apache_beam"]),
        ("def f():\n    import apache_beam.io", ["apache_beam"]),
        ("if TYPE_CHECKING:\n    from apache_beam import PCollection", ["apache_beam"]),
        ("importlib.import_module('apache_beam.io')", ["apache_beam"]),
        ("__import__('apache_beam')", ["apache_beam"]),
        ("from . import apache_beam", []),
        ("text = 'import apache_beam'", []),
    ],
)
def test_imports_are_found_in_every_form(source: str, roots: list[str]) -> None:
    assert list(imported_roots(source)) == roots


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] != "pipelines"], ids=_name)
def test_only_pipelines_imports_beam(path: Path) -> None:
    assert "apache_beam" not in imported_roots(path.read_text(encoding="utf-8"))
