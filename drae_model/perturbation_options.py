"""How training patches are augmented and perturbed (paper, section 6.2); checked at birth."""

from dataclasses import dataclass

from drae_data.errors import OptionError
from drae_model.option_checks import check_between, check_one_of

BORDERS = ("reflect", "nearest")
SOURCES = ("field", "texture")


@dataclass(frozen=True)
class PerturbationOptions:
    """Perlin noise blended into patches.

    Attributes:
        q: probability that a patch is perturbed.
        octaves: smallest and largest exponent e; a field has 2^e cells per axis, e drawn for each axis.
        threshold: the mask is where the field, -1 to 1, is greater.
        beta: smallest and largest weight of the noise inside the mask.
        source: of the noise's grey values inside the mask: `field`, the masked field itself (bright), or `texture`,
            a second field with grey values from 0 to 1, so that dark spots come too.
    """

    q: float
    octaves: tuple[int, int]
    threshold: float
    beta: tuple[float, float]
    source: str

    def __post_init__(self) -> None:
        check_between("q", self.q, 0.0, 1.0)
        low, high = self.octaves
        if not 0 <= low <= high <= 8:
            raise OptionError("perturbation.octaves", list(self.octaves), "two whole numbers in order, 0 to 8")
        check_between("perturbation.threshold", self.threshold, -1.0, 1.0)
        if not 0.0 <= self.beta[0] <= self.beta[1] <= 1.0:
            raise OptionError("perturbation.beta", list(self.beta), "two numbers in order, 0 to 1")
        check_one_of("perturbation.source", self.source, SOURCES)


@dataclass(frozen=True)
class AugmentationOptions:
    """Changes of a patch that keep it good.

    Attributes:
        rotation_degrees: patches are rotated by up to this much either way, about their centre.
        shift: patches are shifted by up to this share of their side, right or left and up or down; not in the paper.
        border: what a rotation or a shift shows where the patch ends: `reflect`, its mirror image, or `nearest`, its
            last pixel.
        vertical_flip: half of the patches are turned upside down.
        horizontal_flip: half of the patches are mirrored; the paper counts that as an anomaly.
    """

    rotation_degrees: float
    shift: float
    border: str
    vertical_flip: bool
    horizontal_flip: bool

    def __post_init__(self) -> None:
        check_between("augmentation.rotation_degrees", self.rotation_degrees, 0.0, 180.0)
        check_between("augmentation.shift", self.shift, 0.0, 0.5)
        check_one_of("augmentation.border", self.border, BORDERS)
