"""How each side builds the same patches: a params file or a job, a command, and what the command says of itself."""

import json
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_frames import FrameSet, link_frames, write_frames
from benchmarks.bench_params import PATCH, SET, VERSION, build_params
from benchmarks.cv2_patches import CuttingJob
from benchmarks.measure import BenchmarkError, Measurement, run_measured

REPOSITORY = Path(__file__).resolve().parent.parent
OURS = "ours"
# Each peer's module; its command takes a job file.
PEERS = {"bare": "benchmarks.bare_script", "naive": "benchmarks.naive_beam", "tfds": "benchmarks.tfds_builder"}
# What the patches of frames of each format are stored as.
ENCODINGS = {"png": "png", "bmp": "raw"}


@dataclass(frozen=True)
class BenchOptions:
    """What is measured.

    Attributes:
        acquisitions: the first number is timed, memory is taken at each.
        tfds_acquisitions: at which TFDS is timed; it is several times slower than the others.
        peers: which sides ours is compared with.
        formats: of frames, keys of `ENCODINGS`.
        rounds: timed runs of each side and format.
        width: of frames in pixels.
        height: of frames in pixels.
        frames: per acquisition.
        workers: processes of the bare script, threads of the builder.
        shard_patches: of the builder.
        workdir: for frames and outputs.
    """

    acquisitions: tuple[int, ...]
    tfds_acquisitions: int
    peers: tuple[str, ...]
    formats: tuple[str, ...]
    rounds: int
    width: int
    height: int
    frames: int
    workers: int
    shard_patches: int
    workdir: Path


@dataclass(frozen=True)
class Rates:
    """One run: patches per second by the program's own clock and over the whole command, and its peak memory in MB."""

    own: float
    whole: float
    peak_mb: float


class BuildBench:
    """Runs each side on frames of one format.

    Args:
        options: of the benchmark.
        format: of the frames: `png` or `bmp`.
    """

    def __init__(self, options: BenchOptions, format: str) -> None:
        self.options = options
        self.format = format
        self.encoding = ENCODINGS[format]
        self.frame_set = FrameSet(options.width, options.height, options.frames, format, seed=1)

    def frames(self, acquisitions: int) -> Path:
        """The folder of so many acquisitions, written where it is not there yet."""
        options, distinct = self.options, self.options.acquisitions[0]
        size = f"{self.format}-{options.width}x{options.height}x{options.frames}"
        root, original = (options.workdir / "frames" / f"{size}-{count}" for count in (acquisitions, distinct))
        write_frames(original, self.frame_set, distinct)
        if root != original:
            link_frames(root, original, acquisitions, distinct)
        return root

    def records(self, side: str) -> Path:
        """The folder of the TFRecord files that a side wrote last."""
        return self._output(side) / "patches" / VERSION if side == "tfds" else self._output(side)

    def run(self, side: str, acquisitions: int) -> Rates:
        """Runs one side once, from an empty output folder.

        Raises:
            BenchmarkError: it failed, or it reports another number of patches than it must build.
        """
        frames = self.frames(acquisitions)
        patches = acquisitions * (self.options.frames + 2) * len(self._boxes())
        shutil.rmtree(self._output(side), ignore_errors=True)
        job = self.options.workdir / f"{self.format}-{side}.json"
        if side == OURS:
            job.write_text(
                json.dumps(
                    build_params(self.frame_set, self.encoding, self.options.shard_patches, self.options.workdir)
                )
            )
            command = [
                "pipelines.build", "--set", SET, "--params", str(job), "--root", str(frames),
                "--out", str(self._output(side)), "--threads", str(self.options.workers),
            ]  # fmt: skip
        else:
            job.write_text(json.dumps(asdict(self._job(side, frames, patches))))
            command = [PEERS[side], str(job)]
        measured = run_measured([sys.executable, "-m", *command], REPOSITORY, self.options.workdir / "bytecode")
        counted, own = _own_rate(side, measured)
        if counted != patches:
            raise BenchmarkError(f"{side}: expected {patches} patches, it reports {counted}")
        return Rates(own, patches / measured.seconds, measured.peak_mb)

    def clear(self) -> None:
        """Removes what the sides wrote."""
        for side in (OURS, *PEERS):
            shutil.rmtree(self._output(side), ignore_errors=True)

    def _output(self, side: str) -> Path:
        return self.options.workdir / f"{self.format}-{side}"

    def _boxes(self) -> list[list[Any]]:
        return [[vial, region, *box] for region, row in self.frame_set.boxes.items() for vial, box in enumerate(row)]

    def _job(self, side: str, frames: Path, patches: int) -> CuttingJob:
        return CuttingJob(
            root=str(frames),
            out=str(self._output(side)),
            size=PATCH,
            encoding=self.encoding,
            boxes=self._boxes(),
            workers=self.options.workers,
            shards=-(-patches // self.options.shard_patches),
            # What the builder runs on. Beam's multi_threading would lose elements, DirectRunner look for a download.
            beam_flags=["--runner=FnApiRunner", "--direct_running_mode=in_memory"],
        )


def _own_rate(side: str, measured: Measurement) -> tuple[int, float]:
    """Patches, and patches per second by the program's own clock: imports are not in it, all else is."""
    if side != OURS:
        values = json.loads(measured.output.splitlines()[-1])
        return values["patches"], values["patches"] / values["seconds"]
    found = re.search(r"^ *patches +([\d,]+) .*? time .*?([\d,]+) patches/s", measured.output, re.MULTILINE | re.DOTALL)
    if found is None:
        raise BenchmarkError(f"{OURS}: expected a summary with patches and time, got:\n{measured.output}")
    return int(found[1].replace(",", "")), float(found[2].replace(",", ""))
