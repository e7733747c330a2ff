"""From the frames of one acquisition in memory to its patches: what the builder cuts, without files in between."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import AcquisitionError
from drae_data.opencv import plain_opencv
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box
from drae_data.view import View


@dataclass(frozen=True)
class PatchPlace:
    """Where a patch was cut.

    Attributes:
        image: text form, `f07`, `min` or `max`.
        vial: from 0.
        region: of the strip layout.
        box: in the frame, pixels.
    """

    image: str
    vial: int
    region: str
    box: Box


@dataclass(frozen=True, eq=False)
class Product:
    """The patches of one acquisition, as the model takes them.

    Attributes:
        key: of the acquisition.
        places: of the patches, n of them, in the order in which the builder cuts.
        patches: uint8 [n, p, p, 1].
    """

    key: AcquisitionKey
    places: tuple[PatchPlace, ...]
    patches: Pixels


def cut_product(frames: Mapping[FramePlace, Pixels], key: AcquisitionKey, options: DatasetOptions) -> Product:
    """Cuts the patches of one acquisition: the same pixels as a build of its files gives.

    Args:
        frames: uint8 [height, width], at least those that patches need.
        key: of the acquisition; it may decide the strip layout.
        options: of the set whose acquisitions look like this one's.

    Returns:
        All its patches, `options.patches_per_acquisition` of them.

    Raises:
        AcquisitionError: `missing_frame`, or as a build refuses it: `no_layout`, `wrong_size`, `unequal_sizes`,
            `misaligned`.
    """
    plain_opencv()
    layout, size = options.layouts.of(key), options.patch.size
    patches = np.empty((options.patches_per_acquisition, size, size, 1), np.uint8)
    places: list[PatchPlace] = []
    for vial, region in options.views:
        view = View((vial, region), layout, options)
        for index in options.needed_frames:
            for image, pixels in view.images(index, _frame(frames, FramePlace(vial, region, index))):
                _cut(view, str(image), pixels, options, places, patches)
        for image, pixels in view.rank_images():
            _cut(view, str(image), pixels, options, places, patches)
    return Product(key, tuple(places), patches)


def _frame(frames: Mapping[FramePlace, Pixels], place: FramePlace) -> Pixels:
    if place not in frames:
        raise AcquisitionError("missing_frame", f"expected frame {place.frame} among those given, got {len(frames)}")
    return frames[place]


def _cut(
    view: View, image: str, pixels: Pixels, options: DatasetOptions, places: list[PatchPlace], patches: Pixels
) -> None:
    for item in view.boxes:
        patches[len(places), ..., 0] = cut_patch(pixels, item.box, options.patch)
        places.append(PatchPlace(image, item.vial, item.region, item.box))
