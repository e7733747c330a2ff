"""A wrong params file ends in one message that names key, value and what is allowed."""

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drae_data.errors import OptionError
from drae_data.labels import read_label_table
from drae_data.synthetic.labels import COLUMNS
from pipelines.params import Params, ParamsError, load_params
from tests.small_params import load_values, read_values, set_value

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted([*ROOT.glob("params*.yaml"), *ROOT.glob("examples/*/params.yaml")])


def plain() -> dict[str, Any]:
    return read_values(ROOT / "examples/bottle_strips/params.yaml")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_profile_in_the_repository_is_valid(path: Path) -> None:
    params = load_params(path)
    for name, chosen in params.build.items():
        tables = dict.fromkeys(chosen.table_names("a folder" if chosen.tables is None else chosen.tables), b"")
        assert params.dataset_options(name, tables).patches_per_acquisition > 0


def test_values_arrive_where_they_belong(tmp_path: Path) -> None:
    params = load_values(tmp_path, plain())
    options = params.dataset_options("bottle_strips")
    assert options.layouts.layouts[""].frame_size == (240, 640)
    # 0.1 is one tenth, not the binary fraction nearest to it.
    assert options.split.validation_fraction == Fraction(1, 10)
    assert [str(image) for image in options.images][-3:] == ["f15", "min", "max"]
    assert params.version_folder("bottle_strips") == "datasets/bottle_strips/1.0.0"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (
            "patch.sizes",
            256,
            r"patch\.sizes: unknown key \(value 256\).*allowed here: encoding, fill, fit, grow, size.*'size'",
        ),
        ("build.bottle_strips.framez", [0], r"build\.bottle_strips\.framez: unknown key.*did you mean 'frames'"),
        ("patches", {}, r"patches: unknown key.*allowed here: acceptance, build, .*, patch, .*did you mean 'patch'"),
        ("patch.size", "256", r"patch\.size: expected a valid integer, got '256' \(str\)"),
        ("patch.size", 4, r"patch\.size: expected greater than or equal to 8, got 4"),
        ("patch.fit", "crop", r"patch\.fit: expected 'stretch' or 'letterbox', got 'crop'"),
        ("build.bottle_strips.split.validation_fraction", 1.5, r"validation_fraction.*less than 1, got 1\.5"),
        ("strip_layout.boxes.R0", [[0, 0, 10]], r"strip_layout\.boxes\.R0\.0: expected .*4 items"),
        ("dataset.version", "1.0", r"dataset\.version: expected .*got '1\.0'"),
        ("dataset.version", 1.0, r"dataset\.version: expected a valid string, got 1\.0 \(float\)"),
        ("strip_layout.boxes.R0", [[0, 0, math.inf, 1]], r"R0\.0\.2: expected a finite number, got inf \(float\)$"),
        ("strip_layout.boxes.R0", [[0, 0, "9", 1]], r"R0\.0\.2: expected a valid number, got '9' \(str\)$"),
        ("build.bottle_strips.split.validation_fraction", math.nan, r"validation_fraction: expected a finite number"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(tmp_path: Path, place: str, value: object, said: str) -> None:
    values = plain()
    set_value(values, place, value)
    with pytest.raises(ParamsError, match=said):
        load_values(tmp_path, values)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    values = plain()
    del values["patch"]["grow"]
    with pytest.raises(ParamsError, match=r"patch\.grow: missing"):
        load_values(tmp_path, values)


def test_values_that_only_together_are_wrong_are_named_too(tmp_path: Path) -> None:
    values = plain()
    values["strip_layout"]["boxes"]["R0"][0] = [0, 0, 700, 80]
    with pytest.raises(OptionError, match=r"strip_layout\.boxes\.R0\[0\]: expected .*640 x 240.*got"):
        load_values(tmp_path, values).dataset_options("bottle_strips")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("path_template", "{frame}.png", r"build\.bottle_strips\.path_template: expected the field \{strip\}"),
        ("path_template", "{strip}.png", r"build\.bottle_strips\.frames: expected \[0\], since path_template has no"),
        ("frames", [3, 1], r"build\.bottle_strips\.frames: expected ascending"),
        ("images", {"frames": [99], "rank": []}, r"build\.bottle_strips\.images\.frames: expected indices among"),
        ("split", {"by": "none", "validation_fraction": 0.1, "seed": 1},
         r"build\.bottle_strips\.split\.validation_fraction: expected 0, since split\.by is 'none', got 0\.1"),
    ],
)  # fmt: skip
def test_a_wrong_value_of_a_set_is_named_with_its_set(tmp_path: Path, place: str, value: object, said: str) -> None:
    values = plain()
    values["build"]["bottle_strips"][place] = value
    with pytest.raises(OptionError, match=said):
        load_values(tmp_path, values).dataset_options("bottle_strips")


