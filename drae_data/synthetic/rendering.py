"""A strip at rest: mould, resin and defects turned into one map of transmittance, once per strip."""

from dataclasses import dataclass

import cv2
import numpy as np

from drae_data.opencv import plain_opencv
from drae_data.synthetic.defects import REGISTRY, Maps
from drae_data.synthetic.geometry import Geometry
from drae_data.synthetic.mould import ABSORPTION, Mould, make_mould
from drae_data.synthetic.optics import Stamps, blur, make_stamps
from drae_data.synthetic.options import Float32, SynthesizeOptions
from drae_data.synthetic.seeds import named_generator
from drae_data.synthetic.strips import StripSpec

# Pixels by which the banks of noise and of texture are larger than a frame: places to start from.
SPARE = 192


@dataclass(frozen=True)
class Rig:
    """What all strips share; made once, read by all threads, never changed.

    Attributes:
        options: of the line.
        geometry: the drawing in its frame.
        mould: the product.
        light: float32 [h, w], grey levels of the bare panel.
        noise: float32 [h + SPARE, w + SPARE], Gaussian of mean 0 and deviation 1.
        texture: float32 [h + SPARE, w + SPARE], relative change of the transmittance by the resin's grain.
        stamps: drawn bubbles and drops.
    """

    options: SynthesizeOptions
    geometry: Geometry
    mould: Mould
    light: Float32
    noise: Float32
    texture: Float32
    stamps: Stamps


@dataclass(frozen=True)
class StripAppearance:
    """One strip, as it looks at rest in the middle of the frame.

    Attributes:
        spec: of the strip.
        transmittance: float32 [h, w], with air in the cavities, 0 to about 1.2.
        filled: float32 [h, w], what liquid changes where it stands, factor.
    """

    spec: StripSpec
    transmittance: Float32
    filled: Float32


def _make_light(options: SynthesizeOptions, random: np.random.Generator) -> Float32:
    """Draw the back light: brightest near its middle, with the soft blotches of a diffuser."""
    frame, camera = options.frame, options.camera
    y, x = np.meshgrid(np.linspace(-1, 1, frame.height), np.linspace(-1, 1, frame.width), indexing="ij")
    fall = 1 - camera.light_unevenness * (0.55 * (x - 0.12) ** 2 + 0.45 * (y + 0.08) ** 2)
    blotches = cv2.resize(
        random.normal(0, 1, (7, 9)).astype(np.float32), (frame.width, frame.height), interpolation=cv2.INTER_CUBIC
    )
    light = camera.light_level * fall * (1 + 0.08 * camera.light_unevenness * blotches)
    return np.asarray(light, np.float32)


def _make_texture(shape: tuple[int, int], scale: float, random: np.random.Generator) -> Float32:
    """Draw the grain of moulded LDPE: fine haze, mould blasting, flow lines along the vial, slow clouds."""
    layers = ((0.9, 0.9, 0.010), (2.6, 2.6, 0.008), (2.2, 46.0, 0.013), (14.0, 90.0, 0.010), (34.0, 34.0, 0.012))
    total = np.zeros(shape, np.float32)
    for across, along, weight in layers:
        # Wide blurs are made small and enlarged: the same clouds in a fraction of the time.
        shrink = max(int(min(across, along) * scale / 4), 1)
        small = (-(-shape[0] // shrink), -(-shape[1] // shrink))
        field = blur(random.standard_normal(small, np.float32), across * scale / shrink, along * scale / shrink)
        field /= float(field.std())
        total += weight * cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return total


def make_rig(options: SynthesizeOptions) -> Rig:
    """Build what all strips share: about a second at 1400 x 1100.

    Args:
        options: of the line.

    Returns:
        The rig; give the same one to every call and every thread.
    """
    plain_opencv()
    geometry = Geometry(options.frame)
    shape = (options.frame.height + SPARE, options.frame.width + SPARE)
    return Rig(
        options=options,
        geometry=geometry,
        mould=make_mould(geometry, options.lot),
        light=_make_light(options, named_generator(options.seed, "light")),
        noise=named_generator(options.seed, "noise").standard_normal(shape, np.float32),
        texture=_make_texture(shape, geometry.scale, named_generator(options.seed, "texture")),
        stamps=make_stamps(named_generator(options.seed, "stamps")),
    )


def window_of(bank: Float32, height: int, width: int, random: np.random.Generator) -> Float32:
    """Cut a window of a frame's size out of a bank at a random place; a view, not a copy."""
    top = int(random.integers(bank.shape[0] - height + 1))
    left = int(random.integers(bank.shape[1] - width + 1))
    return bank[top : top + height, left : left + width]


def make_appearance(rig: Rig, spec: StripSpec) -> StripAppearance:
    """Draw one strip with its resin and its defects.

    Args:
        rig: what all strips share.
        spec: the strip.

    Returns:
        The strip at rest, for all its acquisitions.
    """
    plain_opencv()
    options, mould, frame = rig.options, rig.mould, rig.options.frame
    random = named_generator(options.seed, spec.set_name, spec.name, "resin")
    texture = window_of(rig.texture, frame.height, frame.width, random)
    columns = np.arange(frame.width) / frame.width
    # The parison is never quite even: each strip has a slope and a wave of thickness along it.
    wave = 1 + 0.02 * random.normal() * np.sin(6.28 * (columns + random.random())) + 0.03 * random.normal() * columns
    strength = (ABSORPTION * spec.thickness * spec.tint * wave).astype(np.float32)[None, :]
    through = cv2.exp(-mould.depth * strength)
    grain = 1 + mould.material * texture * spec.thickness
    maps = Maps(np.asarray(through * mould.empty * grain, np.float32), mould.filled.copy())
    sigma = options.camera.blur_pixels * rig.geometry.scale
    for number, defect in enumerate(spec.defects):
        random = named_generator(options.seed, spec.set_name, spec.name, "defect", number)
        REGISTRY[defect.kind](maps, rig.geometry, defect, random)
    return StripAppearance(spec, blur(maps.transmittance, sigma, sigma), blur(maps.filled, sigma, sigma))
