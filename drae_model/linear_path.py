"""The linear path: a trainable projection on principal components, and how it joins the network's reconstruction.

A network reaches what principal components give at once only after long training; here it starts from them.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from drae_data.errors import DatasetError

# Keras is published without types; `Any` stands for its tensors.
Tensor = Any
Floats = npt.NDArray[np.float32]
Shape = tuple[int | None, ...]

_PACKAGE = "drae_model"


def principal_components(patches: Floats, components: int) -> tuple[Floats, Floats]:
    """The mean of patches and the directions in which they vary most.

    The eigenvectors of the smaller of the two matrices C C^T (n x n) and C^T C (d x d), where C are the patches less
    their mean; computed in float64. Each direction's largest entry is positive, so that the result repeats.

    Args:
        patches: float32 [n, d], one patch a row.
        components: how many directions.

    Returns:
        mean, float32 [d], and directions, float32 [d, components], orthonormal, the largest variance first.

    Raises:
        DatasetError: too few patches, or patches too much alike, for so many directions.
    """
    count, pixels = patches.shape
    if count <= components:
        raise DatasetError(
            f"the linear path needs more patches than components: expected more than {components}, got {count}; "
            "lower train.network.linear_path.components or give more patches"
        )
    mean = patches.mean(axis=0, dtype=np.float64)
    centred = patches.astype(np.float64) - mean
    values, vectors = np.linalg.eigh(centred @ centred.T if count <= pixels else centred.T @ centred)
    # eigh sorts upwards.
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    rank = int(np.count_nonzero(values > max(count, pixels) * np.finfo(np.float64).eps * max(values[0], 0.0)))
    if rank < components:
        raise DatasetError(
            f"the linear path needs {components} components, but these {count} patches of {pixels} pixels vary in "
            f"{rank} directions only; lower train.network.linear_path.components or give patches that differ more"
        )
    if count <= pixels:
        vectors = centred.T @ vectors
        vectors /= np.linalg.norm(vectors, axis=0)
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(components)])
    return mean.astype(np.float32), vectors.astype(np.float32)


@keras.saving.register_keras_serializable(package=_PACKAGE)
class SubspaceProjection(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Projects each image on a subspace, of several on that of its region.

    x^ = m + (x - m) E D with m [d], E [d, components], D [components, d] of the subspace. All are trainable. E and D
    are stored times sqrt(d): entries of unit vectors are about 1 / sqrt(d), and Adam, which moves every weight by about
    the learning rate, would tear them apart. Always float32: the rounding of 16-bit types is as large as small defects.

    Args:
        projections: number of subspaces: one for all images, or one for each region.
        components: dimensions of each.
        seed: of the random weights before `start_from`.
        name: of the layer.
    """

    def __init__(
        self, projections: int, components: int, seed: int, name: str | None = None, **settings: object
    ) -> None:
        settings["dtype"] = "float32"
        super().__init__(name=name, **settings)
        self.projections = projections
        self.components = components
        self.seed = seed

    def build(self, input_shape: Shape | Sequence[Shape]) -> None:
        """Makes the weights for images of a shape [n, h, w, c]."""
        sides: Any = self.compute_output_shape(input_shape)[1:]
        pixels = math.prod(sides)

        def weights(name: str, shape: tuple[int, ...], initial: object) -> Tensor:
            return self.add_weight(name=name, shape=(self.projections, *shape), initializer=initial)

        normal = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)
        self.mean = weights("mean", (pixels,), "zeros")
        self.encode = weights("encode", (pixels, self.components), normal)
        self.decode = weights("decode", (self.components, pixels), normal)

    def call(self, inputs: Tensor) -> Tensor:
        """Projects images.

        Args:
            inputs: float32 [n, h, w, c] where there is one subspace; else a list of that and the numbers of the
                images' subspaces, int32 [n], from 0. An image whose number is no subspace's becomes black.

        Returns:
            float32 [n, h, w, c].
        """
        images, regions = (inputs, None) if self.projections == 1 else inputs
        pixels = self.mean.shape[1]
        mean = ops.expand_dims(self.mean, 1)
        # One row of matrices for each subspace: [projections, n, d].
        centred = ops.expand_dims(ops.reshape(images, (-1, pixels)), 0) - mean
        projected = ops.matmul(ops.matmul(centred, self.encode), self.decode) / float(pixels)
        rebuilt = projected + mean
        if regions is None:
            rebuilt = rebuilt[0]
        else:
            own = ops.one_hot(regions, self.projections, dtype="float32")
            rebuilt = ops.sum(rebuilt * ops.expand_dims(ops.transpose(own), 2), axis=0)
        return ops.reshape(rebuilt, (-1, *images.shape[1:]))

    def compute_output_shape(self, input_shape: Shape | Sequence[Shape]) -> Shape:
        """The images' shape."""
        images: Any = input_shape if self.projections == 1 else input_shape[0]
        return tuple(images)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        own = {"projections": self.projections, "components": self.components, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class GatedSum(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """clip(a + gate (b - 0.5), 0, 1): b, from 0 to 1, corrects a by as much as one trainable gate, at first 0, allows.

    Args:
        name: of the layer.
    """

    def __init__(self, name: str | None = None, **settings: object) -> None:
        settings["dtype"] = "float32"
        super().__init__(name=name, **settings)

    def build(self, input_shape: object) -> None:
        """Makes the gate."""
        self.gate = self.add_weight(name="gate", shape=(), initializer="zeros")

    def call(self, images: Sequence[Tensor]) -> Tensor:
        """Two float32 tensors of one shape to one of it, 0 to 1."""
        base, correction = images
        return ops.clip(base + self.gate * (correction - 0.5), 0.0, 1.0)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of one of the inputs."""
        return input_shape[0]


@keras.saving.register_keras_serializable(package=_PACKAGE)
class KeptResidual(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """clip(a + k (x - a), 0, 1) with k = 4 (b - 1/2): b says pixel by pixel how much of what a misses of x is kept.

    b is the decoder's image, from 0 to 1, so k lies between -2 and 2; at b = 1/2 nothing is kept, at 3/4 everything.
    A range on both sides of 0 keeps the gradient alive where nothing is to be kept.

    Args:
        name: of the layer.
    """

    def __init__(self, name: str | None = None, **settings: object) -> None:
        settings["dtype"] = "float32"
        super().__init__(name=name, **settings)

    def call(self, images: Sequence[Tensor]) -> Tensor:
        """a, x and b, float32 tensors of one shape, to one of it, 0 to 1."""
        base, image, kept = images
        return ops.clip(base + 4.0 * (kept - 0.5) * (image - base), 0.0, 1.0)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of one of the inputs."""
        return input_shape[0]


def start_from(
    layer: SubspaceProjection, means: Floats | Sequence[Floats], directions: Floats | Sequence[Floats]
) -> None:
    """Sets a built layer to the orthogonal projections on given subspaces.

    Args:
        layer: whose weights are replaced.
        means: for each subspace float32 [d].
        directions: for each subspace float32 [d, components], orthonormal columns.

    Raises:
        DatasetError: not one mean and one set of directions of the layer's shape for each of its subspaces.
    """
    pixels = layer.mean.shape[1]
    expected = [(pixels,)] * layer.projections, [(pixels, layer.components)] * layer.projections
    came = [mean.shape for mean in means], [axes.shape for axes in directions]
    if came != expected:
        raise DatasetError(
            f"the linear path has {layer.projections} subspaces of {layer.components} components of {pixels} pixels: "
            f"expected means and directions of the shapes {expected}, got {came}"
        )
    scaled = np.stack(list(directions)) * np.float32(np.sqrt(pixels))
    layer.mean.assign(np.stack(list(means)))
    layer.encode.assign(scaled)
    layer.decode.assign(scaled.transpose(0, 2, 1))
