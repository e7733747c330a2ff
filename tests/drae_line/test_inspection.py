"""The engine with a judge whose scores the test writes down: what decides, what overruns, what is swapped when."""

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError
from drae_data.options import select_images
from drae_data.path_template import FramePlace
from drae_line.errors import JudgeError
from drae_line.inspection import Engine, Inspection, Prepared
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict
from tests.drae_line.fake_judge import FakeJudge, Scoring, frames_of, good, one_bad, raising
from tests.small_line import small_frame, small_options

KEY = AcquisitionKey("A", 0)
# One image: the patches of vial 0 in R0 and R1, then those of vial 1.
OPTIONS = small_options(images=select_images([1], []))
PLACES = [(vial, region) for vial in range(2) for region in ("R0", "R1")]


@contextmanager
def engine_of(judge: FakeJudge, slot_ms: float = 60_000) -> Iterator[Engine]:
    engine = Engine(judge, OPTIONS, slot_ms)
    try:
        yield engine
    finally:
        engine.close()


def inspect(scoring: Scoring, **changes: Any) -> Inspection:
    with engine_of(FakeJudge(scoring, **changes)) as engine:
        return engine.inspect(KEY, frames_of(KEY))


def slot_of(*scores: float, r0: float = 0.5, r1: float = 0.25) -> SlotVerdict:
    return inspect(lambda _: scores, limits={"R0": r0, "R1": r1}).slot


def test_a_score_at_the_threshold_is_accepted_and_one_above_it_rejected() -> None:
    # 0.5 and 0.25 are the same numbers in float32 and float64.
    assert slot_of(0.5, 0.25, 0.5, 0.25).verdict == "accept"
    for row, limit in enumerate((0.5, 0.25, 0.5, 0.25)):
        scores = [0.5, 0.25, 0.5, 0.25]
        scores[row] = float(np.nextafter(np.float32(limit), np.float32(1)))
        slot = slot_of(*scores)
        assert (slot.verdict, slot.inspected, slot.reason) == ("reject", True, "")
        assert slot.rejected == (("f01", *PLACES[row]),)
        assert slot.deciding is not None
        assert slot.deciding.patch == f"A/r0/f01/v{PLACES[row][0]}/{PLACES[row][1]}"


def test_thresholds_are_not_rounded_to_the_precision_of_scores() -> None:
    # 0.1 in float32 is 0.100000001..., above 0.1 in float64.
    slot = slot_of(0.1, 0.0, 0.0, 0.0, r0=0.1)
    assert (slot.verdict, len(slot.rejected)) == ("reject", 1)
    assert slot_of(0.1, 0.0, 0.0, 0.0, r0=float(np.float32(0.1))).verdict == "accept"


def test_the_verdict_says_what_was_judged_and_by_whom() -> None:
    with engine_of(FakeJudge(lambda _: (0.125, 0.25, 0.375, 0.5), name="m"), 1234.0) as engine:
        prepared = engine.prepare(
            KEY, frames_of(KEY), "A/run_00", {"frame_01.png": "0" * 64}, {"waited": 7.0, "read": 20.0}
        )
        found = engine.decide(prepared)
    slot = found.slot
    assert (slot.acquisition, slot.folder, slot.frames_sha256) == ("A/r0", "A/run_00", {"frame_01.png": "0" * 64})
    assert (slot.model_digest, slot.thresholds_digest, slot.slot_ms) == ("m" * 64, "M" * 64, 1234.0)
    assert slot.thresholds == {"R0": 0.5, "R1": 0.25}
    assert slot.scores == {"f01": {"R0": (0.125, 0.375), "R1": (0.25, 0.5)}}
    assert found.product is not None
    assert found.examined is not None
    assert LoggedVerdict.parse(LoggedVerdict(1, "", slot).line()).slot == slot


SCORES = st.sampled_from([-0.5, 0.0, 0.25, 0.5, 0.75, 1.0])
LIMITS = st.sampled_from([-0.5, -0.25, 0.0, 1e-300, 0.25, 0.5, 0.75])


