"""The report's pictures show the patches that they say, and which are chosen does not hang on chance."""

import base64
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.acquisition import PatchKey
from drae_data.dataset_report.offender_pictures import picture_offenders
from drae_data.dataset_report.offenders import choose_offenders
from drae_data.dataset_report.rank_gallery import gallery_places, rank_gallery
from drae_data.dataset_report.sampling import sampled, usual
from drae_data.dataset_report.sheets import contact_sheets, sheet_places
from drae_data.dataset_report.tiles import SIDE, in_grid, read_tiles
from drae_data.metadata import read_json
from drae_data.options import SplitOptions, select_images
from drae_data.patch_lookup import find_patch
from drae_data.patches import PatchOptions, resize
from drae_data.quality.inspection import Inspection
from drae_data.rank_images import Pixels
from tests.small_inspection import inspected, with_rows
from tests.small_line import build_dataset, files_of, small_options, write_line


def pixels_of(uri: str) -> Pixels:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


def tile_of(version: Path, key: str) -> Pixels:
    return resize(find_patch(files_of(version), key).pixels(), SIDE, SIDE, "nearest")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("version")
    build_dataset(write_line(folder / "frames", "ABCDEF"), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def inspection(version: Path) -> Inspection:
    return inspected(version)


def test_a_sheet_shows_the_patches_whose_keys_stand_below_it(version: Path, inspection: Inspection) -> None:
    measured = inspection.measured
    places = [n for own in sheet_places(measured).values() for n, _ in own]
    sheets = contact_sheets(read_tiles(files_of(version), measured, places))
    assert list(sheets) == ["R0", "R1"]
    for region, own in sheets.items():
        assert [sheet.split for sheet in own] == ["train", "validation"]
        for sheet in own:
            assert len(set(sheet.keys)) == len(sheet.keys) == 12
            assert {key.rsplit("/", 1)[1] for key in sheet.keys} == {region}
            assert {find_patch(files_of(version), key).row.split for key in sheet.keys} == {sheet.split}
            expected = in_grid([tile_of(version, key) for key in sheet.keys], 12)
            assert np.array_equal(pixels_of(sheet.picture), expected)
    # Every strip of the split is there before any comes again.
    keys = [PatchKey.parse(key).acquisition.strip for key in sheets["R0"][0].keys]
    strips = {measured.strip_names[n] for n in range(6) if measured.splits(n) == ("train",)}
    assert set(keys[: len(strips)]) == strips


def test_a_later_version_shows_the_same_strips(version: Path, tmp_path: Path, inspection: Inspection) -> None:
    build_dataset(write_line(tmp_path / "frames", "ABCDEFGH"), tmp_path / "out")
    later = inspected(tmp_path / "out").measured
    before = inspection.measured
    one = [str(before.keys[n]) for n, _ in sampled(before, "train", "R0", 50)]
    other = [str(later.keys[n]) for n, _ in sampled(later, "train", "R0", 50)]
    common = [key for key in dict.fromkeys(one) if key in other]
    assert len(common) > 2
    assert [key for key in dict.fromkeys(other) if key in common] == common


def test_fewer_patches_than_places_are_all_shown_once(tmp_path: Path) -> None:
    options = small_options(
        images=select_images([0], []), split=SplitOptions("none", Fraction(0), 1),
    )  # fmt: skip
    build_dataset(write_line(tmp_path / "frames", "AB", runs=1), tmp_path / "out", options)
    measured = inspected(tmp_path / "out").measured
    sheets = contact_sheets(read_tiles(files_of(tmp_path / "out"), measured, range(2)))
    assert sorted(sheets["R1"][0].keys) == ["A/r0/f00/v0/R1", "A/r0/f00/v1/R1", "B/r0/f00/v0/R1", "B/r0/f00/v1/R1"]


def test_a_rank_picture_has_each_patch_at_its_box(version: Path, inspection: Inspection) -> None:
    measured, files = inspection.measured, files_of(version)
    tiles = read_tiles(files, measured, gallery_places(measured))
    gallery = rank_gallery(tiles, read_json(files, "provenance.json", ""))
    assert len(gallery) == 4
    for shown in gallery:
        for image, uri in shown.pictures:
            picture = pixels_of(uri)
            # Boxes lie within 62 x 36 pixels and their longest side is 30, which a picture shows as SIDE.
            scale = SIDE / 30
            assert picture.shape == (round(36 * scale), round(62 * scale))
            for vial, region, (left, top, width, height) in (
                (0, "R0", (0, 0, 30, 20)), (1, "R0", (32, 0, 30, 20)), (1, "R1", (32, 20, 16, 16)),
            ):  # fmt: skip
                x0, x1 = round(left * scale), round((left + width) * scale)
                y0, y1 = round(top * scale), round((top + height) * scale)
                tile = tile_of(version, f"{shown.key}/{image}/v{vial}/{region}")
                assert np.array_equal(picture[y0:y1, x0:x1], resize(tile, y1 - y0, x1 - x0, "linear"))


def test_patches_with_bars_stand_in_lines(tmp_path: Path) -> None:
    options = small_options(patch=PatchOptions(16, "letterbox", "linear", 0, "png"))
    build_dataset(write_line(tmp_path / "frames", "ABC"), tmp_path / "out", options)
    measured, files = inspected(tmp_path / "out").measured, files_of(tmp_path / "out")
    gallery = rank_gallery(read_tiles(files, measured, range(6)), read_json(files, "provenance.json", ""))
    key = gallery[0].key
    lines = [f"{key}/min/v{vial}/{region}" for region in ("R0", "R1") for vial in (0, 1)]
    expected = in_grid([tile_of(tmp_path / "out", line) for line in lines], 2)
    assert np.array_equal(pixels_of(gallery[0].pictures[0][1]), expected)


def test_offenders_stand_beside_what_is_usual(version: Path, inspection: Inspection) -> None:
    found = with_rows(inspection, ("error", "exposure_outlier", "B/r1"), ("error", "repeated_frame", "C/r0"))
    chosen = choose_offenders(found)
    ordinary = usual(inspection.measured, np.arange(12), chosen[0].acquisition)
    assert [(words, n) for words, n in chosen[0].beside] == [("usual here", ordinary)]
    ranked = sorted(n for n in range(12) if n != chosen[0].acquisition)
    ranked.sort(key=lambda n: inspection.measured.brightness[n])
    assert ordinary == ranked[5]
    tiles = read_tiles(files_of(version), inspection.measured, range(12))
    bright, repeated = picture_offenders(chosen, tiles)
    expected = in_grid([tile_of(version, f"B/r1/f00/v1/{region}") for region in ("R0", "R1")], 8)
    assert np.array_equal(pixels_of(bright.pictures[0].picture), expected)
    assert bright.pictures[1].key == str(inspection.measured.keys[ordinary])
    # A rule of frames shows one box in every frame, not one frame's boxes.
    region = repeated.pictures[0].shows.split()[0]
    expected = in_grid([tile_of(version, f"C/r0/f0{frame}/v1/{region}") for frame in range(3)], 8)
    assert np.array_equal(pixels_of(repeated.pictures[0].picture), expected)


def test_of_a_strip_a_rule_is_shown_once_and_places_join_what_was_found_there(inspection: Inspection) -> None:
    found = with_rows(
        inspection, ("error", "defocus", "B/r1"), ("error", "defocus", "B/r0"), ("error", "saturation", "B/r1"),
        ("error", "split_shift", "R0"), ("error", "light_drift", "C"), ("error", "split_leak", "D"),
    )  # fmt: skip
    chosen = choose_offenders(found)
    places = [(one.rows[0].rule, one.rows[0].place) for one in chosen]
    assert places == [("defocus", "B/r1"), ("light_drift", "C"), ("split_leak", "D")]
    assert [row.rule for row in chosen[0].rows] == ["defocus", "saturation"]
    assert chosen[1].beside == (("one of the first", 0),)


def test_of_one_rule_no_more_than_five_are_shown(tmp_path: Path) -> None:
    build_dataset(write_line(tmp_path / "frames", "ABCDEFGHIJ", runs=1), tmp_path / "out")
    rows = [("error", "defocus", f"{strip}/r0") for strip in "ABCDEF"]
    rows += [("warning", "exposure_outlier", f"{strip}/r0") for strip in "JIHG"]
    chosen = choose_offenders(with_rows(inspected(tmp_path / "out"), *rows))
    assert [one.rows[0].place[0] for one in chosen] == list("ABCDEJIHG")


def test_a_strip_under_two_names_stands_beside_its_other_one(tmp_path: Path) -> None:
    root = write_line(tmp_path / "frames", "ABCD", runs=2)
    for path in sorted((root / "B").rglob("*.png")):
        (root / "D" / path.relative_to(root / "B")).write_bytes(path.read_bytes())
    build_dataset(root, tmp_path / "out")
    found = inspected(tmp_path / "out")
    twins = [row for row in found.rows if row.rule == "duplicated_strip"]
    assert [row.place for row in twins] == ["D"]
    one = next(one for one in choose_offenders(found) if one.rows[0].place == "D")
    keys = found.measured.keys
    assert (keys[one.acquisition].strip, one.beside[0][0]) == ("D", "the strip that shows the same")
    assert keys[one.beside[0][1]] == keys[one.acquisition]._replace(strip="B")


def test_a_run_of_another_strip_stands_beside_both(tmp_path: Path) -> None:
    """Strips of their own grey level each; one run of B shows C."""
    root = tmp_path / "frames"
    random = np.random.default_rng(1)
    for number, strip in enumerate("ABCDEF"):
        for run in range(3):
            folder = root / strip / f"run_{run:02d}"
            folder.mkdir(parents=True)
            shown = "ABCDEF".index("C") if (strip, run) == ("B", 2) else number
            for frame in range(3):
                grey = 60 + 25 * shown + random.normal(0, 2, (48, 64))
                cv2.imwrite(str(folder / f"frame_{frame:02d}.png"), grey.astype(np.uint8))
    build_dataset(root, tmp_path / "out")
    found = with_rows(inspected(tmp_path / "out"), ("error", "misfiled_run", "B/r2"))
    (one,) = choose_offenders(found)
    keys = found.measured.keys
    assert [(words, keys[n].strip) for words, n in one.beside] == [
        ("what it looks like", "C"), ("another run of its strip", "B"),
    ]  # fmt: skip


def test_a_changed_camera_stands_beside_the_acquisition_before(inspection: Inspection) -> None:
    (one,) = choose_offenders(with_rows(inspection, ("note", "camera_changed", "C/r0")))
    assert [(words, str(inspection.measured.keys[n])) for words, n in one.beside] == [
        ("the acquisition before", "B/r1")
    ]
