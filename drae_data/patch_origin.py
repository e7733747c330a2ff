"""Where a patch comes from: the frames of its acquisition that show it, and the boxes that they are cut at."""

from drae_data.acquisition import PatchKey
from drae_data.alignment import shift_boxes
from drae_data.content import PublishedContent
from drae_data.errors import DatasetError
from drae_data.manifest import AcquisitionRow, FrameFile, ViewSize
from drae_data.strip_layout import Box


def view_of(key: PatchKey, acquisition: AcquisitionRow) -> ViewSize:
    """The frames of an acquisition that show a patch's vial and region; raises `DatasetError`."""
    for view in acquisition.views:
        if view.vial in (-1, key.vial) and view.region in ("", key.region):
            return view
    raise DatasetError(f"{key}: no frames of {acquisition.key} show vial {key.vial} {key.region}: the table is damaged")


def frames_of(key: PatchKey, acquisition: AcquisitionRow, content: PublishedContent) -> tuple[FrameFile, ...]:
    """The frame files of a patch's vial and region that decide its pixels: one, or those that a rank image is over."""
    view = view_of(key, acquisition)
    indices = content.rank_frames if key.image.rank else (key.image.frame,)
    return tuple(
        frame
        for frame in acquisition.frames
        if (frame.vial, frame.region) == (view.vial, view.region) and frame.frame in indices
    )


def boxes_of(key: PatchKey, acquisition: AcquisitionRow, content: PublishedContent) -> dict[str, Box]:
    """By region, the boxes of a patch's vial in the frames that show the patch, moved as the acquisition was aligned.

    Where frames show a single region, its box alone.
    """
    view = view_of(key, acquisition)
    placed = content.layouts.of(key.acquisition).place(
        view.height, view.width, None if view.vial < 0 else view.vial, view.region or None
    )
    moved = shift_boxes(placed, (acquisition.shift_x, acquisition.shift_y), view.height, view.width)
    return {item.region: item.box for item in moved if item.vial == key.vial}
