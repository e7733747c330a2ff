"""`thresholds.json`: what comes back, and that an edited file is refused."""

import json
from pathlib import Path

import pytest

from drae_acceptance.calibration import bind, calibrate
from drae_acceptance.errors import CalibrationError
from drae_acceptance.threshold_file import content_digest, read_thresholds, stored_digest, thresholds_bytes
from tests.small_calibration import options, small


def test_the_file_gives_the_thresholds_back(tmp_path: Path) -> None:
    for protocol in ("disjoint", "folds"):
        found = calibrate(small(), options(protocol=protocol))
        (tmp_path / "thresholds.json").write_bytes(thresholds_bytes(found, options(protocol=protocol)))
        stored = read_thresholds(tmp_path / "thresholds.json")
        assert (stored.calibrated, stored.options) == (found, options(protocol=protocol))
        assert stored.digest == stored_digest(found, options(protocol=protocol))
        assert found.binding == bind(small().card)


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "thresholds.json"
    values = json.loads(thresholds_bytes(calibrate(small(), options()), options()))
    values["levels"]["run"]["R0"]["value"] = 0.99
    place.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match="the file was changed after it was written"):
        read_thresholds(place)
    for content in ("", "[]", "{}"):
        place.write_text(content)
        with pytest.raises(CalibrationError, match="expected thresholds"):
            read_thresholds(place)
    with pytest.raises(CalibrationError, match=r"run python -m pipelines\.calibrate"):
        read_thresholds(tmp_path / "absent.json")


def test_options_that_no_search_takes_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "thresholds.json"
    values = json.loads(thresholds_bytes(calibrate(small(), options()), options()))
    values["options"]["folds"] = 0
    values.pop("digest")
    place.write_text(json.dumps({**values, "digest": content_digest(values)}))
    with pytest.raises(CalibrationError, match=r"thresholds\.json: expected thresholds, got OptionError"):
        read_thresholds(place)
