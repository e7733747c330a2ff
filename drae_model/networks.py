"""The networks (paper, sections 6.2 and 7.2): encoder, decoder, autoencoder, discriminator.

Each is a functional Keras model without TensorFlow, whose weights depend only on options, seed and the network's name.
What comes out of a network is float32 at every precision. `reconstruction.rebuild` runs an autoencoder.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras

from drae_model.blocks import HE_SCALE, Builder, Tensor, layer_seed, residual_block
from drae_model.linear_path import GatedSum, KeptResidual, SubspaceProjection
from drae_model.network_options import NetworkOptions

# What the linear path misses is some hundredths of the grey scale; the network sees it as large as the image.
_RESIDUAL_SCALE = 4.0


@dataclass(frozen=True)
class Networks:
    """The three networks.

    Attributes:
        autoencoder: the first encoder, the decoder and, where it is wanted, the linear path.
        second_encoder: of the reconstruction; not needed for scoring.
        discriminator: real or reconstructed; not needed for scoring.
    """

    autoencoder: keras.Model
    second_encoder: keras.Model
    discriminator: keras.Model


def build_networks(options: NetworkOptions, projections: int, seed: int, precision: str) -> Networks:
    """Networks with new weights.

    Args:
        options: their shape.
        projections: of the linear path: one, or one per region; ignored without it.
        seed: of the weights.
        precision: see `TrainingOptions.precision`.
    """
    return Networks(
        autoencoder=build_autoencoder(options, projections, seed, precision),
        second_encoder=build_encoder(options, seed, precision, "second_encoder"),
        discriminator=build_discriminator(options, seed, precision),
    )


def build_encoder(options: NetworkOptions, seed: int, precision: str, name: str, *, first: bool = False) -> keras.Model:
    """Image to latent vector: stages of residual blocks, each of which halves the size, then a dense layer.

    Args:
        options: the shape.
        seed: of the weights.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
        name: `encoder` or `second_encoder`; another name gives other weights.
        first: it is the autoencoder's, which sees the residual of a linear path where that is kept, and with
            `options.lateral` also gives what reaches the decoder beside the latent vector.

    Returns:
        A model from float32 [n, size, size, 1], 0 to 1, to float32 [n, bottleneck]. The first one takes two channels
        where the residual is kept, and with `options.lateral` gives a list: the latent vector and the feature maps of
        all stages but the last, first to last.
    """
    build = _builder(name, options, options.widths, seed, precision)
    inputs = _image_input(options, _seen_channels(options) if first else 1)
    *stages, features = _down(build, inputs, options.widths)
    latent = _dense(
        build, keras.layers.Flatten(dtype=precision, name="flatten")(features), options.bottleneck, "latent"
    )
    return keras.Model(inputs, [latent, *stages] if first and options.lateral else latent, name=name)


def build_decoder(options: NetworkOptions, seed: int, precision: str) -> keras.Model:
    """Latent vector to image: the encoder's mirror with transposed convolutions, then a sigmoid.

    With `options.lateral` each stage but the last is followed by the encoder's feature maps of the same size, and the
    last by what the encoder sees: beside each other, then a convolution back to the stage's width, and a ReLU.

    Args:
        options: the shape.
        seed: of the weights.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.

    Returns:
        A model named `decoder` from float32 [n, bottleneck] to float32 [n, size, size, 1], 0 to 1. With
        `options.lateral` from a list of that, what the encoder sees, and the feature maps of its stages but the last.
    """
    build = _builder("decoder", options, options.widths, seed, precision)
    side, channels = options.input_size // 2 ** len(options.widths), options.widths[-1]
    inputs = keras.Input((options.bottleneck,), dtype="float32", name="latent")
    features = keras.layers.Dense(
        side * side * channels, kernel_initializer=build.weights("expand", 1.0), dtype=precision, name="expand"
    )(inputs)
    features = keras.layers.Reshape((side, side, channels), dtype=precision, name="reshape")(features)
    laterals = [keras.Input(shape, name=f"lateral{number}") for number, shape in enumerate(_lateral_shapes(options))]
    # The deepest feature maps first, the image last.
    beside = iter([*laterals[:0:-1], *laterals[:1]])
    for kind, width, name in _blocks(options, options.widths[::-1]):
        features = residual_block(build, kind, features.shape[1:], width, name, up=True)(features)
        if laterals and kind == "C":
            features = _joined(build, features, next(beside), width, name)
    grey = keras.layers.Conv2DTranspose(
        1,
        3,
        padding="same",
        # Keras takes the one filter for the fan-in.
        kernel_initializer=build.weights("grey", 1.0 / features.shape[-1]),
        dtype=precision,
        name="grey",
    )(_finished(build, features))
    image = keras.layers.Activation("sigmoid", dtype="float32", name="image")(grey)
    return keras.Model([inputs, *laterals] if laterals else inputs, image, name="decoder")


def _lateral_shapes(options: NetworkOptions) -> list[tuple[int, int, int]]:
    """What reaches the decoder beside the latent vector: what the encoder sees, then its stages, all but the last."""
    if not options.lateral:
        return []
    sides = [(options.input_size >> stage, width) for stage, width in enumerate(options.widths[:-1], 1)]
    return [
        (options.input_size, options.input_size, _seen_channels(options)),
        *((side, side, width) for side, width in sides),
    ]


def _joined(build: Builder, features: Tensor, lateral: Tensor, width: int, name: str) -> Tensor:
    """Feature maps of a decoder's stage and those of the encoder beside them, brought back to one width."""
    place = name.removesuffix("_c")
    lateral = keras.layers.Activation("linear", dtype=build.precision, name=f"{place}_cast")(lateral)
    both = keras.layers.Concatenate(dtype=build.precision, name=f"{place}_beside")([features, lateral])
    return build.rectified(build.convolution(both, f"{place}_lateral", width), f"{place}_lateral_relu")


