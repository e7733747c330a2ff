"""One inference and one training step of the networks on each of Keras' backends, for `benchmarks.network`.

Import it after `KERAS_BACKEND` is decided. Both steps are what `drae_model` does, without its data and its metrics.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Before TensorFlow is imported: its banner would stand between the lines of the tables.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import ops

from benchmarks.measure import BenchmarkError
from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.losses import discriminator_loss, generator_loss
from drae_model.network_options import NetworkOptions
from drae_model.networks import Networks, build_networks
from drae_model.scoring import scores

BACKENDS = ("tensorflow", "jax", "torch")
# Tensors, modules and functions of three libraries.
Tensor = Any
# Runs once and waits until the device has finished.
Step = Callable[[], object]
_SEED = 1
_ANY_RATE = 1e-5


@dataclass(frozen=True)
class MeasuredNetworks(Networks):
    """The networks with new weights, and what they are trained and judged by."""

    losses: LossOptions
    score: ScoreOptions

    def judge(self, patches: Tensor) -> Tensor:
        """Scores, float32 [n], of patches, float32 [n, s, s, 1]."""
        return scores(patches, self.autoencoder(patches, training=False)["image"], self.score)

    def train_losses(self, clean: Tensor, perturbed: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The generator's and the discriminator's loss of a batch, each array float32 [n, s, s, 1]."""
        rebuilt = self.autoencoder(perturbed, training=True)
        again = self.second_encoder(rebuilt["image"], training=True)
        real = self.discriminator(clean, training=True)
        fake = self.discriminator(rebuilt["image"], training=True)
        parts = generator_loss(
            clean, perturbed, noise, rebuilt["image"], rebuilt["latent"], again, real["features"], fake["features"],
            self.losses,
        )  # fmt: skip
        return parts["total"], discriminator_loss(real["logit"], fake["logit"])

    def trained(self) -> tuple[list[keras.Variable], list[keras.Variable]]:
        """The trainable weights of the generator and of the discriminator."""
        generator = [*self.autoencoder.trainable_variables, *self.second_encoder.trainable_variables]
        return generator, self.discriminator.trainable_variables

    def others(self) -> list[keras.Variable]:
        """Weights that no gradient changes: moving means and variances."""
        models = (self.autoencoder, self.second_encoder, self.discriminator)
        return [weight for model in models for weight in model.non_trainable_variables]


def build(options: NetworkOptions, losses: LossOptions, score: ScoreOptions, precision: str) -> MeasuredNetworks:
    """New networks; a linear path has one projection."""
    if keras.backend.backend() == "jax":
        import jax

        # SSIM sums in float64, see drae_model/ssim.py.
        jax.config.update("jax_enable_x64", True)
    made = build_networks(options, 1, _SEED, precision)
    return MeasuredNetworks(made.autoencoder, made.second_encoder, made.discriminator, losses, score)


def steps_of(networks: MeasuredNetworks, batch: tuple[Any, Any, Any], training: bool) -> Step:
    """A step on arrays that lie on the device already.

    Args:
        networks: their weights change in training.
        batch: patches, perturbed patches and noise: float32 [n, s, s, 1].
        training: one optimizer step of generator and discriminator each; else reconstruction and score.

    Raises:
        BenchmarkError: Keras runs on a backend that cannot train.
    """
    makers = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    backend = keras.backend.backend()
    if backend not in makers:
        raise BenchmarkError(f"KERAS_BACKEND: expected one of {', '.join(BACKENDS)}, got {backend!r}")
    clean, perturbed, noise = (ops.convert_to_tensor(each) for each in batch)
    return makers[backend](networks, (clean, perturbed, noise), training)


def _optimizers(networks: MeasuredNetworks) -> tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]:
    made = keras.optimizers.Adam(_ANY_RATE), keras.optimizers.Adam(_ANY_RATE)
    for optimizer, weights in zip(made, networks.trained(), strict=True):
        optimizer.build(weights)
    return made


