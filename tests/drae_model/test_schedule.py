"""The learning rate's curve against its closed form, in float64, at the paper's numbers.

Keras computes in float32. Away from the end of a period that is a relative error of 1e-5 at most; at its end the rate
nearly is 0, so there the error is held against the start, at 1e-7 of it.
"""

import math
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras import ops

from drae_model.schedule import learning_rate
from drae_model.training_options import LearningRate

START, PERIOD, FACTOR = 1.5e-4, 2_533_680, 1 / 3
PAPER = LearningRate(START, PERIOD, FACTOR)


def rates(options: LearningRate, steps: list[int], steps_per_epoch: int = 1) -> np.ndarray:
    curve = learning_rate(options, steps_per_epoch)
    return np.array([float(ops.convert_to_numpy(curve(step))) for step in steps])


def closed_form(step: int, start: float, period: int, factor: float) -> float:
    restart, inside = divmod(step, period)
    return start * factor**restart * (1 + math.cos(math.pi * inside / period)) / 2


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 1.5e-4),
        # A third of the period: (1 + cos 60 degrees) / 2 = 0.75.
        (844_560, 1.125e-4),
        (1_266_840, 0.75e-4),
        (2_533_680, 0.5e-4),
        (3_800_520, 0.25e-4),
        (5_067_360, 1.5e-4 / 9),
    ],
)
def test_the_papers_curve_by_hand(step: int, expected: float) -> None:
    assert rates(PAPER, [step])[0] == pytest.approx(expected, rel=1e-5)


def test_the_papers_curve_is_the_closed_form() -> None:
    # Three periods end at 7,601,040, below 2^24: float32 holds each step.
    steps = [*range(0, 3 * PERIOD, 48_611), *(turn * PERIOD + near for turn in (1, 2) for near in (-2, -1, 0, 1, 2))]

    expected = [closed_form(step, START, PERIOD, FACTOR) for step in steps]

    np.testing.assert_allclose(rates(PAPER, steps), expected, rtol=1e-5, atol=1e-7 * START)


def test_the_rate_jumps_at_a_restart_and_not_one_step_before() -> None:
    before, at, after = rates(PAPER, [PERIOD - 1, PERIOD, PERIOD + 1])
    assert before < 1e-7 * START
    assert at == pytest.approx(START / 3, rel=1e-6)
    assert after == pytest.approx(START / 3, rel=1e-6)


def test_without_restart_steps_an_epoch_is_a_period() -> None:
    options = LearningRate(1e-3, None, 0.5)
    expected = [closed_form(step, 1e-3, 40, 0.5) for step in range(200)]
    np.testing.assert_allclose(rates(options, list(range(200)), 40), expected, rtol=2e-5, atol=1e-10)


def test_restart_steps_go_before_epochs() -> None:
    assert rates(LearningRate(1e-3, 10, 0.5), [10], 40)[0] == pytest.approx(0.5e-3, rel=1e-6)


def test_beyond_what_float32_counts_the_curve_is_still_near() -> None:
    # 2^24 + 1 cannot be told from 2^24; the closed form moves by less than 2e-6 of its value from step to step there.
    steps = [2**24 - 1, 2**24 + 1, 2**25 + 1, 10 * PERIOD + PERIOD // 2]
    expected = [closed_form(step, START, PERIOD, FACTOR) for step in steps]
    np.testing.assert_allclose(rates(PAPER, steps), expected, rtol=1e-4)
