"""What the builder is measured against: the script that an engineer would write in an hour.

One acquisition per task in a pool of processes, cv2 from end to end, one TFRecord file per process. No validation, no
digest, no index, no order, no fsync. It shares the record framing with the builder, so that the two differ by pipeline.

    python -m benchmarks.bare_script JOB.json

The job names `root`, `out`, `workers`, `size` and `boxes` ([vial, region, left, top, width, height] each). The last
line printed holds patches and seconds from the start of the pool to its end, as JSON.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from drae_data.records import encode_example, frame_record

Pixels = npt.NDArray[np.uint8]
_job: dict[str, Any] = {}
_shard: BinaryIO


def start(job: dict[str, Any]) -> None:
    """Prepares a process of the pool: its job and its file."""
    global _shard
    # The pool has a process per core already.
    cv2.setNumThreads(1)
    # Pixels are compared, and IPP grows them otherwise; it makes nothing faster where patches only shrink.
    cv2.ipp.setUseIPP(False)
    _job.update(job)
    _shard = Path(job["out"], f"patches-{os.getpid()}.tfrecord").open("wb")  # noqa: SIM115


def convert(folder: str) -> int:
    """Writes the patches of one acquisition folder; returns how many."""
    paths = sorted(Path(folder).iterdir())
    frames = [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths]
    darkest, lightest = frames[0].copy(), frames[0].copy()
    for frame in frames[1:]:
        np.minimum(darkest, frame, out=darkest)
        np.maximum(lightest, frame, out=lightest)
    images = [("", index, frame) for index, frame in enumerate(frames)]
    images += [("min", -1, darkest), ("max", -1, lightest)]
    strip, run = Path(folder).parts[-2:]
    patches = 0
    for rank, index, image in images:
        name = rank or f"f{index:02d}"
        for vial, region, left, top, width, height in _job["boxes"]:
            patch = resize(image[top : top + height, left : left + width], _job["size"])
            example = encode_example({
                "image": cv2.imencode(".png", patch)[1].tobytes(),
                "key": f"{strip}/r{run.removeprefix('run_')}/{name}/v{vial}/{region}".encode(),
                "strip": strip.encode(),
                "run": int(run.removeprefix("run_")),
                "frame": index,
                "rank": rank.encode(),
                "vial": vial,
                "region": region.encode(),
            })  # fmt: skip
            _shard.write(frame_record(example))
            patches += 1
    _shard.flush()
    return patches


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


def main() -> None:
    """Runs the pool over all acquisition folders, `STRIP/run_N` below the root."""
    job = json.loads(Path(sys.argv[1]).read_text())
    started = time.perf_counter()
    folders = sorted(str(path) for path in Path(job["root"]).glob("*/*"))
    Path(job["out"]).mkdir(parents=True)
    with multiprocessing.Pool(job["workers"], start, (job,)) as pool:
        patches = sum(pool.imap_unordered(convert, folders))
    print(json.dumps({"patches": patches, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
