"""Patches in cv2 from end to end, as an engineer cuts them in an afternoon: what every side but ours shares.

The sides then differ by what brings patches into files, and by nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
# Pixels are compared, and IPP grows patches otherwise; it makes nothing faster where patches only shrink.
cv2.ipp.setUseIPP(False)


@dataclass(frozen=True)
class CuttingJob:
    """What a side is to build.

    Attributes:
        root: holds acquisition folders as `STRIP/run_N`.
        out: the folder to write into.
        size: of a patch, square, in pixels.
        encoding: of patches: `png` or `raw`.
        boxes: [vial, region, left, top, width, height] each.
        workers: processes, where a side has them.
        shards: files, where a side lets that be said.
        beam_flags: how Beam runs, where a side uses it.
    """

    root: str
    out: str
    size: int
    encoding: str
    boxes: list[list[Any]]
    workers: int
    shards: int
    beam_flags: list[str]

    def folders(self) -> list[str]:
        """The acquisition folders, sorted."""
        return sorted(str(path) for path in Path(self.root).glob("*/*"))


def acquisition_patches(folder: str, job: CuttingJob) -> Iterator[dict[str, Any]]:
    """The features of each patch of an acquisition folder; `image` holds PNG bytes, or the raw pixels' bytes."""
    paths = sorted(Path(folder).iterdir())
    frames = [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths]
    darkest, lightest = frames[0].copy(), frames[0].copy()
    for frame in frames[1:]:
        np.minimum(darkest, frame, out=darkest)
        np.maximum(lightest, frame, out=lightest)
    images = [("", index, frame) for index, frame in enumerate(frames)]
    images += [("min", -1, darkest), ("max", -1, lightest)]
    strip, run = Path(folder).parts[-2:]
    for rank, index, image in images:
        name = rank or f"f{index:02d}"
        for vial, region, left, top, width, height in job.boxes:
            patch = resize(image[top : top + height, left : left + width], job.size)
            yield {
                "image": patch.tobytes() if job.encoding == "raw" else cv2.imencode(".png", patch)[1].tobytes(),
                "key": f"{strip}/r{run.removeprefix('run_')}/{name}/v{vial}/{region}".encode(),
                "strip": strip.encode(),
                "run": int(run.removeprefix("run_")),
                "frame": index,
                "rank": rank.encode(),
                "vial": vial,
                "region": region.encode(),
            }


def resize(cut: Pixels, size: int) -> Pixels:
    """Shrinks by area first, then grows by cubic interpolation, as the builder's `stretch` does."""
    height, width = cut.shape
    if height > size or width > size:
        cut = cv2.resize(cut, (min(width, size), min(height, size)), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    if height < size or width < size:
        cut = cv2.resize(cut, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
    return cut
