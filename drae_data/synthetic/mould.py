"""What every strip of the product shares: the moulded shape turned into maps of absorption and refraction."""

from dataclasses import dataclass

import cv2
import numpy as np

from drae_data.synthetic import geometry as drawing
from drae_data.synthetic.geometry import Geometry
from drae_data.synthetic.optics import blur, relief_factor, smooth_step
from drae_data.synthetic.options import Float32

# Absorption of the milky resin per drawing unit of path, set by eye against back-lit LDPE ampoules:
# a flag of about 9 units passes 70 %, two walls of 8 units pass 75 %.
ABSORPTION = 0.0165
FLAG_DEPTH = 19.0
WEB_DEPTH = 9.0
FLANGE_DEPTH = 12.0


@dataclass(frozen=True)
class Mould:
    """Maps of the drawing at the size of a frame, each float32 [h, w].

    Attributes:
        depth: path of the light through resin, drawing units, 0 beside the strip.
        empty: refraction with air in the cavities, factor.
        filled: what liquid changes where it stands, factor on the transmittance of the empty strip.
        material: 1 inside the strip's outline, 0 outside, between them over one pixel.
    """

    depth: Float32
    empty: Float32
    filled: Float32
    material: Float32


def _rounded_box(x: Float32, y: Float32, half: float, top: float, bottom: float, corner: float) -> Float32:
    """Give the signed distance to a rounded rectangle around the axis, negative inside, drawing units."""
    dx = np.abs(x) - (half - corner)
    dy = np.abs(y - (top + bottom) / 2) - ((bottom - top) / 2 - corner)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0) - corner, np.float32)


def _cover(distance: Float32, scale: float) -> Float32:
    """Turn a signed distance into coverage with a border one pixel wide."""
    return np.asarray(np.clip(0.5 - distance * scale, 0.0, 1.0), np.float32)


def _plates(geometry: Geometry, x: Float32, y: Float32) -> tuple[Float32, Float32, Float32]:
    """Draw flags, webs and flanges: their depth, their edge lines as a factor, their coverage."""
    scale = geometry.scale
    flag = _rounded_box(x, y, drawing.FLAG_HALF, drawing.FLAG_TOP, drawing.FLAG_BOTTOM, drawing.FLAG_CORNER)
    rib = smooth_step(30, 17, np.abs(x) + np.maximum(200 - y, 0) * 0.5) * smooth_step(165, 232, y)
    cover = _cover(flag, scale)
    depth = cover * (FLAG_DEPTH + 3.0 * smooth_step(-11, -3, flag) + 7.0 * rib)
    lines = 1.0 - 0.5 * np.exp(-(((flag + 2.4) / 2.0) ** 2)) - 0.10 * np.exp(-(((flag + 10.5) / 2.2) ** 2))
    rest = np.ones_like(cover)
    ends = geometry.frame.vials * drawing.DRAWING_PITCH / 2
    strip_x = np.arange(geometry.frame.width, dtype=np.float32) + 0.5 - geometry.frame.width / 2
    inner = (np.abs(strip_x / geometry.scale_x) < ends - drawing.DRAWING_PITCH / 2)[None, :]
    seam = drawing.DRAWING_PITCH / 2 - np.abs(x)
    # Flags hang together by a thin film that is scored along its middle; so do the bodies.
    for top, bottom, free in ((96.0, 236.0, drawing.FLAG_HALF), (drawing.WEB_TOP, drawing.WEB_BOTTOM, 0.0)):
        rounded = _rounded_box(seam.astype(np.float32), y, 60.0, top, bottom, 10.0)
        film = _cover(rounded, scale) * (np.abs(x) > free - 2) * inner * (1 - cover)
        depth += film * (WEB_DEPTH + 4.0 * smooth_step(7, 3, seam))
        cut = np.exp(-((seam / 1.3) ** 2)) * (np.mod(y, 26.0) < 18.0)
        rim = np.exp(-(((rounded + 1.8) / 1.6) ** 2))
        rest *= 1 - film * (0.42 * rim + 0.22 * np.exp(-(((seam - 4.5) / 1.8) ** 2)) - 0.12 * cut)
        cover = np.maximum(cover, film)
    return depth, np.where(flag < 0.5, lines, rest).astype(np.float32), cover


def _square(half_width: Float32, rows: Float32) -> Float32:
    """Give the factor from a distance along x to one square to the wall: cosine of the wall's slope."""
    slope = np.gradient(half_width[:, 0], rows)[:, None]
    return np.asarray(1 / np.hypot(1.0, slope), np.float32)


def _tubes(x: Float32, y: Float32, rows: Float32, scale: float) -> tuple[Float32, Float32, Float32, Float32]:
    """Draw necks, bodies and bases: depth, refraction empty, change by liquid, coverage."""
    outer = drawing.outer_half_width(rows)[:, None]
    inner = drawing.inner_half_width(rows)[:, None]
    far = np.abs(x)
    hull = np.sqrt(np.maximum(outer**2 - far**2, 0.0))
    cavity = np.sqrt(np.maximum(inner**2 - far**2, 0.0))
    # Distances to the walls are measured square to them, so that shoulder and base have even borders.
    to_outside, to_inside = (outer - far) * _square(outer, rows), (inner - far) * _square(inner, rows)
    cover = np.clip(to_outside * scale + 0.5, 0, 1) * (outer > 0)
    # Near the shoulder and the base the wall turns towards the camera as well: the slope along y counts.
    along = np.gradient(cavity, rows, axis=0)
    reach = np.maximum(inner, 1e-3)
    across = np.clip(far / reach, 0, 1)
    turn = np.hypot(across, 0.86 * along / np.hypot(1.0, along))
    hollow = np.clip(to_inside * scale + 0.5, 0, 1) * (inner > 1)
    depth = cover * np.minimum(1.15 * (hull - cavity), 62.0)
    empty = 1 - 0.52 * np.exp(-(((to_outside - 1.5) / 2.1) ** 2)) * cover
    empty -= 0.30 * np.exp(-((to_inside / 2.2) ** 2)) * (inner > 1)
    empty -= 0.15 * smooth_step(0.70, 1.05, turn) * hollow
    # A body full of liquid is a cylindrical lens: bright middle, a caustic, then rays that miss the panel.
    lens = 1.09 - 0.05 * turn**2 + 0.07 * np.exp(-(((turn - 0.79) / 0.035) ** 2))
    lens -= 0.60 * smooth_step(0.82, 0.93, turn) - 0.20 * smooth_step(0.94, 1.0, turn)
    filled = 1 + hollow * (lens - 1)
    return depth, np.clip(empty, 0.15, 1.2), filled, cover


