"""A slot of the line, from frames in memory to the verdict, against the bare model call on a ready batch.

    python -m benchmarks.line                                 after make repro
    python -m benchmarks.line --slots 1000 --memory-slots 5000
    python -m benchmarks.line --native build/native/drae_inspect

    product   acquisitions of line.set as the params say: their images, their number of patches
    paper     the same frames as three images each, without rank images: 60 patches, as in the paper

Slots and bare calls take turns in one process, with the same acquisitions; the bare call is the model's graph for this
batch size on a tensor that is there already, to the scores as an array. A stream is the same acquisitions back to back,
with the next one cut while the model works. Memory is that of the process, over slots alone. With --native also
benchmarks.native, the C++ client against Python.

The last line is JSON: for product and paper `patches`, slot_over_call (medians), stream_over_call, p50_ms, p99_ms,
max_ms, over_slot (share of slots over line.slot_ms); memory_mb at the first and last tenth of the slots.
"""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tensorflow as tf

from benchmarks.command import report
from benchmarks.measure import BenchmarkError, machine
from benchmarks.native import compare
from drae_data.acquisition import AcquisitionKey
from drae_data.errors import DraeError
from drae_data.listing import list_acquisitions
from drae_data.local_files import LocalFiles
from drae_data.options import DatasetOptions, select_images
from drae_data.path_template import FramePlace
from drae_data.rank_images import Pixels
from drae_line.frame_reading import read_frames
from drae_line.incoming import Arrival
from drae_line.inspection import Engine
from drae_line.judge import Judge, product_regions
from drae_line.product import cut_product
from drae_model.model_folder import Inspector, load_inspector
from pipelines.line_setup import LineSetup, line_setup
from pipelines.params import load_params

PAPER_FRAMES = 3
_ACQUISITIONS, _STREAM, _WARM_UP = 24, 60, 5
# Nothing is cut off while times are taken.
_NO_LIMIT = 1e9
Frames = tuple[AcquisitionKey, Mapping[FramePlace, Pixels]]


