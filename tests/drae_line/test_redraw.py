"""Pictures that a killed line had not drawn are drawn when it begins again: of the same frames, by the same judge."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_data.options import DatasetOptions, select_images
from drae_data.path_template import PathTemplate
from drae_line.frame_reading import read_frames
from drae_line.heat_pictures import write_pictures
from drae_line.incoming import Incoming
from drae_line.inspection import Engine
from drae_line.pictures_index import pictures_folder
from drae_line.redraw import redraw
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VerdictLog
from tests.drae_line.fake_judge import FakeJudge, good, one_bad
from tests.small_line import small_options, tree_bytes, write_line

OPTIONS = small_options(images=select_images([0, 2], []))


class Scene:
    """A line that has judged what lies in its folder, and was killed before it drew anything."""

    def __init__(self, folder: Path, options: DatasetOptions = OPTIONS) -> None:
        self.incoming, self.folder, self.options = folder / "incoming", folder / "line", options
        self.judge = FakeJudge(one_bad(5))
        self.engine = Engine(self.judge, options, 60_000)

    def run(self) -> None:
        watched = Incoming(self.incoming, self.options, 0.0, 1.0, [])
        watched.scan(0.0)
        with VerdictLog(self.folder / "verdicts.jsonl") as log:
            while (arrival := watched.take(0.0)) is not None:
                frames, digests, took = read_frames(self.incoming, arrival, self.options)
                prepared = self.engine.prepare(arrival.key, frames, arrival.folder, digests, {"read": took})
                log.append(self.engine.decide(prepared).slot)

    def redraw(self) -> tuple[int, list[str]]:
        with VerdictLog(self.folder / "verdicts.jsonl") as log:
            return redraw(log.last, self.engine, self.options, self.incoming, self.folder)

    def pictures(self) -> list[str]:
        return sorted(path.parent.name for path in self.folder.glob("pictures/*/index.json"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    write_line(tmp_path / "incoming", strips="AB", runs=1)
    found = Scene(tmp_path)
    found.run()
    yield found
    found.engine.close()


def test_missing_pictures_are_drawn_and_are_those_that_would_have_been(scene: Scene, tmp_path: Path) -> None:
    watched = Incoming(scene.incoming, OPTIONS, 0.0, 1.0, [])
    watched.scan(0.0)
    for sequence in (1, 2):
        arrival = watched.take(0.0)
        assert arrival is not None
        frames, _, _ = read_frames(scene.incoming, arrival, OPTIONS)
        found = scene.engine.inspect(arrival.key, frames)
        place = pictures_folder(tmp_path / "then", sequence)
        write_pictures(place, LoggedVerdict(sequence, "", found.slot), found, OPTIONS)
    assert scene.redraw() == (2, [])
    assert tree_bytes(scene.folder / "pictures") == tree_bytes(tmp_path / "then" / "pictures")
    assert len(tree_bytes(scene.folder / "pictures")) == 6


def test_the_verdicts_stand(scene: Scene) -> None:
    before = (scene.folder / "verdicts.jsonl").read_bytes()
    scene.redraw()
    assert (scene.folder / "verdicts.jsonl").read_bytes() == before


def test_what_is_drawn_already_is_not_drawn_again(scene: Scene) -> None:
    assert scene.redraw() == (2, [])
    (scene.folder / "pictures/000002/index.json").unlink()  # Killed while it was drawn.
    index = scene.folder / "pictures/000001/index.json"
    index.write_bytes(b"as it was")
    assert scene.redraw() == (1, [])
    assert index.read_bytes() == b"as it was"
    assert scene.pictures() == ["000001", "000002"]


def test_what_was_accepted_needs_no_pictures(tmp_path: Path) -> None:
    write_line(tmp_path / "incoming", strips="A", runs=1)
    scene = Scene(tmp_path)
    scene.judge.scoring = good
    scene.run()
    assert scene.redraw() == (0, [])
    assert not (scene.folder / "pictures").exists()
    scene.engine.close()


def test_frames_that_were_replaced_since_are_not_drawn(scene: Scene) -> None:
    cv2.imwrite(str(scene.incoming / "A/run_00/frame_02.png"), np.zeros((48, 64), np.uint8))
    drawn, failed = scene.redraw()
    assert (drawn, scene.pictures()) == (1, ["000002"])
    assert failed == ["verdict 1 on A/r0: superseded: its frames were replaced since"]


def test_a_frame_that_no_patch_needs_may_be_replaced(scene: Scene) -> None:
    cv2.imwrite(str(scene.incoming / "A/run_00/frame_01.png"), np.zeros((48, 64), np.uint8))
    assert scene.redraw() == (2, [])


@pytest.mark.parametrize("what", ["model", "thresholds"])
def test_another_judge_does_not_draw(scene: Scene, what: str) -> None:
    other = FakeJudge(one_bad(5))
    other.__dict__[f"{what}_digest"] = "other"
    scene.engine.swap(other)
    drawn, failed = scene.redraw()
    assert (drawn, scene.pictures(), len(failed)) == (0, [], 2)
    assert failed[0] == "verdict 1 on A/r0: superseded: another model or other thresholds judge by now"


def test_frames_that_are_gone_or_damaged_are_told_of_and_the_others_drawn(scene: Scene) -> None:
    shutil.rmtree(scene.incoming / "A")
    drawn, (failed,) = scene.redraw()
    assert (drawn, scene.pictures()) == (1, ["000002"])
    assert failed.startswith("verdict 1 on A/r0: ")
    (scene.incoming / "B/run_00/frame_00.png").write_bytes(b"nothing")
    shutil.rmtree(scene.folder / "pictures")
    drawn, failed_both = scene.redraw()
    assert (drawn, len(failed_both)) == (0, 2)
    assert "frame_00.png" in failed_both[1]


def test_acquisitions_that_are_files_are_drawn_too(tmp_path: Path) -> None:
    root = write_line(tmp_path / "incoming", strips="A", runs=1)
    for frame in range(3):
        (root / f"A/run_00/frame_{frame:02d}.png").rename(root / f"A_0_{frame}.png")
    options = small_options(template=PathTemplate("{strip}_{run}_{frame}.png"))
    scene = Scene(tmp_path, options)
    scene.run()
    assert scene.redraw() == (1, [])
    (picture,) = json.loads((scene.folder / "pictures/000001/index.json").read_bytes())["pictures"]
    assert (picture["vial"], picture["image"]) == (0, "f01")
    scene.engine.close()


def test_acquisitions_that_are_files_are_drawn_where_not_all_are_read(tmp_path: Path) -> None:
    root = write_line(tmp_path / "incoming", strips="A", runs=1)
    for frame in range(3):
        (root / f"A/run_00/frame_{frame:02d}.png").rename(root / f"A_0_{frame}.png")
    options = small_options(template=PathTemplate("{strip}_{run}_{frame}.png"), images=select_images([0, 2], []))
    scene = Scene(tmp_path, options)
    scene.run()
    assert scene.redraw() == (1, [])
    scene.engine.close()


def test_what_takes_too_long_to_be_judged_again_is_told_of(scene: Scene) -> None:
    def slow(patches: np.ndarray) -> list[float]:
        time.sleep(0.05)
        return good(patches)

    scene.judge.scoring = slow
    scene.engine.close()
    scene.engine = Engine(scene.judge, OPTIONS, 1.0)
    drawn, failed = scene.redraw()
    assert (drawn, len(failed)) == (0, 2)
    assert "A/r0" in failed[0]
