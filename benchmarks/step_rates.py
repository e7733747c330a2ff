"""What each step of a build costs on one core: the builder's own functions, called one after the other and timed.

Frames lie in the page cache when they are read, so reading is the copy and the SHA-256, not the disk's or the network's
time. A patch is encoded once and its record made twice, so that the two can be told apart; the second time a cached
length may be found, which makes the record look a little cheaper and the encoding dearer, not their sum.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2

from benchmarks.commit_costs import ledger_memory, recount_seconds, rows_of
from benchmarks.measure import BenchmarkError
from drae_data.acquisition import Image, PatchKey
from drae_data.acquisition_folder import list_folder, read_frame
from drae_data.acquisition_patches import BuiltAcquisition, EncodedPatch, build_acquisition, encode_patch
from drae_data.files import sha256_hex
from drae_data.frame_log import FrameLog
from drae_data.frames.decoding import decode_frame
from drae_data.options import DatasetOptions
from drae_data.patches import cut_patch
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_data.records import patch_record
from drae_data.shard_plan import PlannedAcquisition, ShardTask
from drae_data.shards import Roots, StartedShard, build_shard, finish_shard
from drae_data.statistics import Motion, frame_statistics, patch_statistics, signature
from drae_data.tables import read_ledger
from drae_data.version_files import part_path
from drae_data.view import View

# What a worker does for a shard, in order, and what that is in words.
WORKER_STEPS = {
    "read": "list, read and SHA-256 of frames",
    "decode": "decode frames",
    "rank": "rank images",
    "cut": "cut and resize",
    "measure": "statistics, motion, signature",
    "encode": "encode, SHA-256",
    "record": "Example and CRC",
    "write": "order, write, fsync, index",
}


@dataclass(frozen=True)
class StepRates:
    """What an acquisition costs, medians over rounds.

    Attributes:
        patches: of an acquisition.
        frames: files of an acquisition.
        steps: seconds of one core, by step of `WORKER_STEPS`.
        whole: seconds of one core for the same in one call of `build_shard` on one thread.
        rest: of `whole` that the steps do not explain; negative where they took longer.
        recount: seconds of one core in the commit.
        recount_threads: seconds in the commit, where as many shards are counted at the same time as there are cores.
        frame_bytes: of the frame files.
        shard_bytes: of the records.
        index_bytes: of the patch index, the ledger in it.
        ledger_bytes: of memory that the commit keeps until its end: the ledger's rows, as values and as manifest rows.
    """

    patches: int
    frames: int
    steps: dict[str, float]
    whole: float
    rest: float
    recount: float
    recount_threads: float
    frame_bytes: float
    shard_bytes: float
    index_bytes: float
    ledger_bytes: float


class Stopwatch:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Adds the time that the block takes."""
        started = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - started


def measure_steps(
    task: ShardTask, options: DatasetOptions, roots: Roots, rounds: int, cores: int, told: Callable[[str], None]
) -> StepRates:
    """Builds one shard again and again, in steps and whole, in turn.

    Args:
        task: the shard.
        options: of the dataset; frames show whole strips.
        roots: frames are read from its source; its target is removed before each build.
        rounds: of each; who goes first changes every round.
        cores: threads of the second recount.
        told: takes a line of progress.

    Raises:
        BenchmarkError: steps and whole do not give the same shard.
    """
    cv2.setNumThreads(1)
    count, target = len(task.acquisitions), roots.target
    runs: dict[str, list[dict[str, float]]] = {"steps": [], "whole": []}
    digests = set()
    # This also brings the frames into the page cache.
    known = [
        build_acquisition(item, task, options, roots.source, FrameLog(roots.source, {})) for item in task.acquisitions
    ]
    for number in range(rounds):
        for side in ("steps", "whole") if number % 2 else ("whole", "steps"):
            told(f"steps: round {number + 1} of {rounds}, {side}")
            target.remove("")
            watch = Stopwatch()
            if side == "steps":
                _build_in_steps(task, options, roots, known, watch)
                watch.seconds["recount"] = recount_seconds(task.name, target, 1)
                watch.seconds["recount_threads"] = recount_seconds(task.name, target, cores)
            else:
                with watch.of("whole"):
                    build_shard(task, options, roots, 1)
            runs[side].append(watch.seconds)
            digests.add(sha256_hex(target.read(task.name)))
    if len(digests) != 1:
        raise BenchmarkError(
            f"{task.name}: expected the same bytes of every build, got {len(digests)} different shards"
        )

    def median(side: str, name: str) -> float:
        return statistics.median(run[name] for run in runs[side]) / count

    rest = statistics.median(
        whole["whole"] - sum(steps[name] for name in WORKER_STEPS)
        for steps, whole in zip(runs["steps"], runs["whole"], strict=True)
    )
    part = target.read(part_path(task.name))
    return StepRates(
        patches=options.patches_per_acquisition,
        frames=len(options.needed_frames),
        steps={name: median("steps", name) for name in WORKER_STEPS},
        whole=median("whole", "whole"),
        rest=rest / count,
        recount=median("steps", "recount"),
        recount_threads=median("steps", "recount_threads"),
        frame_bytes=sum(file.bytes for row in rows_of(read_ledger(part)) for file in row.frames) / count,
        shard_bytes=len(target.read(task.name)) / count,
        index_bytes=len(part) / count,
        ledger_bytes=ledger_memory(part),
    )