def load_frames(setup: LineSetup, root: Path) -> list[Frames]:
    """Acquisitions of a set in memory, spread over it."""
    options = setup.options
    listed = list_acquisitions(LocalFiles(str(root)), options).acquisitions
    found: list[Frames] = []
    for item in listed[:: max(1, len(listed) // _ACQUISITIONS)][:_ACQUISITIONS]:
        names = LocalFiles(str(root)).names(item.folder, options.template.depth_inside)
        frames = {place: name for name in names if (place := options.template.match_frame(name)) is not None}
        arrival = Arrival(item.key, item.folder, frames, 0.0, None)
        found.append((item.key, read_frames(root, arrival, options)[0]))
    return found


class Bench:
    """The engine and the bare call on the same acquisitions.

    Args:
        inspector: the model.
        options: how acquisitions become patches.
        acquisitions: in memory.
    """

    def __init__(self, inspector: Inspector, options: DatasetOptions, acquisitions: Sequence[Frames]) -> None:
        regions = product_regions(options)
        limits = dict.fromkeys(options.layouts.regions, 2.0)
        self.judge = Judge(inspector, "", limits, "", regions)
        self.engine = Engine(self.judge, options, _NO_LIMIT)
        self.acquisitions = acquisitions
        self.patches = len(regions)
        self.products = [cut_product(frames, key, options) for key, frames in acquisitions]
        bare: Any = tf.function(
            lambda patches, numbers: inspector.examine(patches, numbers)["score"],
            input_signature=inspector.specs(self.patches, tf.uint8), autograph=False,
        )  # fmt: skip
        graph: Any = bare.get_concrete_function()
        numbers = inspector.region_numbers(regions)
        ready = [tf.constant(product.patches) for product in self.products]
        self.bare: Callable[[int], Any] = lambda at: graph(ready[at], numbers).numpy()

    def slots(self, count: int) -> tuple[list[float], list[float]]:
        """Seconds of slots and of bare calls, in turns; who goes first changes."""
        slots, calls = list[float](), list[float]()
        for number in range(-_WARM_UP, count):
            at = number % len(self.acquisitions)
            for what in ("slot", "call") if number % 2 else ("call", "slot"):
                started = time.perf_counter()
                if what == "slot":
                    self.engine.inspect(*self.acquisitions[at])
                else:
                    self.bare(at)
                if number >= 0:
                    (slots if what == "slot" else calls).append(time.perf_counter() - started)
        return slots, calls

    def stream(self, count: int) -> float:
        """Seconds of one slot after the other, the next acquisition cut while the model works."""
        source = islice(cycle(self.acquisitions), count)
        started = time.perf_counter()
        with ThreadPoolExecutor(1) as cutting:
            following = cutting.submit(self.engine.prepare, *next(source))
            for item in source:
                prepared = following.result()
                following = cutting.submit(self.engine.prepare, *item)
                self.engine.decide(prepared)
            self.engine.decide(following.result())
        return time.perf_counter() - started

    def memory(self, count: int) -> tuple[float, float]:
        """Memory over slots, 10^6 bytes: medians over the first and the last tenth, after warming up."""
        process, seen = psutil.Process(), list[float]()
        for number in range(count + _WARM_UP):
            self.engine.inspect(*self.acquisitions[number % len(self.acquisitions)])
            if number >= _WARM_UP:
                seen.append(process.memory_info().rss / 1e6)
        tenth = max(1, count // 10)
        return float(np.median(seen[:tenth])), float(np.median(seen[-tenth:]))


def measured(bench: Bench, count: int, slot_ms: float) -> dict[str, Any]:
    """The figures of one kind of product."""
    slots, calls = (np.array(seconds) * 1000 for seconds in bench.slots(count))
    stream = bench.stream(min(_STREAM, count)) * 1000 / min(_STREAM, count)
    return {
        "patches": bench.patches,
        "slots": count,
        "slot_over_call": round(float(np.median(slots) / np.median(calls)), 3),
        "stream_over_call": round(stream / float(np.median(calls)), 3),
        "call_p50_ms": round(float(np.median(calls)), 1),
        "p50_ms": round(float(np.median(slots)), 1),
        "p99_ms": round(float(np.percentile(slots, 99)), 1),
        "max_ms": round(float(slots.max()), 1),
        "over_slot": round(float(np.mean(slots > slot_ms)), 4),
    }


def show(name: str, values: Mapping[str, Any], slot_ms: float) -> None:
    """A line for people."""
    print(
        f"{name:<8} {values['patches']:>3} patches  slot {values['p50_ms']:.1f} ms (p99 {values['p99_ms']:.1f}, max "
        f"{values['max_ms']:.1f})  call {values['call_p50_ms']:.1f} ms  slot/call {values['slot_over_call']:.3f}  "
        f"stream/call {values['stream_over_call']:.3f}  over {slot_ms:g} ms: {values['over_slot']:.1%}",
        flush=True,
    )


def kinds(options: DatasetOptions) -> Iterator[tuple[str, DatasetOptions]]:
    """As the params say, and as the paper does it."""
    yield "product", options
    frames = options.frames[:PAPER_FRAMES]
    if [str(image) for image in options.images] != [str(image) for image in select_images(frames, [])]:
        yield "paper", replace(options, images=select_images(frames, []), rank_over=())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--slots", type=int, default=1000, help="of the product, in turns with as many bare calls")
    parser.add_argument("--paper-slots", type=int, default=300, help="the same of 60 patches")
    parser.add_argument("--memory-slots", type=int, default=5000)
    parser.add_argument("--native", type=Path, help="the C++ client, built by make native")
    known = parser.parse_args(argv)
    return report(lambda: _measure(known))


def _measure(known: argparse.Namespace) -> dict[str, Any]:
    print(machine())
    tf.config.experimental.enable_op_determinism()
    result: dict[str, Any] = {}
    try:
        params = load_params(known.params)
        setup = line_setup(params)
        model = params.train_params().folder
        inspector = load_inspector(Path(model))
        acquisitions = load_frames(setup, Path(params.set_params(setup.section.set).root))
    except DraeError as error:
        raise BenchmarkError(str(error)) from error
    slot_ms = float(setup.section.slot_ms)
    benches = {name: Bench(inspector, options, acquisitions) for name, options in kinds(setup.options)}
    for name, bench in benches.items():
        result[name] = measured(bench, known.paper_slots if name == "paper" else known.slots, slot_ms)
        show(name, result[name], slot_ms)
    last = benches[list(benches)[-1]]
    result["slot_over_call"], result["p99_ms"] = (
        result[list(benches)[-1]][key] for key in ("slot_over_call", "p99_ms")
    )
    if known.native:
        result["native"] = compare(known.native, Path(model), last.products[0], 3, 30)
    if known.memory_slots:
        first, after = benches["product"].memory(known.memory_slots)
        print(f"memory   {first:.1f} MB in the first tenth of {known.memory_slots:,} slots, {after:.1f} MB in the last")
        result["memory_mb"] = [round(first, 1), round(after, 1)]
    return result


if __name__ == "__main__":
    sys.exit(main())
