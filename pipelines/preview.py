"""Draws a strip layout over an acquisition: `python -m pipelines.preview --help`."""

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from drae_data.acquisition import Image
from drae_data.acquisition_folder import joined, list_folder, read_file
from drae_data.alignment import place_boxes
from drae_data.errors import AcquisitionError, ListingError, OptionError
from drae_data.files import Files
from drae_data.frames.decoding import decode_frame
from drae_data.listing import ListedAcquisition, Listing, list_acquisitions
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_data.preview import PreviewImage, draw_preview
from drae_data.rank_images import Pixels, RankImages, size_text
from drae_data.selection import select
from drae_data.strip_layout import PlacedBox
from pipelines.beam_files import write_file
from pipelines.console import png_name, run_command, say
from pipelines.params import load_params
from pipelines.runner import beam_options
from pipelines.set_inputs import set_inputs

_EPILOG = """\
examples:
  python -m pipelines.preview --set production --out preview.png
  python -m pipelines.preview --set production --acquisition S0001/r3 --frame 7 --out preview.png

How to set the boxes: run it, open the picture, read the boxes' corners off the rulers, write them into
strip_layout.boxes as [left, top, width, height] and run it again. Frames of another size than strip_layout.frame_size
are drawn with a grid instead of boxes, so that the first picture needs no layout that fits.
Flags that are not listed here go to Apache Beam, whose filesystems open URLs: --s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.preview",
        description="Draws the strip layout's boxes over a frame and both rank images of one acquisition, and below "
        "them the patches that the build would cut, into one PNG. This is how the layout is set.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--set", required=True, help="the section under build in the params file: production, kit, ...")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--root", help="read frames from this folder or URL instead of build.<set>.root")
    parser.add_argument("--tables", help="read labels and lists from this folder or URL instead of build.<set>.tables")
    parser.add_argument("--acquisition", help="its key or folder, such as S0001/r3 (default: the first in key order)")
    parser.add_argument(
        "--vial", type=int, help="where frames come already cut: which vial, from 0 (default: the first)"
    )
    parser.add_argument("--region", help="where frames come already cut: which region (default: the first)")
    parser.add_argument("--frame", type=int, help="which frame (default: the first one)")
    parser.add_argument(
        "--out", type=png_name, default="preview.png", help="the picture to write (default: preview.png)"
    )
    known, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    inputs = set_inputs(load_params(known.params), known.set, known.root, known.tables)
    options, source = inputs.options, inputs.source
    chosen = choose(select(list_acquisitions(source, options), options, inputs.tables).listing, known.acquisition)
    frame = options.frames[0] if known.frame is None else known.frame
    view = choose_view(options, known.vial, known.region)
    images, first = read_images(source, chosen, options, view, frame)
    shape = images[0].pixels.shape
    layout = options.layouts.of(chosen.key)
    placed, problem = tuple[PlacedBox, ...](), ""
    try:
        placed, _ = place_boxes(first, layout, view, options.align, options.pixels)
    except AcquisitionError as error:
        problem = error.detail
    shown = " ".join((f"vial {view[0]}" if view[0] >= 0 else "", view[1])).strip()
    title = f"{options.name}: {chosen.key}" + (f", {shown}" if shown else "")
    picture = draw_preview(title, facts(options, shape), images, placed, problem, options.patch)
    write_file(known.out, cv2.imencode(".png", picture)[1].tobytes())
    say(f"{known.out}: {chosen.key}, {size_text(shape)}, {len(images)} images drawn")
    if layout.frame_size not in (None, shape):
        say(
            "The layout is for another frame size. If these frames are right, set in the params file\n"
            f"  strip_layout.frame_size: {{height: {shape[0]}, width: {shape[1]}}}\n"
            "move the boxes with the help of the picture's grid, and run the same command again."
        )
    else:
        say(
            f"Open it. Where a box is off, change strip_layout.boxes in {known.params} and run the same command again; "
            f"when all sit right:\n  python -m pipelines.build --set {known.set} --params {known.params}"
            + (f" --root {known.root}" if known.root else "")
        )


def choose(listing: Listing, wanted: str | None) -> ListedAcquisition:
    """The acquisition with a key or folder, the first one where nothing is wanted; raises `ListingError`."""
    if wanted is None:
        return listing.acquisitions[0]
    for item in listing.acquisitions:
        if wanted.rstrip("/") in (str(item.key), item.folder):
            return item
    for row in (*listing.refused, *listing.left_out):
        if wanted.rstrip("/") in (row.folder, str(row.key)):
            raise ListingError(f"--acquisition {wanted}: {row.reason}: {row.detail}")
    names = {name: None for item in listing.acquisitions for name in (str(item.key), item.folder)}
    close = difflib.get_close_matches(wanted, names, n=5) or list(names)[:5]
    raise ListingError(
        f"--acquisition: expected the key or folder of one of {len(listing.acquisitions)} acquisitions, "
        f"such as {', '.join(close)}; got {wanted!r}"
    )


def choose_view(options: DatasetOptions, vial: int | None, region: str | None) -> tuple[int, str]:
    """The vial and region that frames already cut show, (-1, '') where frames show the whole strip.

    Raises:
        OptionError: there is no such vial or region.
    """
    for view in options.views:
        if vial in (None, view[0]) and region in (None, view[1]):
            return view
    raise OptionError("--vial, --region", (vial, region), f"one of {', '.join(map(str, options.views))}")


def read_images(
    source: Files, chosen: ListedAcquisition, options: DatasetOptions, view: tuple[int, str], frame: int
) -> tuple[list[PreviewImage], Pixels]:
    """The chosen frame and both rank images, over the frames that the build takes them over, captioned.

    Returns:
        The images, and the frame by which the build places the boxes.

    Raises:
        OptionError: no such frame.
        AcquisitionError: what would bring the acquisition into quarantine, apart from a size that the layout refuses.
    """
    if frame not in options.frames:
        raise OptionError("--frame", frame, f"one of {', '.join(map(str, options.frames))}")
    rank, shown, name, first = RankImages(), list[PreviewImage](), "", None
    indices = sorted({*options.needed_frames, frame})
    ranked = [index for index in indices if index in options.rank_frames]
    try:
        content = list_folder(chosen.folder, chosen.files, options, source)
        for index in indices:
            name = content.frames[FramePlace(*view, index)]
            data = read_file(chosen.folder, name, options, source)
            pixels = decode_frame(data, name, options.pixels).pixels
            rank.check_shape(pixels)
            if index in ranked:
                rank.add(pixels)
            first = pixels if index == options.needed_frames[0] else first
            if index == frame:
                shown.append(PreviewImage(f"frame {frame}: {name}", pixels))
    except AcquisitionError as error:
        raise AcquisitionError(
            error.reason,
            f"{error.detail}. The build would quarantine {chosen.key}; mend it or name another with --acquisition",
            joined(chosen.folder, error.file or name),
        ) from error
    for which, words in (("min", "darkest"), ("max", "brightest")):
        absent = "" if Image.of_rank(which) in options.images else "; not among this set's images"
        caption = f"rank image {which}: the {words} of {len(ranked)} frames{absent}"
        shown.append(PreviewImage(caption, rank.image(which)))
    return shown, shown[0].pixels if first is None else first


def facts(options: DatasetOptions, shape: tuple[int, ...]) -> str:
    """Frame size and the count of patches, as people say them."""
    layouts, size = options.layouts, options.patch.size
    regions = len(layouts.regions)
    return (
        f"frames of {size_text(shape)}      {len(options.images)} images x {layouts.vials} vials x {regions} regions = "
        f"{options.patches_per_acquisition:,} patches of {size} x {size} per acquisition      fit: {options.patch.fit}"
    )


if __name__ == "__main__":
    sys.exit(main())
