"""The strip layout: one box per vial and region, in pixels of the frame or as fractions of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from drae_data.errors import AcquisitionError, OptionError
from drae_data.rank_images import size_text

# A rounding unit, so that fractions such as 0.9 + 0.1 count as inside, and thirds that touch as apart.
_SLACK = 1e-9


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: columns left to left + width - 1, rows top to top + height - 1."""

    left: int
    top: int
    width: int
    height: int

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share a pixel."""
        return _overlap(
            (self.left, self.top, self.width, self.height), (other.left, other.top, other.width, other.height), 0
        )


@dataclass(frozen=True)
class PlacedBox:
    """A box with its place on the strip."""

    vial: int
    region: str
    box: Box


@dataclass(frozen=True)
class StripLayout:
    """Where each vial's regions lie in a frame.

    Attributes:
        units: `pixels`, or `fractions` of the frame's width and height.
        frame_size: (height, width) in pixels that every frame must have, or None where any size is taken (fractions).
        boxes: for each region, in order, one (left, top, width, height) per vial.
        allow_overlap: boxes that share pixels are refused unless this is true.

    Raises:
        OptionError: at birth, naming the box that is wrong and what is allowed.
    """

    units: str
    frame_size: tuple[int, int] | None
    boxes: Mapping[str, tuple[tuple[float, float, float, float], ...]]
    allow_overlap: bool

    def __post_init__(self) -> None:
        if self.units not in ("pixels", "fractions"):
            raise OptionError("strip_layout.units", self.units, "'pixels' or 'fractions'")
        if self.units == "pixels" and self.frame_size is None:
            raise OptionError("strip_layout.frame_size", None, "the frames' height and width, since units is 'pixels'")
        if not self.boxes:
            raise OptionError("strip_layout.boxes", dict(self.boxes), "at least one region")
        counts = {region: len(row) for region, row in self.boxes.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise OptionError("strip_layout.boxes", counts, "the same number of vials, one or more, in every region")
        for region, row in self.boxes.items():
            # What is printable has no lone surrogates either, so that it can be written as UTF-8.
            if not region or "/" in region or not region.isprintable():
                raise OptionError("strip_layout.boxes", region, "a region name of printable characters without a slash")
            for vial, box in enumerate(row):
                self._check_box(f"strip_layout.boxes.{region}[{vial}]", box)
        self._check_overlap()
        if self.frame_size is not None:
            try:
                self.place(*self.frame_size)
            except AcquisitionError as error:
                raise OptionError("strip_layout.boxes", error.detail, "boxes of a pixel or more") from error

    def _check_box(self, key: str, box: tuple[float, float, float, float]) -> None:
        left, top, width, height = box
        if not all(math.isfinite(value) for value in box):
            raise OptionError(key, box, "finite numbers [left, top, width, height]")
        if self.units == "pixels" and any(value != math.floor(value) for value in box):
            raise OptionError(key, box, "whole numbers of pixels [left, top, width, height]")
        frame_height, frame_width = self.frame_size if self.units == "pixels" and self.frame_size else (1, 1)
        inside = left >= 0 and top >= 0 and width > 0 and height > 0
        if not inside or left + width > frame_width + _SLACK or top + height > frame_height + _SLACK:
            unit = f"{frame_width} x {frame_height} pixels" if self.units == "pixels" else "1 x 1 (fractions)"
            raise OptionError(key, box, f"[left, top, width, height] with a positive size inside a frame of {unit}")

    def _check_overlap(self) -> None:
        """Judges the boxes as they were given: edges that touch stay touching in the pixels of any frame."""
        if self.allow_overlap:
            return
        given = [
            (f"vial {vial} {region}", row[vial]) for vial in range(self.vials) for region, row in self.boxes.items()
        ]
        for (one, box), (other, other_box) in combinations(given, 2):
            if _overlap(box, other_box, _SLACK):
                raise OptionError(
                    "strip_layout.boxes", f"{one} and {other}", "boxes that share no pixel (or allow_overlap: true)"
                )

    @property
    def regions(self) -> tuple[str, ...]:
        """The region names in the order of `params.yaml`."""
        return tuple(self.boxes)

    @property
    def vials(self) -> int:
        """The number of vials of a strip."""
        return len(next(iter(self.boxes.values())))

    def place(
        self, height: int, width: int, vial: int | None = None, region: str | None = None
    ) -> tuple[PlacedBox, ...]:
        """The boxes in pixels of a frame of the given size, vial by vial, regions in order.

        Args:
            height: of the frame in pixels.
            width: of the frame in pixels.
            vial: the one that the frame shows, where frames come already cut by vial; None for all.
            region: the one that the frame shows, where frames come already cut by region; None for all.

        Raises:
            AcquisitionError: `wrong_size` where `frame_size` says otherwise, or a fraction is less than a pixel.
        """
        if self.frame_size is not None and (height, width) != self.frame_size:
            raise AcquisitionError(
                "wrong_size", f"expected {size_text(self.frame_size)} (strip_layout.frame_size), "
                f"got {size_text((height, width))}",
            )  # fmt: skip
        scale_x, scale_y = (1, 1) if self.units == "pixels" else (width, height)
        placed = tuple(
            PlacedBox(number, name, _to_pixels(row[number], scale_x, scale_y))
            for number in (range(self.vials) if vial is None else (vial,))
            for name, row in self.boxes.items()
            if region in (None, name)
        )
        for item in placed:
            if item.box.width < 1 or item.box.height < 1:
                raise AcquisitionError(
                    "wrong_size",
                    f"vial {item.vial} {item.region} has no pixel in {size_text((height, width))}",
                )
        return placed


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float], slack: float) -> bool:
    """Whether two boxes [left, top, width, height] share more than `slack` in both directions."""
    left, top, width, height = one
    other_left, other_top, other_width, other_height = other
    shared_width = min(left + width, other_left + other_width) - max(left, other_left)
    shared_height = min(top + height, other_top + other_height) - max(top, other_top)
    return shared_width > slack and shared_height > slack


def _to_pixels(box: tuple[float, float, float, float], scale_x: int, scale_y: int) -> Box:
    """Edges are rounded, not sizes: neighbours that touch as fractions touch in pixels and share none."""
    left, top, width, height = box
    x0, x1 = (math.floor(edge * scale_x + 0.5) for edge in (left, left + width))
    y0, y1 = (math.floor(edge * scale_y + 0.5) for edge in (top, top + height))
    return Box(x0, y0, min(x1, scale_x if scale_x > 1 else x1) - x0, min(y1, scale_y if scale_y > 1 else y1) - y0)