def test_a_set_name_that_no_dataset_can_have_is_refused(tmp_path: Path) -> None:
    values = plain()
    values["build"] = {"my-kit": values["build"]["bottle_strips"]}
    with pytest.raises(
        OptionError, match=r"^build: expected set names of lower-case letters, digits and underscores.*got 'my-kit'$"
    ):
        load_values(tmp_path, values).dataset_options("my-kit")


def test_a_wrong_value_of_a_synthetic_set_is_named_with_its_set() -> None:
    params = load_params(ROOT / "params.yaml").synthesize
    assert params is not None
    sets = {**params.sets, "kit": params.sets["kit"].model_copy(update={"runs": 0})}
    with pytest.raises(OptionError, match=r"^synthesize\.sets\.kit\.runs: expected a whole number"):
        params.model_copy(update={"sets": sets}).options()


def test_an_unknown_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"--set: expected one of \['bottle_strips'\].*got 'kit'"):
        load_values(tmp_path, plain()).dataset_options("kit")


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "a: [1\n", "{", "", "- 1\n", "\x00", "lot: 2024-13-45\n", "a: !!bool x\n", "[" * 5000]
)
def test_what_is_no_params_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        load_params(path)
    with pytest.raises(ParamsError, match="expected a params file"):
        load_params(tmp_path / "absent.yaml")


def test_the_paper_profile_has_the_papers_numbers() -> None:
    """782 strips x 10 runs x (16 + 2) images x 5 vials x 4 regions; 3 x 5 x 4 = 60 patches of a kit acquisition."""
    params = load_params(ROOT / "params.paper.yaml")
    assert params.synthesize is not None
    sets = params.synthesize.sets
    production = params.dataset_options("production")
    assert sets["production"].good * sets["production"].runs * production.patches_per_acquisition == 2_815_200
    assert production.split.by == "acquisition"
    assert params.dataset_options("kit").patches_per_acquisition == 60
    assert (sets["kit"].good, sets["kit"].defective, sets["kit"].runs) == (120, 141, 10)


def leaves(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Every value that is no section, by its place."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= leaves(value, f"{place}{key}.") if isinstance(value, dict) else {f"{place}{key}": value}
    return found


def test_the_profiles_differ_in_training_sizes_split_and_judged_images_alone() -> None:
    demo, paper = (leaves(load_params(ROOT / name).model_dump()) for name in ("params.yaml", "params.paper.yaml"))
    differing = {place for place in demo.keys() | paper.keys() if demo.get(place) != paper.get(place)}
    # The demo trains on what the paper's profile does not build: images like those it judges.
    assert {place for place in differing if not place.startswith(("train.", "build.training."))} == {
        *(f"synthesize.sets.{name}.{key}" for name in ("calibration", "kit") for key in ("good", "defective")),
        "synthesize.sets.production.good",
        "synthesize.sets.production.runs",
        "build.production.split.by",
        *(
            f"build.{name}.align.{key}"
            for name in ("production", "calibration", "kit")
            for key in ("reference", "max_shift")
        ),
        *(f"build.{name}.images.{key}" for name in ("calibration", "kit") for key in ("frames", "rank")),
        "score.batch_size",
        "line.drift.index",
    }


def test_the_paper_profile_judges_as_the_paper_does() -> None:
    """Section 7.4: 7 of 10 runs, thresholds of the best accuracy; here of other strips, as many as the kit has."""
    params = load_params(ROOT / "params.paper.yaml")
    assert params.synthesize is not None
    assert params.synthesize.sets["calibration"] == params.synthesize.sets["kit"]
    rule = params.confirm_rule()
    assert (rule.runs_required, rule.at_least, rule.of) == (10, 7, 10)
    section = params.calibrate_params()
    assert (section.protocol, section.set, params.evaluate_params().set) == ("disjoint", "calibration", "kit")
    assert set(section.goals.model_dump().values()) == {"accuracy"}
    for name in ("calibration", "kit"):
        options = params.dataset_options(name)
        # Frames 1, 8 and 16 and no rank image.
        assert [str(image) for image in options.images] == ["f00", "f07", "f15"]
        assert params.score_params(name)[1].split == "test"


@pytest.mark.parametrize("path", sorted(ROOT.glob("params*.yaml")), ids=lambda path: path.name)
def test_a_profile_has_every_section(path: Path) -> None:
    params = load_params(path)
    assert [name for name in Params.model_fields if getattr(params, name) is None] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("params*.yaml")), ids=lambda path: path.name)
def test_what_the_synthetic_line_says_of_defects_is_read(path: Path) -> None:
    params = load_params(path)
    for name in {params.calibrate_params().set, params.evaluate_params().set}:
        labels = params.dataset_options(name, {"reference.png": b""}).labels
        assert labels is not None
        content = "\n".join([",".join(COLUMNS), "K1,2,R1,burn,12.5,defective"]).encode()
        (row,) = read_label_table(content, labels, "labels.csv")
        assert (row.label, row.vial, row.region, row.defect, row.size) == ("defective", 2, "R1", "burn", 12.5)