@given(st.lists(SCORES, min_size=4, max_size=4), LIMITS, LIMITS)
def test_the_deciding_patch_is_the_first_of_those_furthest_over_their_thresholds(
    scores: list[float], r0: float, r1: float
) -> None:
    slot = slot_of(*scores, r0=r0, r1=r1)
    limits = [r0, r1, r0, r1]
    # By hand: those over their threshold before all others; then score over threshold; then as they were cut.
    best = 0
    for row in range(1, 4):
        if standing(scores[row], limits[row]) > standing(scores[best], limits[best]):
            best = row
    vial, region = PLACES[best]
    assert slot.deciding is not None
    assert (slot.deciding.patch, slot.deciding.region) == (f"A/r0/f01/v{vial}/{region}", region)
    assert (slot.deciding.score, slot.deciding.threshold) == (scores[best], limits[best])
    assert slot.deciding.ratio == standing(scores[best], limits[best])[1]
    over = [score > limit for score, limit in zip(scores, limits, strict=True)]
    assert slot.verdict == ("reject" if any(over) else "accept")
    assert {place[1:] for place in slot.rejected} == {place for place, yes in zip(PLACES, over, strict=True) if yes}


def standing(score: float, limit: float) -> tuple[bool, float]:
    if limit <= 0:
        return score > limit, math.inf if score > limit else 0.0
    return score > limit, score / limit


def test_the_times_of_a_slot_add_up_to_it() -> None:
    def slow(patches: np.ndarray) -> list[float]:
        time.sleep(0.05)
        return good(patches)

    with engine_of(FakeJudge(slow)) as engine:
        started = time.perf_counter()
        prepared = engine.prepare(KEY, frames_of(KEY), milliseconds={"waited": 900.0, "read": 20.0})
        times = engine.decide(prepared).slot.milliseconds
        took = (time.perf_counter() - started) * 1000
    assert set(times) == {"waited", "read", "cut", "model", "judge", "slot"}
    assert times["read"] == 20.0
    # And what it waited between cutting and its turn.
    assert 900.0 <= times["waited"] < 900.0 + took
    assert times["model"] >= 50
    assert times["cut"] > 0
    # What was waited before its turn is no part of the slot.
    assert times["slot"] == pytest.approx(times["read"] + times["cut"] + times["model"] + times["judge"], abs=0.01)
    assert times["slot"] - 20 <= took


