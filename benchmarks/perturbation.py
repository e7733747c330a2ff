"""Cost of perturbing a batch: the TensorFlow graph against the same arithmetic in plain numpy.

    python -m benchmarks.perturbation
    python -m benchmarks.perturbation --batch-size 32 --rounds 31

The numpy side is what one writes without a graph: the same noise by the same definition, float32 array operations over
the whole batch, gradients of a cell's corners taken from the lattice by index. Both sides perturb every patch of the
batch with the paper's options (octaves 0 to 6, threshold 0.5, beta 0.5 to 1). They are compared first: results must be
equal to the rounding of float32, but for a few pixels on the threshold. Then they take turns.

The last line is JSON: perturbation_64 and perturbation_256 are numpy's milliseconds per batch over the graph's at that
size, the median over rounds; ms_per_batch holds the medians of each.
"""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.command import counts, report
from benchmarks.measure import BenchmarkError, machine
from drae_model.draws import Purpose
from drae_model.perturbation import perturb
from drae_model.perturbation_options import PerturbationOptions

SIDES = ("numpy", "graph")
OPTIONS = PerturbationOptions(q=1.0, octaves=(0, 6), threshold=0.5, beta=(0.5, 1.0), source="field")
Array = npt.NDArray[Any]


def mixed(state: Array | np.uint32, word: Array | np.uint32) -> Array:
    """The hash of `drae_model.draws`, in uint32 arrays."""
    value = np.asarray((state ^ word) + np.uint32(0x9E3779B9))
    value = (value ^ value >> np.uint32(16)) * np.uint32(0x7FEB352D)
    value = (value ^ value >> np.uint32(15)) * np.uint32(0x846CA68B)
    found: Array = value ^ value >> np.uint32(16)
    return found


def drawn(seeds: Array, purpose: int) -> Array:
    """Hashes of seeds, int32 [n, 2], for a purpose, uint32 [n]."""
    words = seeds.view(np.uint32)
    return mixed(mixed(mixed(np.uint32(purpose), words[:, 0]), words[:, 1]), np.uint32(purpose))


def evenly(seeds: Array, purpose: int) -> Array:
    """Numbers in [0, 1), float32 [n]."""
    found: Array = (drawn(seeds, purpose) >> 8).astype(np.float32) / np.float32(2**24)
    return found


def numpy_fields(seeds: Array, size: int, octaves: tuple[int, int]) -> Array:
    """The fields of `drae_model.perlin.perlin_fields`, float32 [n, size, size].

    Args:
        seeds: int32 [n, 2].
        size: side in pixels.
        octaves: smallest and largest exponent of the cells per axis.
    """
    low, high = octaves

    def cells(purpose: int) -> Array:
        found: Array = 1 << (low + (evenly(seeds, purpose) * (high - low + 1)).astype(np.int32))
        return found[:, None, None]

    rows, columns = cells(Purpose.FIELD_ROWS), cells(Purpose.FIELD_COLUMNS)
    angle = (drawn(seeds, Purpose.FIELD_ANGLE) >> 20)[:, None, None] * (2 * np.pi / 4096)
    cosine, sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    centre = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    down, right = centre[None, :, None], centre[None, None, :]
    y = (cosine * down + sine * right + 0.5) * rows.astype(np.float32)
    x = (cosine * right - sine * down + 0.5) * columns.astype(np.float32)

    places = np.arange(2**high, dtype=np.uint32)
    state = mixed(drawn(seeds, Purpose.FIELD_GRADIENTS)[:, None], places[None])
    angles = (mixed(state[:, :, None], places[None, None]) >> 20).astype(np.float32) * np.float32(2 * np.pi / 4096)
    gradients = np.cos(angles), np.sin(angles)
    element = np.arange(len(seeds))[:, None, None]
    top, left = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    y, x = y - np.floor(y), x - np.floor(x)

    def slope(row: int, column: int) -> Array:
        # The remainder by a power of two.
        place = element, (top + row) & (rows - 1), (left + column) & (columns - 1)
        found: Array = gradients[0][place] * (x - np.float32(column)) + gradients[1][place] * (y - np.float32(row))
        return found

    def fade(t: Array) -> Array:
        found: Array = t * t * t * (t * (t * 6 - 15) + 10)
        return found

    across, along = fade(x), fade(y)
    upper = slope(0, 0) + across * (slope(0, 1) - slope(0, 0))
    lower = slope(1, 0) + across * (slope(1, 1) - slope(1, 0))
    fields: Array = np.float32(np.sqrt(2)) * (upper + along * (lower - upper))
    return fields


