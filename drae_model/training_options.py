"""Everything that decides a trained model, beside its dataset; checked at birth. Keys are those of `train`."""

from dataclasses import dataclass

from drae_data.errors import OptionError
from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.network_options import PRECISIONS, NetworkOptions
from drae_model.option_checks import check_between, check_one_of, check_whole
from drae_model.perturbation_options import AugmentationOptions, PerturbationOptions
from drae_model.read_options import Shuffle

# Numpy, which Keras seeds too, takes no larger one.
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class LearningRate:
    """Cosine decay with restarts, after Loshchilov and Hutter 2017 (arXiv:1608.03983).

    Attributes:
        start: of the first period.
        restart_steps: optimizer steps of a period; None is an epoch.
        restart_factor: the start of each period over that of the period before.
    """

    start: float
    restart_steps: int | None
    restart_factor: float

    def __post_init__(self) -> None:
        check_between("learning_rate.start", self.start, 1e-12)
        if self.restart_steps is not None:
            check_whole("learning_rate.restart_steps", self.restart_steps, 1)
        check_between("learning_rate.restart_factor", self.restart_factor, 0.0, 1.0)


@dataclass(frozen=True)
class Guard:
    """When a training is given up as collapsed; looked at with each checkpoint, over the steps since the last one.

    Attributes:
        discriminator_floor: least mean discriminator loss; below it the generator learns nothing.
        latent_floor: least variance of the latent vectors over a batch, mean of their units.
    """

    discriminator_floor: float
    latent_floor: float

    def __post_init__(self) -> None:
        check_between("guard.discriminator_floor", self.discriminator_floor, 0.0)
        check_between("guard.latent_floor", self.latent_floor, 0.0)


@dataclass(frozen=True)
class TrainingOptions:
    """A training.

    Attributes:
        seed: of the weights, the order, the augmentation and the noise; 0 to 2^32 - 1.
        network: the shape.
        perturbation: the noise.
        augmentation: the changes that keep a patch good.
        losses: the weights.
        score: how patches are judged.
        learning_rate: of both optimizers.
        batch_size: patches of a step, over all devices.
        epochs: how many; each ends with a validation, panels and a line in the logs.
        steps_per_epoch: steps of an epoch; None is all patches of the split once. Epochs shorter than the split go on
            in it where the one before ended.
        validation_patches: at most so many, spread evenly over the split; None is all.
        shuffle: the order of reading.
        checkpoint_steps: a checkpoint each so many steps, and at the end of each epoch.
        precision: float32, mixed_bfloat16 or mixed_float16.
        xla: compile the steps with XLA; not with `deterministic`.
        deterministic: the same weights from the same inputs, bit for bit, on one kind of machine; slower on a GPU.
        devices: how many GPUs (without one: logical CPUs) share each batch.
        guard: when to give up.
        panels: patches in the pictures of each epoch.
    """

    seed: int
    network: NetworkOptions
    perturbation: PerturbationOptions
    augmentation: AugmentationOptions
    losses: LossOptions
    score: ScoreOptions
    learning_rate: LearningRate
    batch_size: int
    epochs: int
    steps_per_epoch: int | None
    validation_patches: int | None
    shuffle: Shuffle
    checkpoint_steps: int
    precision: str
    xla: bool
    deterministic: bool
    devices: int
    guard: Guard
    panels: int

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, 0, LARGEST_SEED)
        for key in ("batch_size", "epochs", "checkpoint_steps", "devices", "panels"):
            check_whole(key, getattr(self, key), 1)
        for key in ("steps_per_epoch", "validation_patches"):
            if getattr(self, key) is not None:
                check_whole(key, getattr(self, key), 1)
        check_one_of("precision", self.precision, PRECISIONS)
        if self.xla and self.deterministic:
            # Keras would quietly compile nothing: TensorFlow makes no promise of determinism for compiled steps.
            raise OptionError("xla", self.xla, "false where deterministic is true")
        if self.batch_size % self.devices:
            raise OptionError("batch_size", self.batch_size, f"a multiple of devices, {self.devices}")
        if self.batch_size // self.devices < 2 and self.guard.latent_floor > 0:
            raise OptionError("batch_size", self.batch_size, "2 or more per device, unless guard.latent_floor is 0")
        if self.precision == "mixed_float16" and self.devices > 1:
            # Keras looks for overflows on the first device alone.
            raise OptionError("precision", self.precision, "float32 or mixed_bfloat16 where devices is above 1")
        # 1 - SSIM is a map of (input_size - 10) squared pixels.
        if self.score.aggregate == "window_max" and self.score.window > self.network.input_size - 10:
            raise OptionError(
                "score.window", self.score.window, f"at most input_size - 10 = {self.network.input_size - 10}"
            )
