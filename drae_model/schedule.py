"""The learning rate of both optimizers."""

import keras

from drae_model.training_options import LearningRate


def learning_rate(options: LearningRate, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Cosine decay with restarts (Loshchilov and Hutter 2017, arXiv:1608.03983), each period as long as the first.

    Step t has the rate start * restart_factor^i * (1 + cos(pi (t / T - i))) / 2, where T is the steps of a period and
    i = floor(t / T).

    Args:
        options: the curve.
        steps_per_epoch: T where `options.restart_steps` is None.
    """
    # Keras computes in float32, which counts up to 2^24 = 16,777,216 steps exactly. Beyond, a step is taken for a
    # neighbouring one, first 1 and from 2^25 on up to 2 steps away; periods of many steps do not show it.
    return keras.optimizers.schedules.CosineDecayRestarts(
        options.start,
        first_decay_steps=options.restart_steps or steps_per_epoch,
        t_mul=1.0,
        m_mul=options.restart_factor,
    )
