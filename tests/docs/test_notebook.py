"""The notebook runs from start to end on small versions, and is committed without what it showed to anybody."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from pipelines.build import main
from tests.small_line import build_dataset, write_line

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs/explore.ipynb"
BOTTLES = ROOT / "tests/data/bottle_strips"
pytestmark = pytest.mark.slow


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a kernel that is this Python; everything that Jupyter writes stays in the test's folder."""
    folder = tmp_path / "jupyter/kernels/this"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "this", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return "this"


def executed(kernel: str, folder: Path) -> tuple[list[str], int]:
    """Runs the notebook in a folder; returns the texts and the number of pictures that it shows."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name=kernel, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = [output["data"] for output in shown if output["output_type"] in ("display_data", "execute_result")]
    assert [output["text"] for output in shown if output["output_type"] == "stream"] == []
    texts = [one["text/plain"] for one in data if "image/png" not in one]
    return texts, sum("image/png" in one for one in data)


def test_it_shows_a_version_with_both_sides(kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, version = write_line(tmp_path / "frames"), tmp_path / "small/1.0.0"
    build_dataset(frames, version)
    monkeypatch.setenv("DRAE_DATASET", str(version))
    monkeypatch.setenv("DRAE_FRAMES", str(frames))
    texts, pictures = executed(kernel, ROOT / "docs")
    # 5 strips in 2 runs, 5 images of 2 vials and 2 regions; one strip is validation.
    assert "'acquisitions: 10'" in texts and "'quarantine: 0'" in texts
    assert "'200 patches; regions R0, R1; splits train, validation'" in texts
    assert "'frames as at the build: True; cut again, the same pixels: True'" in texts
    assert pictures == 5


def test_it_shows_real_frames_without_their_root(kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = tmp_path / "bottles"
    arguments = ["--set", "bottle_strips", "--params", str(ROOT / "examples/bottle_strips/params.yaml")]
    arguments += ["--root", str(BOTTLES), "--tables", str(BOTTLES), "--out", str(version)]
    monkeypatch.chdir(tmp_path)  # the build's log
    assert main(arguments) == 0
    monkeypatch.setenv("DRAE_DATASET", str(version))
    monkeypatch.setenv("DRAE_FRAMES", str(tmp_path / "absent"))
    texts, pictures = executed(kernel, ROOT / "docs")
    assert "'324 patches; regions R0, R1, R2; splits train'" in texts
    assert any("DRAE_FRAMES names the root of the frames" in text for text in texts)
    assert pictures == 4


def test_a_folder_that_is_no_version_ends_in_words(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAE_DATASET", str(tmp_path))
    with pytest.raises(CellExecutionError, match="this is no committed dataset version"):
        executed(kernel, ROOT / "docs")


def test_it_is_committed_clean() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "pandas" not in NOTEBOOK.read_text(encoding="utf-8")
