"""What the line, its page and the report read back: logs, indexes of pictures, thresholds, cards."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drae_acceptance.calibration import calibrate
from drae_acceptance.score_files import card_bytes, read_score_card
from drae_acceptance.threshold_file import content_digest, read_thresholds, thresholds_bytes
from drae_data.errors import DraeError
from drae_line.judge_choice import read_choice
from drae_line.operator_page.checks import Check
from drae_line.operator_page.figures import Brief
from drae_line.operator_page.line_events import parse_event
from drae_line.operator_page.pictures import PicturesError, read_index
from drae_line.operator_page.strip_views import opened
from drae_line.operator_page.verdict_feed import parse_verdict
from drae_line.pictures_index import INDEX, Heatmap, VialPicture, index_bytes, pictures_folder
from drae_line.slot_verdict import LoggedVerdict
from drae_model.model_card import read_card
from tests.drae_line.small_verdicts import accepted, not_inspected, rejected
from tests.fuzz.damage import damaged, damaged_values, json_bytes
from tests.fuzz.target import Feeder, Target, promise
from tests.small_calibration import options, small

_GIVEN = "2024-02-29T23:59:58.125+00:00"
_TIMES = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-02-29", "24:00", "2024-02-29T00:00:00Z")


class NothingThereError(DraeError):
    """A reader passed over a line, as it promises of those that are none."""


def _damaged_json(draw: random.Random, seeds: list[bytes], times: str = "") -> bytes:
    """JSON damaged as values or as bytes; the entry `times` sometimes gets a time at the end of time."""
    data = draw.choice(seeds)
    if draw.random() < 0.3:
        return damaged(draw, data)
    values = json.loads(data)
    if times and draw.random() < 0.3:
        return json_bytes(draw, {**values, times: draw.choice(_TIMES)})
    return json_bytes(draw, damaged_values(draw, values))


def _prepare_verdicts(_: Path) -> Feeder:
    """A line of the log of verdicts, and all that the page makes of it."""
    slots = (accepted(), rejected(), not_inspected())
    lines = [LoggedVerdict(number, _GIVEN, slot).line() for number, slot in enumerate(slots, 1)]

    def feed(line: bytes) -> None:
        shown = json.dumps(opened(parse_verdict(line)), allow_nan=False)
        promise(json.loads(shown)["kind"] in ("accepted", "rejected", "not_inspected"), "of no kind")

    return Feeder(lambda draw: _damaged_json(draw, lines, "given"), feed)


def _prepare_events(_: Path) -> Feeder:
    """Lines of events and of checks."""
    events = [json.dumps({"given": _GIVEN, "event": "started", "detail": "é"}).encode()]
    checks = [Check(_GIVEN, 1, "A/r0", "good", "").line()]

    def feed(line: bytes) -> None:
        if b"found" in line:
            Check.parse(line)
        elif parse_event(line) is None:
            raise NothingThereError("no event")

    return Feeder(lambda draw: _damaged_json(draw, draw.choice((events, checks)), "given"), feed)


def _prepare_pictures(folder: Path) -> Feeder:
    """The index of a rejected strip's pictures."""
    heatmap = Heatmap("R1", "1_f00_R1.png", (0, 0, 16, 16), 0.5, 0.25)
    seeds = [index_bytes([VialPicture(1, "f00", "1_f00.png", (16, 32), (heatmap,))], 1, "A/r0")]
    brief = Brief.of(LoggedVerdict(1, _GIVEN, rejected()))
    place = pictures_folder(folder, 1) / INDEX
    place.parent.mkdir(parents=True)

    def feed(data: bytes) -> None:
        place.write_bytes(data)
        pictures = read_index(folder, brief)
        if pictures is None:
            raise NothingThereError("another strip's")
        names = [name for one in pictures for name in (one["file"], *(heat["file"] for heat in one["heatmaps"]))]
        promise(all("/" not in name and name.endswith(".png") for name in names), f"names {names}")
        json.dumps(pictures, allow_nan=False)

    return Feeder(lambda draw: _damaged_json(draw, seeds), feed, (DraeError, PicturesError))


def _prepare_cards(folder: Path) -> Feeder:
    """Thresholds, the card of a scored set, that of a model, and the choice of both for a line."""
    scored = small()
    thresholds = thresholds_bytes(calibrate(scored, options()), options())
    chosen = {"model": "m", "model_digest": "0" * 64, "thresholds": "t", "thresholds_digest": "1" * 64}
    readers: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
        "thresholds.json": (thresholds, lambda place: read_thresholds(place)),
        "scores.json": (card_bytes(scored.card, b"", b"", b""), lambda place: read_score_card(place.parent)),
        "model.json": (
            json.dumps({"regions": ["R0"], "score": {"options": {}}}).encode(),
            lambda place: read_card(place.parent),
        ),
        "judge.json": (json.dumps({"now": chosen, "before": None}).encode(), lambda place: read_choice(place.parent)),
    }

    def draw_case(draw: random.Random) -> tuple[str, bytes]:
        name = draw.choice(sorted(readers))
        data = _damaged_json(draw, [readers[name][0]])
        try:
            values = json.loads(data) if name == "thresholds.json" and draw.random() < 0.7 else None
            # Signed anew, damage gets beyond the digest.
            if isinstance(values, dict) and values.pop("digest", None):
                data = json.dumps({**values, "digest": content_digest(values)}).encode()
        except (ValueError, RecursionError):
            pass
        return name, data

    def feed(case: tuple[str, bytes]) -> None:
        place = folder / case[0]
        place.write_bytes(case[1])
        readers[case[0]][1](place)

    return Feeder(draw_case, feed)


TARGETS = [
    Target("verdict lines", 20_000, _prepare_verdicts),
    Target("event lines", 10_000, _prepare_events),
    Target("picture indexes", 5_000, _prepare_pictures),
    Target("cards and thresholds", 5_000, _prepare_cards),
]
