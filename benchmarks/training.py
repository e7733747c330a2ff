"""Does reading keep up with training: the input pipeline against the step's appetite, and the whole loop against it.

    python -m benchmarks.training
    python -m benchmarks.training --params params.yaml --rounds 5 --steps 100

Three sides take turns, in this process and on the built version of `train.set`:

    loop    `drae_model.training.train` itself, from the first step's end to the last step's end of an epoch: reading,
            training, the guard, the checkpoints that fall between. Validation is not in it.
    step    the same training step, compiled as `fit` compiles it, on one batch that stays in memory.
    input   the batches alone, augmented and perturbed, from a pipeline that has filled its buffers.

The input is measured for the params file and, at the same batch size and shuffle, for the paper's profile, whose step
is beyond a CPU. A first round of each side is not counted.

Without a GPU, reading and training share the processor: a loop that loses nothing else still reaches only
1 / (1 + 1 / input_over_step) of the step.

The last line is JSON: input_over_step is the input's patches per second over the step's, loop_over_constant the loop's
over the step's, medians over rounds of the ratio within a round; patches_per_s holds the medians of each side.
"""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.command import report
from benchmarks.measure import BenchmarkError, machine
from drae_data.errors import DraeError
from drae_model.panels import PanelPatches
from drae_model.patch_selection import version_content
from drae_model.training import new_drae, train
from drae_model.training_batches import training_batches, training_selection
from drae_model.training_options import Guard, TrainingOptions
from pipelines.params import load_params

LOOP, STEP, INPUT, PAPER_INPUT = "loop", "step", "input", "paper_input"
# Batches that fill the pipeline's buffers before the clock starts.
_FILLING = 8


@dataclass(frozen=True)
class TrainingBenchOptions:
    """What is measured.

    Attributes:
        params: the params file whose training is measured.
        paper: the params file of the paper's profile; only its input is measured.
        rounds: counted turns of each side.
        steps: of the loop and of the step in a round.
        batches: of the input in a round.
    """

    params: Path
    paper: Path
    rounds: int
    steps: int
    batches: int


class HeldStep:
    """The compiled training step on a batch in memory.

    Args:
        folder: of the version.
        options: of the training.
        steps: of a round.
    """

    def __init__(self, folder: Path, options: TrainingOptions, steps: int) -> None:
        self._batch_size, self._steps = options.batch_size, steps
        drae = new_drae(options, version_content(folder).layouts.regions, steps)
        drae.make_train_function()
        self._drae = drae
        batch = next(iter(training_batches(folder, options, 0, 1)))
        self._batches = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def rate(self) -> float:
        """Patches per second over a round; the first step is not counted, as in the loop."""
        self._step()
        started = time.perf_counter()
        for _ in range(self._steps - 1):
            self._step()
        return (self._steps - 1) * self._batch_size / (time.perf_counter() - started)

    def _step(self) -> float:
        # A number waits for the step, also on a device that works on its own.
        return float(self._drae.train_function(self._batches)["loss"])


class LoopClock:
    """Times the steps of each epoch of `train`, and lets the other sides take their turns between epochs.

    Args:
        batch_size: patches of a step.
        between: called after each epoch.
    """

    def __init__(self, batch_size: int, between: Callable[[], None]) -> None:
        self.rates: list[float] = []
        self._batch_size, self._between = batch_size, between
        self._ends: list[float] = []

    def begins(self, done: int, total: int) -> None:
        """Needs nothing of it."""

    def stepped(self, done: int) -> None:
        """Notes when a step ended."""
        self._ends.append(time.perf_counter())

    def epoch_ended(self, row: Mapping[str, float], panels: PanelPatches | None) -> None:
        """Notes the epoch's patches per second."""
        seconds = self._ends[-1] - self._ends[0]
        self.rates.append((len(self._ends) - 1) * self._batch_size / seconds)
        self._ends.clear()
        self._between()


def input_rate(folder: Path, options: TrainingOptions, first: int, batches: int) -> float:
    """Patches per second of the batches alone.

    Args:
        folder: of the version.
        options: of the training.
        first: number of the first batch.
        batches: how many are timed.

    Raises:
        BenchmarkError: another number of batches came.
    """
    source = iter(training_batches(folder, options, first, first + _FILLING + batches))
    for _ in range(_FILLING):
        next(source)
    started = time.perf_counter()
    count = sum(int(batch["perturbed"].shape[0]) for batch in source)
    seconds = time.perf_counter() - started
    if count != batches * options.batch_size:
        raise BenchmarkError(f"expected {batches * options.batch_size} patches, got {count}")
    return count / seconds


