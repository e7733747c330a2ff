"""The tutorial, followed from its own blocks: every command runs, what the page shows comes, the report is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FrameOptions
from tests.docs.pages import ROOT, blocks
from tests.docs.walk import Step, first_absent, walk

TUTORIAL = ROOT / "docs/tutorial.md"
# Pages whose commands go on from where the tutorial ends, in this order.
AFTERWARDS = ("set_a_layout", "change_a_threshold", "read_an_alarm", "move_to_a_cluster")
pytestmark = [pytest.mark.slow, pytest.mark.beam]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the project's."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def steps(project: Path) -> list[Step]:
    """The tutorial, followed to its end or to the first step that fails."""
    return walk(TUTORIAL.read_text(encoding="utf-8"), project)


def test_every_step_ends_as_the_page_says(steps: list[Step]) -> None:
    assert [step.problem for step in steps if step.problem] == []
    assert len(steps) == sum(block.kind == "sh" for block in blocks(TUTORIAL.read_text(encoding="utf-8")))


def test_the_page_shows_what_most_commands_print(steps: list[Step]) -> None:
    shown = [step for step in steps if step.shown]
    assert len(shown) >= 12
    assert sum(len(block.text.splitlines()) for step in shown for block in step.shown) >= 40


def test_it_ends_with_a_report_and_two_versions(steps: list[Step], project: Path) -> None:
    assert not steps[-1].problem
    made = project / "tutorial"
    assert "acq025" in (made / "reports/acceptance.html").read_text()
    values = json.loads((made / "reports/acceptance/metrics.json").read_text())
    assert values["run"]["samples"] == 21
    assert sorted(path.name for path in (made / "datasets/bottles").iterdir() if path.name[0] != ".") == [
        "1.0.0", "1.1.0",
    ]  # fmt: skip
    assert pq.read_metadata(made / "reports/data/bottles/violations.parquet").num_rows > 0
    assert len(json.loads((made / "thresholds/history.json").read_text())) == 3


def test_the_rules_are_those_of_the_demo() -> None:
    """A rule or limit that is new must be in the page too, or a reader's file is refused."""
    yaml = YAML(typ="safe", pure=True)
    texts = [block.text for block in blocks(TUTORIAL.read_text(encoding="utf-8")) if block.kind == "yaml"]
    (section,) = [found["inspect_data"] for text in texts if "inspect_data" in (found := yaml.load(text))]
    demo = yaml.load(ROOT / "params.yaml")["inspect_data"]
    assert {**section, "folder": demo["folder"]} == demo


def test_pictures_that_the_page_speaks_of_are_there(steps: list[Step], project: Path) -> None:
    page = TUTORIAL.read_text(encoding="utf-8")
    named = set(re.findall(r"`(tutorial/[\w./]+\.(?:png|html|json))`", page))
    assert len(named) >= 6
    assert [name for name in sorted(named) if not (project / name).is_file()] == []


@pytest.mark.parametrize("name", AFTERWARDS)
def test_what_follows_the_tutorial_can_be_followed(name: str, steps: list[Step], project: Path) -> None:
    assert not steps[-1].problem
    page = (ROOT / f"docs/how-to/{name}.md").read_text(encoding="utf-8")
    followed = walk(page, project)
    assert [step.problem for step in followed if step.problem] == []
    assert len(followed) == sum(block.kind == "sh" for block in blocks(page)) > 0


def test_the_film_gives_the_frames_of_the_tests(steps: list[Step], project: Path) -> None:
    """The acquisitions that lie with the tests, pixel by pixel: the film is decoded as it was when they were cut."""
    frames = sorted((ROOT / "tests/data/bottle_strips").glob("acq*/*.png"))
    assert len(frames) == 32
    for path in frames:
        cut = project / "tutorial/camera" / path.parent.name / path.name
        assert np.array_equal(pixels(cut), pixels(path))


def pixels(path: Path) -> npt.NDArray[np.uint8]:
    return decode_frame(path.read_bytes(), path.name, FrameOptions(1_000_000, 8, "right", ())).pixels


@pytest.mark.parametrize(
    ("shown", "absent"),
    [
        ("patches      504 (train 108), ...", None),
        ("shards 3\n", "shards 3"),
        ("labels good 11\npatches      504 (train 108), ...", "patches      504 (train 108), ..."),
        ("patches      505 (train 108), ...", "patches      505 (train 108), ..."),
    ],
)
def test_a_page_that_shows_something_else_is_found(shown: str, absent: str | None) -> None:
    assert first_absent(shown, "  patches      504 (train 108), 9.5 MB\nlabels good 11\n") == absent


def test_a_command_that_fails_stops_the_walk(tmp_path: Path) -> None:
    page = "```sh\nA=1\n```\n```sh\nfalse # exit status 1\n```\n```sh\necho $A; exit 3\n```\n```sh\necho never\n```\n"
    steps = walk(page, tmp_path)
    assert [(step.status, bool(step.problem)) for step in steps] == [(0, False), (1, False), (3, True)]
    assert steps[-1].output == "1\n"


def test_sections_of_a_file_are_replaced_or_added(tmp_path: Path) -> None:
    page = "`a.yaml`:\n\n```yaml\nx: # one\n  k: 1\ny: 2\n```\n\n`a.yaml`:\n\n```yaml\nx:\n  k: 3\n\nz: {k: 4}\n```\n"
    walk(page, tmp_path)
    assert (tmp_path / "a.yaml").read_text() == "x:\n  k: 3\n\ny: 2\nz: {k: 4}\n"
