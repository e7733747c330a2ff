"""`thresholds.json`, bound to what it was made from, and `history.json`: what changed, why, and who answers for it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import CalibrationOptions
from drae_acceptance.threshold_set import Binding, Calibrated, Fold, RegionThreshold, ThresholdSet
from drae_data.files import sha256_hex

THRESHOLDS, HISTORY = "thresholds.json", "history.json"
NOT_STATED = "not stated"
_VERSION = 1
_AGAIN = "run python -m pipelines.calibrate again"


def thresholds_bytes(calibrated: Calibrated, options: CalibrationOptions) -> bytes:
    """`thresholds.json`: the same thresholds and options give the same bytes. Its digest covers everything else."""
    values = {
        "format_version": _VERSION,
        "protocol": calibrated.protocol,
        "optimistic": calibrated.optimistic,
        "binding": asdict(calibrated.binding),
        "strips": list(calibrated.strips),
        "options": _options(options),
        "levels": _levels(calibrated.thresholds),
        "folds": [{"strips": list(fold.strips), "levels": _levels(fold.thresholds)} for fold in calibrated.folds],
    }
    return _json({**values, "digest": _digest(values)})


def read_thresholds(place: Path) -> tuple[Calibrated, str]:
    """Reads `thresholds.json`.

    Returns:
        The thresholds and their digest.

    Raises:
        CalibrationError: the file is absent, of another format, or was changed after it was written.
    """
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
        digest = values.pop("digest")
        if values["format_version"] != _VERSION:
            raise CalibrationError(
                f"{place}: expected format_version {_VERSION}, got {values['format_version']!r}; {_AGAIN}"
            )
        if digest != _digest(values):
            raise CalibrationError(
                f"{place}: expected the content of digest {digest}, got {_digest(values)}: the file was changed after "
                f"it was written. Thresholds are set in the section calibrate of params.yaml; {_AGAIN}"
            )
        folds = tuple(Fold(tuple(fold["strips"]), _threshold_set(fold["levels"])) for fold in values["folds"])
        calibrated = Calibrated(
            values["protocol"], Binding(**values["binding"]), tuple(values["strips"]),
            _threshold_set(values["levels"]), folds,
        )  # fmt: skip
    except OSError as error:
        raise CalibrationError(f"{place}: expected thresholds, got: {error.strerror}; {_AGAIN}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(f"{place}: expected thresholds, got {error!r}; {_AGAIN}") from error
    return calibrated, str(digest)


def history_bytes(before: bytes | None, thresholds: bytes, reason: str, author: str) -> bytes:
    """`history.json` with an entry for these thresholds, unless its last entry is theirs.

    Each entry holds the digest of the one before, so that an entry that is taken out or changed is found.

    Args:
        before: content of the file; None where there is none.
        thresholds: content of `thresholds.json`.
        reason: why they change; `not stated` where it is empty.
        author: who answers for it; the same.

    Raises:
        CalibrationError: the history is damaged, or was changed.
    """
    entries = read_history(before) if before is not None else []
    values = json.loads(thresholds)
    if not entries or entries[-1]["thresholds_digest"] != values["digest"]:
        entry = {
            "number": len(entries) + 1,
            "previous": entries[-1]["digest"] if entries else "",
            "thresholds_digest": values["digest"],
            "reason": reason.strip() or NOT_STATED,
            "author": author.strip() or NOT_STATED,
            **{name: values[name] for name in ("protocol", "binding", "options", "levels")},
        }
        entries.append({**entry, "digest": _digest(entry)})
    return _json(entries)


def read_history(content: bytes) -> list[dict[str, Any]]:
    """The entries of a history, oldest first; raises `CalibrationError` where one was changed or taken out."""
    try:
        entries: list[dict[str, Any]] = json.loads(content)
        previous = ""
        for number, entry in enumerate(entries, 1):
            values = {name: value for name, value in entry.items() if name != "digest"}
            if (entry["number"], entry["previous"], entry["digest"]) != (number, previous, _digest(values)):
                raise CalibrationError(
                    f"{HISTORY}: expected entry {number} to follow the one before it unchanged, got one that was "
                    "changed, or whose predecessor was taken out; restore the file from its version before"
                )
            previous = entry["digest"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(f"{HISTORY}: expected the history of thresholds, got {error!r}") from error
    return entries


def _options(options: CalibrationOptions) -> dict[str, Any]:
    return {**asdict(options), "goals": dict(options.goals)}


def _levels(thresholds: ThresholdSet) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        level: {region: asdict(threshold) for region, threshold in regions.items()}
        for level, regions in thresholds.levels.items()
    }


def _threshold_set(levels: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> ThresholdSet:
    return ThresholdSet({
        level: {region: RegionThreshold(**values) for region, values in regions.items()}
        for level, regions in levels.items()
    })  # fmt: skip


def _digest(values: Mapping[str, Any]) -> str:
    return sha256_hex(json.dumps(values, sort_keys=True).encode())


def _json(values: Any) -> bytes:
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
