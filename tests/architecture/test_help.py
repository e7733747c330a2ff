"""Each stage and tool of pipelines can be started by name and says what it does."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _has_main(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


ENTRIES = sorted(path for path in (ROOT / "pipelines").rglob("*.py") if _has_main(path))


def test_the_build_is_an_entry() -> None:
    assert "build" in [path.stem for path in ENTRIES]


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_python_m_runs_main(path: Path) -> None:
    last = ast.parse(path.read_text(encoding="utf-8")).body[-1]
    assert isinstance(last, ast.If), f"{path.name} does not end in `if __name__ == '__main__':`"
    assert ast.unparse(last.test) == "__name__ == '__main__'"
    assert "main(" in ast.unparse(last)


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_help_tells_what_the_command_does(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    try:
        status = module.main(["--help"])
    except SystemExit as stop:
        status = stop.code
    text = capsys.readouterr().out
    assert status in (0, None)
    assert text.startswith("usage: python -m pipelines.")
    # The usage line alone says nothing: a description and the options' own words must follow it.
    assert len(text.split()) > 30, text
