"""Section `train` of `params.yaml`: the network, its perturbation and losses, and how it is trained."""

from typing import Annotated, Literal

from pydantic import Field

from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.network_options import LinearPath, NetworkOptions, Normalization
from drae_model.perturbation_options import AugmentationOptions, PerturbationOptions
from drae_model.read_options import Shuffle
from drae_model.training_options import LARGEST_SEED, Guard, LearningRate, TrainingOptions
from pipelines.params_section import Section

Number = int | float
Whole = Annotated[int, Field(ge=1)]


class NormalizationParams(Section):
    """Section `train.network.normalization`."""

    kind: Literal["batch", "group", "none"]
    momentum: Number
    groups: int


class LinearPathParams(Section):
    """Section `train.network.linear_path`."""

    components: Whole
    per_region: bool
    fit_patches: Whole
    join: Literal["sum", "keep"]


class NetworkParams(Section):
    """Section `train.network`: see `drae_model.network_options.NetworkOptions`."""

    input_size: Whole
    widths: list[Whole]
    discriminator_widths: list[Whole]
    blocks: Whole
    bottleneck: Whole
    merge: Literal["add", "concat"]
    activation: Literal["pre", "post"]
    normalization: NormalizationParams
    linear_path: LinearPathParams | None
    lateral: bool

    def options(self) -> NetworkOptions:
        """The options for the networks; raises `OptionError`."""
        return NetworkOptions(
            input_size=self.input_size,
            widths=tuple(self.widths),
            discriminator_widths=tuple(self.discriminator_widths),
            blocks=self.blocks,
            bottleneck=self.bottleneck,
            merge=self.merge,
            activation=self.activation,
            normalization=Normalization(**self.normalization.model_dump()),
            linear_path=LinearPath(**self.linear_path.model_dump()) if self.linear_path else None,
            lateral=self.lateral,
        )


class PerturbationParams(Section):
    """Section `train.perturbation`; the probability q stands in `train` itself."""

    octaves: Annotated[list[int], Field(min_length=2, max_length=2)]
    threshold: Number
    beta: Annotated[list[Number], Field(min_length=2, max_length=2)]
    source: Literal["field", "texture"]


class AugmentationParams(Section):
    """Section `train.augmentation`."""

    rotation_degrees: Number
    shift: Number
    border: Literal["reflect", "nearest"]
    vertical_flip: bool
    horizontal_flip: bool


class LossParams(Section):
    """Section `train.losses`."""

    adversarial: Number
    contextual: Number
    huber: Number
    ssim: Number
    encoder: Number
    noise: Number
    noise_target: Literal["blend", "literal"]
    huber_delta: Number


class ScoreParams(Section):
    """Section `train.score`."""

    aggregate: Literal["mean", "percentile", "window_max"]
    percentile: Number
    window: Whole


class LearningRateParams(Section):
    """Section `train.learning_rate`."""

    start: Number
    restart_steps: Whole | Literal["epoch"]
    restart_factor: Number


class ShuffleParams(Section):
    """Section `train.shuffle`."""

    buffer: Whole
    mixed_shards: Whole


class GuardParams(Section):
    """Section `train.guard`."""

    discriminator_floor: Number
    latent_floor: Number


class TrainParams(Section):
    """Section `train`: see `drae_model.training_options.TrainingOptions`."""

    folder: Annotated[str, Field(min_length=1)]
    report: Annotated[str, Field(min_length=1)]
    set: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)]
    network: NetworkParams
    q: Number
    perturbation: PerturbationParams
    augmentation: AugmentationParams
    losses: LossParams
    score: ScoreParams
    learning_rate: LearningRateParams
    batch_size: Whole
    epochs: Whole
    steps_per_epoch: Whole | None
    validation_patches: Whole | None
    shuffle: ShuffleParams
    checkpoint_steps: Whole
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    xla: bool
    deterministic: bool
    devices: Whole
    guard: GuardParams
    panels: Whole

    def options(self) -> TrainingOptions:
        """The options for a training; raises `OptionError` with keys as they stand inside `train`."""
        low, high = self.perturbation.octaves
        beta_low, beta_high = self.perturbation.beta
        restart = self.learning_rate.restart_steps
        return TrainingOptions(
            seed=self.seed,
            network=self.network.options(),
            perturbation=PerturbationOptions(
                q=self.q,
                octaves=(low, high),
                threshold=self.perturbation.threshold,
                beta=(beta_low, beta_high),
                source=self.perturbation.source,
            ),
            augmentation=AugmentationOptions(**self.augmentation.model_dump()),
            losses=LossOptions(**self.losses.model_dump()),
            score=ScoreOptions(**self.score.model_dump()),
            learning_rate=LearningRate(
                start=self.learning_rate.start,
                restart_steps=None if restart == "epoch" else restart,
                restart_factor=self.learning_rate.restart_factor,
            ),
            batch_size=self.batch_size,
            epochs=self.epochs,
            steps_per_epoch=self.steps_per_epoch,
            validation_patches=self.validation_patches,
            shuffle=Shuffle(self.seed, self.shuffle.buffer, self.shuffle.mixed_shards),
            checkpoint_steps=self.checkpoint_steps,
            precision=self.precision,
            xla=self.xla,
            deterministic=self.deterministic,
            devices=self.devices,
            guard=Guard(**self.guard.model_dump()),
            panels=self.panels,
        )
