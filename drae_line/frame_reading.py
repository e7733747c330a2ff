"""The frame files of an acquisition to pixels in memory."""

import time
from pathlib import Path

from drae_data.acquisition_folder import read_file
from drae_data.errors import AcquisitionError
from drae_data.files import sha256_hex
from drae_data.frames.decoding import decode_frame
from drae_data.local_files import LocalFiles
from drae_data.opencv import plain_opencv
from drae_data.options import DatasetOptions
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_line.incoming import Arrival


def read_frames(
    root: Path, arrival: Arrival, options: DatasetOptions
) -> tuple[dict[FramePlace, Pixels], dict[str, str], float]:
    """Reads and decodes the needed frames of an acquisition.

    Args:
        root: the folder that is watched.
        arrival: the acquisition, complete.
        options: of the set whose acquisitions come.

    Returns:
        The frames, uint8 [height, width]; by file name their SHA-256; milliseconds that it took.

    Raises:
        AcquisitionError: a frame cannot be read or decoded; it names the file.
    """
    started = time.perf_counter()
    plain_opencv()
    files, frames, digests = LocalFiles(str(root)), dict[FramePlace, Pixels](), dict[str, str]()
    for place, name in arrival.frames.items():
        try:
            data = read_file(arrival.folder, name, options, files)
            frames[place] = decode_frame(data, name, options.pixels).pixels
        except AcquisitionError as error:
            raise AcquisitionError(error.reason, error.detail, name) from error
        except OSError as error:
            raise AcquisitionError("unreadable", f"it cannot be read ({error.strerror or error})", name) from error
        digests[name] = sha256_hex(data)
    return frames, digests, (time.perf_counter() - started) * 1000
