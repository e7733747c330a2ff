"""The reference frame of the synthetic line: where a strip lies that was gripped straight, for `build.<set>.align`."""

from pathlib import Path

from drae_data.synthetic.acquisitions import render_acquisition, write_frame
from drae_data.synthetic.rendering import Rig, make_appearance
from drae_data.synthetic.strips import NOMINAL_LEVEL, StripSpec

_NAME = "reference"


def write_reference(folder: Path, rig: Rig) -> None:
    """Write the last frame, whose liquid is calmest, of a good strip of mean looks: `reference.png` or `.bmp`.

    Args:
        folder: of the tables beside a set; made if absent. The file is whole or absent.
        rig: what all strips share. The same options give the same file in every set's folder.

    Raises:
        DraeError: the frame could not be encoded.
    """
    levels = (NOMINAL_LEVEL,) * rig.options.frame.vials
    spec = StripSpec(_NAME, _NAME, 0, 1.0, 1.0, levels, (0.0, 0.0), 0.0, ())
    last = rig.options.motion.frames - 1
    for _, pixels in render_acquisition(rig, make_appearance(rig, spec), 0, [last]):
        write_frame(folder / f"{_NAME}.{rig.options.image_format}", pixels)
