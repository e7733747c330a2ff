"""The defects of the paper's Appendix A, each drawn into the maps of one strip.

A function of the registry changes the maps in place around one defect. What a defect does to the liquid,
which moves, is in liquid.py; here is what stays where it is.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from drae_data.synthetic import geometry as drawing
from drae_data.synthetic.geometry import Geometry
from drae_data.synthetic.optics import blur, relief_factor, smooth_step
from drae_data.synthetic.options import Float32
from drae_data.synthetic.strips import Defect


@dataclass(frozen=True)
class Maps:
    """The maps of one strip at rest that defects change in place, each float32 [h, w].

    Attributes:
        transmittance: of the strip with air in its cavities, 0 to about 1.2.
        filled: what liquid changes where it stands, factor.
    """

    transmittance: Float32
    filled: Float32


@dataclass(frozen=True)
class Window:
    """A square of the frame around a defect.

    Attributes:
        rows: of the frame.
        columns: of the frame.
        x: float32 [n, m], pixels from the middle of the defect.
        y: float32 [n, m], pixels from the middle of the defect.
        scale: pixels per pixel at 1400 x 1100.
    """

    rows: slice
    columns: slice
    x: Float32
    y: Float32
    scale: float


def open_window(geometry: Geometry, defect: Defect, reach: float) -> Window:
    """Cut a window of `reach` pixels (at 1400 x 1100) to each side of a defect, within the frame."""
    column, row = geometry.to_pixel(defect.vial, defect.x, defect.y)
    half = max(reach * geometry.scale, 3.0)
    top, bottom = max(int(row - half), 0), min(int(row + half) + 1, geometry.frame.height)
    left, right = max(int(column - half), 0), min(int(column + half) + 1, geometry.frame.width)
    x, y = np.meshgrid(np.arange(left, right) + 0.5 - column, np.arange(top, bottom) + 0.5 - row)
    return Window(slice(top, bottom), slice(left, right), x.astype(np.float32), y.astype(np.float32), geometry.scale)


def clouds(random: np.random.Generator, shape: tuple[int, int], sigma: float) -> Float32:
    """Make smooth noise of mean 0 and standard deviation about 1: float32 `shape`, sigma in pixels."""
    field = blur(random.standard_normal(shape, np.float32), sigma, sigma)
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def _radius(window: Window, random: np.random.Generator, roughness: float) -> Float32:
    """Give the distance from the middle with an outline that is not round, pixels."""
    angle = np.arctan2(window.y, window.x)
    edge = np.ones_like(angle)
    for wave in range(3, 8):
        edge += random.normal(0, roughness / wave) * np.cos(wave * angle + random.uniform(0, 6.28))
    stretch, axis = random.uniform(0.75, 1.25), random.uniform(0, np.pi)
    along = window.x * np.cos(axis) + window.y * np.sin(axis)
    across = -window.x * np.sin(axis) + window.y * np.cos(axis)
    return np.asarray(np.hypot(along * stretch, across / stretch) / np.maximum(edge, 0.3), np.float32)


def draw_particle(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Draw a foreign particle on the inner wall: ragged, nearly opaque, thinner towards its edge."""
    window = open_window(geometry, defect, defect.size * 1.2 + 4)
    distance = _radius(window, random, 0.5)
    half = defect.size * window.scale / 2
    body = smooth_step(half * 1.18 + 0.5, half * 0.72 - 0.3, distance)
    density = 0.80 + 0.07 * clouds(random, body.shape, max(half / 3, 0.6))
    maps.transmittance[window.rows, window.columns] *= 1 - body * np.clip(density, 0.5, 0.93)