def numpy_perturb(images: Array, seeds: Array, options: PerturbationOptions) -> tuple[Array, Array, Array]:
    """What `drae_model.perturbation.perturb` gives with noise of the field, by numpy.

    Args:
        images: float32 [n, size, size, 1], 0 to 1.
        seeds: int32 [n, 2].
        options: `source` is taken as `field`.
    """
    state = drawn(seeds, Purpose.MASK_FIELD)
    fork = np.stack([mixed(state, np.uint32(0)), mixed(state, np.uint32(1))], axis=1).view(np.int32)
    field = numpy_fields(fork, images.shape[1], options.octaves)[..., None]
    low, high = options.beta
    beta = (low + (high - low) * evenly(seeds, Purpose.BETA))[:, None, None, None]
    perturbed = (evenly(seeds, Purpose.PERTURBED) < options.q)[:, None, None, None]
    mask = ((field > options.threshold) & perturbed).astype(np.float32)
    noise = mask * np.clip(field, 0, 1)
    blended = (1 - mask) * images + (1 - beta) * mask * images + beta * mask * noise
    return np.clip(blended, 0, 1), noise, mask


def batch_of(size: int, count: int) -> tuple[Array, Array]:
    """Images, float32 [count, size, size, 1], and seeds, int32 [count, 2], drawn once."""
    random = np.random.default_rng(size)
    return random.random((count, size, size, 1), np.float32), random.integers(0, 2**31, (count, 2)).astype(np.int32)


def compare_sides(graph: Sequence[Array], plain: Sequence[Array]) -> None:
    """Compares X*, N and M of both sides.

    Raises:
        BenchmarkError: more than one pixel in 1,000 differs by more than rounding does.
    """
    for name, ours, theirs in zip(("X*", "N", "M"), graph, plain, strict=True):
        share = float((np.abs(ours - theirs) > 1e-3).mean()) if ours.shape == theirs.shape else 1.0
        if share > 1e-3:
            raise BenchmarkError(f"{name}: expected the same from both sides, got {share:.1%} of the pixels different")


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def timed_rounds(size: int, count: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per batch by side and round, after one untimed call each; who goes first changes every round."""
    images, seeds = batch_of(size, count)
    held, held_seeds = tf.constant(images), tf.constant(seeds)
    graph = tf.function(lambda images, seeds: perturb(images, seeds, OPTIONS))
    # `numpy()` waits for the result.
    work: dict[str, Callable[[], list[Array]]] = {
        "numpy": lambda: list(numpy_perturb(images, seeds, OPTIONS)),
        "graph": lambda: [each.numpy() for each in graph(held, held_seeds)],
    }
    compare_sides(work["graph"](), work["numpy"]())
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES if number % 2 else SIDES[::-1]:
            times[side].append(milliseconds(work[side]))
    return times


def measure(sizes: Sequence[int], count: int, rounds: int) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds."""
    print(f"machine: {machine()}, TensorFlow {tf.__version__}, numpy {np.__version__}")
    print(f"perturbing batches of {count}, {rounds} rounds; milliseconds per batch\n")
    print(f"{'size':>6}  {'side':7}{'median':>9}{'min':>9}{'max':>9}{'numpy over it':>16}{'patches/s':>12}")
    result: dict[str, Any] = {"rounds": rounds, "batch": count, "ms_per_batch": {}}
    for size in sizes:
        times = timed_rounds(size, count, rounds)
        ratio = statistics.median(plain / ours for plain, ours in zip(times["numpy"], times["graph"], strict=True))
        result[f"perturbation_{size}"] = round(ratio, 3)
        medians = {side: statistics.median(values) for side, values in times.items()}
        result["ms_per_batch"][str(size)] = {side: round(value, 2) for side, value in medians.items()}
        for side, values in times.items():
            over = ratio if side == "graph" else 1.0
            print(
                f"{size:6}  {side:7}{medians[side]:9.2f}{min(values):9.2f}{max(values):9.2f}{over:16.2f}"
                f"{count * 1e3 / medians[side]:12,.0f}"
            )
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.perturbation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sizes", type=counts, default=(64, 256), help="sides of the patches, N,M,... (default: 64,256)"
    )
    parser.add_argument("--batch-size", type=int, default=32, help="patches in a batch (default: 32)")
    parser.add_argument("--rounds", type=int, default=21, help="timed batches of each side (default: 21)")
    known = parser.parse_args(argv)
    return report(lambda: measure(known.sizes, known.batch_size, known.rounds))


if __name__ == "__main__":
    sys.exit(main())
