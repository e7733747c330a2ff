"""What a network costs: parameters, multiply-adds and outputs of every layer, counted from its shapes."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import keras

from drae_model.linear_path import SubspaceProjection

Built = TypeVar("Built")

FLOP_PER_MULTIPLY_ADD = 2


@dataclass(frozen=True)
class LayerCost:
    """A layer.

    Attributes:
        network: name of the model that was counted.
        layer: its place in it, such as `encoder/stage1_a/conv1`.
        kind: its class, such as `Conv2D`.
        shape: of its output, without the batch.
        parameters: all its weights, with the moving statistics of batch normalisation.
        multiply_adds: products of its kernel for one patch. Biases, normalisation, activations and additions are not
            counted. A transposed convolution's products that fall outside the image are.
    """

    network: str
    layer: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int

    @property
    def is_convolution(self) -> bool:
        """A convolution of any kind."""
        return "Conv2D" in self.kind


@dataclass(frozen=True)
class Cost:
    """Some layers together.

    Attributes:
        layers: how many; inputs do not count.
        parameters: see `LayerCost`.
        multiply_adds: see `LayerCost`.
        convolution_outputs: numbers that the convolutions put out for one patch. A training step keeps most of them
            until its backward pass.
    """

    layers: int
    parameters: int
    multiply_adds: int
    convolution_outputs: int


def without_weights(build: Callable[[], Built]) -> Built:
    """Builds networks whose weights have shapes but no values: for counting and drawing, in seconds at any size.

    Args:
        build: makes the networks and returns them. They cannot be called on data.
    """

    def shapes_only() -> Built:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    # Keras notes per thread which weights still wait for values, and gives them at the next occasion.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(shapes_only).result()


def layer_costs(model: keras.Model) -> tuple[LayerCost, ...]:
    """The layers of a functional model and of the models inside it, in the order of the data, without inputs."""
    return tuple(
        LayerCost(
            network=model.name,
            layer=place,
            kind=type(layer).__name__,
            shape=tuple(layer.output.shape[1:]),
            parameters=int(layer.count_params()),
            multiply_adds=_multiply_adds(layer),
        )
        for place, layer in _layers(model, "")
    )


def total(rows: Iterable[LayerCost]) -> Cost:
    """The sums over some layers."""
    rows = list(rows)
    return Cost(
        layers=len(rows),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        convolution_outputs=sum(math.prod(row.shape) for row in rows if row.is_convolution),
    )


def training_multiply_adds(autoencoder: int, second_encoder: int, discriminator: int) -> int:
    """Multiply-adds of a training step for one patch: 3 (autoencoder + second encoder) + 7 discriminator.

    A backward pass costs two forward passes: one product for the weights' gradients, one for the inputs'. The
    generator runs forward and backward once. The discriminator runs forward on the patch and on its reconstruction,
    both shared by its own loss and the generator's (2); backward from its own loss through both (4); and backward from
    the generator's loss to the reconstruction only (1).

    Args:
        autoencoder: multiply-adds of a forward pass for one patch.
        second_encoder: the same.
        discriminator: the same.
    """
    return 3 * (autoencoder + second_encoder) + 7 * discriminator


def _layers(model: keras.Model, prefix: str) -> Iterator[tuple[str, keras.layers.Layer]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{prefix}{layer.name}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer


def _multiply_adds(layer: keras.layers.Layer) -> int:
    """Each weight of a kernel meets each pixel of the output, of a transposed convolution each pixel of the input."""
    match layer:
        case keras.layers.Conv2DTranspose():
            return int(math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3]))
        case keras.layers.Conv2D():
            return int(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3]))
        case keras.layers.Dense():
            return int(math.prod(layer.kernel.shape))
        case SubspaceProjection():
            return int(math.prod(layer.encode.shape) + math.prod(layer.decode.shape))
        case _:
            return 0
