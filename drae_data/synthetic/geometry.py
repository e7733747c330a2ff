"""The drawing of the product: where flag, neck, body and base of each vial lie in a frame.

The drawing is written in drawing units: one unit is one pixel when five vials lie in a frame of
1400 x 1100. Other frame sizes and numbers of vials scale it, x by the pitch of the vials, y by the
height of the frame. Local x runs from the axis of a vial, y from the top of the frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drae_data.synthetic.options import Float32, FrameOptions

DRAWING_WIDTH = 1400.0
DRAWING_HEIGHT = 1100.0
DRAWING_PITCH = 256.0

FLAG_TOP, FLAG_BOTTOM, FLAG_HALF, FLAG_CORNER = 58.0, 262.0, 116.0, 24.0
BREAK_Y = 290.0
COLLAR_Y = 350.0
NECK_HALF = 25.0
SHOULDER_TOP, SHOULDER_BOTTOM = 370.0, 446.0
BODY_HALF = 103.0
BASE_TOP, BASE_BOTTOM = 946.0, 1034.0
WALL = 8.0
WEB_TOP, WEB_BOTTOM = 474.0, 992.0
FLANGE = 8.0

REGIONS = ("R0", "R1", "R2", "R3")
# At 1400 x 1100 a box is a patch of 256 x 256, pixel for pixel.
REGION_ROWS = {"R0": (37.0, 293.0), "R1": (293.0, 549.0), "R2": (549.0, 805.0), "R3": (805.0, 1061.0)}
BOX_HALF = 128.0

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Geometry:
    """The drawing laid into a frame.

    Attributes:
        frame: size of the frame and number of vials.
    """

    frame: FrameOptions

    @property
    def scale_x(self) -> float:
        """Pixels per drawing unit across the strip."""
        used = DRAWING_PITCH * 5.0 / DRAWING_WIDTH
        return self.frame.width * used / (self.frame.vials * DRAWING_PITCH)

    @property
    def scale_y(self) -> float:
        """Pixels per drawing unit along the vials."""
        return self.frame.height / DRAWING_HEIGHT

    @property
    def scale(self) -> float:
        """Pixels per drawing unit of round things, which stay round: bubbles, drops, particles."""
        return min(self.scale_x, self.scale_y)

    def centre_x(self, vial: int) -> float:
        """Give the column of the axis of a vial, pixels."""
        return self.frame.width / 2 + (vial - (self.frame.vials - 1) / 2) * DRAWING_PITCH * self.scale_x

    def to_pixel(self, vial: int, x: float, y: float) -> tuple[float, float]:
        """Turn local drawing units into pixels of a frame whose strip lies at rest."""
        return self.centre_x(vial) + x * self.scale_x, y * self.scale_y

    def local_x(self) -> Float32:
        """Give local x of every column, drawing units from the axis of the nearest vial.

        Returns:
            float32 [w]; columns outside the strip belong to the nearest end vial.
        """
        columns = np.arange(self.frame.width) + 0.5
        strip = (columns - self.frame.width / 2) / self.scale_x + DRAWING_PITCH * self.frame.vials / 2
        vial = np.clip(np.floor(strip / DRAWING_PITCH), 0, self.frame.vials - 1)
        return np.asarray(strip - (vial + 0.5) * DRAWING_PITCH, np.float32)

    def local_y(self) -> Float32:
        """Give y of every row, drawing units: float32 [h]."""
        return ((np.arange(self.frame.height) + 0.5) / self.scale_y).astype(np.float32)


def outer_half_width(y: npt.ArrayLike) -> Float32:
    """Give the half width of the moulded tube (neck, shoulder, body, base) at rows of the drawing.

    Args:
        y: rows, drawing units, any shape.

    Returns:
        float32 of the same shape, drawing units; 0 above the flag's bottom and below the base.
    """
    rows = np.asarray(y, np.float64)
    neck = NECK_HALF - 9.0 * np.exp(-(((rows - BREAK_Y) / 6.0) ** 2))
    neck += 8.0 * np.exp(-(((rows - COLLAR_Y) / 9.0) ** 4))
    neck += 16.0 * np.clip((280.0 - rows) / 26.0, 0.0, 1.0) ** 2
    rise = np.clip((SHOULDER_BOTTOM - rows) / (SHOULDER_BOTTOM - SHOULDER_TOP), 0.0, 1.0)
    shoulder = NECK_HALF + (BODY_HALF - NECK_HALF) * (1.0 - rise**2.4) ** (1 / 2.0)
    fall = np.clip((rows - BASE_TOP) / (BASE_BOTTOM - BASE_TOP), 0.0, 1.0)
    base = BODY_HALF * (1.0 - fall**4.5) ** (1 / 2.6)
    width = np.where(rows < SHOULDER_TOP, neck, np.where(rows < SHOULDER_BOTTOM, shoulder, base))
    return np.where((rows < FLAG_BOTTOM - 8.0) | (rows > BASE_BOTTOM), 0.0, width).astype(np.float32)


def inner_half_width(y: npt.ArrayLike) -> Float32:
    """Give the half width of the cavity at rows of the drawing, drawing units, 0 where there is none."""
    rows = np.asarray(y, np.float64)
    outer = outer_half_width(rows).astype(np.float64)
    wall = np.where(rows < SHOULDER_TOP, WALL + 2.0, WALL)
    floor = np.clip((BASE_BOTTOM - 9.0 - rows) / 12.0, 0.0, 1.0) ** 0.5
    inner = np.maximum(outer - wall, 0.0) * floor
    return np.where(rows < BREAK_Y + 4.0, 0.0, inner).astype(np.float32)


def demo_boxes(frame_height: int, frame_width: int, vials: int) -> dict[str, list[Box]]:
    """Give the boxes of the demo product's strip layout.

    Args:
        frame_height: pixels.
        frame_width: pixels.
        vials: number of vials in the strip.

    Returns:
        For each region R0 to R3 one box (left, top, width, height) per vial, pixels, inside the frame
        and apart from one another; around the strip at rest they leave 7 drawing units for its pose.
    """
    geometry = Geometry(FrameOptions(height=frame_height, width=frame_width, vials=vials))
    boxes: dict[str, list[Box]] = {}
    for region in REGIONS:
        top, bottom = (round(row * geometry.scale_y) for row in REGION_ROWS[region])
        boxes[region] = []
        for vial in range(vials):
            left = round(geometry.centre_x(vial) - BOX_HALF * geometry.scale_x)
            right = round(geometry.centre_x(vial) + BOX_HALF * geometry.scale_x)
            boxes[region].append((left, top, right - left, bottom - top))
    return boxes