def _build_in_steps(
    task: ShardTask, options: DatasetOptions, roots: Roots, known: Sequence[BuiltAcquisition], watch: Stopwatch
) -> None:
    """Builds the shard as `build_shard` does on one thread: there too frames pass one at a time.

    Args:
        task: the shard.
        options: of the dataset.
        roots: where it reads and writes.
        known: what the acquisitions give when they are built whole: their manifest rows are not made again.
        watch: takes the seconds.
    """
    log = FrameLog(roots.source, {})
    built = []
    for whole in known:
        patches = tuple(_acquisition_in_steps(whole.planned, options, roots, log, watch))
        if patches != whole.patches:
            raise BenchmarkError(f"{whole.planned.key}: the steps give other patches than a whole build")
        built.append(_done(replace(whole, patches=patches)))
    with watch.of("write"):
        finish_shard(StartedShard(task, tuple(built), None, log), options, roots)


def _done(built: BuiltAcquisition) -> Future[BuiltAcquisition]:
    future = Future[BuiltAcquisition]()
    future.set_result(built)
    return future


def _acquisition_in_steps(
    item: PlannedAcquisition, options: DatasetOptions, roots: Roots, log: FrameLog, watch: Stopwatch
) -> Iterator[EncodedPatch]:
    view, motion = View((-1, ""), options.layouts.of(item.key), options), Motion()
    with watch.of("read"):
        content = list_folder(item.folder, item.files, options, roots.source)
    for index in options.needed_frames:
        place = FramePlace(-1, "", index)
        name = content.frames[place]
        with watch.of("read"):
            data, _ = read_frame(item.folder, name, place, options, roots.source, log)
        with watch.of("decode"):
            pixels = decode_frame(data, name, options.pixels).pixels
        with watch.of("rank"):
            images = list(view.images(index, pixels))
        with watch.of("measure"):
            boxes = [placed.box for placed in view.boxes]
            motion.add(pixels, boxes)
            frame_statistics(index, (-1, ""), boxes, motion)
        yield from _image_in_steps(images, view, motion.motion, item, options, watch)
    with watch.of("rank"):
        images = list(view.rank_images())
    yield from _image_in_steps(images, view, motion.over_all(), item, options, watch)


def _image_in_steps(
    images: Sequence[tuple[Image, Pixels]], view: View, motion: tuple[float, ...], item: PlannedAcquisition,
    options: DatasetOptions, watch: Stopwatch,
) -> Iterator[EncodedPatch]:  # fmt: skip
    for image, pixels in images:
        for placed, moved in zip(view.boxes, motion, strict=True):
            with watch.of("cut"):
                patch = cut_patch(pixels, placed.box, options.patch)
            yield _encoded(PatchKey(item.key, image, placed.vial, placed.region), patch, moved, options, watch)


def _encoded(key: PatchKey, pixels: Pixels, motion: float, options: DatasetOptions, watch: Stopwatch) -> EncodedPatch:
    """A patch as the build encodes it; what is timed once more is taken off the encoding's time."""
    before = watch.seconds["record"] + watch.seconds["measure"]
    with watch.of("encode"):
        patch = encode_patch(key, pixels, options.patch.encoding, motion)
    with watch.of("measure"):
        patch_statistics(pixels, motion)
    image = max(patch.record, key=len)  # The encoded image, a piece of its own.
    with watch.of("record"):
        patch_record(key, image)
    watch.seconds["encode"] -= watch.seconds["record"] + watch.seconds["measure"] - before
    if key.image == options.images[-1]:
        with watch.of("measure"):
            signature(pixels)
    return patch
