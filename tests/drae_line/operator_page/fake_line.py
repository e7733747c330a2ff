"""A line that inspects nothing: verdicts with made-up scores and pictures, as the real one logs them.

`python -m tests.drae_line.operator_page.fake_line FOLDER` logs a strip every half second, for a look at the page.
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drae_acceptance.verdict import ACCEPT, REJECT, Deciding
from drae_line.pictures_index import INDEX, Heatmap, VialPicture, index_bytes, pictures_folder
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict
from drae_line.verdict_log import VERDICTS, VerdictLog

THRESHOLDS = {"R0": 0.062, "R1": 0.104, "R2": 0.404, "R3": 0.181}
MODEL = "a1" * 32
VIALS = 5
# Width and height of a vial's picture, pixels; a region is a quarter of it.
WIDTH, HEIGHT = 120, 480


def good_scores(strip: int, images: tuple[str, ...] = ("max",), level: float = 0.5) -> dict[str, Any]:
    """Scores of a good strip: by image and region those of five vials, around a share of the threshold."""
    random = np.random.default_rng(strip)
    return {
        image: {
            region: tuple(
                float(np.float32(threshold * np.clip(value, 0.05, 0.95)))
                for value in random.normal(level, 0.1, VIALS)
            )
            for region, threshold in THRESHOLDS.items()
        }
        for image in images
    }  # fmt: skip


def slot_verdict(name: str, scores: Mapping[str, Any] | None = None, reason: str = "", **changes: Any) -> SlotVerdict:
    """A verdict: by these scores, or not inspected for a reason; any field can be changed."""
    scores = scores or {}
    patches = [
        (score / THRESHOLDS[region], f"{name}/{image}/v{vial}/{region}", region, score)
        for image, regions in scores.items()
        for region, vials in regions.items()
        for vial, score in enumerate(vials)
        if score is not None
    ]
    ratio, patch, region, score = max(patches, default=(0.0, "", "", 0.0))
    slot = {"waited": 4.0, "read": 21.0, "cut": 12.0, "model": 148.0, "judge": 1.0, "slot": 186.0}
    values: dict[str, Any] = {
        "acquisition": name, "folder": name.replace("/r", "/run_0"),
        "verdict": REJECT if reason or ratio > 1 else ACCEPT, "inspected": not reason,
        "reason": reason, "detail": "expected frame 7, got frames 0 and 15" if reason else "",
        "model_digest": MODEL, "thresholds_digest": "b2" * 32, "thresholds": THRESHOLDS,
        "scores": {} if reason else scores,
        "deciding": Deciding(patch, region, score, THRESHOLDS[region], ratio) if patch and not reason else None,
        "frames_sha256": {} if reason else {f"frame_{frame:02d}.png": f"{frame:02d}" * 32 for frame in (0, 7, 15)},
        "milliseconds": {"waited": 3.0, "slot": 34.0} if reason else slot, "slot_ms": 500.0,
    }  # fmt: skip
    return SlotVerdict(**{**values, **changes})


def with_score(scores: Mapping[str, Any], region: str, vial: int, ratio: float, image: str = "max") -> dict[str, Any]:
    """The same scores, but for one patch: so many times its threshold."""
    changed = {name: dict(regions) for name, regions in scores.items()}
    vials = list(changed[image][region])
    vials[vial] = float(np.float32(ratio * THRESHOLDS[region]))
    changed[image][region] = tuple(vials)
    return changed


class FakeLine:
    """Logs verdicts, pictures and events into a folder.

    Args:
        folder: of the line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = VerdictLog(folder / VERDICTS)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        self.log.close()

    def append(self, slot: SlotVerdict) -> LoggedVerdict:
        return self.log.append(slot)

    def accept(self, name: str, **changes: Any) -> LoggedVerdict:
        return self.append(slot_verdict(name, good_scores(len(self.log.judged)), **changes))

    def reject(
        self,
        name: str,
        region: str = "R2",
        vial: int = 3,
        ratio: float = 1.42,
        *,
        pictures: bool = True,
        **changes: Any,
    ) -> LoggedVerdict:
        scores = with_score(good_scores(len(self.log.judged)), region, vial, ratio)
        logged = self.append(slot_verdict(name, scores, **changes))
        if pictures:
            self.draw(logged)
        return logged

    def miss(self, name: str, reason: str = "still_written", **changes: Any) -> LoggedVerdict:
        return self.append(slot_verdict(name, reason=reason, **changes))

    def say(self, event: str, detail: str = "") -> None:
        """Writes an event."""
        given = datetime.now(UTC).isoformat(timespec="milliseconds")
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"given": given, "event": event, "detail": detail}) + "\n")

    def draw(self, logged: LoggedVerdict) -> None:
        """Writes the pictures of a rejected strip."""
        folder, regions = pictures_folder(self.folder, logged.sequence), list(THRESHOLDS)
        folder.mkdir(parents=True, exist_ok=True)
        pictures = []
        for image, vial, region in logged.slot.rejected:
            number = regions.index(region)
            score = logged.slot.scores[image][region][vial]
            assert score is not None
            name = f"{vial}_{image}"
            grey, heat = draw_vial(number)
            cv2.imwrite(str(folder / f"{name}_vial.png"), grey)
            cv2.imwrite(str(folder / f"{name}_{number}_heatmap.png"), heat)
            box = (0, number * HEIGHT // 4, WIDTH, HEIGHT // 4)
            heatmap = Heatmap(region, f"{name}_{number}_heatmap.png", box, score, THRESHOLDS[region])
            pictures.append(VialPicture(vial, image, f"{name}_vial.png", (WIDTH, HEIGHT), (heatmap,)))
        (folder / INDEX).write_bytes(index_bytes(pictures, logged.sequence, logged.slot.acquisition))


def draw_vial(region: int) -> tuple[Any, Any]:
    """A vial's picture with a dark spot in a region, uint8 [h, w], and the region's heatmap, uint8 [h, w, 4]."""
    across = 1 - np.abs(np.linspace(-1, 1, WIDTH)) ** 3
    grey = np.repeat((90 + 130 * across)[None], HEIGHT, axis=0).astype(np.uint8)
    grey[HEIGHT // 2 :] = grey[HEIGHT // 2 :] // 5 * 4
    x, y = WIDTH * 5 // 8, HEIGHT // 8
    cv2.circle(grey, (x, y + region * HEIGHT // 4), 7, 30, -1, cv2.LINE_AA)
    heat = np.zeros((HEIGHT // 4, WIDTH, 4), np.uint8)
    heat[..., 2] = 255
    cv2.circle(heat, (x, y), 9, (0, 60, 255, 220), -1, cv2.LINE_AA)
    return grey, heat


def run(folder: Path, seconds: float) -> None:
    """Logs a strip now and then, for ever."""
    line = FakeLine(folder)
    line.say("started", "model a1a1a1, thresholds b2b2b2")
    random = np.random.default_rng(1)
    while True:
        name, chance = f"L{len(line.log.judged):05d}/r0", random.random()
        if chance < 0.08:
            line.reject(
                name, str(random.choice(list(THRESHOLDS))), int(random.integers(VIALS)), 1 + random.exponential(0.6)
            )
        elif chance < 0.1:
            line.miss(name)
        else:
            line.accept(name)
        time.sleep(seconds)


if __name__ == "__main__":
    run(Path(sys.argv[1]), 0.5)
