"""Foreign, damaged and hostile image files: each gives pixels or a reason, and never other pixels than Pillow's."""

import io
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from drae_data.errors import AcquisitionError
from drae_data.frames.decoding import decode_frame
from drae_data.frames.options import FRAME_REASONS, FrameOptions
from drae_data.rank_images import Pixels

FOLDER = Path(__file__).resolve().parents[4] / "shared/data/bad_images"
OPTIONS = [
    FrameOptions(20_000_000, depth, "right", convert) for depth in (8, 16) for convert in ((), ("colour", "alpha"))
]


def by_pillow(data: bytes) -> tuple[bool, Pixels | None]:
    """Whether Pillow takes the file, and its pixels where it calls them grey of 8 bits."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            image.load()
            return True, np.asarray(image, np.uint8) if image.mode == "L" else None
    except Exception:  # noqa: BLE001  # whatever it raises, it refuses
        return False, None


def by_cv2(data: bytes) -> bool:
    try:
        return bool(data) and cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    except cv2.error:
        return False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_foreign_files_are_decoded_as_pillow_does_or_refused_with_a_reason() -> None:
    if not FOLDER.is_dir():
        pytest.skip("needs data: bad_images")
    paths = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    assert len(paths) > 900
    compared, refused_by_both, taken, wrong = 0, 0, 0, []
    for path in paths:
        data = path.read_bytes()
        pillow_takes, grey = by_pillow(data)
        both_refuse = not pillow_takes and not by_cv2(data)
        refused_by_both += both_refuse
        for options in OPTIONS:
            try:
                pixels = decode_frame(data, path.name, options).pixels
            except AcquisitionError as error:
                assert error.reason in FRAME_REASONS
                continue
            taken += 1
            if both_refuse:
                wrong.append(f"{path.name}: taken, though Pillow and OpenCV refuse it")
            if grey is not None:
                compared += 1
                if not np.array_equal(pixels, grey):
                    wrong.append(f"{path.name}: other pixels than Pillow's")
    assert not wrong, "\n".join(wrong)
    # The test would show nothing if nothing were taken, or if the oracles took everything.
    assert min(taken, compared, refused_by_both) >= 50
