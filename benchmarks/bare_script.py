"""The script that an engineer would write in an hour: what the builder's speed is measured against.

One acquisition per task in a pool of processes, cv2 from end to end, one TFRecord file per process. No validation, no
digest, no index, no order, no fsync. It shares the record framing with the builder, so that the two differ by pipeline.

    python -m benchmarks.bare_script JOB.json

The job is a `CuttingJob`. The last line printed holds patches and seconds from the start of the pool to its end, as
JSON.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

import cv2

from benchmarks.cv2_patches import CuttingJob, acquisition_patches
from drae_data.records import encode_example, frame_record

_job: CuttingJob
_shard: BinaryIO


def start(job: CuttingJob) -> None:
    """Prepares a process of the pool: its job and its file."""
    global _job, _shard
    # The pool has a process per core already.
    cv2.setNumThreads(1)
    _job = job
    _shard = Path(job.out, f"patches-{os.getpid()}.tfrecord").open("wb")  # noqa: SIM115


def convert(folder: str) -> int:
    """Writes the patches of one acquisition folder; returns how many."""
    patches = 0
    for features in acquisition_patches(folder, _job):
        _shard.write(frame_record(encode_example(features)))
        patches += 1
    _shard.flush()
    return patches


def main() -> None:
    """Runs the pool over all acquisition folders."""
    job = CuttingJob(**json.loads(Path(sys.argv[1]).read_text()))
    started = time.perf_counter()
    Path(job.out).mkdir(parents=True)
    with multiprocessing.Pool(job.workers, start, (job,)) as pool:
        patches = sum(pool.imap_unordered(convert, job.folders()))
    print(json.dumps({"patches": patches, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
