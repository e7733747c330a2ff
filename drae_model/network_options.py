"""The shape of the networks (paper, section 7.2); checked at birth. Keys are those of `train.network`."""

from dataclasses import dataclass

from drae_data.errors import OptionError
from drae_model.option_checks import check_between, check_one_of, check_whole

MERGES = ("add", "concat")
ACTIVATIONS = ("pre", "post")
NORMALIZATIONS = ("batch", "group", "none")
# How a linear path and the network's own image make one.
SUM, KEEP = "sum", "keep"
JOINS = (SUM, KEEP)
# Types to compute in; of weights and of what comes out of a network, float32.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# The window of SSIM must fit into an input.
SMALLEST_INPUT = 16


@dataclass(frozen=True)
class Normalization:
    """How feature maps are normalised.

    Attributes:
        kind: `batch`, `group` or `none`.
        momentum: of batch normalisation's moving mean and variance, 0 to 1.
        groups: of group normalisation; every width must be a multiple of it.
    """

    kind: str
    momentum: float
    groups: int

    def __post_init__(self) -> None:
        check_one_of("network.normalization.kind", self.kind, NORMALIZATIONS)
        check_between("network.normalization.momentum", self.momentum, 0.0, 1.0)
        check_whole("network.normalization.groups", self.groups, 1)


@dataclass(frozen=True)
class LinearPath:
    """A trainable projection on the principal components of training patches, beside the network.

    Attributes:
        components: principal components.
        per_region: a projection for each region: a model of several must then be told a patch's region; else one.
        fit_patches: training patches from which each projection starts, taken in turn from up to 64 shards.
        join: `sum`, the decoder's image is added through a gate, or `keep`, it says pixel by pixel how much of what the
            projection misses belongs to the patch. `keep` needs `lateral`.
    """

    components: int
    per_region: bool
    fit_patches: int
    join: str

    def __post_init__(self) -> None:
        check_one_of("network.linear_path.join", self.join, JOINS)
        check_whole("network.linear_path.components", self.components, 1)
        check_whole("network.linear_path.fit_patches", self.fit_patches, self.components + 1)


@dataclass(frozen=True)
class NetworkOptions:
    """The generator's and the discriminator's shape.

    Attributes:
        input_size: side of the square that the networks see, in pixels; patches are averaged down to it, so it divides
            the patches' side.
        widths: filters of each stage of the encoder, first to last; the decoder mirrors them.
        discriminator_widths: filters of each stage of the discriminator.
        blocks: residual blocks in a stage: A, B repeated `blocks - 2` times, C. The paper has 3.
        bottleneck: units of the dense layer between encoder and decoder.
        merge: how a block joins its convolutions with its shortcut: `add`, or `concat` and a 1 x 1 convolution.
        activation: `pre`, before each convolution (ResNet V2), or `post`, after it.
        normalization: of feature maps.
        linear_path: None for the paper's network.
        lateral: the feature maps of the encoder's stages, and the image, also reach the decoder (U-Net: Ronneberger et
            al. 2015, DOI 10.1007/978-3-319-24574-4_28); False for the paper's network.
    """

    input_size: int
    widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    blocks: int
    bottleneck: int
    merge: str
    activation: str
    normalization: Normalization
    linear_path: LinearPath | None
    lateral: bool

    def __post_init__(self) -> None:
        check_whole("network.input_size", self.input_size, SMALLEST_INPUT)
        for key in ("widths", "discriminator_widths"):
            self._check_widths(f"network.{key}", getattr(self, key))
        check_whole("network.blocks", self.blocks, 2)
        check_whole("network.bottleneck", self.bottleneck, 1)
        check_one_of("network.merge", self.merge, MERGES)
        check_one_of("network.activation", self.activation, ACTIVATIONS)
        components, pixels = self.linear_path.components if self.linear_path else 0, self.input_size**2
        if components > pixels:
            raise OptionError("network.linear_path.components", components, f"at most input_size^2 = {pixels}")
        if self.keeps_residual and not self.lateral:
            raise OptionError("network.lateral", self.lateral, "true where linear_path.join is keep")

    @property
    def keeps_residual(self) -> bool:
        """Whether the linear path is joined by `keep`."""
        return self.linear_path is not None and self.linear_path.join == KEEP

    def _check_widths(self, key: str, widths: tuple[int, ...]) -> None:
        if not widths:
            raise OptionError(key, list(widths), "at least one stage")
        for width in widths:
            check_whole(key, width, 1)
            if self.normalization.kind == "group" and width % self.normalization.groups:
                raise OptionError(key, width, f"multiples of normalization.groups, {self.normalization.groups}")
        if self.input_size % 2 ** len(widths):
            raise OptionError(
                key, list(widths), f"at most as many stages as input_size {self.input_size} can be halved evenly"
            )
