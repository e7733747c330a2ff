"""Pictures for the report: a vial put together again, a heatmap's colours, letterbox bars taken away."""

import cv2
import numpy as np
import pytest

from drae_data.patches import PatchOptions, cut_patch
from drae_data.rank_images import Pixels
from drae_data.strip_layout import Box
from drae_model.gallery_pictures import grey_picture, heat_overlay, png_bytes, stacked_boxes, vial_picture

STRETCH = PatchOptions(32, "stretch", "linear", 0, "png")


def frame() -> Pixels:
    """A smooth frame of 40 x 60: what is resized and back again stays nearly what it was."""
    rows, columns = np.mgrid[0:40, 0:60]
    found: Pixels = (2 * rows + 2 * columns).astype(np.uint8)
    return found


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_a_vial_is_put_together_as_it_was(fit: str) -> None:
    options = PatchOptions(32, fit, "linear", 0, "png")
    image, boxes = frame(), {"R0": Box(10, 4, 24, 12), "R1": Box(10, 16, 24, 20)}
    patches = {region: cut_patch(image, box, options) for region, box in boxes.items()}
    picture, placed = vial_picture(patches, boxes, options)
    assert placed == {"R0": (0, 0, 24, 12), "R1": (0, 12, 24, 20)}
    assert picture.shape == (32, 24)
    assert np.abs(picture.astype(int) - image[4:36, 10:34]).max() <= 4


def test_what_no_patch_shows_is_white() -> None:
    boxes = {"R0": Box(0, 0, 10, 10), "R1": Box(0, 20, 10, 10)}
    patches = {"R0": np.zeros((32, 32), np.uint8)}
    picture, placed = vial_picture(patches, boxes, STRETCH)
    assert (picture[:10] == 0).all()
    assert (picture[10:] == 255).all()
    assert placed["R1"] == (0, 20, 10, 10)


def test_a_large_vial_shrinks_to_480_pixels() -> None:
    boxes = {"R0": Box(5, 7, 300, 960)}
    picture, placed = vial_picture({"R0": np.full((32, 32), 9, np.uint8)}, boxes, STRETCH)
    assert picture.shape == (480, 150)
    assert placed == {"R0": (0, 0, 150, 480)}


def test_regions_of_frames_of_their_own_lie_below_each_other() -> None:
    assert stacked_boxes(["R0", "R1"], 32) == {"R0": Box(0, 0, 32, 32), "R1": Box(0, 32, 32, 32)}


def test_cold_is_transparent_and_hot_is_red() -> None:
    heat = heat_overlay(np.array([[0.0, 1.0, 2.0, -1.0]], np.float32))
    assert heat[0, 0, 3] == heat[0, 3, 3] == 0
    # Blue, green, red, opacity: 0.85 of 255 is 216.75.
    assert heat[0, 1].tolist() == heat[0, 2].tolist() == [0, 40, 255, 217]


def test_pictures_come_back_from_png() -> None:
    grey = grey_picture(np.array([[0.0, 0.5, 1.0, 2.0]], np.float32))
    assert grey.tolist() == [[0, 128, 255, 255]]
    for picture in (grey, heat_overlay(np.array([[0.25, 0.75]], np.float32))):
        back = cv2.imdecode(np.frombuffer(png_bytes(picture), np.uint8), cv2.IMREAD_UNCHANGED)
        assert back is not None
        assert np.array_equal(back, picture)
