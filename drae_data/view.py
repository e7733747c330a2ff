"""The frames of one view, one after the other: where the boxes lie in them, and the images that they give."""

from collections.abc import Iterator

from drae_data.acquisition import Image
from drae_data.alignment import place_boxes
from drae_data.options import DatasetOptions
from drae_data.rank_images import Pixels, RankImages
from drae_data.strip_layout import PlacedBox, StripLayout


class View:
    """What files that show one vial and region, or the whole strip, become: images to cut boxes from.

    Args:
        place: vial and region that the files show; (-1, '') for the whole strip.
        layout: of the acquisition.
        options: of the dataset.

    Attributes:
        boxes: where they lie in the view's frames; empty before the first.
        shift: how far the strip lies from the reference, (x, y) in pixels.
        shape: height and width of the frames; (0, 0) before the first.
    """

    def __init__(self, place: tuple[int, str], layout: StripLayout, options: DatasetOptions) -> None:
        self.boxes: tuple[PlacedBox, ...] = ()
        self.shift, self.shape = (0, 0), (0, 0)
        self._place, self._layout, self._options = place, layout, options
        self._rank = RankImages()
        self._ranked = options.rank_frames if any(image.rank for image in options.images) else ()

    def images(self, index: int, frame: Pixels) -> Iterator[tuple[Image, Pixels]]:
        """Takes the next frame.

        Args:
            index: of the frame; they come in ascending order.
            frame: uint8 [height, width]; it may be changed once this returns.

        Returns:
            The images that are there now: the frame itself where it becomes patches.

        Raises:
            AcquisitionError: `wrong_size`, `misaligned`, `unequal_sizes`.
        """
        options = self._options
        # A frame that breaks the layout's size is told so, not that it differs from the others.
        if not self.boxes or self._layout.frame_size not in (None, frame.shape):
            self.boxes, self.shift = place_boxes(frame, self._layout, self._place, options.align, options.pixels)
            self.shape = (frame.shape[0], frame.shape[1])
        self._rank.check_shape(frame)
        if index in self._ranked:
            self._rank.add(frame)
        image = Image.of_frame(index)
        return iter([(image, frame)] if image in options.images else [])

    def rank_images(self) -> Iterator[tuple[Image, Pixels]]:
        """The rank images that become patches, once all frames were taken."""
        for image in self._options.images:
            if image.rank:
                yield image, self._rank.image(image.rank)
