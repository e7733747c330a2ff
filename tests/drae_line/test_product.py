"""Patches cut in memory, pixel for pixel and in order against what the builder cuts from files of the same frames."""

import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drae_data.acquisition import AcquisitionKey
from drae_data.acquisition_patches import BuiltAcquisition, build_acquisition
from drae_data.encodings import decode_patch_image
from drae_data.errors import AcquisitionError
from drae_data.frame_log import FrameLog
from drae_data.intake import AlignOptions
from drae_data.manifest import QuarantineRow
from drae_data.options import DatasetOptions, SplitOptions, select_images
from drae_data.patches import PatchOptions
from drae_data.path_template import FramePlace, PathTemplate
from drae_data.rank_images import Pixels
from drae_data.records import decode_example, read_records
from drae_data.shard_plan import PlannedAcquisition, ShardTask
from drae_data.strip_layout import Box, StripLayout
from drae_data.strip_layouts import StripLayouts
from drae_line.product import PatchPlace, cut_product
from tests.small_line import HEIGHT, LAYOUT, WIDTH, files_of, small_frame, small_options

KEY = AcquisitionKey("A", 0)
NONE = SplitOptions("none", Fraction(0), 1)
RAW = PatchOptions(16, "stretch", "linear", 0, "raw")
Frames = Mapping[FramePlace, Pixels]


def build(
    frames: Frames, names: Mapping[FramePlace, str], key: AcquisitionKey, options: DatasetOptions
) -> BuiltAcquisition:
    """What a build makes of these frames, written as files."""
    with tempfile.TemporaryDirectory() as folder:
        for place, pixels in frames.items():
            path = Path(folder, names[place])
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), pixels)
        planned = PlannedAcquisition(
            key, "/".join(next(iter(names.values())).split("/")[: options.template.depth]), (), "", None
        )
        task = ShardTask("small", "test", "", (planned,))
        source = files_of(Path(folder))
        return build_acquisition(planned, task, options, source, FrameLog(source, {}))


def refusal(built: BuiltAcquisition) -> tuple[str, str]:
    assert isinstance(built.found, QuarantineRow)
    return built.found.reason, built.found.detail


def cut_as_built(frames: Frames, names: Mapping[FramePlace, str], key: AcquisitionKey, options: DatasetOptions) -> str:
    """Returns why both refuse; empty where both cut."""
    built = build(frames, names, key, options)
    if not built.patches:
        with pytest.raises(AcquisitionError) as caught:
            cut_product(frames, key, options)
        assert (caught.value.reason, caught.value.detail) == refusal(built)
        return caught.value.reason
    product = cut_product(frames, key, options)
    assert [f"{key}/{at.image}/v{at.vial}/{at.region}" for at in product.places] == [
        str(one.key) for one in built.patches
    ]
    assert len(product.places) == options.patches_per_acquisition
    size = options.patch.size
    assert product.patches.dtype == np.uint8
    assert product.patches.shape == (len(product.places), size, size, 1)
    for patch, one in zip(product.patches, built.patches, strict=True):
        ((_, example),) = read_records(b"".join(one.record))
        image = decode_example(example)["image"]
        assert isinstance(image, bytes)
        assert np.array_equal(patch[..., 0], decode_patch_image(image, size, "raw"))
    return ""


@st.composite
def images(draw: st.DrawFn, frames: int) -> dict[str, Any]:
    """Some frames and rank images, in any order, and over which frames these are taken."""
    chosen = draw(st.lists(st.integers(0, frames - 1), max_size=frames, unique=True))
    rank = draw(st.lists(st.sampled_from(["min", "max"]), min_size=0 if chosen else 1, max_size=2, unique=True))
    found = draw(st.permutations(select_images(chosen, rank)))
    over = sorted(draw(st.lists(st.integers(0, frames - 1), max_size=frames, unique=True))) if rank else ()
    return {"frames": tuple(range(frames)), "images": tuple(found), "rank_over": tuple(over)}


@st.composite
def layouts(draw: st.DrawFn, vials: int, regions: int) -> StripLayout:
    """Boxes anywhere in a frame of the small line, in pixels or as fractions of it."""
    boxes = {}
    for region in range(regions):
        rows = []
        for _ in range(vials):
            left, top = draw(st.integers(0, WIDTH - 2)), draw(st.integers(0, HEIGHT - 2))
            rows.append((left, top, draw(st.integers(1, WIDTH - left)), draw(st.integers(1, HEIGHT - top))))
        boxes[f"R{region}"] = tuple(rows)
    if draw(st.booleans()):
        return StripLayout("pixels", (HEIGHT, WIDTH), boxes, allow_overlap=True)
    shares = {
        region: tuple((left / WIDTH, top / HEIGHT, width / WIDTH, height / HEIGHT) for left, top, width, height in rows)
        for region, rows in boxes.items()
    }
    return StripLayout("fractions", None, shares, allow_overlap=True)


