"""Real sets of other people, built by the params of `examples/` alone: counts by hand, pixels by Pillow."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from drae_data.patch_lookup import find_patch
from drae_data.tables import TABLES, read_table
from drae_data.verification.dataset import verify_dataset
from drae_data.verification.frames import frames_changed
from pipelines.build import main
from tests.small_line import files_of

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
pytestmark = [pytest.mark.slow, pytest.mark.beam]


@dataclass(frozen=True)
class Expected:
    """What a set gives: by the number of its files and its params."""

    folder: str
    built: int
    quarantined: dict[str, int]
    left_out: int
    patches: int
    labels: dict[str, int]
    notes: set[str]


SETS = {
    # 31 acquisitions of 16 frames and two rank images, 9 boxes; the folder source/ holds a film.
    "bottle_strips": Expected(
        "bottle_strips", 31, {"missing_frame": 1}, 0, 31 * 18 * 9, {"good": 13, "defective": 12, "excluded": 6}, set()
    ),
    "bulk_water": Expected(
        "trackpy/bulk_water", 1, {}, 0, 18 * 4, {"unknown": 1}, {"alpha_dropped", "colour_converted"}
    ),
    "foam": Expected("trackpy/foam", 1, {}, 0, 11, {"unknown": 1}, set()),
    "vial_particle": Expected("vial_particle", 1, {"missing_frame": 1}, 0, 6, {"unknown": 1}, {"colour_converted"}),
    "aliens": Expected("aliens", 58, {}, 60, 58, {"good": 58}, {"colour_converted"}),
    # The same frames with tables of the examples' own: which acquisitions train, and which are judged.
    "bottle_strips_detection": Expected(
        "bottle_strips", 31, {}, 1, 31 * 18 * 9, {"good": 13, "defective": 12, "excluded": 6}, set()
    ),
    "aliens_detection": Expected("aliens", 118, {}, 0, 118, {"good": 58, "defective": 60}, {"colour_converted"}),
    "hazelnut": Expected(
        "hazelnut", 51, {"unmatched_name": 17}, 0, 51, {"good": 34, "defective": 17}, {"colour_converted"}
    ),
}


def built(name: str, tmp_path: Path, params: Path | None = None) -> Path:
    expected = SETS[name]
    if not (DATA / expected.folder).is_dir():
        pytest.skip(f"needs data: the folder shared/data/{expected.folder} beside the project")
    data, own = str(DATA / expected.folder), ROOT / f"examples/{name}/tables"
    params = params or ROOT / f"examples/{name}/params.yaml"
    arguments = ["--set", name.removesuffix("_detection"), "--params", str(params), "--root", data]
    arguments += ["--tables", str(own) if own.is_dir() else data, "--out", str(tmp_path / "v")]
    assert main(arguments) == 0
    return tmp_path / "v"


def count(values: list[str]) -> dict[str, int]:
    return {value: values.count(value) for value in set(values)}


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_is_built_by_params_alone(name: str, tmp_path: Path) -> None:
    expected, files = SETS[name], files_of(built(name, tmp_path))
    tables = {table: read_table(table, files.read(TABLES[table])).to_pylist() for table in TABLES}
    rows = tables["acquisitions"]
    assert len(rows) == expected.built
    assert count([row["reason"] for row in tables["quarantine"]]) == expected.quarantined
    assert len(tables["left_out"]) == expected.left_out
    assert count([row["label"] for row in rows]) == expected.labels
    assert {note for row in rows for note in row["notes"]} == expected.notes
    verified = verify_dataset(files, 2)
    assert verified.faults == () and sum(verified.records.values()) == expected.patches
    assert list(frames_changed(files, files_of(DATA / expected.folder))) == []


def test_a_patch_of_a_tiff_frame_is_what_pillow_reads(tmp_path: Path) -> None:
    found = find_patch(files_of(built("foam", tmp_path)), "V1.75f3/r0/f03/v0/R0")
    with PIL.Image.open(DATA / "trackpy/foam/V1.75f3.1250003.tif") as image:
        # 768 to 256 is a whole factor: an area average of 3 x 3 pixels, to within the rounding.
        blocks = np.asarray(image, np.float64).reshape(256, 3, 256, 3).mean(axis=(1, 3))
    assert np.abs(found.pixels() - blocks).max() <= 0.5 + 1e-9


def test_colour_is_refused_unless_params_say_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "examples/bulk_water/params.yaml").read_text()
    params = tmp_path / "params.yaml"
    params.write_text(text.replace("    pixels: {convert: [colour, alpha]} # without it they are refused\n", ""))
    assert params.read_text() != text
    if not (DATA / "trackpy/bulk_water").is_dir():
        pytest.skip("needs data: the folder shared/data/trackpy beside the project")
    data = str(DATA / "trackpy/bulk_water")
    arguments = ["--set", "bulk_water", "--params", str(params), "--root", data, "--out", str(tmp_path / "v")]
    assert main(arguments) == 1
    message = capsys.readouterr().err
    assert "pixels.convert" in message and "bulk_water_000.png" in message and "Traceback" not in message
