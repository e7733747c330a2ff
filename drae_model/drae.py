"""The DRAE-GAN as one `keras.Model`: a step trains generator and discriminator (paper, sections 6.1.3 and 7.3).

The generator is an autoencoder and a second encoder, which sees the reconstruction. One forward pass serves both:
gradients of the generator's loss go to the generator's weights alone, those of the discriminator's loss to the
discriminator's alone.
"""

from typing import Any

import keras
import tensorflow as tf

from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.losses import contextual_loss, discriminator_loss, generator_loss
from drae_model.networks import Networks
from drae_model.reconstruction import rebuild
from drae_model.scoring import scores

# `Any` stands for tf.Tensor: TensorFlow is published without types.
Tensor = Any
Gradients = list[Tensor]

TRAINED = ("loss", "adversarial", "contextual", "encoder", "noise", "discriminator", "latent_variance")
VALIDATED = ("score", "contextual")
# What a collapse shows in.
GUARDED = ("discriminator", "latent_variance")


class DRAE(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Trains the networks.

    Args:
        networks: what is trained.
        losses: the weights.
        score: how validation judges patches.
    """

    def __init__(self, networks: Networks, losses: LossOptions, score: ScoreOptions) -> None:
        super().__init__(name="drae")
        self.autoencoder = networks.autoencoder
        self.second_encoder = networks.second_encoder
        self.discriminator = networks.discriminator
        self.loss_options = losses
        self.score_options = score
        self.trackers = {name: keras.metrics.Mean(name) for name in TRAINED}
        # Means since the guard last looked, which resets them.
        self.recent = {name: keras.metrics.Mean(f"recent_{name}") for name in GUARDED}
        self.validation_trackers = {name: keras.metrics.Mean(f"validation_{name}") for name in VALIDATED}
        self.built = True

    def compile(
        self, generator: keras.optimizers.Optimizer, discriminator: keras.optimizers.Optimizer, xla: bool
    ) -> None:
        """Sets the two optimizers; their `scale_loss` is used, so that half precision may wrap them.

        Args:
            generator: of the autoencoder and the second encoder.
            discriminator: of the discriminator.
            xla: compile the steps with XLA.
        """
        super().compile(optimizer=None, jit_compile=xla)
        self.generator_optimizer = generator
        self.discriminator_optimizer = discriminator
        generator.build(self.generator_weights)
        discriminator.build(self.discriminator.trainable_variables)

    @property
    def generator_weights(self) -> list[keras.Variable]:
        """The trainable weights of the autoencoder and the second encoder."""
        return [*self.autoencoder.trainable_variables, *self.second_encoder.trainable_variables]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What `fit` resets at the beginning of an epoch."""
        return [*self.trackers.values(), *self.recent.values(), *self.validation_trackers.values()]

    def gradients(self, batch: dict[str, Tensor]) -> tuple[Gradients, Gradients, dict[str, Tensor]]:
        """Of a batch: gradients of the generator's and of the discriminator's weights, and the losses.

        Args:
            batch: `image`, `perturbed`, `noise`: float32 [n, s, s, 1]; `region`: int32 [n].

        Returns:
            A gradient for each of `generator_weights`, a gradient for each of the discriminator's trainable weights,
            both of the loss as its optimizer scales it, and the values named in `TRAINED`.
        """
        clean, perturbed = batch["image"], batch["perturbed"]
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape(persistent=True) as tape:
            rebuilt = rebuild(self.autoencoder, perturbed, batch["region"], training=True)
            latent_again = self.second_encoder(rebuilt["image"], training=True)
            real = self.discriminator(clean, training=True)
            fake = self.discriminator(rebuilt["image"], training=True)
            parts = generator_loss(
                clean, perturbed, batch["noise"], rebuilt["image"], rebuilt["latent"], latent_again,
                real["features"], fake["features"], self.loss_options,
            )  # fmt: skip
            judged = discriminator_loss(real["logit"], fake["logit"])
            # Each replica holds a share of the batch, and the optimizers add the replicas' gradients up.
            generator = self.generator_optimizer.scale_loss(parts["total"] / replicas)
            discriminator = self.discriminator_optimizer.scale_loss(judged / replicas)
        found = (
            tape.gradient(generator, [weight.value for weight in self.generator_weights]),
            tape.gradient(discriminator, [weight.value for weight in self.discriminator.trainable_variables]),
        )
        del tape
        variance = tf.reduce_mean(tf.math.reduce_variance(rebuilt["latent"], axis=0))
        values = {**parts, "loss": parts["total"], "discriminator": judged, "latent_variance": variance}
        return *found, values

    def train_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One step of both optimizers; returns the epoch's means so far, see `TRAINED`."""
        generator, discriminator, values = self.gradients(batch)
        self.generator_optimizer.apply(generator, self.generator_weights)
        self.discriminator_optimizer.apply(discriminator, self.discriminator.trainable_variables)
        for trackers in (self.trackers, self.recent):
            for name, tracker in trackers.items():
                tracker.update_state(values[name])
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def test_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Judges good patches in inference mode; returns the means so far, see `VALIDATED`."""
        images = batch["image"]
        rebuilt = rebuild(self.autoencoder, images, batch["region"], training=False)["image"]
        options = self.loss_options
        self.validation_trackers["score"].update_state(scores(images, rebuilt, self.score_options))
        contextual = contextual_loss(images, rebuilt, options)
        self.validation_trackers["contextual"].update_state(contextual, sample_weight=tf.shape(images)[0])
        return {name: tracker.result() for name, tracker in self.validation_trackers.items()}