PATCHES = st.builds(
    PatchOptions, st.integers(8, 24), st.sampled_from(["stretch", "letterbox"]),
    st.sampled_from(["nearest", "linear", "cubic", "lanczos"]), st.integers(0, 255), st.just("raw"),
)  # fmt: skip


@settings(max_examples=40)
@given(st.data())
def test_whole_frames_are_cut_as_the_builder_cuts_them(data: st.DataObject) -> None:
    frames, vials, regions = (data.draw(st.integers(1, most)) for most in (4, 3, 3))
    layout = data.draw(layouts(vials, regions))
    options = small_options(
        layouts=StripLayouts.single(layout), split=NONE, patch=data.draw(PATCHES), **data.draw(images(frames))
    )
    places = {
        FramePlace(-1, "", frame): small_frame("A", data.draw(st.integers(0, 9)), frame) for frame in range(frames)
    }
    names = {place: f"A/run_00/frame_{place.frame:02d}.png" for place in places}
    assert cut_as_built(places, names, KEY, options) == ""


@settings(max_examples=25)
@given(st.data())
def test_frames_that_come_cut_by_vial_or_region_are_cut_as_the_builder_cuts_them(data: st.DataObject) -> None:
    frames, vials, regions = 3, 2, 2
    by_vial, by_region = data.draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    first_vial = data.draw(st.integers(0, 1)) if by_vial else 0
    template = "{strip}/" + "vial_{vial}_" * by_vial + "{region}_" * by_region + "{frame}.png"
    shares = data.draw(layouts(vials, regions)).boxes
    side = WIDTH + HEIGHT
    fractions = {
        region: tuple((left / side, top / side, width / side, height / side) for left, top, width, height in rows)
        for region, rows in shares.items()
    }
    options = small_options(
        template=PathTemplate(template), first_vial=first_vial, split=NONE, patch=data.draw(PATCHES),
        layouts=StripLayouts.single(StripLayout("fractions", None, fractions, allow_overlap=True)),
        **data.draw(images(frames)),
    )  # fmt: skip
    draws = random.Random(data.draw(st.integers(0, 99)))
    sizes: defaultdict[tuple[int, str], tuple[int, int]] = defaultdict(
        lambda: (draws.randint(60, 90), draws.randint(60, 90))
    )
    places = {
        FramePlace(vial, region, frame): np.random.default_rng(draws.randrange(10**6)).integers(
            0, 256, sizes[vial, region], dtype=np.uint8
        )
        for vial, region in options.views for frame in range(frames)
    }  # fmt: skip
    names = {
        place: "A/"
        + f"vial_{place.vial + first_vial}_" * by_vial
        + f"{place.region}_" * by_region
        + f"{place.frame}.png"
        for place in places
    }
    cut_as_built(places, names, AcquisitionKey("A", 0), options)


NOISE = np.random.default_rng(3).integers(0, 256, (HEIGHT + 20, WIDTH + 20), dtype=np.uint8)
REFERENCE: Pixels = cv2.GaussianBlur(NOISE, (0, 0), 2).astype(np.uint8)