def draw_black_spot(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Draw charred resin inside the wall: round, black, with a soft halo of scattered light."""
    window = open_window(geometry, defect, defect.size * 1.6 + 4)
    distance = _radius(window, random, 0.14)
    half = defect.size * window.scale / 2
    core = 0.90 * smooth_step(half + 0.7, half * 0.6 - 0.4, distance)
    halo = 0.10 * np.exp(-((distance / (half * 1.5 + 1)) ** 2))
    maps.transmittance[window.rows, window.columns] *= 1 - np.maximum(core, halo)


def draw_burn(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Draw overheated resin: a cloudy brown smear, drawn out along the vial, darker in its middle."""
    window = open_window(geometry, defect, defect.size * 1.1 + 6)
    half = defect.size * window.scale / 2
    bend = clouds(random, window.x.shape, max(half * 0.35, 1.0)) * half * 0.20
    distance = np.hypot((window.x + bend) * 1.4, window.y + 0.6 * bend)
    smear = smooth_step(half * 1.1, half * 0.3, distance)
    grain = 1 + 0.22 * clouds(random, smear.shape, max(1.6 * window.scale, 0.6))
    core = smooth_step(half * 0.42, 0.0, np.hypot(distance, 0.2 * half))
    maps.transmittance[window.rows, window.columns] *= np.exp(-np.clip((0.62 * smear + 0.5 * core) * grain, 0, 3))


def draw_deformation(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Dent the wall of the body: its outline and inner wall shift inward, the dent bends the light."""
    heavy = defect.kind.endswith("heavy")
    window = open_window(geometry, defect, defect.size * 0.86 + 8)
    length = defect.size * window.scale / 2.6
    depth = defect.size * window.scale * (0.26 if heavy else 0.11)
    side = np.sign(defect.x)
    bell = np.exp(-((window.y / length) ** 2)) * np.exp(-((window.x / (length * 1.15)) ** 2))
    column, row = geometry.to_pixel(defect.vial, defect.x, defect.y)
    from_x = window.x + column - 0.5 - window.columns.start + side * depth * bell
    from_y = window.y + row - 0.5 - window.rows.start + 0.18 * depth * bell * np.sign(window.y)
    for plane in (maps.transmittance, maps.filled):
        patch = np.ascontiguousarray(plane[window.rows, window.columns])
        plane[window.rows, window.columns] = cv2.remap(
            patch,
            from_x.astype(np.float32),
            from_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    # The dent's far rim is a fold: a soft arc that fades out towards its ends.
    bend = 0.10 * length * clouds(random, bell.shape, max(length * 0.5, 1))
    fold = np.hypot(window.x + side * length * 0.9, window.y * 0.75) + bend
    ends = np.exp(-((window.y / (length * 0.62)) ** 2)) * smooth_step(-0.9, 0.1, -side * window.x / length)
    crease = ends * np.exp(-(((fold - length * 1.15) / (1.8 * window.scale + 0.10 * length)) ** 2))
    inside = np.abs(window.x + defect.x * geometry.scale_x) < (drawing.BODY_HALF - 9) * geometry.scale_x
    soft = blur((bell * length * 0.5).astype(np.float32), 1.5 * window.scale, 1.5 * window.scale)
    shade = relief_factor(soft, 1.0, 1.6 if heavy else 0.7) * (1 - (0.34 if heavy else 0.15) * crease)
    wave = 1 + (0.07 if heavy else 0.03) * clouds(random, bell.shape, max(length * 0.3, 1)) * bell
    maps.transmittance[window.rows, window.columns] *= np.where(inside, shade * wave, 1.0)


def _curve(defect: Defect, random: np.random.Generator, scale: float) -> npt.NDArray[np.float64]:
    """Give 40 points of a slightly bent line through the defect, pixels from its middle."""
    t = np.linspace(-0.5, 0.5, 40)
    length = defect.size * scale
    bow = random.uniform(-0.10, 0.10) * length * (1 - 4 * t**2)
    jitter = np.convolve(random.normal(0, 0.45 * scale, 40), np.ones(5) / 5, "same")
    along, across = t * length, bow + jitter
    cos, sin = np.cos(defect.turn), np.sin(defect.turn)
    return np.stack([along * cos - across * sin, along * sin + across * cos], 1)


def draw_scratch(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Score the surface: a dark furrow with a bright ridge beside it, fading out at both ends."""
    deep = defect.kind.endswith("deep")
    window = open_window(geometry, defect, defect.size * 0.62 + 6)
    points = _curve(defect, random, window.scale)
    column, row = geometry.to_pixel(defect.vial, defect.x, defect.y)
    origin = np.array([column - window.columns.start, row - window.rows.start]) - 0.5
    furrow = np.zeros(window.x.shape, np.uint8)
    press = np.sin(np.linspace(0.12, np.pi - 0.12, 39)) * random.uniform(0.72, 1.0, 39)
    strokes = ((0.0, 1.0), (5.0, 0.4)) if deep else ((0.0, 1.0),)
    for offset, weight in strokes:
        path = np.rint((points + origin + offset * window.scale) * 16).astype(np.int32)
        for start, end, force in zip(path[:-1], path[1:], press, strict=True):
            layer = float(255 * force * weight)
            cv2.line(
                furrow,
                start.tolist(),
                end.tolist(),
                layer,
                max(round((2.4 if deep else 1.0) * window.scale), 1),
                cv2.LINE_AA,
                4,
            )
    width = (0.65 if deep else 0.55) * window.scale + 0.1
    dark = blur(furrow.astype(np.float32) / np.float32(255), width, width)
    ridge = np.maximum(np.roll(dark, round(2.4 * window.scale) or 1, axis=1) - dark, 0)
    factor = 1 - (0.62 if deep else 0.34) * dark + (0.22 if deep else 0.14) * ridge
    maps.transmittance[window.rows, window.columns] *= np.clip(factor, 0.2, 1.2)


def draw_bump(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Swell the neck to one side: resin stands out over the outline and refracts like a small lens."""
    window = open_window(geometry, defect, defect.size * 1.2 + 6)
    half = defect.size * window.scale / 2
    side = np.sign(defect.x)
    # It leans against the wall: its outer side ends in an outline of its own, its inner side runs out.
    stretched = dataclasses.replace(window, x=window.x * 1.1, y=window.y * 0.85)
    distance = _radius(stretched, random, 0.10) / half
    out = smooth_step(-0.35, 0.35, side * window.x / half)
    swell = np.sqrt(np.maximum(1 - np.minimum(distance, 1) ** 2, 0)).astype(np.float32)
    rim = np.exp(-(((distance - 0.92) / (0.10 + 0.7 / half)) ** 2)) * out
    body = smooth_step(1.0 + 0.6 / half, 1.0 - 0.6 / half, distance) * (0.25 + 0.75 * out)
    absorbed = np.exp(-0.34 * swell) * (1 - 0.55 * rim) * (1 + 0.22 * np.exp(-((distance / 0.35) ** 2)))
    outside = window.x * side > 0
    plane = maps.transmittance[window.rows, window.columns]
    bare = np.where(outside, np.minimum(plane, 0.92), plane)
    plane *= 1 + body * (absorbed * bare / np.maximum(plane, 1e-3) - 1)


def draw_laser_cut(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Spoil the cut edge of a flag: a bite melted out of it and a dark burr of resin around the bite."""
    window = open_window(geometry, defect, defect.size * 0.9 + 8)
    half = defect.size * window.scale / 2
    plane = maps.transmittance[window.rows, window.columns]
    bite_at = np.stack([window.x, (window.y - 0.05 * half) * 1.5])
    ragged = 0.22 * half * clouds(random, window.x.shape, max(0.22 * half, 0.9))
    distance = np.hypot(bite_at[0], bite_at[1]) + ragged
    bite = smooth_step(half * 0.78 + 0.6, half * 0.78 - 0.6, distance)
    # Melted resin gathers at the foot of the bite; a bead of it stays on one corner.
    burr = np.exp(-(((distance - half * 0.92) / (0.13 * half + 0.8)) ** 2))
    burr *= smooth_step(-0.30 * half, 0.25 * half, window.y)
    bead = smooth_step(
        half * 0.3 + 0.5, half * 0.3 - 0.8, np.hypot(window.x - half * 0.8, window.y + 1.5 * window.scale)
    )
    plane[:] = plane + bite * (1 - plane)
    plane *= (1 - 0.62 * np.clip(burr, 0, 1)) * (1 - 0.6 * bead)


def draw_nothing(maps: Maps, geometry: Geometry, defect: Defect, random: np.random.Generator) -> None:
    """Leave the strip as it is: the defect lies in the liquid alone."""


REGISTRY: dict[str, Callable[[Maps, Geometry, Defect, np.random.Generator], None]] = {
    "stuck_particle": draw_particle,
    "particle_with_foam": draw_particle,
    "body_deformation_light": draw_deformation,
    "body_deformation_heavy": draw_deformation,
    "black_spot": draw_black_spot,
    "burn": draw_burn,
    "scratch_light": draw_scratch,
    "scratch_deep": draw_scratch,
    "neck_bump": draw_bump,
    "laser_cut_imperfection": draw_laser_cut,
    "foreign_liquid_behaviour": draw_nothing,
}