def _mark(geometry: Geometry, lot: str) -> Float32:
    """Draw the relief of flags, shoulders and bases: maker's mark, volume, lot, cavity, base seam; pixels."""
    width, height, scale = geometry.frame.width, geometry.frame.height, geometry.scale
    relief = np.zeros((height, width), np.uint8)
    font, shift = cv2.FONT_HERSHEY_SIMPLEX, 4
    pen = max(round(3.2 * scale), 1)

    def text(words: str, vial: int, y: float, size: float) -> None:
        (wide, _), _ = cv2.getTextSize(words, font, size * scale, pen)
        column, row = geometry.to_pixel(vial, 0.0, y)
        cv2.putText(relief, words, (round(column - wide / 2), round(row)), font, size * scale, 255, pen, cv2.LINE_AA)

    for vial in range(geometry.frame.vials):
        column, row = geometry.to_pixel(vial, 0.0, 112.0)
        centre = (round(column * 2**shift), round(row * 2**shift))
        for radius_x, radius_y in ((44.0, 28.0), (38.0, 22.5)):
            axes = (round(radius_x * scale * 2**shift), round(radius_y * scale * 2**shift))
            cv2.ellipse(relief, centre, axes, 0, 0, 360, 200, max(round(2 * scale), 1), cv2.LINE_AA, shift)
        drop = np.array([(0, -16), (5, -7), (9, 1), (8, 8), (0, 13), (-8, 8), (-9, 1), (-5, -7)], float) * scale
        cv2.fillPoly(
            relief, [np.rint((drop + np.array([column, row])) * 2**shift).astype(np.int32)], 255, cv2.LINE_AA, shift
        )
        text("10 ml", vial, 174.0, 0.74)
        text(lot, vial, 210.0, 0.70)
        column, row = geometry.to_pixel(vial, 84.0, 92.0)
        cv2.putText(relief, str(vial + 1), (round(column), round(row)), font, 0.5 * scale, 200, pen, cv2.LINE_AA)
    return blur(relief.astype(np.float32), 1.3 * scale, 1.3 * scale) * np.float32(2.8 / 255)


def make_mould(geometry: Geometry, lot: str) -> Mould:
    """Draw the product once for a size of frame; every strip starts from these maps.

    Args:
        geometry: the drawing in its frame.
        lot: the code in relief on the flags.

    Returns:
        The maps of the strip at rest in the middle of the frame.
    """
    rows = geometry.local_y()
    x = np.broadcast_to(geometry.local_x()[None, :], (rows.size, geometry.frame.width)).astype(np.float32)
    y = np.broadcast_to(rows[:, None], x.shape).astype(np.float32)
    plate_depth, lines, plates = _plates(geometry, x, y)
    tube_depth, empty, filled, tubes = _tubes(x, y, rows, geometry.scale)
    # The parting line of the mould leaves a flange around every tube; the laser cuts along it.
    bare = (tubes < 0.5).astype(np.uint8)
    away = cv2.distanceTransform(bare, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rim = np.asarray(away, np.float32) / np.float32(geometry.scale)
    rim -= drawing.FLANGE * smooth_step(drawing.BREAK_Y, drawing.COLLAR_Y, y) * smooth_step(1044, 990, y)
    flange = _cover(rim, geometry.scale) * (y > drawing.BREAK_Y) * (1 - tubes) * smooth_step(1044, 1024, y)
    both = np.maximum(np.maximum(plates, tubes), flange)
    depth = np.maximum(plate_depth * (1 - 0.6 * tubes * (y > drawing.FLAG_BOTTOM)), flange * FLANGE_DEPTH)
    depth = np.where(tubes > 0, np.maximum(tube_depth, (1 - tubes) * depth), depth)
    depth = np.where((y < drawing.FLAG_BOTTOM) & (plates > 0.5), plate_depth, depth)
    edge = 1 - 0.35 * flange * np.exp(-(((rim + 1.8) / 1.7) ** 2))
    tube_zone = (tubes > 0.02) & (y >= drawing.FLAG_BOTTOM)
    factor = np.where(tube_zone, empty, lines) * edge
    seam = np.exp(-(((y - 1017 - 0.0006 * x**2) / 2.0) ** 2)) * smooth_step(62, 46, np.abs(x))
    tail = np.exp(-((x / 1.6) ** 2)) * smooth_step(996, 1012, y) * (y < 1017)
    factor = factor * (1 - 0.38 * np.maximum(seam, 0.6 * tail) * tubes)
    factor = factor * relief_factor(_mark(geometry, lot), 0.22 / geometry.scale, 1.4)
    planes = (depth, factor, np.where(tube_zone, filled, 1.0), both)
    return Mould(*(np.ascontiguousarray(plane, np.float32) for plane in planes))
