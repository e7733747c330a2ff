"""The reference frame: the same in every folder, and strips lie from it as far as their pose says."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from drae_data.alignment import find_shift
from drae_data.frames.options import FrameOptions
from drae_data.intake import AlignOptions
from drae_data.synthetic.acquisitions import pose_matrix, render_acquisition
from drae_data.synthetic.reference import write_reference
from drae_data.synthetic.rendering import make_appearance, make_rig
from drae_data.synthetic.strips import list_strips
from tests.drae_data.synthetic.line_options import make_options


def test_every_folder_gets_the_same_whole_frame(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_reference(tmp_path / name, make_rig(make_options()))
    assert [path.name for path in tmp_path.glob("*/*")] == ["reference.png"] * 2
    first, second = ((tmp_path / name / "reference.png").read_bytes() for name in ("a", "b"))
    assert first == second
    pixels = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.dtype == np.uint8
    assert pixels.shape == (275, 350)


def test_the_suffix_is_that_of_the_frames(tmp_path: Path) -> None:
    write_reference(tmp_path, make_rig(make_options(image_format="bmp")))
    assert [path.name for path in tmp_path.iterdir()] == ["reference.bmp"]


def test_strips_are_found_where_their_pose_puts_them(tmp_path: Path) -> None:
    """Half size: shifts of some pixels, found by phase correlation, against the affine map that drew the strip."""
    rig = make_rig(make_options(550, 700))
    write_reference(tmp_path, rig)
    align = AlignOptions((tmp_path / "reference.png").read_bytes(), "reference.png", 12)
    centre = np.array([350.0, 275.0, 1.0])
    for spec, shift in zip(list_strips(rig.options, "production")[:4], [(0, 0), (5, -5), (-4, 2), (3, 4)], strict=True):
        moved = replace(spec, shift=(float(shift[0]), float(shift[1])), degrees=0.0)
        ((_, frame),) = render_acquisition(rig, make_appearance(rig, moved), 0, [0])
        expected = pose_matrix(rig, moved, 0) @ centre - centre[:2]
        # Whole pixels, and the reference itself was gripped up to 0.3 pixels away.
        assert np.abs(np.array(find_shift(frame, align, FrameOptions(10**6, 8, "right", ()))) - expected).max() <= 1.0
