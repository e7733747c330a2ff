"""The networks of a params file on one of Keras' backends: milliseconds per patch, inference and training.

    python -m benchmarks.network --params params.yaml --training
    KERAS_BACKEND=jax python -m benchmarks.network --params params.paper.yaml --batch 32 \
        --precision mixed_bfloat16,float32 --training

Inference is the autoencoder's reconstruction and its score; training is one optimizer step of generator and
discriminator each, with all losses. Patches are random and lie in the device's memory. Each step runs untimed first;
what is printed is the median over rounds. It needs Keras and one backend, and ruamel.yaml or a params file in JSON;
neither Beam nor pydantic, and TensorFlow only as backend.

The paper reports 0.1689 ms per patch on an A4500 (DOI 10.2139/ssrn.4858664). With the widths as they are printed that
would be several PFLOP/s; it stands here as context, not as a target.

The last line is JSON: for each precision inference_ms and training_ms per patch, and the TFLOP/s that they mean by
`drae_model.operations`; memory_gb is the most that the process had held on the device until then.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.command import report, some_of
from benchmarks.measure import BenchmarkError, machine
from benchmarks.network_steps import Step, build, device_memory, steps_of
from drae_model.loss_options import LossOptions, ScoreOptions
from drae_model.network_options import PRECISIONS, LinearPath, NetworkOptions, Normalization
from drae_model.networks import Networks
from drae_model.operations import FLOP_PER_MULTIPLY_ADD, layer_costs, total, training_multiply_adds

PAPER_MS = 0.1689


@dataclass(frozen=True)
class NetworkBenchOptions:
    """What is measured.

    Attributes:
        params: a params file, YAML or JSON.
        batch: patches of a step.
        precisions: one after the other, each with new networks.
        rounds: timed steps of each.
        training: also measure training steps.
    """

    params: Path
    batch: int
    precisions: tuple[str, ...]
    rounds: int
    training: bool


def read_train(path: Path) -> dict[str, Any]:
    """Section `train` of a params file.

    Raises:
        BenchmarkError: the file is not there or has no such section.
    """
    if not path.is_file():
        raise BenchmarkError(f"--params {path}: no such file")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        content = json.loads(text)
    else:
        from ruamel.yaml import YAML

        content = YAML(typ="safe").load(text)
    if not isinstance(content, dict) or not isinstance(content.get("train"), dict):
        raise BenchmarkError(f"--params {path}: expected a section train")
    return dict(content["train"])


def network_options(section: Mapping[str, Any]) -> NetworkOptions:
    """Section `train.network` as options; raises `OptionError`."""
    lists = {key: tuple(section[key]) for key in ("widths", "discriminator_widths")}
    linear = section["linear_path"]
    return NetworkOptions(
        **{
            **section,
            **lists,
            "normalization": Normalization(**section["normalization"]),
            "linear_path": LinearPath(**linear) if linear else None,
        }
    )


def median_seconds(step: Step, rounds: int) -> float:
    """The first two runs compile and warm up; they are not counted."""
    seconds = []
    for number in range(rounds + 2):
        started = time.perf_counter()
        step()
        if number >= 2:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def multiply_adds(networks: Networks) -> dict[str, int]:
    """Of one patch, for inference and for a training step."""
    models = (networks.autoencoder, networks.second_encoder, networks.discriminator)
    forward, again, judged = (total(layer_costs(model)).multiply_adds for model in models)
    return {"inference": forward, "training": training_multiply_adds(forward, again, judged)}


def measure(options: NetworkBenchOptions) -> dict[str, Any]:
    """Runs the benchmark, prints its table, and returns what the JSON line holds."""
    section = read_train(options.params)
    network = network_options(section["network"])
    losses, score = LossOptions(**section["losses"]), ScoreOptions(**section["score"])
    side = network.input_size
    clean, perturbed, noise = np.random.default_rng(1).random((3, options.batch, side, side, 1), np.float32)
    batch = clean, perturbed, noise
    device = device_memory()[0]
    print(f"machine: {machine()}")
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, device {device}")
    print(f"input {side} x {side}, widths {list(network.widths)}, batch {options.batch}, {options.rounds} rounds")
    print(f"\n{'precision':16}{'step':12}ms per patch     TFLOP/s   memory (GB)")
    result: dict[str, Any] = {"backend": keras.backend.backend(), "device": device, "batch": options.batch}
    for precision in options.precisions:
        networks = build(network, losses, score, precision)
        counts = multiply_adds(networks)
        found: dict[str, float | None] = {}
        for name in ("inference", "training")[: 1 + options.training]:
            try:
                seconds = median_seconds(steps_of(networks, batch, name == "training"), options.rounds)
            except RuntimeError as error:
                # JAX and torch say so when memory is short; the other precision may still fit.
                print(f"{precision:16}{name:12}failed: {(str(error).splitlines() or [''])[0][:200]}")
                found[f"{name}_ms"] = None
                continue
            rate = options.batch * counts[name] * FLOP_PER_MULTIPLY_ADD / seconds / 1e12
            memory = device_memory()[1]
            found[f"{name}_ms"] = round(seconds / options.batch * 1e3, 4)
            found[f"{name}_tflops"] = round(rate, 3)
            found[f"{name}_memory_gb"] = memory if memory is None else round(memory, 2)
            held = "not known" if memory is None else f"{memory:.1f}"
            print(f"{precision:16}{name:12}{seconds / options.batch * 1e3:12.4f} {rate:11.3f} {held:>13}")
        result[precision] = found
        del networks
        keras.backend.clear_session()
        gc.collect()
    print(f"the paper       inference   {PAPER_MS:12.4f}   (A4500; context, not a target)")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the last line printed is JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.network", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True, help="its section train gives network, losses and score")
    parser.add_argument("--batch", type=int, default=32, help="patches in a step (default: 32)")
    parser.add_argument(
        "--precision",
        type=some_of(PRECISIONS),
        default=("float32",),
        help=f"any of {','.join(PRECISIONS)} (default: float32)",
    )
    parser.add_argument("--rounds", type=int, default=10, help="timed steps of each kind (default: 10)")
    parser.add_argument("--training", action="store_true", help="measure training steps too")
    known = parser.parse_args(argv)
    options = NetworkBenchOptions(known.params, known.batch, known.precision, known.rounds, known.training)
    return report(lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
