"""The surface of the liquid as the camera sees it from its edge: two menisci and what lies between them."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drae_data.synthetic import geometry as drawing
from drae_data.synthetic.geometry import Geometry
from drae_data.synthetic.liquid import Surface
from drae_data.synthetic.optics import smooth_step
from drae_data.synthetic.options import Float32
from drae_data.synthetic.rendering import Rig

Matrix: TypeAlias = npt.NDArray[np.float64]

# Rows above and below the mean level that the surface may reach, pixels at 1400 x 1100; below comes the
# foreign layer on top of it.
BAND_ABOVE, BAND_BELOW = 52.0, 64.0
# Steps per pixel in the tables of the meniscus' profile.
FINE = 8


def _profiles(geometry: Geometry, layer: float) -> tuple[Float32, Float32, Float32]:
    """Tabulate the surface over the distance below it: share of liquid, front line, rear line.

    The meniscus climbs the front wall as a dark band with a bright line below it; the rear wall's
    meniscus is a thin line. A foreign layer darkens what lies under the surface down to its interface.
    """
    scale = geometry.scale
    reach = (BAND_ABOVE + BAND_BELOW + layer) * 1.6 * geometry.scale_y
    d = np.arange(-reach, reach, 1 / FINE, dtype=np.float32) / np.float32(scale)
    share = smooth_step(-1.0, 1.0, d)
    front = 1 - 0.66 * smooth_step(-4.5, 0.5, d) * smooth_step(7.0, 2.0, d)
    front += 0.10 * np.exp(-(((d - 10.0) / 2.6) ** 2)) - 0.12 * np.exp(-(((d - 18.0) / 5.0) ** 2))
    front -= 0.07 * smooth_step(-16.0, -4.0, d) * smooth_step(-1.0, -4.0, d)
    rear = 1 - 0.40 * np.exp(-((d / 2.0) ** 2)) + 0.05 * np.exp(-(((d + 4.5) / 2.0) ** 2))
    if layer > 0:
        front *= 1 - 0.20 * smooth_step(0.0, 3.0, d) * smooth_step(layer + 1.0, layer - 1.0, d)
        front *= 1 - 0.50 * np.exp(-(((d - layer) / 2.4) ** 2))
    return share, np.asarray(front, np.float32), np.asarray(rear, np.float32)


class Band:
    """The rows of one vial that its surface sweeps during a run, with what is behind it."""

    def __init__(self, rig: Rig, filled: Float32, grey: Float32, surface: Surface, vial: int, matrix: Matrix) -> None:
        """Cut the band out and fill what lies below it, in place in `grey`."""
        scale, stretch = rig.geometry.scale, rig.geometry.scale_x
        rest = rig.geometry.to_pixel(vial, 0.0, surface.level)
        column, row = matrix @ (*rest, 1.0)
        inner = (drawing.BODY_HALF - drawing.WALL) * stretch
        left, right = int(column - inner - 6), int(column + inner + 7)
        top = int(row - BAND_ABOVE * rig.geometry.scale_y)
        bottom = int(row + (BAND_BELOW + surface.layer) * rig.geometry.scale_y)
        grey[bottom:, left:right] *= filled[bottom:, left:right]
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        self.empty = grey[self.rows, self.columns].copy()
        self.gain = self.empty * (filled[self.rows, self.columns] - 1)
        x = np.arange(left, right) + 0.5 - column
        self.x = x / stretch
        # The frame's turn tilts the level; rows count down from the band's top.
        self.level = row - top - surface.level * rig.geometry.scale_y - x * np.tan(np.arcsin(matrix[0, 1]))
        self.steps = np.arange(top, bottom, dtype=np.float32)[:, None] - top + 0.5
        self.side = np.abs(self.x) / (drawing.BODY_HALF - drawing.WALL)
        self.inside = smooth_step(1.012, 0.988, self.side)
        self.share, self.front, self.rear = _profiles(rig.geometry, surface.layer)
        self.surface, self.scale, self.scale_y = surface, scale, rig.geometry.scale_y

    def draw(self, grey: Float32, frame: int) -> None:
        """Draw the surface of one frame into `grey`, in place."""
        climb = 8.0 * np.exp(-(1 - np.minimum(self.side, 1)) * 95 / 8.0)
        middle = self.level + self.surface.height(frame, self.x) * self.scale_y - climb * self.scale
        bow = self.surface.opening(frame) * np.sqrt(np.maximum(1 - self.side**2, 0)) * self.scale
        near = self._look_up(middle + bow)
        far = self._look_up(middle - bow)
        share, behind = self.share[near], self.share[far]
        lines = self.front[near] * self.rear[far] * (1 - 0.16 * (behind - share))
        grey[self.rows, self.columns] = (self.empty + self.gain * share) * (1 + self.inside * (lines - 1))

    def _look_up(self, line: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """Turn distances below a line into places in the tables: int32 [rows, columns]."""
        place = (self.steps - line.astype(np.float32)) * FINE + self.share.size / 2
        return np.asarray(np.clip(place, 0, self.share.size - 1), np.int32)
