"""The benchmark of scale at a size that takes seconds: the JSON line has its keys. What is measured is not judged."""

import json

import cv2
import pytest

from benchmarks.projection import Assumptions
from benchmarks.scale import main
from benchmarks.step_rates import WORKER_STEPS


def test_a_tiny_run_ends_with_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    threads = cv2.getNumThreads()
    arguments = ["--measured", "2", "--rounds", "1", "--size", "160x128", "--frames", "2", "--plans", "100,200"]
    try:
        assert main([*arguments, "--patches", "1000,5000", "--strips", "20", "--price-core-hour", "7"]) == 0
    finally:
        cv2.setNumThreads(threads)

    tables = capsys.readouterr().out
    result = json.loads(tables.splitlines()[-1])
    assert set(result["rates"]["steps"]) == set(WORKER_STEPS)
    assert result["assumed"]["price_core_hour"] == 7
    assert set(result["assumed"]) == set(Assumptions.__dataclass_fields__)
    # 2 frames and 2 rank images of 20 boxes are 80 patches.
    assert {size: found["acquisitions"] for size, found in result["projections"].items()} == {"1000": 13, "5000": 63}
    assert [point["acquisitions"] for point in result["costs"]["plans"]] == [100, 200]
    assert 10 < result["costs"]["shuffle_bytes"] < result["costs"]["frame_bytes"]
    assert len(result["schedules"]) == 12
    assert "first bottleneck: " in tables


def test_flags_that_are_no_numbers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--workers", "many"])
    assert "--workers" in capsys.readouterr().err
