"""The perturbation benchmark at its smallest: the JSON line has its keys, and a difference between the sides is found.

What is measured is not judged here: times on a test machine say nothing.
"""

import json
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.measure import BenchmarkError
from benchmarks.perturbation import OPTIONS, batch_of, compare_sides, main, numpy_perturb
from drae_model.perturbation import perturb


def test_a_tiny_run_ends_with_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sizes", "16,24", "--batch-size", "3", "--rounds", "2"]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert min(result["perturbation_16"], result["perturbation_24"]) > 0
    assert set(result["ms_per_batch"]["24"]) == {"numpy", "graph"}


def test_both_sides_do_the_same_work() -> None:
    images, seeds = batch_of(32, 40)
    plain = numpy_perturb(images, seeds, OPTIONS)

    compare_sides([each.numpy() for each in perturb(images, seeds, OPTIONS)], plain)
    assert 0.01 < plain[2].mean() < 0.1


@pytest.mark.parametrize("number", range(3))
def test_a_difference_between_the_sides_is_found(number: int) -> None:
    plain = numpy_perturb(*batch_of(16, 4), OPTIONS)
    changed = [each.copy() for each in plain]
    changed[number][2, 3, 5:9] += 0.01

    with pytest.raises(BenchmarkError, match="of the pixels different"):
        compare_sides(changed, plain)
    with pytest.raises(BenchmarkError, match=r"100.0% of the pixels different"):
        compare_sides([each[:1] for each in plain], plain)