def _tensorflow(networks: MeasuredNetworks, batch: tuple[Tensor, Tensor, Tensor], training: bool) -> Step:
    import tensorflow as tf

    if not training:
        judge = tf.function(networks.judge)
        return lambda: judge(batch[0]).numpy()
    optimizers = _optimizers(networks)

    @tf.function  # type: ignore[untyped-decorator]
    def train(clean: Tensor, perturbed: Tensor, noise: Tensor) -> Tensor:
        with tf.GradientTape(persistent=True) as tape:
            losses = networks.train_losses(clean, perturbed, noise)
        for loss, weights, optimizer in zip(losses, networks.trained(), optimizers, strict=True):
            optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
        return losses[0]

    return lambda: train(*batch).numpy()


def _torch(networks: MeasuredNetworks, batch: tuple[Tensor, Tensor, Tensor], training: bool) -> Step:
    import torch

    def wait() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def judge() -> None:
        with torch.no_grad():
            networks.judge(batch[0])
        wait()

    if not training:
        return judge
    optimizers = _optimizers(networks)

    def train() -> None:
        generator, discriminator = networks.trained()
        total, judged = networks.train_losses(*batch)
        first = torch.autograd.grad(total, [weight.value for weight in generator], retain_graph=True)
        second = torch.autograd.grad(judged, [weight.value for weight in discriminator])
        with torch.no_grad():
            optimizers[0].apply(first, generator)
            optimizers[1].apply(second, discriminator)
        wait()

    return train


def _jax(networks: MeasuredNetworks, batch: tuple[Tensor, Tensor, Tensor], training: bool) -> Step:
    import jax

    generator, discriminator = networks.trained()
    others = networks.others()
    optimizers = _optimizers(networks) if training else ()
    groups = [generator, discriminator, others, *(optimizer.variables for optimizer in optimizers)]
    # The compiled step owns and replaces these; the variables of Keras keep the values of the beginning.
    state = [[weight.value for weight in group] for group in groups]

    def scope(*values: list[Tensor]) -> keras.StatelessScope:
        variables = [weight for group in groups[: len(values)] for weight in group]
        return keras.StatelessScope(zip(variables, [each for group in values for each in group], strict=True))

    @jax.jit  # type: ignore[untyped-decorator]
    def judge(state: list[list[Tensor]], patches: Tensor) -> Tensor:
        with scope(*state[:3]):
            return networks.judge(patches)

    def loss_of(which: int, own: list[Tensor], state: list[list[Tensor]]) -> tuple[Tensor, list[Tensor]]:
        values = [own if index == which else group for index, group in enumerate(state[:3])]
        with scope(*values) as inside:
            loss = networks.train_losses(*batch)[which]
            return loss, [inside.get_current_value(weight) for weight in others]

    # Both gradients share one forward pass: XLA finds that it is written twice.
    @jax.jit  # type: ignore[untyped-decorator]
    def train(state: list[list[Tensor]]) -> tuple[Tensor, list[list[Tensor]]]:
        updated, moments, losses = [], [], []
        kept = state[2]
        for which, optimizer in enumerate(optimizers):
            gradient = jax.value_and_grad(lambda own, which=which: loss_of(which, own, state), has_aux=True)
            (loss, kept), slopes = gradient(state[which])
            weights, variables = optimizer.stateless_apply(state[3 + which], slopes, state[which])
            updated.append(weights)
            moments.append(variables)
            losses.append(loss)
        return losses, [*updated, kept, *moments]

    def train_once() -> None:
        losses, state[:] = train(state)
        jax.block_until_ready((losses, state))

    return train_once if training else (lambda: jax.block_until_ready(judge(state, batch[0])))


def device_memory() -> tuple[str, float | None]:
    """The device's name, and the most of its memory that this process has held so far in 10^9 bytes; None on a CPU."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        device = jax.local_devices()[0]
        stats = device.memory_stats() or {}
        return device.device_kind, stats["peak_bytes_in_use"] / 1e9 if "peak_bytes_in_use" in stats else None
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name(), torch.cuda.max_memory_allocated() / 1e9
        return "cpu", None
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        return "cpu", None
    name = tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")
    return str(name), tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9
