"""What the synthetic line is told: frozen options that check themselves at birth.

Every value comes from the section `synthesize` of params.yaml; an error names its key there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drae_data.errors import OptionError

Float32: TypeAlias = npt.NDArray[np.float32]
Uint8: TypeAlias = npt.NDArray[np.uint8]

SETS = ("production", "calibration", "kit")
DEFECT_TYPES = (
    "stuck_particle",
    "particle_with_foam",
    "body_deformation_light",
    "body_deformation_heavy",
    "black_spot",
    "burn",
    "scratch_light",
    "scratch_deep",
    "neck_bump",
    "laser_cut_imperfection",
    "foreign_liquid_behaviour",
)


def _check_range(section: str, name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not low <= value <= high:
        raise OptionError(f"synthesize.{section}{name}", value, f"a number from {low:g} to {high:g}")


def _check_whole(section: str, name: str, value: int, low: int, high: int) -> None:
    # YAML's true and 5.0 would pass as numbers here.
    if type(value) is not int or not low <= value <= high:
        raise OptionError(f"synthesize.{section}{name}", value, f"a whole number from {low} to {high}")


@dataclass(frozen=True)
class FrameOptions:
    """The size of a frame and the number of vials in it.

    Attributes:
        height: pixels, 160 to 8192.
        width: pixels, 160 to 8192.
        vials: vials in a strip, 1 to 10.
    """

    height: int
    width: int
    vials: int

    def __post_init__(self) -> None:
        """Refuse frames in which a vial could not be drawn."""
        _check_whole("line.frame.", "height", self.height, 160, 8192)
        _check_whole("line.frame.", "width", self.width, 160, 8192)
        _check_whole("line.frame.", "vials", self.vials, 1, 10)
        if self.width < 40 * self.vials:
            raise OptionError("synthesize.line.frame.vials", self.vials, "at least 40 columns for every vial")


@dataclass(frozen=True)
class SetOptions:
    """How many strips a set holds and how they are acquired.

    Attributes:
        good: good strips, 0 or more.
        defective: defective strips, 0 or more.
        runs: acquisitions of each strip, 1 to 100.
        frames: indices of the frames that are kept, ascending, each within the frames of a run.
    """

    good: int
    defective: int
    runs: int
    frames: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse sets that hold nothing and frames out of order."""
        _check_whole("sets.", "good", self.good, 0, 9999)
        _check_whole("sets.", "defective", self.defective, 0, 9999)
        _check_whole("sets.", "runs", self.runs, 1, 100)
        if self.good + self.defective == 0:
            raise OptionError("synthesize.sets.good", self.good, "at least one strip in the set")
        if not self.frames or list(self.frames) != sorted(set(self.frames)) or not self.frames[0] >= 0:
            raise OptionError("synthesize.sets.frames", self.frames, "ascending frame indices from 0")


@dataclass(frozen=True)
class CameraOptions:
    """Light and sensor.

    Attributes:
        light_level: grey level of the bare light panel, 128 to 250.
        light_unevenness: fall of the light towards the corners, fraction 0 to 0.3.
        light_drift: largest slow change of the light over strips, runs and frames, fraction 0 to 0.1.
        noise_sigma: standard deviation of the noise at the panel's grey level, grey levels 0 to 10.
        blur_pixels: sigma of the lens blur at 1400 x 1100, pixels 0.3 to 3.
    """

    light_level: float
    light_unevenness: float
    light_drift: float
    noise_sigma: float
    blur_pixels: float

    def __post_init__(self) -> None:
        """Refuse values outside the ranges above."""
        _check_range("line.camera.", "light_level", self.light_level, 128, 250)
        _check_range("line.camera.", "light_unevenness", self.light_unevenness, 0, 0.3)
        _check_range("line.camera.", "light_drift", self.light_drift, 0, 0.1)
        _check_range("line.camera.", "noise_sigma", self.noise_sigma, 0, 10)
        _check_range("line.camera.", "blur_pixels", self.blur_pixels, 0.3, 3)


