"""The inspection engine: frames of one acquisition in memory to the verdict on the strip, within its slot.

Patches of the next acquisition are cut while the model is at work on this one; a slot's time is the work on its own
acquisition, from reading to verdict. What the slot has no time for is rejected: not inspected.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np

from drae_acceptance.judging import threshold_ratios
from drae_acceptance.verdict import ACCEPT, REJECT, Deciding
from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_line.errors import JudgeError
from drae_line.judge import Examined, Judge
from drae_line.product import Product, cut_product
from drae_line.slot_verdict import FAILED, SLOT_OVERRUN, Scores, SlotVerdict


@dataclass(frozen=True, eq=False)
class Prepared:
    """An acquisition whose patches wait for the model, or that cannot be inspected.

    Attributes:
        key: of the acquisition.
        folder: of its frames, below the folder that is watched; empty where they came from memory.
        frames_sha256: by file name, of the frames that were read.
        product: its patches; None where there are none.
        problem: why there are none; None where there are.
        milliseconds: so far: `waited`, `read`, `cut`.
        since: when it was ready, by `time.perf_counter`; from then on it waits for its turn.
    """

    key: AcquisitionKey
    folder: str
    frames_sha256: Mapping[str, str]
    product: Product | None
    problem: AcquisitionError | None
    milliseconds: Mapping[str, float]
    since: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, eq=False)
class Inspection:
    """A verdict with what its pictures are drawn from.

    Attributes:
        slot: the verdict.
        judge: that gave it.
        product: the patches.
        examined: what the model said of them; None where the strip was not inspected.
    """

    slot: SlotVerdict
    judge: Judge
    product: Product | None
    examined: Examined | None


class Engine:
    """Inspects one acquisition after the other.

    Args:
        judge: model and thresholds.
        options: of the set whose acquisitions the line inspects.
        slot_ms: longest time that a slot may take, milliseconds.
    """

    def __init__(self, judge: Judge, options: DatasetOptions, slot_ms: float) -> None:
        self._judge, self._options, self._slot_ms = judge, options, slot_ms
        self._before: Judge | None = None
        self._between_slots = Lock()
        # The model runs in a thread of its own, so that a verdict can be given when its time is up.
        self._worker = ThreadPoolExecutor(1, "model")
        self._running: Future[Examined] | None = None

    @property
    def judge(self) -> Judge:
        """Model and thresholds that judge now."""
        return self._judge

    def close(self, seconds: float = 10.0) -> bool:
        """Waits for the model's last call, but not for ever; returns whether it came back."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        return self._running is None or not wait([self._running], seconds).not_done

    def swap(self, judge: Judge) -> None:
        """Takes another model and other thresholds, once the slot that is under way has its verdict."""
        with self._between_slots:
            self._before, self._judge = self._judge, judge

    def roll_back(self) -> Judge:
        """Goes back to model and thresholds before the last swap; raises `JudgeError` where there was none."""
        with self._between_slots:
            if self._before is None:
                raise JudgeError(
                    "expected an earlier model and thresholds to go back to, got none: nothing was swapped"
                )
            self._before, self._judge = self._judge, self._before
            return self._judge

    def inspect(self, key: AcquisitionKey, frames: Mapping[FramePlace, Pixels]) -> Inspection:
        """Inspects an acquisition in memory: `prepare`, then `decide`.

        Args:
            key: of the acquisition.
            frames: uint8 [height, width], at least those that patches need.

        Returns:
            The verdict: reject, not inspected, where something is wrong with the frames or time ran out.
        """
        return self.decide(self.prepare(key, frames))

    def prepare(
        self, key: AcquisitionKey, frames: Mapping[FramePlace, Pixels], folder: str = "",
        frames_sha256: Mapping[str, str] | None = None, milliseconds: Mapping[str, float] | None = None,
    ) -> Prepared:  # fmt: skip
        """Cuts the patches of an acquisition; may run in another thread while the model is at work.

        Args:
            key: of the acquisition.
            frames: uint8 [height, width], at least those that patches need.
            folder: of its frames.
            frames_sha256: by file name, of the frames.
            milliseconds: that it took so far.
        """
        started = time.perf_counter()
        product, problem = None, None
        try:
            product = cut_product(frames, key, self._options)
        except AcquisitionError as error:
            problem = error
        times = {"waited": 0.0, "read": 0.0, **(milliseconds or {}), "cut": _since(started)}
        return Prepared(key, folder, dict(frames_sha256 or {}), product, problem, times)

    def decide(self, prepared: Prepared) -> Inspection:
        """Judges an acquisition whose patches are cut; one at a time.

        Whatever goes wrong, there is a verdict, and never `accept` for what the model did not judge.
        """
        with self._between_slots:
            judge = self._judge
            times = {"waited": 0.0, **prepared.milliseconds}
            times["waited"] += _since(prepared.since)
            slot = SlotVerdict(
                acquisition=str(prepared.key), folder=prepared.folder, verdict=REJECT, inspected=False, reason=FAILED,
                detail="", model_digest=judge.model_digest, thresholds_digest=judge.thresholds_digest,
                thresholds=dict(judge.limits), scores={}, deciding=None, frames_sha256=dict(prepared.frames_sha256),
                milliseconds={**times, "model": 0.0, "judge": 0.0}, slot_ms=self._slot_ms,
            )  # fmt: skip
            if prepared.product is None:
                return Inspection(_refused(slot, prepared.problem), judge, None, None)
            return self._decide(slot, judge, prepared.product)

    def _decide(self, slot: SlotVerdict, judge: Judge, product: Product) -> Inspection:
        started = time.perf_counter()
        left = (self._slot_ms - _spent(slot.milliseconds)) / 1000
        if left <= 0:
            # Not even begun: a call cannot be ended, and the next strip would wait for it.
            return Inspection(_overrun(_timed(slot)), judge, product, None)
        before = self._running
        running = self._running = self._worker.submit(judge.examine, product.patches)
        try:
            error = running.exception(left)
        except TimeoutError:
            # Where it had not begun, the one before is still at work.
            if running.cancel():
                self._running = before
            return Inspection(_overrun(_timed(slot, model=_since(started))), judge, product, None)
        slot = _timed(slot, model=_since(started))
        if error is not None:
            return Inspection(_timed(replace(slot, detail=f"the model failed: {error!r}")), judge, product, None)
        examined = running.result()
        started = time.perf_counter()
        try:
            scores, deciding = _scores(product, examined), _deciding(product, examined, judge)
        except Exception as problem:  # noqa: BLE001  # Whatever it is, the strip has its verdict and the line goes on.
            detail = f"the scores cannot be judged: {problem!r}"
            return Inspection(_timed(replace(slot, detail=detail)), judge, product, None)
        verdict = REJECT if deciding.score > deciding.threshold else ACCEPT
        judged = replace(slot, verdict=verdict, inspected=True, reason="", scores=scores, deciding=deciding)
        judged = _timed(judged, judge=_since(started))
        if judged.milliseconds["slot"] > self._slot_ms:
            return Inspection(_overrun(_timed(slot, judge=_since(started))), judge, product, None)
        return Inspection(judged, judge, product, examined)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _spent(milliseconds: Mapping[str, float]) -> float:
    return sum(value for name, value in milliseconds.items() if name not in ("waited", "slot"))