@settings(max_examples=25)
@given(st.integers(-6, 6), st.integers(-6, 6))
def test_a_strip_that_lies_elsewhere_is_cut_there_or_refused_as_the_builder_does(x: int, y: int) -> None:
    layout = StripLayout("pixels", (HEIGHT, WIDTH), {"R0": ((4, 4, 20, 16), (30, 10, 16, 16))}, allow_overlap=False)
    align = AlignOptions(cv2.imencode(".png", window(0, 0))[1].tobytes(), "reference.png", 5)
    options = small_options(layouts=StripLayouts.single(layout), align=align, split=NONE, patch=RAW)
    frames = {FramePlace(-1, "", frame): window(x, y) // (1 + frame) for frame in range(3)}
    names = {place: f"A/run_00/frame_{place.frame}.png" for place in frames}
    reason = cut_as_built(frames, names, KEY, options)
    assert reason == ("misaligned" if max(abs(x), abs(y)) > 5 or min(x, y) < -4 else "")
    if not reason:
        # The box of vial 1 has the patch's size: its patch is the reference's pixels.
        assert np.array_equal(cut_product(frames, KEY, options).patches[1, ..., 0], window(0, 0)[10:26, 30:46])


def window(x: int, y: int) -> Pixels:
    """A frame in which the strip lies x pixels to the right and y down."""
    found: Pixels = REFERENCE[10 - y : 10 - y + HEIGHT, 10 - x : 10 - x + WIDTH]
    return found


def test_each_recipe_has_its_own_boxes_and_one_without_is_refused() -> None:
    other = StripLayout(
        "pixels", (HEIGHT, WIDTH), {"R0": ((2, 3, 16, 16),) * 2, "R1": ((9, 9, 20, 9),) * 2}, allow_overlap=True
    )
    options = small_options(
        template=PathTemplate("{recipe}/{strip}/{frame}.png"), split=NONE, patch=RAW,
        layouts=StripLayouts("recipe", {"a": LAYOUT, "b": other}),
    )  # fmt: skip
    frames = {FramePlace(-1, "", frame): small_frame("A", 0, frame) for frame in range(3)}
    for recipe in "abc":
        names = {place: f"{recipe}/A/{place.frame}.png" for place in frames}
        reason = cut_as_built(frames, names, AcquisitionKey("A", 0, recipe=recipe), options)
        assert reason == ("no_layout" if recipe == "c" else "")


def whole_frames(**shapes: tuple[int, int]) -> dict[FramePlace, Pixels]:
    """Three frames; `f1=(10, 20)` gives frame 1 another height and width."""
    frames = {FramePlace(-1, "", frame): small_frame("A", 0, frame) for frame in range(3)}
    for name, shape in shapes.items():
        frames[FramePlace(-1, "", int(name[1:]))] = np.resize(small_frame("A", 0, 9), shape)
    return frames


@pytest.mark.parametrize("wrong", [{"f0": (10, 20)}, {"f1": (10, 20)}, {"f2": (HEIGHT, WIDTH + 1)}])
@pytest.mark.parametrize("sized", [True, False])
def test_frames_of_a_wrong_size_are_refused_as_the_builder_does(wrong: dict[str, tuple[int, int]], sized: bool) -> None:
    any_size = StripLayout("fractions", None, {"R0": ((0, 0, 0.5, 1), (0.5, 0, 0.5, 1))}, allow_overlap=False)
    options = small_options(layouts=StripLayouts.single(LAYOUT if sized else any_size), split=NONE, patch=RAW)
    frames = whole_frames(**wrong)
    names = {place: f"A/run_00/frame_{place.frame}.png" for place in frames}
    assert cut_as_built(frames, names, KEY, options) == ("wrong_size" if sized else "unequal_sizes")


@pytest.mark.parametrize("absent", range(3))
def test_a_frame_that_patches_need_must_be_among_those_given(absent: int) -> None:
    frames = whole_frames()
    del frames[FramePlace(-1, "", absent)]
    with pytest.raises(AcquisitionError, match=f"missing_frame: expected frame {absent} among those given, got 2"):
        cut_product(frames, KEY, small_options())
    # What no patch needs may be absent.
    options = small_options(images=select_images([frame for frame in range(3) if frame != absent], []))
    assert len(cut_product(frames, KEY, options).places) == 8


def test_more_frames_than_needed_change_nothing() -> None:
    options = small_options(images=select_images([1], []))
    some = cut_product({FramePlace(-1, "", 1): small_frame("A", 0, 1)}, KEY, options)
    assert np.array_equal(cut_product(whole_frames(), KEY, options).patches, some.patches)


def test_places_say_where_a_patch_was_cut() -> None:
    product = cut_product(whole_frames(), KEY, small_options(images=select_images([2], ["max"])))
    assert product.key == KEY
    assert product.places[:5] == (
        PatchPlace("f02", 0, "R0", Box(0, 0, 30, 20)), PatchPlace("f02", 0, "R1", Box(0, 20, 16, 16)),
        PatchPlace("f02", 1, "R0", Box(32, 0, 30, 20)), PatchPlace("f02", 1, "R1", Box(32, 20, 16, 16)),
        PatchPlace("max", 0, "R0", Box(0, 0, 30, 20)),
    )  # fmt: skip
    # Of the patch's size, so that the patch is the frame's pixels; of the rank image those of the lightest frame.
    stack = np.stack([small_frame("A", 0, frame) for frame in range(3)])
    assert np.array_equal(product.patches[1, ..., 0], stack[2, 20:36, :16])
    assert np.array_equal(product.patches[7, ..., 0], stack.max(0)[20:36, 32:48])


def test_the_frames_stay_as_they_were() -> None:
    frames = whole_frames()
    before = {place: pixels.copy() for place, pixels in frames.items()}
    for pixels in frames.values():
        pixels.setflags(write=False)
    cut_product(frames, KEY, small_options())
    assert all(np.array_equal(frames[place], before[place]) for place in before)