@dataclass(frozen=True)
class VariationOptions:
    """How strips differ from one another, and one grip of a strip from the next.

    Attributes:
        thickness: standard deviation of the wall thickness over strips, fraction 0 to 0.2.
        tint: standard deviation of the resin's absorption over strips, fraction 0 to 0.3.
        level_pixels: largest change of the filling level at 1400 x 1100, pixels 0 to 20.
        pose_pixels: largest shift of a strip in its gripper, pixels at 1400 x 1100, 0 to 5.
        pose_degrees: largest turn of a strip in its gripper, degrees 0 to 0.2.
        regrip_pixels: largest shift from run to run, pixels at 1400 x 1100, 0 to 2.
    """

    thickness: float
    tint: float
    level_pixels: float
    pose_pixels: float
    pose_degrees: float
    regrip_pixels: float

    def __post_init__(self) -> None:
        """Refuse a pose that would leave the boxes of the strip layout."""
        _check_range("line.variation.", "thickness", self.thickness, 0, 0.2)
        _check_range("line.variation.", "tint", self.tint, 0, 0.3)
        _check_range("line.variation.", "level_pixels", self.level_pixels, 0, 20)
        _check_range("line.variation.", "pose_pixels", self.pose_pixels, 0, 5)
        _check_range("line.variation.", "pose_degrees", self.pose_degrees, 0, 0.2)
        _check_range("line.variation.", "regrip_pixels", self.regrip_pixels, 0, 2)


@dataclass(frozen=True)
class MotionOptions:
    """The liquid after the half turn.

    Attributes:
        frames: frames of a whole run, 1 to 64.
        slosh_pixels: largest rise of the surface at the wall at 1400 x 1100, pixels 0 to 14.
        bubbles: mean number of bubbles in a vial, 0 to 60.
        drops: mean number of drops above the liquid in a vial, 0 to 60.
        neck_liquid: probability that liquid is caught in a neck, 0 to 1.
    """

    frames: int
    slosh_pixels: float
    bubbles: float
    drops: float
    neck_liquid: float

    def __post_init__(self) -> None:
        """Refuse values outside the ranges above."""
        _check_whole("line.motion.", "frames", self.frames, 1, 64)
        _check_range("line.motion.", "slosh_pixels", self.slosh_pixels, 0, 14)
        _check_range("line.motion.", "bubbles", self.bubbles, 0, 60)
        _check_range("line.motion.", "drops", self.drops, 0, 60)
        _check_range("line.motion.", "neck_liquid", self.neck_liquid, 0, 1)


@dataclass(frozen=True)
class SynthesizeOptions:
    """All that the synthetic line is told.

    Attributes:
        seed: seed of every random number of the line.
        image_format: "png" or "bmp".
        lot: the code in relief on the flags, 1 to 9 printable ASCII characters.
        frame: size of a frame and number of vials.
        camera: light and sensor.
        variation: how strips differ.
        motion: the liquid.
        defect_sizes: smallest and largest size of every defect type, pixels at 1400 x 1100.
        sets: the sets by name: production, calibration, kit.
    """

    seed: int
    image_format: str
    lot: str
    frame: FrameOptions
    camera: CameraOptions
    variation: VariationOptions
    motion: MotionOptions
    defect_sizes: Mapping[str, tuple[float, float]]
    sets: Mapping[str, SetOptions]

    def __post_init__(self) -> None:
        """Check what spans sections, and freeze the two mappings."""
        if self.image_format not in ("png", "bmp"):
            raise OptionError("synthesize.line.image_format", self.image_format, "png or bmp")
        if not (1 <= len(self.lot) <= 9 and self.lot.isascii() and self.lot.isprintable()):
            raise OptionError("synthesize.line.lot", self.lot, "1 to 9 printable ASCII characters")
        if set(self.defect_sizes) != set(DEFECT_TYPES):
            raise OptionError(
                "synthesize.line.defect_sizes",
                sorted(self.defect_sizes),
                "one entry for each of " + ", ".join(DEFECT_TYPES),
            )
        for name, (low, high) in self.defect_sizes.items():
            if not 2 <= low <= high <= 130:
                raise OptionError(
                    f"synthesize.line.defect_sizes.{name}", (low, high), "2 <= smallest <= largest <= 130"
                )
        if not self.sets or not set(self.sets) <= set(SETS):
            raise OptionError("synthesize.sets", sorted(self.sets), "some of " + ", ".join(SETS))
        for name, one in self.sets.items():
            if one.frames[-1] >= self.motion.frames:
                raise OptionError(f"synthesize.sets.{name}.frames", one.frames, f"indices below {self.motion.frames}")
        object.__setattr__(self, "defect_sizes", MappingProxyType(dict(self.defect_sizes)))
        object.__setattr__(self, "sets", MappingProxyType(dict(self.sets)))