def timed_rounds(
    folder: Path, options: TrainingOptions, paper: TrainingOptions, bench: TrainingBenchOptions
) -> dict[str, list[float]]:
    """Patches per second by side and round.

    Args:
        folder: of the version.
        options: of the training.
        paper: of the paper's input.
        bench: what is measured.
    """
    rates: dict[str, list[float]] = {STEP: [], INPUT: [], PAPER_INPUT: []}
    inputs = {INPUT: options, PAPER_INPUT: paper}
    held: list[HeldStep] = []

    def others() -> None:
        if not held:
            # Not before: `train` prepares TensorFlow, which must not be at work then.
            held.append(HeldStep(folder, options, bench.steps))
        rates[STEP].append(held[0].rate())
        for side, chosen in inputs.items():
            rates[side].append(input_rate(folder, chosen, len(rates[side]) * bench.batches, bench.batches))

    clock = LoopClock(options.batch_size, others)
    # The clock stands still while an epoch is validated: a few patches do. No round ends before its time.
    measured = replace(
        options, epochs=bench.rounds + 1, steps_per_epoch=bench.steps, validation_patches=options.batch_size, panels=1,
        guard=Guard(0.0, 0.0),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as temporary:
        train(folder, measured, Path(temporary, "run"), clock)
    return {side: values[1:] for side, values in {LOOP: clock.rates, **rates}.items()}


def measure(bench: TrainingBenchOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds."""
    try:
        params = load_params(bench.params)
        options, paper = params.training_options(), load_params(bench.paper).training_options()
        folder = Path(params.version_folder(params.train_params().set))
        if not folder.is_dir():
            raise BenchmarkError(f"{folder}: expected the version that {bench.params} trains on; run make repro first")
        if options.devices != 1:
            raise BenchmarkError(f"train.devices: expected 1, got {options.devices}; the sides are measured on one")
        paper = replace(paper, batch_size=options.batch_size, shuffle=options.shuffle, devices=1)
        patches = training_selection(folder, options).patches
        print(f"machine: {machine()}, TensorFlow {tf.__version__}")
        print(f"{folder}: {patches:,} patches in train; batches of {options.batch_size}, {options.precision}")
        print(f"{bench.rounds} rounds of {bench.steps} steps and {bench.batches} batches of input")
        rates = timed_rounds(folder, options, paper, bench)
    except DraeError as error:
        raise BenchmarkError(str(error)) from error
    print_rates(rates, {INPUT: options, PAPER_INPUT: paper})
    return {
        "rounds": bench.rounds,
        "input_over_step": round(ratio(rates[INPUT], rates[STEP]), 3),
        "loop_over_constant": round(ratio(rates[LOOP], rates[STEP]), 3),
        "patches_per_s": {side: round(statistics.median(values), 1) for side, values in rates.items()},
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over rounds of one rate over another of the same round."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))


def print_rates(rates: Mapping[str, Sequence[float]], inputs: Mapping[str, TrainingOptions]) -> None:
    """The table."""
    print(f"\n{'patches per second':28}   median      min      max   over step")
    for side, values in rates.items():
        about = f" ({inputs[side].network.input_size} px)" if side in inputs else ""
        numbers = f"{statistics.median(values):9,.1f}{min(values):9,.1f}{max(values):9,.1f}"
        print(f"  {side + about:26}{numbers}{ratio(values, rates[STEP]):12.2f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument(
        "--paper", type=Path, default=Path("params.paper.yaml"), help="of the paper (default: params.paper.yaml)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default: 3)")
    parser.add_argument("--steps", type=int, default=60, help="steps of a round, 2 or more (default: 60)")
    parser.add_argument("--batches", type=int, default=60, help="batches of input in a round (default: 60)")
    known = parser.parse_args(argv)
    if min(known.rounds, known.batches) < 1 or known.steps < 2:
        parser.error("--rounds and --batches must be 1 or more, --steps 2 or more")
    return report(lambda: measure(TrainingBenchOptions(**vars(known))))


if __name__ == "__main__":
    sys.exit(main())
