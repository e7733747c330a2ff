"""`thresholds.json`: thresholds with the options of their search, bound to what they were made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drae_acceptance.errors import CalibrationError
from drae_acceptance.options import CalibrationOptions, ConfirmRule
from drae_acceptance.threshold_set import Binding, Calibrated, Fold, RegionThreshold, ThresholdSet
from drae_data.errors import OptionError
from drae_data.files import sha256_hex

THRESHOLDS = "thresholds.json"
_VERSION = 3
_AGAIN = "run python -m pipelines.calibrate again"


@dataclass(frozen=True)
class StoredThresholds:
    """What `thresholds.json` holds.

    Attributes:
        calibrated: the thresholds.
        options: how they were searched.
        digest: of the file's content.
    """

    calibrated: Calibrated
    options: CalibrationOptions
    digest: str


def thresholds_bytes(calibrated: Calibrated, options: CalibrationOptions) -> bytes:
    """`thresholds.json`: the same thresholds and options give the same bytes. Its digest covers everything else."""
    values = _values(calibrated, options)
    return json_bytes({**values, "digest": content_digest(values)})


def stored_digest(calibrated: Calibrated, options: CalibrationOptions) -> str:
    """The digest that a file of these thresholds and options would have."""
    return content_digest(_values(calibrated, options))


def _values(calibrated: Calibrated, options: CalibrationOptions) -> dict[str, Any]:
    return {
        "format_version": _VERSION,
        "protocol": calibrated.protocol,
        "optimistic": calibrated.optimistic,
        "binding": asdict(calibrated.binding),
        "strips": list(calibrated.strips),
        "options": _options(options),
        "levels": _levels(calibrated.thresholds),
        "folds": [{"strips": list(fold.strips), "levels": _levels(fold.thresholds)} for fold in calibrated.folds],
    }


def read_thresholds(place: Path) -> StoredThresholds:
    """Reads `thresholds.json`.

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
        if (came := content_digest(values)) != digest:
            raise CalibrationError(
                f"{place}: expected the content of digest {digest}, got {came}: the file was changed after it was "
                f"written. Thresholds are set in the section calibrate of params.yaml; {_AGAIN}"
            )
        folds = tuple(Fold(tuple(fold["strips"]), _threshold_set(fold["levels"])) for fold in values["folds"])
        calibrated = Calibrated(
            values["protocol"], Binding(**{**values["binding"], "images": tuple(values["binding"]["images"])}),
            tuple(values["strips"]),
            _threshold_set(values["levels"]), folds,
        )  # fmt: skip
        options = CalibrationOptions(**{
            **values["options"], "confirm": ConfirmRule(**values["options"]["confirm"]),
        })  # fmt: skip
    except OSError as error:
        raise CalibrationError(f"{place}: expected thresholds, got: {error.strerror}; {_AGAIN}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OptionError) as error:
        raise CalibrationError(f"{place}: expected thresholds, got {error!r}; {_AGAIN}") from error
    return StoredThresholds(calibrated, options, str(digest))


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


def content_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, whatever their order."""
    return sha256_hex(json.dumps(values, sort_keys=True).encode())


def json_bytes(values: Any) -> bytes:
    """JSON values as a file that people read too."""
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
