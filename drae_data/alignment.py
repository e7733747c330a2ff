"""How far a strip lies from where the reference has it, in whole pixels, by cross-correlation.

Whole pixels move the boxes, not the image: no grey value is interpolated. The shift is where the circular
cross-correlation of both is greatest (Guizar-Sicairos et al. 2008, DOI 10.1364/OL.33.000156, the first step). It is
that of scikit-image's `phase_cross_correlation(normalization=None)`, in a third of its time: frames are real, and the
reference is transformed once.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drae_data.errors import AcquisitionError, OptionError
from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FrameOptions
from drae_data.intake import AlignOptions
from drae_data.rank_images import Pixels, size_text
from drae_data.strip_layout import Box, PlacedBox, StripLayout


def find_shift(frame: Pixels, align: AlignOptions, pixels: FrameOptions) -> tuple[int, int]:
    """How far the strip in a frame lies from where the reference has it.

    Args:
        frame: uint8 [height, width].
        align: the reference and the largest shift.
        pixels: how the reference's file is decoded.

    Returns:
        (x, y) in pixels: positive to the right and down.

    Raises:
        AcquisitionError: `wrong_size`, `misaligned`.
        OptionError: the reference cannot be decoded, or is of one grey value.
    """
    if frame.min() == frame.max():
        raise AcquisitionError("misaligned", f"expected a frame with content, got the grey value {frame.min()} alone")
    reference = reference_pixels(align, pixels)
    if frame.shape != reference.shape:
        raise AcquisitionError(
            "wrong_size", f"expected {size_text(reference.shape)} as the reference {align.name}, "
            f"got {size_text(frame.shape)}",
        )  # fmt: skip
    y, x = _greatest_correlation(frame, _reference_spectrum(align, pixels))
    if max(abs(x), abs(y)) > align.max_shift:
        raise AcquisitionError(
            "misaligned", f"expected at most {align.max_shift} pixels from {align.name} (align.max_shift), got "
            f"{x} to the right, {y} down",
        )  # fmt: skip
    return x, y


def _greatest_correlation(frame: Pixels, reference: npt.NDArray[np.complex64]) -> tuple[int, int]:
    """How far down and to the right a frame lies from the reference with the given spectrum, in pixels."""
    # A quarter of a second that a build without alignment need not spend.
    from scipy import fft

    correlation = fft.irfft2(fft.rfft2(frame.astype(np.float32)) * reference, s=frame.shape, overwrite_x=True)
    place = np.unravel_index(int(np.argmax(correlation)), frame.shape)
    # The second half of each axis stands for shifts up and to the left.
    down, right = (int(at) - side if at > side // 2 else int(at) for at, side in zip(place, frame.shape, strict=True))
    return down, right


@lru_cache(maxsize=2)
def _reference_spectrum(align: AlignOptions, pixels: FrameOptions) -> npt.NDArray[np.complex64]:
    """The reference's spectrum, conjugated: complex64 [height, width // 2 + 1]; raises `OptionError`."""
    from scipy import fft

    spectrum: npt.NDArray[np.complex64] = np.conj(fft.rfft2(reference_pixels(align, pixels).astype(np.float32)))
    # Without its mean an image correlates where its content lies, and no precision goes to a constant.
    spectrum[0, 0] = 0
    return spectrum


@lru_cache(maxsize=2)
def reference_pixels(align: AlignOptions, pixels: FrameOptions) -> Pixels:
    """The reference's pixels: uint8 [height, width]; raises `OptionError`."""
    try:
        reference = decode_frame(align.reference, align.name, pixels).pixels
    except AcquisitionError as error:
        raise OptionError("align.reference", align.name, f"a frame that can be decoded ({error})") from error
    if reference.min() == reference.max():
        raise OptionError("align.reference", align.name, "a frame with content, not of one grey value")
    return reference


def place_boxes(
    frame: Pixels, layout: StripLayout, view: tuple[int, str], align: AlignOptions | None, pixels: FrameOptions
) -> tuple[tuple[PlacedBox, ...], tuple[int, int]]:
    """Where the boxes lie in the frames of a view, and how far the strip lies from the reference.

    Args:
        frame: uint8 [height, width], the first of them.
        layout: of the acquisition.
        view: vial and region that the frames show; (-1, '') for the whole strip.
        align: the reference, None for no alignment.
        pixels: how the reference's file is decoded.

    Raises:
        AcquisitionError: `wrong_size`, `misaligned`.
    """
    (vial, region), (height, width) = view, frame.shape
    placed = layout.place(height, width, None if vial < 0 else vial, region or None)
    if align is None:
        return placed, (0, 0)
    shift = find_shift(frame, align, pixels)
    return shift_boxes(placed, shift, height, width), shift


def shift_boxes(
    placed: tuple[PlacedBox, ...], shift: tuple[int, int], height: int, width: int
) -> tuple[PlacedBox, ...]:
    """The boxes where the strip lies; raises `AcquisitionError` (`misaligned`) where one leaves the frame."""
    moved = tuple(
        PlacedBox(item.vial, item.region, Box(box.left + shift[0], box.top + shift[1], box.width, box.height))
        for item in placed
        for box in (item.box,)
    )
    for item in moved:
        box = item.box
        if min(box.left, box.top) < 0 or box.left + box.width > width or box.top + box.height > height:
            raise AcquisitionError(
                "misaligned", f"the box of vial {item.vial} {item.region}, shifted by {shift[0]} to the right and "
                f"{shift[1]} down, leaves the frame of {width} x {height} pixels",
            )  # fmt: skip
    return moved
