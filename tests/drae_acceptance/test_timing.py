"""The timing file: read back for the same model, version and product, and for nothing else."""

from pathlib import Path

import pytest

from drae_acceptance.timing import Timing, read_timing, timing_bytes

TIMING = Timing("m", "d", "CPU", 3, 20, 0.5, 0.75)


def test_it_is_read_for_what_was_timed(tmp_path: Path) -> None:
    place = tmp_path / "kit.json"
    place.write_bytes(timing_bytes(TIMING))
    assert read_timing(place, "m", "d", 20) == TIMING
    assert TIMING.patch_milliseconds == 25
    for other in (("n", "d", 20), ("m", "e", 20), ("m", "d", 60)):
        assert read_timing(place, *other) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model_digest": "m"}'])
def test_what_is_no_timing_was_not_measured(tmp_path: Path, content: str) -> None:
    place = tmp_path / "kit.json"
    assert read_timing(place, "m", "d", 20) is None
    place.write_text(content)
    assert read_timing(place, "m", "d", 20) is None
