"""The two rank images of an acquisition: per-pixel minimum and maximum over its frames, or some of them.

HALCON's `rank_n` with ranks 1 and A over A frames (the paper, section 7, "Train dataset acquisition"): what moved while
the strip was handled is absent from the lighter image and all present in the darker one.
"""

import numpy as np
import numpy.typing as npt

from drae_data.errors import AcquisitionError

Pixels = npt.NDArray[np.uint8]


class RankImages:
    """Minimum and maximum in one streaming pass: two images are kept, however many frames come."""

    def __init__(self) -> None:
        self._minimum: Pixels | None = None
        self._maximum: Pixels | None = None
        self._shape: tuple[int, ...] | None = None

    def add(self, frame: Pixels) -> None:
        """Takes one more frame into account; raises as `check_shape`.

        Args:
            frame: uint8 [height, width]; all frames of an acquisition have the same shape.
        """
        self.check_shape(frame)
        if self._minimum is None or self._maximum is None:
            self._minimum, self._maximum = frame.copy(), frame.copy()
            return
        np.minimum(self._minimum, frame, out=self._minimum)
        np.maximum(self._maximum, frame, out=self._maximum)

    def check_shape(self, frame: Pixels) -> None:
        """Whether a frame, also one that no rank image is taken over, has the shape of those before.

        Raises:
            AcquisitionError: `unequal_sizes`.
        """
        if self._shape is None:
            self._shape = frame.shape
        if frame.shape != self._shape:
            raise AcquisitionError(
                "unequal_sizes",
                f"expected {size_text(self._shape)} as the frames before, got {size_text(frame.shape)}",
            )

    def image(self, rank: str) -> Pixels:
        """The rank image `min` or `max`: uint8 [height, width]."""
        image = self._minimum if rank == "min" else self._maximum
        if image is None:
            raise AcquisitionError("missing_frame", "a rank image needs at least one frame")
        return image


def size_text(shape: tuple[int, ...]) -> str:
    """A shape [height, width] as people say it: width x height."""
    return f"{shape[1]} x {shape[0]} pixels"
