"""When and by which camera: from the name, the frame's tags or a sidecar; what is missing is noted, nothing stops."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import pyarrow as pa
import pytest

from drae_data.acquisition_facts import AcquisitionFacts, acquisition_facts
from drae_data.frames.decoding import CameraTags
from drae_data.intake import SidecarOptions, TimeOptions
from drae_data.options import DatasetOptions, SplitOptions
from drae_data.path_template import PathTemplate
from drae_data.tables import read_table
from drae_data.verification.dataset import verify_dataset
from tests.small_line import build_dataset, files_of, small_frame, small_options, write_line

NO_TIME, NO_SIDECAR = TimeOptions("", "", ""), SidecarOptions("", {})
TAGS = CameraTags(taken="2024:07:15 12:00:00", exposure="1/500", gain="2", serial="CAM-7")
KEYS = {"acquired_at": "time", "exposure": "camera.exposure", "gain": "camera.gain", "serial": "camera.serial"}
SIDECAR_TIME = TimeOptions("sidecar", "%Y-%m-%d %H:%M:%S", "Europe/Rome")


def facts(
    sidecar: bytes | None = None, time: TimeOptions = NO_TIME, options: SidecarOptions = NO_SIDECAR, name: str = ""
) -> AcquisitionFacts:
    return acquisition_facts(name, TAGS, sidecar, time, options)


def written(root: Path, options: DatasetOptions, out: Path) -> pa.Table:
    build_dataset(root, out, options)
    assert verify_dataset(files_of(out), 1).faults == ()
    return read_table("acquisitions", (out / "acquisitions.parquet").read_bytes())


def test_without_options_no_time_is_read_and_tags_are_kept() -> None:
    assert facts() == AcquisitionFacts("", "1/500", "2", "CAM-7", ())


def test_the_time_comes_from_where_it_is_said_to() -> None:
    assert facts(time=TimeOptions("tag", "", "UTC")).acquired_at == "2024-07-15T12:00:00.000000+00:00"
    name = facts(time=TimeOptions("name", "%Y%m%d", "UTC"), name="20240102")
    assert name.acquired_at == "2024-01-02T00:00:00.000000+00:00"
    sidecar = facts(b'{"time": "2024-01-15 12:00:00"}', SIDECAR_TIME, SidecarOptions("info.json", KEYS))
    assert (sidecar.acquired_at, sidecar.notes) == ("2024-01-15T11:00:00.000000+00:00", ())


@pytest.mark.parametrize("time", ["2024-10-27 02:30:00", "2024-03-31 02:30:00", "yesterday", None, 5, True, {}])
def test_a_time_that_came_twice_or_never_or_is_none_is_noted(time: object) -> None:
    found = facts(json.dumps({"time": time}).encode(), SIDECAR_TIME, SidecarOptions("info.json", KEYS))
    assert (found.acquired_at, found.notes) == ("", ("no_time",))


def test_a_sidecar_goes_before_the_tags_and_the_tags_fill_its_gaps() -> None:
    sidecar = json.dumps({"camera": {"exposure": 0.002, "gain": 3, "serial": ""}}).encode()
    found = facts(sidecar, options=SidecarOptions("info.json", KEYS))
    assert (found.exposure, found.gain, found.serial) == ("0.002", "3", "CAM-7")


@pytest.mark.parametrize(
    "sidecar",
    [None, b"", b"{", b"\xff\xfe\x00", b'{"camera": ' + b"[" * 200_000, b"1" * 5000, b'{"a": "\xff"}'],
)
def test_a_sidecar_that_cannot_be_read_is_noted(sidecar: bytes | None) -> None:
    found = facts(sidecar, options=SidecarOptions("info.json", KEYS))
    assert found == AcquisitionFacts("", "1/500", "2", "CAM-7", ("no_sidecar",))


@pytest.mark.parametrize(
    "tree",
    ["[1, 2]", "null", '"text"', '{"camera": [1]}', '{"camera": "x"}', '{"camera": {"gain": [1]}}',
     '{"camera": {"gain": true}}', '{"camera": {"gain": null}}', '{"camera": {"gain": "a\\u0000b"}}',
     '{"camera": {"gain": "\\ud800"}}', '{"camera": {"gain": "\\u202e"}}'],
)  # fmt: skip
def test_a_value_that_is_no_plain_text_or_number_is_passed_over(tree: str) -> None:
    assert facts(tree.encode(), options=SidecarOptions("info.json", KEYS)).gain == "2"


def test_a_long_value_is_cut() -> None:
    tree = json.dumps({"camera": {"serial": "x" * 1000}}).encode()
    assert facts(tree, options=SidecarOptions("info.json", KEYS)).serial == "x" * 100


def test_times_of_names_are_timestamps_in_the_table(tmp_path: Path) -> None:
    root = tmp_path / "frames"
    for strip, time in (("A", "20240715T120000"), ("B", "20241027T023000")):
        folder = root / f"{strip}_{time}"
        folder.mkdir(parents=True)
        for frame in range(3):
            cv2.imwrite(str(folder / f"frame_{frame}.png"), small_frame(strip, 0, frame))
    options = small_options(
        template=PathTemplate("{strip}_{time}/frame_{frame}.png"),
        acquired_at=TimeOptions("name", "%Y%m%dT%H%M%S", "Europe/Rome"),
    )
    table = written(root, options, tmp_path / "out")
    assert table.schema.field("acquired_at").type == pa.timestamp("us", tz="UTC")
    assert table.column("acquired_at").to_pylist() == [datetime(2024, 7, 15, 10, tzinfo=UTC), None]
    assert table.column("notes").to_pylist() == [[], ["no_time"]]


def sidecar_line(root: Path) -> Path:
    write_line(root, "AB", runs=1)
    for strip in "AB":
        values = {"time": f"2024-07-15 12:00:0{int(strip == 'B')}", "camera": {"serial": f"cam {strip}"}}
        (root / strip / "run_00" / "info.json").write_text(json.dumps(values))
    return root


def test_a_sidecar_is_no_strange_file_and_stands_in_the_table(tmp_path: Path) -> None:
    root = sidecar_line(tmp_path / "frames")
    (root / "B" / "run_00" / "info.json").unlink()
    options = small_options(acquired_at=SIDECAR_TIME, sidecar=SidecarOptions("info.json", KEYS))
    rows = written(root, options, tmp_path / "out").to_pylist()
    assert [row["serial"] for row in rows] == ["cam A", ""]
    assert [row["acquired_at"] for row in rows] == [datetime(2024, 7, 15, 10, tzinfo=UTC), None]
    assert [row["notes"] for row in rows] == [[], ["no_sidecar", "no_time"]]
    assert [row["ignored_files"] for row in rows] == [0, 0]
    assert [[file["file"] for file in row["sidecar"]] for row in rows] == [["info.json"], []]


def test_a_changed_sidecar_is_seen_by_the_next_build(tmp_path: Path) -> None:
    root = sidecar_line(tmp_path / "frames")
    options = small_options(sidecar=SidecarOptions("info.json", KEYS))
    build_dataset(root, tmp_path / "out", options)
    assert build_dataset(root, tmp_path / "out", options).reused == 2
    (root / "A" / "run_00" / "info.json").write_text('{"camera": {"serial": "another"}}')
    again = build_dataset(root, tmp_path / "out", options)
    assert again.reused == 1
    assert {row.serial for row in again.acquisitions} == {"another", "cam B"}


def test_a_sidecar_lies_in_the_acquisition_folder_also_where_frames_lie_deeper(tmp_path: Path) -> None:
    root = tmp_path / "frames"
    for strip in "AB":
        for vial in range(2):
            (root / strip / f"vial_{vial}").mkdir(parents=True)
            cv2.imwrite(str(root / strip / f"vial_{vial}" / "0.png"), small_frame(strip, 0, vial))
        (root / strip / "info.json").write_text(json.dumps({"camera": {"serial": f"cam {strip}"}}))
    options = small_options(
        template=PathTemplate("{strip}/vial_{vial}/{frame}.png"), frames=(0,), images=small_options().images[:1],
        sidecar=SidecarOptions("info.json", KEYS),
    )  # fmt: skip
    rows = written(root, options, tmp_path / "out").to_pylist()
    assert [row["serial"] for row in rows] == ["cam A", "cam B"]


def test_a_file_that_is_an_acquisition_has_its_sidecar_by_its_stem(tmp_path: Path) -> None:
    root = tmp_path / "frames"
    for label in ("ok", "nok"):
        (root / label).mkdir(parents=True)
        cv2.imwrite(str(root / label / f"{label}.1.png"), small_frame(label, 0, 0))
    (root / "ok" / "ok.1.json").write_text('{"camera": {"serial": "7"}}')
    options = small_options(
        template=PathTemplate("{label}/{strip}.png"), frames=(0,), images=small_options().images[:1],
        sidecar=SidecarOptions("{stem}.json", KEYS), split=SplitOptions("none", Fraction(0), 1),
    )  # fmt: skip
    rows: list[dict[str, Any]] = written(root, options, tmp_path / "out").to_pylist()
    assert [(row["strip"], row["serial"], row["notes"]) for row in rows] == [
        ("nok.1", "", ["no_sidecar"]), ("ok.1", "7", []),
    ]  # fmt: skip
