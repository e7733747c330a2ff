"""The reading benchmark at its smallest: the JSON line has its keys, and a difference between the sides is found.

What is measured is not judged here: times on a test machine say nothing.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.measure import BenchmarkError
from benchmarks.read import SIDES, compare_images, main, timed_epoch


def batches(**greys: float) -> list[Any]:
    """One batch, as the bare side gives it, of a patch of one pixel per key."""
    return [(tf.reshape(list(greys.values()), (-1, 1, 1, 1)), tf.constant(list(greys)))]


def test_a_tiny_run_ends_with_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--encodings", "raw", "--rounds", "1", "--acquisitions", "1", "--workdir", str(tmp_path)]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["read_raw"] > 0
    assert result["read_shuffled_raw"] > 0
    assert set(result["patches_per_s"]["raw"]) == set(SIDES)


def test_equal_images_in_another_order_pass() -> None:
    compare_images({"bare": batches(a=0.25, b=0.5), "ours": batches(b=0.5, a=0.25)}, 2)


@pytest.mark.parametrize(
    "theirs", [{"a": 0.25, "b": 0.75}, {"a": 0.25}, {"a": 0.25, "b": 0.5, "c": 0.5}, {"a": 0.25, "c": 0.5}]
)
def test_a_difference_between_the_sides_is_found(theirs: dict[str, float]) -> None:
    with pytest.raises(BenchmarkError, match="expected 2 patches"):
        compare_images({"bare": batches(a=0.25, b=0.5), "ours": batches(**theirs)}, 2)


def test_a_short_epoch_is_no_fast_epoch() -> None:
    assert timed_epoch(batches(a=0.25, b=0.5), 2) > 0
    with pytest.raises(BenchmarkError, match="expected 3 patches in an epoch, got 2"):
        timed_epoch(batches(a=0.25, b=0.5), 3)


def test_an_unknown_encoding_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--encodings", "jpeg"])
    assert "expected png or raw, got 'jpeg'" in capsys.readouterr().err
