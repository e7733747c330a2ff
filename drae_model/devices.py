"""Where a training runs: one device, or several that share each batch; and how exactly it repeats."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from drae_model.errors import TrainingError
from drae_model.training_options import TrainingOptions


def set_up(options: TrainingOptions) -> Any:
    """Prepares this process for a training; called once, before TensorFlow does anything else.

    Args:
        options: of the training.

    Returns:
        The `tf.distribute.Strategy` under whose scope the model is made.

    Raises:
        TrainingError: there are not so many devices, or TensorFlow is at work already and cannot be set up any more.
    """
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        # It may refuse; nothing has been switched on then.
        _one_operation_at_a_time()
        # Grappler puts operations in an order that differs from process to process, and with it the order of sums.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        tf.config.experimental.enable_op_determinism()
    if options.devices == 1:
        return tf.distribute.get_strategy()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if len(gpus) < options.devices:
            raise TrainingError(f"train.devices: expected at most the {len(gpus)} GPUs here, got {options.devices}")
        return tf.distribute.MirroredStrategy([f"GPU:{number}" for number in range(options.devices)])
    _divide_cpu(options.devices)
    return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(options.devices)])


def share_statistics(model: keras.Model) -> None:
    """Gives all devices the same of what each gathers by itself; does nothing on one device.

    Moving statistics of batch normalisation become their mean over the devices: else validation would judge by each
    device's own, and checkpoints and the model would keep those of the first. Metrics, sums over the devices, are
    shared out evenly, as they are when a checkpoint is read. A training that goes on so adds up the same numbers.

    Args:
        model: made under the scope of the devices; called there, between steps.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for variable in model.non_trainable_variables:
        copies = [copy.numpy() for copy in variable.value.values]
        variable.assign(np.mean(copies, axis=0, dtype=np.float64))
    for metric in model.metrics:
        for variable in metric.variables:
            variable.assign(variable.numpy())


def _one_operation_at_a_time() -> None:
    """Lets the operations of a graph follow each other, each on all cores; on two cores that takes no longer.

    TensorFlow adds three gradients or more up in the memory of the first that nobody else needs any more. Side by side
    that is now one, now another, and the sums differ in their last bits, whatever `enable_op_determinism` promises.
    """
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise TrainingError(
            "train.deterministic: TensorFlow is at work already, so the order of its operations cannot be fixed; train "
            f"in a process of its own, or set train.deterministic to false: {error}"
        ) from error


def _divide_cpu(devices: int) -> None:
    """Makes logical devices of the processor; they prove that a batch can be shared, and make nothing faster."""
    try:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    except RuntimeError as error:
        raise TrainingError(
            f"train.devices: TensorFlow is at work already, so the CPU cannot be divided: {error}"
        ) from error