class Held:
    """A model that is at work until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, patches: np.ndarray) -> list[float]:
        self.begun.set()
        assert self.go.wait(20)
        self.ended.set()
        return good(patches)


def test_a_slot_that_overruns_has_its_verdict_at_the_deadline() -> None:
    held = Held()
    judge = FakeJudge(held)
    with engine_of(judge, slot_ms=300) as engine:
        started = time.perf_counter()
        found = engine.inspect(KEY, frames_of(KEY))
        took = time.perf_counter() - started
        # The model is still at work.
        assert not held.ended.is_set()
        held.go.set()
        assert held.ended.wait(20)
        judge.scoring = good
        after = engine.inspect(AcquisitionKey("B", 0), frames_of(AcquisitionKey("B", 0))).slot
    slot = found.slot
    assert (slot.verdict, slot.inspected, slot.reason) == ("reject", False, "slot_overrun")
    assert "at most 300 ms are allowed (line.slot_ms)" in slot.detail
    assert (slot.scores, slot.deciding, slot.rejected, found.examined) == ({}, None, (), None)
    assert took >= 0.295
    assert 295 <= slot.milliseconds["slot"] <= took * 1000 + 1
    assert (after.acquisition, after.verdict) == ("B/r0", "accept")


def test_time_that_reading_took_counts_and_time_that_was_waited_does_not() -> None:
    with engine_of(FakeJudge(good), slot_ms=20_000) as engine:
        late, patient = (
            engine.decide(engine.prepare(KEY, frames_of(KEY), milliseconds={name: 30_000.0})).slot
            for name in ("read", "waited")
        )
    assert (late.verdict, late.reason, late.milliseconds["read"]) == ("reject", "slot_overrun", 30_000.0)
    assert (patient.verdict, patient.milliseconds["waited"] >= 30_000.0) == ("accept", True)


def test_what_waits_for_the_strip_before_it_is_told_so_and_no_slot_is_begun_without_time() -> None:
    asked = list[int]()

    def counting(patches: np.ndarray) -> list[float]:
        asked.append(len(patches))
        return good(patches)

    with engine_of(FakeJudge(counting), slot_ms=20_000) as engine:
        prepared = engine.prepare(KEY, frames_of(KEY))
        time.sleep(0.1)
        assert engine.decide(prepared).slot.milliseconds["waited"] >= 100.0
        late = engine.prepare(KEY, frames_of(KEY), milliseconds={"read": 20_001.0})
        assert engine.decide(late).slot.reason == "slot_overrun"
    # A call cannot be ended: one that comes too late would hold the next strip up.
    assert len(asked) == 1


def test_what_reading_took_is_taken_off_the_time_that_the_model_has() -> None:
    held = Held()
    with engine_of(FakeJudge(held), slot_ms=20_000) as engine:
        started = time.perf_counter()
        slot = engine.decide(engine.prepare(KEY, frames_of(KEY), milliseconds={"read": 19_800.0})).slot
        took = time.perf_counter() - started
        held.go.set()
    assert (slot.reason, slot.milliseconds["slot"] >= 19_990) == ("slot_overrun", True)
    assert took < 10


def test_a_model_that_fails_rejects_and_the_next_slot_works() -> None:
    judge = FakeJudge(raising(RuntimeError("out of memory")))
    with engine_of(judge) as engine:
        found = engine.inspect(KEY, frames_of(KEY))
        for error in (TimeoutError("the device does not answer"), JudgeError("expected finite scores")):
            judge.scoring = raising(error)
            assert engine.inspect(KEY, frames_of(KEY)).slot.reason == "failed"
        judge.scoring = good
        assert engine.inspect(KEY, frames_of(KEY)).slot.verdict == "accept"
    assert (found.slot.verdict, found.slot.inspected, found.slot.reason) == ("reject", False, "failed")
    assert "the model failed: RuntimeError('out of memory')" in found.slot.detail
    assert found.examined is None


@pytest.mark.parametrize(
    ("scores", "limits"),
    [
        ((0.1,) * 3, {"R0": 0.5, "R1": 0.25}), ((0.1,) * 5, {"R0": 0.5, "R1": 0.25}), ((), {"R0": 0.5, "R1": 0.25}),
        ((0.1,) * 4, {"R0": 0.5}), ((0.1, math.nan, 0.1, 0.1), {"R0": 0.5, "R1": 0.25}),
    ],
)  # fmt: skip
def test_scores_that_cannot_be_judged_reject(scores: tuple[float, ...], limits: dict[str, float]) -> None:
    slot = inspect(lambda _: scores, limits=limits).slot
    assert (slot.verdict, slot.inspected, slot.reason) == ("reject", False, "failed")


@pytest.mark.parametrize(
    ("damage", "reason", "words"),
    [
        ("missing", "missing_frame", "expected frame 1 among those given"),
        ("size", "wrong_size", "expected 64 x 48 pixels"),
    ],
)
def test_frames_that_cannot_be_cut_reject_with_the_builders_reason(damage: str, reason: str, words: str) -> None:
    frames = frames_of(KEY)
    if damage == "missing":
        del frames[FramePlace(-1, "", 1)]
    else:
        frames[FramePlace(-1, "", 1)] = small_frame("A", 0, 1)[:-1]
    judge = FakeJudge(good)
    with engine_of(judge) as engine:
        found = engine.inspect(KEY, frames)
    assert (found.slot.verdict, found.slot.inspected, found.slot.reason) == ("reject", False, reason)
    assert words in found.slot.detail
    assert (found.product, found.examined, found.slot.milliseconds["model"]) == (None, None, 0.0)


def test_an_acquisition_that_was_given_up_is_rejected_and_its_file_named() -> None:
    problem = AcquisitionError("unreadable", "it cannot be decoded", "frame_02.png")
    with engine_of(FakeJudge(good)) as engine:
        slot = engine.decide(
            Prepared(KEY, "A/run_00", {}, None, problem, {"waited": 3.0, "read": 0.0, "cut": 0.0})
        ).slot
        nothing = engine.decide(Prepared(KEY, "", {}, None, None, {})).slot
    assert (slot.verdict, slot.reason, slot.detail) == ("reject", "unreadable", "frame_02.png: it cannot be decoded")
    assert slot.milliseconds["slot"] == 0.0
    assert (nothing.verdict, nothing.reason) == ("reject", "failed")


def test_a_swap_waits_for_the_slot_under_way() -> None:
    held = Held()
    old, new = FakeJudge(held, name="a"), FakeJudge(one_bad(3), name="b")
    with engine_of(old) as engine, ThreadPoolExecutor(2) as threads:
        running = threads.submit(engine.inspect, KEY, frames_of(KEY))
        assert held.begun.wait(20)
        swap = threads.submit(engine.swap, new)
        time.sleep(0.1)
        assert not swap.done()
        assert engine.judge is old
        held.go.set()
        slot = running.result(20).slot
        swap.result(20)
        assert engine.judge is new
        after = engine.inspect(KEY, frames_of(KEY)).slot
    assert (slot.model_digest, slot.thresholds_digest, slot.verdict) == ("a" * 64, "A" * 64, "accept")
    assert (after.model_digest, after.thresholds_digest, after.verdict) == ("b" * 64, "B" * 64, "reject")


def test_patches_cut_before_a_swap_are_judged_by_what_judges_then() -> None:
    with engine_of(FakeJudge(good, name="a")) as engine:
        prepared = engine.prepare(KEY, frames_of(KEY))
        engine.swap(FakeJudge(one_bad(0), {"R0": 0.75, "R1": 0.125}, name="b"))
        slot = engine.decide(prepared).slot
    assert (slot.model_digest, slot.thresholds, slot.verdict) == ("b" * 64, {"R0": 0.75, "R1": 0.125}, "reject")


def test_the_way_back_leads_to_what_judged_before_and_there_again() -> None:
    one, other = FakeJudge(good, name="a"), FakeJudge(one_bad(0), name="b")
    with engine_of(one) as engine:
        with pytest.raises(JudgeError, match="nothing was swapped"):
            engine.roll_back()
        engine.swap(other)
        assert engine.roll_back() is one
        assert engine.inspect(KEY, frames_of(KEY)).slot.model_digest == "a" * 64
        assert engine.roll_back() is other
        assert engine.judge is other


def test_the_next_acquisition_is_cut_while_the_model_is_at_work() -> None:
    held = Held()
    with engine_of(FakeJudge(held)) as engine, ThreadPoolExecutor(1) as threads:
        running = threads.submit(engine.inspect, KEY, frames_of(KEY))
        assert held.begun.wait(20)
        prepared = engine.prepare(AcquisitionKey("B", 1), frames_of(AcquisitionKey("B", 1)))
        assert not running.done()
        held.go.set()
        assert running.result(20).slot.acquisition == "A/r0"
        found = engine.decide(prepared)
    assert found.slot.acquisition == "B/r1"
    assert found.product is not None
    # R1 has the patch's size: its patch is the frame's pixels.
    assert np.array_equal(found.product.patches[3, ..., 0], small_frame("B", 1, 1)[20:36, 32:48])


def test_the_verdict_is_on_all_images() -> None:
    options = replace(OPTIONS, images=select_images([0, 2], ["max"]))
    engine = Engine(FakeJudge(one_bad(9)), options, 60_000)
    slot = engine.inspect(KEY, frames_of(KEY)).slot
    engine.close()
    assert list(slot.scores) == ["f00", "f02", "max"]
    assert slot.rejected == (("max", 0, "R1"),)
    assert slot.deciding is not None
    assert slot.deciding.patch == "A/r0/max/v0/R1"


def test_closing_says_where_a_call_did_not_come_back_also_after_others_never_began() -> None:
    held = Held()
    engine = Engine(FakeJudge(held), OPTIONS, 100)
    try:
        for _ in range(2):
            assert engine.inspect(KEY, frames_of(KEY)).slot.reason == "slot_overrun"
        assert not engine.close(0.05)
    finally:
        held.go.set()
    assert engine.close(20)
