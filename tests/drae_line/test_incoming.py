"""When the turn of an acquisition comes, with files on the disk and a clock that the test moves."""

import os
import random
import shutil
from collections.abc import Container, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError
from drae_data.intake import IntakeOptions
from drae_data.options import SplitOptions, select_images
from drae_data.path_template import FramePlace, PathTemplate
from drae_data.strip_layout import StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_line.incoming import Arrival, Incoming
from tests.small_line import small_options

SETTLE, PATIENCE = 1.0, 10.0
A, B = AcquisitionKey("A", 0), AcquisitionKey("B", 0)
FRAMES = tuple(f"frame_{frame:02d}.png" for frame in range(3))
PLACES = {FramePlace(-1, "", frame): name for frame, name in enumerate(FRAMES)}
NONE = SplitOptions("none", Fraction(0), 1)
MARKER = IntakeOptions("refuse", "done.txt", 0, "inside")


class Scene:
    """A watched folder, and what the camera's computer does in it."""

    def __init__(self, root: Path, judged: Container[str] = (), **changes: Any) -> None:
        self.root, self._ticks = root, 0
        self.options = small_options(split=NONE, **changes)
        self.incoming = Incoming(root, self.options, SETTLE, PATIENCE, judged)

    def write(self, path: str, content: bytes = b"frame") -> None:
        """Nobody is told of it; each write has a time of its own, however fast they follow each other."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self._ticks += 1
        os.utime(place, ns=(0, self._ticks * 10**9))

    def told(self, path: str, now: float, *, closed: bool = True, content: bytes = b"frame") -> str:
        self.write(path, content)
        return self.incoming.notice(path, closed, now)

    def strip(self, name: str, now: float, frames: Sequence[str] = FRAMES, *, closed: bool = True) -> None:
        for frame in frames:
            assert self.told(f"{name}/run_00/{frame}", now, closed=closed) == ""

    def take(self, now: float) -> Arrival | None:
        return self.incoming.take(now)

    def taken(self, now: float) -> Arrival:
        arrival = self.take(now)
        assert arrival is not None
        return arrival

    def refused(self, now: float) -> AcquisitionError:
        """Why the acquisition is given up whose turn it is; just before nothing was."""
        assert self.take(now - 0.01) is None
        problem = self.taken(now).problem
        assert problem is not None
        return problem


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("order", list(permutations(FRAMES)))
def test_it_is_complete_at_once_when_every_frame_was_closed_in_any_order(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    scene = Scene(tmp_path)
    for moment, frame in enumerate(order):
        assert scene.take(moment) is None
        assert scene.told(f"A/run_00/{frame}", moment) == ""
    assert scene.take(2.0) == Arrival(A, "A/run_00", PLACES, 2.0, None)
    assert scene.take(100.0) is None
    assert len(scene.incoming) == 0


def test_without_events_it_is_complete_once_its_frames_have_settled(scene: Scene) -> None:
    for moment, frame in enumerate(FRAMES):
        scene.write(f"A/run_00/{frame}")
        assert scene.incoming.scan(moment) == []
        assert scene.take(moment) is None
    assert scene.take(2 + SETTLE - 0.01) is None
    arrival = scene.taken(2 + SETTLE)
    assert (arrival.complete, arrival.problem, arrival.frames) == (2 + SETTLE, None, PLACES)


def test_frames_that_no_event_told_of_are_found_and_settle(scene: Scene) -> None:
    for frame in FRAMES:
        scene.write(f"A/run_00/{frame}")
    assert scene.take(0.0) is None
    assert scene.incoming.scan(1.0) == []
    assert scene.take(1.0) is None
    assert scene.take(1 + SETTLE - 0.01) is None
    assert scene.taken(1 + SETTLE).key == A


def test_one_frame_that_is_still_open_holds_the_others_back(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:2])
    scene.told(f"A/run_00/{FRAMES[2]}", 0.0, closed=False, content=b"f")
    assert scene.take(0.0) is None
    for moment in (0.5, 1.0, 1.5):  # It grows, and never rests for long enough.
        scene.told(f"A/run_00/{FRAMES[2]}", moment, closed=False, content=b"f" * int(10 * moment))
        assert scene.take(moment) is None
    scene.told(f"A/run_00/{FRAMES[2]}", 2.0, content=b"f" * 20)
    assert scene.taken(2.0).complete == 2.0


def test_a_frame_that_is_opened_again_is_open(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:2])
    path = f"A/run_00/{FRAMES[2]}"
    scene.told(path, 0.0)
    scene.told(path, 0.0, closed=False, content=b"more of it")
    assert scene.take(0.0) is None
    assert scene.take(PATIENCE - 0.01) is None
    assert scene.taken(PATIENCE).key == A


@pytest.mark.parametrize("looked", [True, False])
def test_a_frame_that_changes_after_it_was_closed_must_settle(scene: Scene, looked: bool) -> None:
    path = f"A/run_00/{FRAMES[1]}"
    scene.told(path, 0.0)
    if looked:
        assert scene.take(0.0) is None
    scene.write(path, b"half of ano")
    scene.strip("A", 1.0, FRAMES[::2])
    assert scene.take(1.0) is None
    assert scene.taken(1 + SETTLE).key == A


def test_what_is_no_frame_holds_nothing_back(scene: Scene) -> None:
    scene.told("A/run_00/camera.log", 0.0, closed=False)
    scene.strip("A", 0.0)
    assert scene.taken(0.0).frames == PLACES


@pytest.mark.parametrize(
    ("files", "reason", "words"),
    [
        ({FRAMES[0]: b"f", FRAMES[2]: b"f"}, "missing_frame", "missing frame 1"),
        ({FRAMES[0]: b"f", FRAMES[1]: b"f", FRAMES[2]: b""}, "empty_file", "0 bytes"),
        ({"frame_1.png": b"f", **dict.fromkeys(FRAMES, b"f")}, "duplicate_frame", "frame 1 is also in"),
        ({"frame_03.png": b"f", **dict.fromkeys(FRAMES, b"f")}, "extra_frame", r"\[0, 1, 2\]"),
        ({"frame_a.png": b"f"}, "missing_frame", "in the folder: frame_a.png"),
    ],
)
def test_what_never_becomes_complete_is_given_up_after_the_patience(
    scene: Scene, files: dict[str, bytes], reason: str, words: str
) -> None:
    for moment, (name, content) in enumerate(files.items()):
        scene.told(f"A/run_00/{name}", moment, content=content)
        scene.take(moment)
    problem = scene.refused(len(files) - 1 + PATIENCE)
    assert problem.reason == reason
    with pytest.raises(AcquisitionError, match=words):
        raise problem
    assert scene.take(1000.0) is None


def test_what_is_given_up_has_no_frames_and_keeps_its_place(scene: Scene) -> None:
    scene.strip("A", 3.0, FRAMES[:1])
    scene.take(3.0)
    arrival = scene.taken(3 + PATIENCE)
    assert (arrival.key, arrival.folder, arrival.frames) == (A, "A/run_00", {})
    assert arrival.complete == 3 + PATIENCE


def test_a_folder_without_files_is_given_up_too(scene: Scene) -> None:
    (scene.root / "A" / "run_00").mkdir(parents=True)
    scene.incoming.scan(2.0)
    assert scene.refused(2 + PATIENCE).reason == "missing_frame"


def test_each_change_begins_the_patience_anew(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:1])
    scene.take(0.0)
    scene.strip("A", 9.0, FRAMES[1:2])
    scene.take(9.0)
    assert scene.take(18.0) is None
    assert scene.refused(9 + PATIENCE).reason == "missing_frame"


def test_the_last_frame_may_come_just_before_the_patience_ends(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:2])
    assert scene.take(0.0) is None
    assert scene.take(PATIENCE - 0.01) is None
    scene.strip("A", PATIENCE - 0.01, FRAMES[2:])
    assert scene.taken(PATIENCE).problem is None


@pytest.mark.parametrize("complete", [True, False])
def test_what_never_comes_to_rest_is_given_up_after_ten_times_the_patience(scene: Scene, complete: bool) -> None:
    scene.strip("A", 0.0, FRAMES if complete else FRAMES[:2], closed=False)
    now = 0.0
    while now < 10 * PATIENCE:
        scene.told(f"A/run_00/{FRAMES[0]}", now, closed=False, content=b"f" * (1 + int(now)))
        assert scene.take(now) is None
        now += 0.9 * SETTLE
    problem = scene.taken(now).problem
    assert problem is not None
    assert problem.reason == ("still_written" if complete else "missing_frame")


def test_of_those_that_are_complete_the_one_that_came_first_has_its_turn(scene: Scene) -> None:
    scene.strip("B", 0.0, FRAMES[:1])
    scene.strip("C", 1.0, FRAMES[:1])
    scene.strip("A", 2.0, FRAMES[:1])
    assert len(scene.incoming) == 3
    for name in "ABC":
        scene.strip(name, 3.0, FRAMES[1:])
    assert [scene.taken(3.0).key.strip for _ in range(3)] == ["B", "C", "A"]


def test_an_incomplete_one_lets_later_ones_pass(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:1])
    scene.strip("B", 1.0)
    assert scene.taken(1.0).key == B
    scene.strip("A", 2.0, FRAMES[1:])
    assert scene.taken(2.0).key == A


def test_a_judged_acquisition_is_never_taken_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.strip("A", 0.0)
    assert scene.taken(0.0).key == A
    scene.incoming.scan(1.0)
    scene.told(f"A/run_00/{FRAMES[0]}", 2.0)
    assert scene.take(100.0) is None
    # The line begins again; the log says what was judged.
    again = Scene(tmp_path, judged=["A/r0"])
    again.strip("B", 0.0)
    again.incoming.scan(0.0)
    assert "a name may come only once" in again.incoming.notice(f"A/run_00/{FRAMES[0]}", True, 0.0)
    assert again.taken(SETTLE).key == B
    assert again.take(100.0) is None


def test_files_that_come_after_the_turn_are_told_of(scene: Scene) -> None:
    scene.strip("A", 0.0)
    scene.taken(0.0)
    # The system may still tell of what was there.
    assert scene.incoming.notice(f"A/run_00/{FRAMES[1]}", True, 0.1) == ""
    late = scene.told(f"A/run_00/{FRAMES[1]}", 1.0, content=b"another frame")
    assert late.startswith(f"A/run_00/{FRAMES[1]}: came or changed after the turn of A/r0, whose verdict stands")


def test_a_frame_that_comes_after_it_was_given_up_is_told_of(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:2])
    scene.take(0.0)
    scene.taken(PATIENCE)
    assert "came or changed after the turn of A/r0" in scene.told(f"A/run_00/{FRAMES[2]}", PATIENCE + 1)
    assert scene.take(100.0) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("frame_00.png", "expected files 2 folders below the watched one"),
        ("A/frame_00.png", "expected files 2 folders below the watched one"),
        ("A/first/frame_00.png", "path_template"),
        ("A/run_1234567890/frame_00.png", "path_template"),
    ],
)
def test_strange_names_are_told_of_and_have_no_turn(scene: Scene, path: str, words: str) -> None:
    message = scene.told(path, 0.0)
    assert message.startswith(path.rpartition("/")[0] if path.count("/") == 2 else path)
    assert words in message
    assert scene.take(100.0) is None
    assert len(scene.incoming) == 0


def test_strange_folders_are_found_by_the_scan_too(scene: Scene) -> None:
    scene.write("A/first/frame_00.png")
    scene.write("B/run_00/frame_00.png")
    (scene.root / "C").mkdir()  # Its first run may be on its way.
    (message,) = scene.incoming.scan(0.0)
    assert message.startswith("A/first: ")
    assert len(scene.incoming) == 1


def test_the_root_must_be_there_to_be_scanned(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Scene(tmp_path / "absent").incoming.scan(0.0)


def test_a_second_folder_of_the_same_key_is_told_of_and_never_taken(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}/run_{run}_{skip}/frame_{frame}.png"))
    for frame in FRAMES:
        assert scene.told(f"A/run_00_0830/{frame}", 0.0) == ""
        message = scene.told(f"A/run_00_0915/{frame}", 0.0)
        assert message == "A/run_00_0915: expected one acquisition for A/r0, got another in A/run_00_0830"
    assert scene.taken(0.0).folder == "A/run_00_0830"
    assert "came or changed after the turn of A/r0" in scene.told("A/run_00_0917/frame_00.png", 1.0)
    scene.incoming.scan(2.0)
    assert scene.take(100.0) is None


@pytest.mark.parametrize(
    "temporary", ["frame_02.png.part", ".frame_02.png", "frame_02.png~", "frame_02.tmp", "~$frame_02.png"]
)
def test_a_temporary_name_is_nothing_until_it_has_its_true_name(scene: Scene, temporary: str) -> None:
    scene.strip("A", 0.0, FRAMES[:2])
    scene.told(f"A/run_00/{temporary}", 0.0)
    assert scene.take(0.0) is None
    (scene.root / "A/run_00" / temporary).rename(scene.root / "A/run_00" / FRAMES[2])
    assert scene.incoming.notice(f"A/run_00/{FRAMES[2]}", True, 1.0) == ""
    assert scene.taken(1.0).frames == PLACES


@pytest.mark.parametrize("path", [".DS_Store", "Thumbs.db", "@eaDir/run_00/frame_00.png", "A/.hidden/frame_00.png"])
def test_leftovers_of_systems_are_passed_over(scene: Scene, path: str) -> None:
    assert scene.told(path, 0.0) == ""
    assert scene.incoming.scan(0.0) == []
    assert len(scene.incoming) == 0


def test_acquisitions_that_are_files(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}_{frame}.png"))
    for frame in (2, 0, 1):
        assert scene.take(0.0) is None
        assert scene.told(f"A_0_{frame}.png", 0.0) == ""
        scene.told(f"B_0_{frame}.png", 0.0, closed=False)
    arrival = scene.taken(0.0)
    frames = {FramePlace(-1, "", frame): f"A_0_{frame}.png" for frame in range(3)}
    assert (arrival.key, arrival.folder, arrival.frames) == (A, "", frames)
    assert scene.take(0.0) is None
    assert scene.take(PATIENCE - 0.01) is None
    assert scene.taken(PATIENCE).key == B
    assert "came or changed after the turn of B/r0" in scene.told("B_0_1.png", 2.0, content=b"again")
    assert scene.told("readme.txt", 2.0).startswith("readme.txt: ")


def test_files_that_no_event_told_of_are_found_by_the_scan(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("day/{strip}_{run}_{frame}.png"))
    for frame in range(3):
        scene.write(f"day/A_0_{frame}.png")
    assert scene.incoming.scan(0.0) == []
    assert scene.take(0.0) is None
    assert scene.taken(SETTLE).key == A
    assert scene.incoming.scan(2.0) == []
    assert scene.take(100.0) is None


def test_a_file_acquisition_that_lacks_a_frame_is_given_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}_{frame}.png"))
    scene.told("A_0_0.png", 0.0)
    scene.take(0.0)
    assert scene.refused(PATIENCE).reason == "missing_frame"


def test_a_file_that_grows_while_nobody_looks_is_not_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}_{frame}.png"))
    for frame in range(3):
        scene.told(f"A_0_{frame}.png", 0.0, closed=False, content=b"f")
    for frame in range(3):
        scene.told(f"A_0_{frame}.png", 5.0, closed=False, content=b"fr")
    assert scene.take(5.0) is None
    assert scene.taken(5 + PATIENCE).key == A


def test_with_a_marker_nothing_is_complete_before_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path, intake=MARKER)
    scene.strip("A", 0.0)
    assert scene.take(0.0) is None
    assert scene.told("A/run_00/done.txt", 1.0, content=b"") == ""
    assert scene.taken(1.0).frames == PLACES


def test_without_its_marker_it_is_given_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path, intake=MARKER)
    scene.strip("A", 0.0)
    scene.take(0.0)
    problem = scene.refused(PATIENCE)
    assert (problem.reason, "done.txt" in problem.detail) == ("still_written", True)


CUT: dict[str, Any] = {
    "template": PathTemplate("{strip}/vial_{vial}/{region}_{frame}.png"),
    "layouts": StripLayouts.single(
        StripLayout("fractions", None, dict.fromkeys(("R0", "R1"), ((0, 0, 1, 1),) * 2), allow_overlap=True)
    ),
    "first_vial": 1,
}


def write_cut(scene: Scene, now: float) -> dict[FramePlace, str]:
    """The frames of strip A, already cut by vial and region; vials are counted from 1."""
    expected = {
        FramePlace(vial - 1, region, frame): f"vial_{vial}/{region}_{frame}.png"
        for vial in (1, 2) for region in ("R0", "R1") for frame in range(3)
    }  # fmt: skip
    for name in expected.values():
        assert scene.told(f"A/{name}", now) == ""
    return expected


def test_frames_that_come_already_cut(tmp_path: Path) -> None:
    scene = Scene(tmp_path, **CUT)
    expected = write_cut(scene, 0.0)
    arrival = scene.taken(0.0)
    assert (arrival.key, arrival.folder, dict(arrival.frames)) == (A, "A", expected)


def test_a_marker_beside_folders_of_frames_is_seen(tmp_path: Path) -> None:
    scene = Scene(tmp_path, intake=MARKER, **CUT)
    write_cut(scene, 0.0)
    assert scene.take(0.0) is None
    scene.told("A/done.txt", 1.0, content=b"")
    assert scene.taken(1.0).problem is None


def test_only_the_frames_that_patches_need_are_given(tmp_path: Path) -> None:
    scene = Scene(tmp_path, images=select_images([0, 2], []))
    scene.strip("A", 0.0, FRAMES[::2])
    assert scene.take(0.0) is None
    scene.strip("A", 1.0, FRAMES[1:2], closed=False)
    # The middle one must be there, but nobody waits until it is whole.
    assert list(scene.taken(1.0).frames.values()) == [FRAMES[0], FRAMES[2]]


DECODING = AcquisitionError("unreadable", "it cannot be decoded", FRAMES[1])


def test_what_could_not_be_read_has_its_turn_again_once_a_file_changed(scene: Scene) -> None:
    scene.strip("A", 0.0)
    arrival = scene.taken(0.0)
    scene.incoming.put_back(arrival, DECODING)
    assert len(scene.incoming) == 1
    assert scene.take(1.0) is None
    scene.told(f"A/run_00/{FRAMES[1]}", 2.0, content=b"the whole frame")
    again = [scene.take(moment) for moment in (2.0, 2 + SETTLE)]
    assert [one.problem for one in again if one] == [None]
    assert scene.take(100.0) is None


def test_what_cannot_be_read_and_does_not_change_is_given_up_for_that_reason(scene: Scene) -> None:
    scene.strip("A", 0.0)
    scene.incoming.put_back(scene.taken(0.0), DECODING)
    assert scene.take(PATIENCE - 0.01) is None
    arrival = scene.taken(PATIENCE)
    assert (arrival.problem, arrival.frames) == (DECODING, {})
    assert scene.take(100.0) is None


def test_it_may_be_put_back_more_than_once_but_not_for_ever(scene: Scene) -> None:
    scene.strip("A", 0.0)
    now = 0.0
    while (arrival := scene.take(now)) is None or arrival.problem is None:
        if arrival is not None:
            scene.incoming.put_back(arrival, DECODING)
            scene.told(f"A/run_00/{FRAMES[1]}", now, closed=False, content=b"f" * (2 + int(now)))
        now += 0.5
        assert now <= 10 * PATIENCE + 2 * SETTLE
    assert arrival.problem.reason in ("unreadable", "still_written")
    assert now >= 10 * PATIENCE


@pytest.mark.parametrize("closed", [True, False])
def test_a_file_that_is_finished_while_it_is_read_is_read_again(scene: Scene, closed: bool) -> None:
    scene.strip("A", 0.0)
    arrival = scene.taken(0.0)
    scene.write(f"A/run_00/{FRAMES[1]}", b"the whole frame")
    scene.incoming.put_back(arrival, DECODING)
    scene.incoming.notice(f"A/run_00/{FRAMES[1]}", closed, 0.5)
    found = [one for one in (scene.take(0.5), scene.take(0.5 + PATIENCE)) if one]
    assert [one.problem for one in found] == [None]


def test_an_acquisition_that_cannot_be_looked_at_any_more_is_put_back_all_the_same(scene: Scene) -> None:
    scene.strip("A", 0.0)
    arrival = scene.taken(0.0)
    frame = scene.root / "A/run_00" / FRAMES[1]
    frame.unlink()
    frame.symlink_to(frame)
    scene.incoming.put_back(arrival, DECODING)
    problem = scene.taken(5 * PATIENCE).problem
    assert problem is not None
    assert problem.reason == "unreadable"


def test_a_file_acquisition_is_put_back_with_its_files(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}_{frame}.png"))
    for frame in range(3):
        scene.told(f"A_0_{frame}.png", 0.0)
    scene.incoming.put_back(scene.taken(0.0), DECODING)
    assert scene.take(1.0) is None
    scene.told("A_0_1.png", 2.0, content=b"the whole frame")
    assert [one.problem for one in (scene.take(2.0), scene.take(2 + SETTLE)) if one] == [None]


def test_what_cannot_be_looked_at_is_given_up_as_unreadable(scene: Scene) -> None:
    folder = scene.root / "A" / "run_00"
    folder.mkdir(parents=True)
    (folder / FRAMES[0]).symlink_to(folder / FRAMES[0])  # It leads to itself.
    scene.incoming.scan(0.0)
    scene.take(0.0)
    assert scene.refused(PATIENCE).reason == "unreadable"


def test_a_folder_that_disappears_is_given_up(scene: Scene) -> None:
    scene.strip("A", 0.0, FRAMES[:1])
    scene.take(0.0)
    (scene.root / "A/run_00" / FRAMES[0]).unlink()
    (scene.root / "A/run_00").rmdir()
    assert scene.refused(PATIENCE).reason == "missing_frame"


def test_files_of_acquisitions_long_ago_are_told_of_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}.png"), frames=(0,), images=select_images([0], []))
    for number in range(1002):
        scene.told(f"S{number}_0.png", float(number))
        assert scene.taken(float(number)).key.strip == f"S{number}"
    assert "a name may come only once" in scene.told("S0_0.png", 2000.0, content=b"late")
    assert scene.told("S1001_0.png", 2000.0, content=b"late") != ""
    assert scene.take(3000.0) is None


def test_a_burst_in_any_order_gives_each_its_turn_once(tmp_path: Path) -> None:
    scene, draws = Scene(tmp_path), random.Random(5)
    files = [(strip, frame) for strip in "ABCDEFGH" for frame in FRAMES]
    draws.shuffle(files)
    for moment, (strip, frame) in enumerate(files):
        scene.told(f"{strip}/run_00/{frame}", float(moment))
    first = list(dict.fromkeys(strip for strip, _ in files))
    now = float(len(files))
    assert [scene.taken(now).key.strip for _ in first] == first
    assert scene.take(now) is None


def test_a_file_that_was_seen_open_is_not_whole_because_its_writer_rests(scene: Scene) -> None:
    """A format without a checksum may hold zeros where nothing was written yet."""
    scene.strip("A", 0.0, FRAMES[:2])
    scene.told(f"A/run_00/{FRAMES[2]}", 0.0, closed=False)
    assert scene.take(0.0) is None
    assert scene.take(PATIENCE - 0.01) is None
    assert scene.taken(PATIENCE).problem is None


def test_frames_that_change_while_they_are_read_are_noticed(scene: Scene) -> None:
    scene.strip("A", 0.0)
    arrival = scene.taken(0.0)
    assert scene.incoming.unchanged(arrival)
    (scene.root / "A/run_00" / FRAMES[1]).write_bytes(b"another frame")
    assert not scene.incoming.unchanged(arrival)


def test_a_scan_leaves_out_what_had_its_turn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.strip("A", 0.0)
    scene.taken(0.0)
    assert scene.incoming.scan(1.0) == []
    monkeypatch.setattr(PathTemplate, "match_acquisition", lambda *_: pytest.fail("its name was read again"))
    assert scene.incoming.scan(2.0) == []


def test_what_only_looks_have_found_is_known_for_it(scene: Scene) -> None:
    """What was there before the line listened to events is not: it could not be told of."""
    for frame in FRAMES:
        scene.write(f"A/run_00/{frame}")
    scene.incoming.scan(0.0)
    for strip in "BC":
        for frame in FRAMES:
            scene.write(f"{strip}/run_00/{frame}")
    scene.incoming.scan(1.0)
    scene.told(f"C/run_00/{FRAMES[0]}", 1.0)
    assert scene.take(1.0) is None
    found = {arrival.key.strip: arrival.unannounced for arrival in (scene.taken(1 + SETTLE) for _ in range(3))}
    assert found == {"A": False, "B": True, "C": False}


def test_an_empty_folder_says_nothing_of_the_system(scene: Scene) -> None:
    """No event tells of folders."""
    scene.incoming.scan(0.0)
    (scene.root / "A/run_00").mkdir(parents=True)
    scene.incoming.scan(1.0)
    arrival = scene.taken(1 + PATIENCE)
    assert arrival.problem is not None
    assert not arrival.unannounced


def test_the_log_that_grows_is_the_one_that_is_asked(tmp_path: Path) -> None:
    judged = set[str]()
    scene = Scene(tmp_path, judged)
    judged.add(str(A))
    assert "a name may come only once" in scene.told("A/run_00/frame_00.png", 1.0)
    assert scene.take(100.0) is None


def test_what_was_taken_and_has_no_verdict_yet_is_not_taken_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, set[str]())
    scene.strip("A", 0.0)
    assert scene.taken(0.0).key == A
    assert "a name may come only once" in scene.told("A/run_00/frame_00.png", 1.0, content=b"before its verdict")
    scene.strip("B", 1.0)
    assert scene.taken(1.0).key == B
    assert scene.take(100.0) is None


def test_a_name_that_comes_again_is_told_of_by_a_look_too(scene: Scene) -> None:
    """Where the system tells of nothing; and names that were passed are kept only for as long as they lie there."""
    assert scene.incoming.scan(0.0) == []
    scene.strip("A", 0.0)
    scene.taken(0.0)
    assert scene.incoming.scan(1.0) == []
    shutil.rmtree(scene.root / "A")
    assert scene.incoming.scan(2.0) == []
    for frame in FRAMES:
        scene.write(f"A/run_00/{frame}")
    told = scene.incoming.scan(3.0)
    assert [text.split(":")[0] for text in told] == [f"A/run_00/{frame}" for frame in FRAMES]
    assert all("a name may come only once" in text for text in told)
    assert scene.incoming.scan(4.0) == []
    assert scene.take(100.0) is None


def test_what_was_judged_before_the_line_began_is_no_name_that_comes_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, [str(A)])
    for frame in FRAMES:
        scene.write(f"A/run_00/{frame}")
    assert scene.incoming.scan(0.0) == []
    assert scene.incoming.scan(1.0) == []


def test_file_acquisitions_that_come_again_are_told_of_by_a_look_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, template=PathTemplate("{strip}_{run}.png"), frames=(0,), images=select_images([0], []))
    assert scene.incoming.scan(0.0) == []
    scene.told("A_0.png", 0.0)
    scene.taken(0.0)
    assert scene.incoming.scan(1.0) == []
    (tmp_path / "A_0.png").unlink()
    assert scene.incoming.scan(2.0) == []
    scene.write("A_0.png", b"another")
    (told,) = scene.incoming.scan(3.0)
    assert "a name may come only once" in told
