"""Which strips the report shows: judged wrongly first, invalid ones always, each picture linked to its frames."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from drae_acceptance.errors import ScoreError
from drae_acceptance.gallery import FOLDER, GalleryPatch
from drae_acceptance.report_gallery import GalleryEntry, choose_entries, count_shown
from drae_acceptance.verdict import RunVerdict

LIMITS = {"R0": 0.5, "R1": 0.1}


def verdict(strip: str, label: str, found: str, state: str, detail: str = "") -> RunVerdict:
    return RunVerdict(strip, label, 2, 1, state, found, None, "burn" if label == "defective" else "", 7.0, detail)


# In an order that is not that of the page.
RUNS = [
    verdict("A", "defective", "reject", "confirmed"), verdict("B", "good", "accept", "confirmed"),
    verdict("C", "good", "reject", "not_confirmed"), verdict("D", "defective", "accept", "not_confirmed"),
    verdict("E", "good", "undecided", "not_confirmed"),
    verdict("F", "good", "invalid", "invalid", "F/r0: incomplete, 3 of 4"),
    verdict("G", "unknown", "reject", "not_confirmed"), verdict("H", "defective", "invalid", "invalid", "H: absent"),
]  # fmt: skip
KINDS = [
    ("D", "missed reject"), ("E", "undecided"), ("C", "false reject"), ("F", "invalid"), ("H", "invalid"),
    ("A", "rejected rightly"),
]  # fmt: skip


def patch(strip: str, score: float, label: str = "good", region: str = "R0") -> GalleryPatch:
    return GalleryPatch(
        key=f"{strip}/r0/f00/v0/{region}", strip=strip, run=0, image="f00", vial=0, region=region, score=score,
        label=label, defect="", frames=((f"{strip} #1/run_00/frame_00.png", "f" * 64),), patch_sha256="e" * 64,
        picture="vial.png", box=(8, 24, 16, 12), reconstruction="vial.png", heatmap="vial.png",
        pictures_sha256=("", "", ""),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    cv2.imwrite(str(tmp_path / FOLDER / "vial.png"), np.zeros((48, 32), np.uint8))
    return tmp_path


def choose(
    folder: Path, most: int, patches: Sequence[GalleryPatch] = (), frames: str | None = "../frames"
) -> tuple[GalleryEntry, ...]:
    return choose_entries(RUNS, patches, {one.strip: LIMITS for one in RUNS}, folder, most, frames)


def test_what_was_judged_wrongly_comes_first(folder: Path) -> None:
    assert [(one.strip, one.kind) for one in choose(folder, 9)] == KINDS
    assert count_shown(RUNS) == 6


def test_invalid_strips_are_named_with_their_reasons_whatever_room_there_is(folder: Path) -> None:
    found = choose(folder, 1, [patch("D", 0.6), patch("F", 0.6)])
    assert [(one.strip, one.kind, len(one.pictures)) for one in found] == [
        ("D", "missed reject", 1), ("F", "invalid", 0), ("H", "invalid", 0),
    ]  # fmt: skip
    assert ("runs that are not valid", "F/r0: incomplete, 3 of 4") in found[1].facts
    assert ("verdict over its runs", "invalid") in found[2].facts
    # Where there is room, what was scored of an invalid strip is shown.
    assert {one.strip: len(one.pictures) for one in choose(folder, 9, [patch("F", 0.6)])}["F"] == 1


def test_the_greatest_score_over_its_threshold_and_the_labelled_defect_are_shown(folder: Path) -> None:
    # 0.4 / 0.5 = 0.8; 0.3 / 0.1 = 3; the labelled one 0.45 / 0.5 = 0.9.
    own = [patch("D", 0.4), patch("D", 0.3, region="R1"), patch("D", 0.45, "defective")]
    first, second = choose(folder, 9, own)[0].pictures
    assert (first.patch, first.threshold, second.patch) == (own[1], 0.1, own[2])
    # A box of 8, 24, 16, 12 in a picture of 32 x 48.
    assert first.place == (25.0, 50.0, 50.0, 25.0)


@pytest.mark.parametrize(
    ("root", "link"),
    [
        ("../frames", "./../frames/D%20%231/run_00/frame_00.png"), (None, ""),
        ("javascript:x", "./javascript%3Ax/D%20%231/run_00/frame_00.png"),
        ('a"b', "./a%22b/D%20%231/run_00/frame_00.png"),
    ],
)  # fmt: skip
def test_frames_are_linked_where_they_lie_beside_the_page(folder: Path, root: str | None, link: str) -> None:
    (picture,) = choose(folder, 1, [patch("D", 0.6)], root)[0].pictures
    assert picture.frames == (("D #1/run_00/frame_00.png", "f" * 64, link),)


def test_a_missing_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match=r"vial\.png: expected a picture, got: No such file"):
        choose(tmp_path, 1, [patch("D", 0.6)])
