"""The preview's pictures, looked at pixel by pixel: expected places are worked out by hand from boxes and scales."""

import cv2
import numpy as np
import pytest

from drae_data.patches import PatchOptions
from drae_data.preview import WIDTH, PreviewImage, draw_contact_sheet, draw_preview
from drae_data.preview_panel import ALARM, DIM, INK, RULER, draw_panel, region_colours, tick_steps, write
from drae_data.strip_layout import Box, PlacedBox, StripLayout

COLOURS = region_colours(["cap", "body"])


def is_colour(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((pixels.reshape(-1, 3) == colour).all())


def test_box_edges_lie_on_the_first_and_last_pixels_of_the_box() -> None:
    frame = np.full((60, 80), 100, np.uint8)
    # At scale 4 columns 30 to 49 of the frame are columns 120 to 199 of its picture, rows 20 to 34 rows 80 to 139.
    panel = draw_panel(frame, [PlacedBox(0, "cap", Box(30, 20, 20, 15))], COLOURS, 4.0)
    picture = panel[RULER:, RULER:]
    assert picture.shape == (240, 320, 3)
    for edge in (
        picture[80:82, 120:200],
        picture[138:140, 120:200],
        picture[80:140, 120:122],
        picture[80:140, 198:200],
    ):
        assert is_colour(edge, COLOURS["cap"])
    assert is_colour(picture[82:138, 122:198], (100, 100, 100))
    # Around it a dark line of one pixel, then the frame as it is.
    assert picture[140, 120:200].max() < 20
    assert is_colour(picture[141:, 110:200], (100, 100, 100))


def test_boxes_that_touch_keep_both_their_colours() -> None:
    placed = [PlacedBox(0, "cap", Box(30, 10, 20, 20)), PlacedBox(0, "body", Box(30, 30, 20, 20))]
    panel = draw_panel(np.full((60, 80), 90, np.uint8), placed, COLOURS, 4.0)
    picture = panel[RULER:, RULER:]
    assert is_colour(picture[118:120, 120:200], COLOURS["cap"])
    assert is_colour(picture[120:122, 120:200], COLOURS["body"])


def test_names_stand_beside_the_boxes_where_there_is_room_and_else_inside() -> None:
    frame = np.full((60, 160), 100, np.uint8)
    free = draw_panel(frame, [PlacedBox(0, "cap", Box(60, 20, 30, 30))], COLOURS, 4.0)[RULER:, RULER:]
    assert is_colour(free[82:198, 242:358], (100, 100, 100))
    assert (free[:, :238] == COLOURS["cap"]).all(axis=2).sum() > 100
    full = draw_panel(frame, [PlacedBox(0, "cap", Box(0, 0, 160, 60))], COLOURS, 4.0)[RULER:, RULER:]
    assert is_colour(full[2, 2:20], COLOURS["cap"])


def test_rulers_tick_where_the_pixels_are() -> None:
    assert [tick_steps(scale) for scale in (0.1, 0.5, 1.0, 4.0, 10.0)] == [
        (500, 100), (100, 20), (50, 10), (20, 5), (10, 2),
    ]  # fmt: skip
    panel = draw_panel(np.zeros((60, 80), np.uint8), [], COLOURS, 4.0)
    for value in (0, 20, 40, 60):
        assert is_colour(panel[RULER - 12 : RULER - 2, RULER + 4 * value], INK)
        if value < 60:  # row 60 would be the first below the frame
            assert is_colour(panel[RULER + 4 * value, RULER - 12 : RULER - 2], INK)
    assert is_colour(panel[RULER - 6 : RULER - 2, RULER + 4 * 25], DIM)
    assert not is_colour(panel[RULER - 12 : RULER - 6, RULER + 4 * 25], DIM)


def test_regions_have_colours_of_their_own() -> None:
    assert len(set(region_colours([f"R{number}" for number in range(7)]).values())) == 7


def test_contact_sheet_has_a_row_for_each_region_and_a_column_for_each_vial() -> None:
    frame = np.zeros((40, 60), np.uint8)
    placed = []
    for vial in (0, 1):
        for row, region in enumerate(COLOURS):
            box = Box(30 * vial, 20 * row, 30, 20)
            frame[box.top : box.top + 20, box.left : box.left + 30] = 50 + 100 * row + 10 * vial
            placed.append(PlacedBox(vial, region, box))
    sheet = draw_contact_sheet(frame, placed, PatchOptions(16, "stretch", "linear", 0, "png"), COLOURS, 300)
    # 300 pixels for two vials: 150 each; patches of 16 pixels are shown 128 wide; 38 below each for the caption.
    assert sheet.shape == (2 * 166, 300, 3)
    for vial in (0, 1):
        for row, region in enumerate(COLOURS):
            left, top = 150 * vial, 166 * row
            assert is_colour(sheet[top : top + 128, left : left + 128], (50 + 100 * row + 10 * vial,) * 3)
            assert is_colour(sheet[top + 128 : top + 131, left : left + 128], COLOURS[region])
            assert (sheet[top + 131 : top + 160, left : left + 128] == INK).all(axis=2).any()


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_contact_sheet_shows_the_patches_of_the_builder(fit: str) -> None:
    frame = np.random.default_rng(5).integers(0, 256, (300, 200), dtype=np.uint8)
    placed = [PlacedBox(0, "cap", Box(10, 20, 180, 180))]
    sheet = draw_contact_sheet(frame, placed, PatchOptions(128, fit, "cubic", 7, "png"), {"cap": (1, 2, 3)}, 400)
    expected = cv2.resize(frame[20:200, 10:190], (128, 128), interpolation=cv2.INTER_AREA)
    assert np.array_equal(sheet[:128, :128], np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize("shape", [(3000, 20), (20, 6000), (1, 1), (48, 64)])
def test_frames_of_any_shape_are_drawn(shape: tuple[int, int]) -> None:
    layout = StripLayout("fractions", None, {"cap": ((0, 0, 1, 1),)}, allow_overlap=False)
    images = [PreviewImage(name, np.full(shape, 200, np.uint8)) for name in ("frame 0", "min", "max")]
    picture = draw_preview(
        "title", "facts", images, layout.place(*shape), "", PatchOptions(64, "stretch", "linear", 0, "png")
    )
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (WIDTH, 3)


def test_twenty_regions_and_forty_vials_are_drawn() -> None:
    boxes = {f"R{row}": tuple((column / 40, row / 20, 1 / 40, 1 / 20) for column in range(40)) for row in range(20)}
    layout = StripLayout("fractions", None, boxes, allow_overlap=True)
    images = [PreviewImage("frame 0", np.zeros((400, 800), np.uint8))] * 3
    assert (
        draw_preview(
            "t", "f", images, layout.place(400, 800), "", PatchOptions(64, "stretch", "linear", 0, "png")
        ).shape[1]
        == WIDTH
    )


def test_a_layout_that_does_not_suit_the_images_still_gives_a_picture() -> None:
    images = [PreviewImage(name, np.full((48, 64), 200, np.uint8)) for name in ("frame 0", "min", "max")]
    patch = PatchOptions(64, "stretch", "linear", 0, "png")
    placed = [PlacedBox(0, "cap", Box(0, 0, 30, 30))]
    pictures = {
        "suits": draw_preview("t", "f", images, placed, "", patch),
        "not": draw_preview("t", "f", images, [], "expected 64 x 50, got 64 x 48", patch),
    }
    counts = {
        name: [int((picture == colour).all(axis=2).sum()) for colour in (ALARM, COLOURS["cap"])]
        for name, picture in pictures.items()
    }
    assert counts["suits"][0] == 0 < counts["suits"][1]
    assert counts["not"][1] == 0 < counts["not"][0]


def test_a_long_line_is_written_smaller_instead_of_beyond_its_room() -> None:
    canvas = np.zeros((60, 400, 3), np.uint8)
    write(canvas, "a folder with quite a long name", 10, 40, 40, 700, (255, 255, 255), 300)
    assert canvas[:, 10:310].any()
    assert not canvas[:, 312:].any()