def build_autoencoder(options: NetworkOptions, projections: int, seed: int, precision: str) -> keras.Model:
    """Encoder and decoder, and beside them the linear path where `options.linear_path` has one.

    With a linear path p = projection(x), and d the decoder's image, the reconstruction is, by `linear_path.join`,

        sum:  clip(p + gate (d - 1/2), 0, 1), where the gate is one trainable number that starts at 0. So the decoder's
              weights have no gradient in the first step, in which the gate opens.
        keep: clip(p + 4 (d - 1/2) (x - p), 0, 1). Encoder and decoder also see the residual x - p.

    Args:
        options: the shape.
        projections: subspaces of the linear path: 1, or the number of regions; not used without a linear path.
        seed: of the weights.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.

    Returns:
        A model named `autoencoder` from float32 [n, size, size, 1], 0 to 1, to a dictionary: `image`, float32
        [n, size, size, 1], 0 to 1, and `latent`, float32 [n, bottleneck]. Where the linear path has several subspaces
        it takes a list of that and the numbers of the patches' regions, int32 [n]. It holds the models `encoder` and
        `decoder`, and the layer `linear_path`, whose random weights `linear_path.start_from` replaces.
    """
    encoder = build_encoder(options, seed, precision, "encoder", first=True)
    decoder = build_decoder(options, seed, precision)
    inputs = images = seen = _image_input(options)
    linear = None
    if options.linear_path is not None:
        if projections > 1:
            inputs = [images, keras.Input((), dtype="int32", name="region")]
        start = layer_seed(seed, "autoencoder/linear_path")
        linear = SubspaceProjection(projections, options.linear_path.components, start, name="linear_path")(inputs)
    if options.keeps_residual:
        residual = keras.layers.Subtract(dtype="float32", name="residual")([images, linear])
        residual = keras.layers.Rescaling(_RESIDUAL_SCALE, dtype="float32", name="residual_scaled")(residual)
        seen = keras.layers.Concatenate(dtype="float32", name="seen")([images, residual])
    latent, *stages = encoder(seen) if options.lateral else [encoder(seen)]
    image = decoder([latent, seen, *stages] if options.lateral else latent)
    if options.keeps_residual:
        image = KeptResidual(name="kept_residual")([linear, images, image])
    elif linear is not None:
        image = GatedSum(name="gated_sum")([linear, image])
    return keras.Model(inputs, {"image": image, "latent": latent}, name="autoencoder")


def build_discriminator(options: NetworkOptions, seed: int, precision: str) -> keras.Model:
    """The encoder's stages with `discriminator_widths`, then one dense unit.

    Args:
        options: the shape.
        seed: of the weights.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.

    Returns:
        A model named `discriminator` from float32 [n, size, size, 1], 0 to 1, to a dictionary: `features`, float32
        [n, h, w, c], the last feature maps after their ReLU, and `logit`, float32 [n, 1], without a sigmoid.
    """
    build = _builder("discriminator", options, options.discriminator_widths, seed, precision)
    inputs = _image_input(options)
    features = _down(build, inputs, options.discriminator_widths)[-1]
    features = keras.layers.Activation("linear", dtype="float32", name="features")(features)
    logit = _dense(build, keras.layers.Flatten(dtype="float32", name="flatten")(features), 1, "logit")
    return keras.Model(inputs, {"features": features, "logit": logit}, name="discriminator")


def _builder(name: str, options: NetworkOptions, widths: tuple[int, ...], seed: int, precision: str) -> Builder:
    return Builder(name, options, options.blocks * len(widths), seed, precision)


def _seen_channels(options: NetworkOptions) -> int:
    """Channels of what the first encoder sees: the image, and the residual where that is kept."""
    return 2 if options.keeps_residual else 1


def _image_input(options: NetworkOptions, channels: int = 1) -> Tensor:
    return keras.Input((options.input_size, options.input_size, channels), dtype="float32", name="image")


def _blocks(options: NetworkOptions, widths: tuple[int, ...]) -> Iterator[tuple[str, int, str]]:
    """Kind, width and name of each block, in order."""
    middle = [("B", f"b{number}") for number in range(1, options.blocks - 1)]
    for stage, width in enumerate(widths, 1):
        for kind, name in [("A", "a"), *middle, ("C", "c")]:
            yield kind, width, f"stage{stage}_{name}"


def _down(build: Builder, features: Tensor, widths: tuple[int, ...]) -> list[Tensor]:
    """The stages of an encoder, from an image: the feature maps behind each, of the last after its last ReLU."""
    stages = []
    for index, (kind, width, name) in enumerate(_blocks(build.options, widths)):
        block = residual_block(build, kind, features.shape[1:], width, name, up=False, raw=index == 0)
        features = block(features)
        if kind == "C":
            stages.append(features)
    return [*stages[:-1], _finished(build, features)]


def _finished(build: Builder, features: Tensor) -> Tensor:
    """Behind the last block: with `pre` its sum has not been normalised and rectified yet."""
    return build.activated(features, "_last") if build.options.activation == "pre" else features


def _dense(build: Builder, features: Tensor, units: int, name: str) -> Tensor:
    weights = build.weights(name, HE_SCALE)
    return keras.layers.Dense(units, kernel_initializer=weights, dtype="float32", name=name)(features)
