"""What the line says of one acquisition, as a value and as a line of JSON in the log."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from drae_acceptance.verdict import ACCEPT, REJECT, Deciding
from drae_line.errors import LogError

FORMAT_VERSION = 1

# Why an acquisition was rejected without having been inspected, beside the codes of `AcquisitionError`.
SLOT_OVERRUN, STILL_WRITTEN, FAILED = "slot_overrun", "still_written", "failed"

# By image (`f07`, `min`, `max`) and region the scores of its vials in order; None where there is no such patch.
Scores = Mapping[str, Mapping[str, tuple[float | None, ...]]]


@dataclass(frozen=True)
class SlotVerdict:
    """The verdict on one acquisition.

    Attributes:
        acquisition: text form of its key, `K0021/r3`.
        folder: of its frames, below the folder that is watched.
        verdict: accept or reject.
        inspected: whether the model has judged it; what was not inspected is never accepted.
        reason: code why it was not inspected: that of an `AcquisitionError`, `slot_overrun`, `still_written` or
            `failed`; empty where it was.
        detail: the same in words.
        model_digest: of the model that judged, or would have.
        thresholds_digest: of its thresholds.
        thresholds: by region; a patch is rejected where its score is greater.
        scores: of all patches; empty where it was not inspected.
        deciding: the patch with the greatest score over threshold; None where it was not inspected.
        frames_sha256: by file name, of the frames that were read.
        milliseconds: by stage: `waited` since it was complete, `read`, `cut`, `model`, `judge`, and `slot`, the whole
            from its turn to its verdict.
        slot_ms: longest time that a slot may take.
    """

    acquisition: str
    folder: str
    verdict: str
    inspected: bool
    reason: str
    detail: str
    model_digest: str
    thresholds_digest: str
    thresholds: Mapping[str, float]
    scores: Scores
    deciding: Deciding | None
    frames_sha256: Mapping[str, str]
    milliseconds: Mapping[str, float]
    slot_ms: float

    def __post_init__(self) -> None:
        if self.verdict not in (ACCEPT, REJECT):
            raise LogError(f"{self.acquisition}: expected the verdict accept or reject, got {self.verdict!r}")
        if self.verdict == ACCEPT and not self.inspected:
            raise LogError(f"{self.acquisition}: expected reject for what was not inspected, got accept")
        if self.inspected == bool(self.reason):
            raise LogError(f"{self.acquisition}: expected a reason where it was not inspected, and only there")

    @property
    def rejected(self) -> tuple[tuple[str, int, str], ...]:
        """Image, vial and region of the patches over their thresholds."""
        return tuple(
            (image, vial, region)
            for image, regions in self.scores.items()
            for region, vials in regions.items()
            for vial, score in enumerate(vials)
            if score is not None and score > self.thresholds[region]
        )


@dataclass(frozen=True)
class LoggedVerdict:
    """A verdict as the log holds it.

    Attributes:
        sequence: its number in the log, from 1, without gaps.
        given: when it was given: UTC, ISO 8601 with milliseconds.
        slot: the verdict.
    """

    sequence: int
    given: str
    slot: SlotVerdict

    def line(self) -> bytes:
        """The line of JSON, with its end."""
        values = {"format_version": FORMAT_VERSION, "sequence": self.sequence, "given": self.given, **asdict(self.slot)}
        if self.slot.deciding is not None and math.isinf(self.slot.deciding.ratio):
            values["deciding"]["ratio"] = None  # JSON has no infinite numbers.
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
        # A detail may quote a file name that is no UTF-8: what stands for its bytes (PEP 383) is escaped as JSON does.
        return text.encode(errors="backslashreplace")

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Reads a line back; raises `LogError`."""
        try:
            values: dict[str, Any] = json.loads(line)
            if values.pop("format_version") != FORMAT_VERSION:
                raise LogError(f"expected format_version {FORMAT_VERSION}")
            sequence, given, deciding = values.pop("sequence"), values.pop("given"), values.pop("deciding")
            scores = {
                image: {region: tuple(map(_score, vials)) for region, vials in regions.items()}
                for image, regions in values.pop("scores").items()
            }
            if set(values) != _PLAIN or type(sequence) is not int:
                raise LogError(f"expected the entries {', '.join(sorted(_PLAIN))}, got {', '.join(sorted(values))}")
            _check_kinds({**values, "given": given}, _KINDS)
            for name, kind in _TABLES.items():
                _check_kinds(values[name], dict.fromkeys(values[name], kind))
            if deciding is not None:
                deciding["ratio"] = math.inf if deciding["ratio"] is None else deciding["ratio"]
                _check_kinds(deciding, _DECIDING)
            slot = SlotVerdict(**values, scores=scores, deciding=None if deciding is None else Deciding(**deciding))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LogError(f"expected a verdict, got {line[:80]!r}: {type(error).__name__}, {error}"[:400]) from error
        return cls(sequence, given, slot)


_PLAIN = {field.name for field in fields(SlotVerdict)} - {"scores", "deciding"}
_NUMBER = (int, float)
_TEXTS = ("given", "acquisition", "folder", "verdict", "reason", "detail", "model_digest", "thresholds_digest")
_TABLES = {"thresholds": _NUMBER, "milliseconds": _NUMBER, "frames_sha256": (str,)}
_KINDS = {**dict.fromkeys(_TEXTS, (str,)), **dict.fromkeys(_TABLES, (dict,)), "inspected": (bool,), "slot_ms": _NUMBER}
_DECIDING = {"patch": (str,), "region": (str,), "score": _NUMBER, "threshold": _NUMBER, "ratio": _NUMBER}


def _check_kinds(values: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Raises TypeError where a value is not of its kind."""
    for name, kind in kinds.items():
        if type(values[name]) not in kind:
            raise TypeError(f"{name}: expected {' or '.join(one.__name__ for one in kind)}, got {values[name]!r}")


def _score(value: Any) -> float | None:
    if value is not None:
        _check_kinds({"score": value}, {"score": _NUMBER})
    found: float | None = value
    return found
