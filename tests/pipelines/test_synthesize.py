"""The synthesize stage writes whole acquisitions and labels; the same bytes on threads and processes; it builds."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from drae_data.synthetic.geometry import demo_boxes
from drae_data.tables import read_table
from pipelines.build import main as build
from pipelines.params import load_params
from pipelines.synthesize import main
from tests.small_line import tree_bytes

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.beam


def small_params(folder: Path) -> Path:
    """The demo profile at a quarter of the size: 350 x 275, 3 strips of a kit, 2 runs."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    line = values["synthesize"]
    line["folder"] = str(folder / "frames")
    line["line"]["frame"] = {"height": 275, "width": 350, "vials": 5}
    line["sets"] = {"kit": {"good": 1, "defective": 2, "runs": 2, "frames": [0, 7, 15]}}
    layout = values["strip_layout"]
    layout["frame_size"] = {"height": 275, "width": 350}
    layout["boxes"] = {name: [[side // 4 for side in box] for box in row] for name, row in layout["boxes"].items()}
    values["dataset"]["folder"] = str(folder / "datasets")
    places = {"root": str(folder / "frames/kit"), "tables": str(folder / "frames/kit_tables")}
    values["build"] = {"kit": {**values["build"]["kit"], **places, "images": {"frames": [0, 7, 15], "rank": []}}}
    path = folder / "params.yaml"
    YAML(typ="safe", pure=True).dump(values, path)
    return path


def test_a_set_is_written_whole_and_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = small_params(tmp_path)
    assert main(["--set", "kit", "--params", str(params)]) == 0
    assert "1 good and 2 defective strips, 6 acquisitions of 3 frames" in capsys.readouterr().out
    names = sorted(name for name in tree_bytes(tmp_path / "frames") if name.startswith("kit/"))
    assert len(names) == 3 * 2 * 3
    assert names[0].split("/")[2:] == ["run_00", "frame_00.png"]
    assert {name.rsplit("_", 1)[1] for name in names} == {"00.png", "07.png", "15.png"}
    with (tmp_path / "frames/kit_tables/labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {"strip", "vial", "region", "defect", "size", "label"} == rows[0].keys()
    assert {row["strip"] for row in rows} == {name.split("/")[1] for name in names}
    regions = load_params(params).strip_layout.options().regions
    assert all(row["region"] in regions and int(row["vial"]) < 5 for row in rows if row["label"] == "defective")
    assert build(["--set", "kit", "--params", str(params)]) == 0
    said = capsys.readouterr().out
    # 6 acquisitions of 3 frames, 5 vials, 4 regions.
    assert "360 (test 360)" in said
    # One good and two defective strips of two runs each; nothing is odd about the labels.
    assert "labels       defective 4, good 2\n" in said
    assert "finding" not in said
    content = (tmp_path / "datasets/kit/1.0.0/acquisitions.parquet").read_bytes()
    found = {row["strip"]: row["label"] for row in read_table("acquisitions", content).to_pylist()}
    assert found == {row["strip"]: row["label"] for row in rows}
    # The profile names the columns of type and size.
    content = (tmp_path / "datasets/kit/1.0.0/labels.parquet").read_bytes()
    defects = sorted((row["strip"], row["defect"], row["size"]) for row in read_table("labels", content).to_pylist())
    assert defects == sorted((row["strip"], row["defect"], float(row["size"] or 0)) for row in rows)


def test_what_an_earlier_run_left_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = small_params(tmp_path)
    arguments = ["--set", "kit", "--params", str(params)]
    assert main(arguments) == 0
    acquisition = next((tmp_path / "frames/kit").glob("*/run_00"))
    shutil.copytree(acquisition, tmp_path / "frames/kit/OLD/run_00")
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/frames/kit: expected 6 acquisitions, found more" in said
    assert "remove this folder" in said
    shutil.rmtree(tmp_path / "frames/kit/OLD")
    (acquisition / "frame_09.png").write_bytes(b"")
    assert main(arguments) == 1
    assert f"{acquisition}: expected 3 frames, found more" in capsys.readouterr().err


@pytest.mark.slow
def test_threads_and_processes_write_the_same_bytes(tmp_path: Path) -> None:
    params = small_params(tmp_path)
    runs = {
        "one": ["--threads", "1"],
        "four": ["--threads", "4"],
        "processes": ["--threads", "1", "--direct_running_mode=multi_processing", "--direct_num_workers=2"],
    }
    for name, flags in runs.items():
        assert main(["--set", "kit", "--params", str(params), "--folder", str(tmp_path / name), *flags]) == 0
    assert tree_bytes(tmp_path / "one") == tree_bytes(tmp_path / "four") == tree_bytes(tmp_path / "processes")


def test_what_the_user_gave_wrong_ends_in_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = small_params(tmp_path)
    assert main(["--set", "production", "--params", str(params)]) == 1
    assert "expected one of ['kit'] (synthesize.sets), got 'production'" in capsys.readouterr().err
    bottles = str(ROOT / "examples/bottle_strips/params.yaml")
    assert main(["--set", "kit", "--params", bottles]) == 1
    assert "section synthesize is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["params.yaml", "params.paper.yaml"])
def test_the_layout_of_the_profiles_is_the_one_that_the_labels_of_the_line_mean(name: str) -> None:
    params = load_params(ROOT / name)
    boxes = params.strip_layout.options().layouts[""].boxes
    assert {region: list(row) for region, row in boxes.items()} == demo_boxes(1100, 1400, 5)
