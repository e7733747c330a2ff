"""Section `synthesize` of `params.yaml`: the synthetic line. Ranges are checked by the options that it becomes."""

from typing import Annotated, Literal

from pydantic import Field

from drae_data.errors import OptionError
from drae_data.synthetic.options import (
    CameraOptions,
    FrameOptions,
    MotionOptions,
    SetOptions,
    SynthesizeOptions,
    VariationOptions,
)
from pipelines.params_section import Section

Number = int | float


class FrameParams(Section):
    """See `drae_data.synthetic.options.FrameOptions`."""

    height: int
    width: int
    vials: int


class CameraParams(Section):
    """See `drae_data.synthetic.options.CameraOptions`."""

    light_level: Number
    light_unevenness: Number
    light_drift: Number
    noise_sigma: Number
    blur_pixels: Number


class VariationParams(Section):
    """See `drae_data.synthetic.options.VariationOptions`."""

    thickness: Number
    tint: Number
    level_pixels: Number
    pose_pixels: Number
    pose_degrees: Number
    regrip_pixels: Number


class MotionParams(Section):
    """See `drae_data.synthetic.options.MotionOptions`."""

    frames: int
    slosh_pixels: Number
    bubbles: Number
    drops: Number
    neck_liquid: Number


class SyntheticSetParams(Section):
    """See `drae_data.synthetic.options.SetOptions`."""

    good: int
    defective: int
    runs: int
    frames: list[int]

    def options(self, name: str) -> SetOptions:
        """The checked options of the set `name`; raises `OptionError`."""
        try:
            return SetOptions(self.good, self.defective, self.runs, tuple(self.frames))
        except OptionError as error:
            key = error.key.replace("synthesize.sets.", f"synthesize.sets.{name}.", 1)
            raise OptionError(key, error.value, error.allowed) from error


class LineParams(Section):
    """What all sets share."""

    seed: int
    image_format: Literal["png", "bmp"]
    lot: str
    frame: FrameParams
    camera: CameraParams
    variation: VariationParams
    motion: MotionParams
    defect_sizes: dict[str, Annotated[list[Number], Field(min_length=2, max_length=2)]]


class SynthesizeParams(Section):
    """The synthetic line: where its frames go, how it looks, which sets it makes."""

    folder: Annotated[str, Field(min_length=1)]
    line: LineParams
    sets: dict[str, SyntheticSetParams]

    def options(self) -> SynthesizeOptions:
        """The checked options; raises `OptionError`."""
        line = self.line
        return SynthesizeOptions(
            seed=line.seed,
            image_format=line.image_format,
            lot=line.lot,
            frame=FrameOptions(**line.frame.model_dump()),
            camera=CameraOptions(**line.camera.model_dump()),
            variation=VariationOptions(**line.variation.model_dump()),
            motion=MotionOptions(**line.motion.model_dump()),
            defect_sizes={name: (size[0], size[1]) for name, size in line.defect_sizes.items()},
            sets={name: one.options(name) for name, one in self.sets.items()},
        )
