"""What computes networks, SSIM, losses and scores needs no TensorFlow, so that it also runs on Keras' other backends.

Read from the source files, through every module of this project that they import.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("drae_model", "drae_data")


def imported(path: Path) -> set[str]:
    """All modules a file imports, at its top or inside a function; of `from a import b` also `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


def reached(module: str) -> dict[str, str]:
    """Top-level packages that a module brings with it, each with the file that imports it."""
    waiting, seen, found = [module], set(), {}
    while waiting:
        path = ROOT / (waiting.pop().replace(".", "/") + ".py")
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for name in imported(path):
            if name.startswith(OURS):
                waiting.append(name)
            else:
                found[name.partition(".")[0]] = path.name
    return found


@pytest.mark.parametrize(
    "module", ["networks", "reconstruction", "ssim", "losses", "scoring", "schedule", "operations"]
)
def test_no_tensorflow_comes_along(module: str) -> None:
    found = reached(f"drae_model.{module}")
    assert "keras" in found
    assert "tensorflow" not in found, found


def test_tensorflow_is_found_where_it_is() -> None:
    assert "tensorflow" in reached("drae_model.patch_dataset")
    # By way of another module.
    assert "tensorflow" in reached("drae_model.model_folder")