def _timed(slot: SlotVerdict, **milliseconds: float) -> SlotVerdict:
    """The same with more times, and the whole slot's."""
    times = {**slot.milliseconds, **milliseconds}
    return replace(
        slot, milliseconds={name: round(value, 3) for name, value in (times | {"slot": _spent(times)}).items()}
    )


def _refused(slot: SlotVerdict, problem: AcquisitionError | None) -> SlotVerdict:
    """The verdict on an acquisition without patches."""
    if problem is None:
        return _timed(replace(slot, detail="no patches were cut"))
    detail = f"{problem.file}: {problem.detail}" if problem.file else problem.detail
    return _timed(replace(slot, reason=problem.reason, detail=detail))


def _overrun(slot: SlotVerdict) -> SlotVerdict:
    took = slot.milliseconds["slot"]
    detail = f"its slot took {took:.0f} ms or more; at most {slot.slot_ms:g} ms are allowed (line.slot_ms)"
    return replace(slot, reason=SLOT_OVERRUN, detail=detail)


def _scores(product: Product, examined: Examined) -> Scores:
    """By image and region the scores of the vials."""
    if not np.isfinite(examined.scores).all():
        raise JudgeError("expected finite scores")
    vials = 1 + max(place.vial for place in product.places)
    found: dict[str, dict[str, list[float | None]]] = {}
    for place, score in zip(product.places, examined.scores.tolist(), strict=True):
        found.setdefault(place.image, {}).setdefault(place.region, [None] * vials)[place.vial] = score
    return {image: {region: tuple(row) for region, row in regions.items()} for image, regions in found.items()}


def _deciding(product: Product, examined: Examined, judge: Judge) -> Deciding:
    """The patch with the greatest score over its threshold; of equal ones the first that was cut."""
    scores = examined.scores.astype(np.float64)
    limits = np.array([judge.limits[place.region] for place in product.places])
    ratios = threshold_ratios(scores, limits)
    # With a threshold of 0 or less, ratios alone do not tell what is over it.
    row = int(np.lexsort((-np.arange(len(ratios)), ratios, scores > limits))[-1])
    place = product.places[row]
    return Deciding(
        patch=f"{product.key}/{place.image}/v{place.vial}/{place.region}", region=place.region,
        score=float(scores[row]), threshold=float(limits[row]), ratio=float(ratios[row]),
    )  # fmt: skip
