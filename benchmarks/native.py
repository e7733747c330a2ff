"""The C++ client against TensorFlow in Python: the exported model on the same patches, in turns.

    python -m benchmarks.line --native build/native/drae_inspect

Each call runs in a process of its own, which loads the model, warms up and times a number of calls; medians.
"""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from benchmarks.measure import BenchmarkError
from drae_line.product import Product
from drae_model.model_card import CARD, SAVED_MODEL

_WARM_UP = 5


def compare(program: Path, model: Path, product: Product, rounds: int, repeat: int) -> dict[str, Any]:
    """The C++ client against TensorFlow in Python, on the exported model and the same patches."""
    with tempfile.TemporaryDirectory(prefix="drae-bench-") as name:
        folder, lines = Path(name), []
        for row, place in enumerate(product.places):
            cv2.imwrite(str(folder / f"{row:03d}.png"), product.patches[row, ..., 0])
            lines.append(f"{place.region}\t{folder / f'{row:03d}.png'}\n")
        (folder / "patches.tsv").write_text("".join(lines))
        np.save(folder / "patches.npy", product.patches)
        (folder / "regions.json").write_text(json.dumps([place.region for place in product.places]))
        arguments = ["--model", str(model), "--list", str(folder / "patches.tsv"), "--repeat", str(repeat)]
        ways: dict[str, list[str]] = {
            "native": [str(program), *arguments],
            "python": [sys.executable, "-m", "benchmarks.native", str(folder), str(model), str(repeat)],
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        scores: dict[str, list[float]] = {}
        for number in range(rounds):
            for way in list(ways)[:: 1 if number % 2 else -1]:
                done = subprocess.run(ways[way], capture_output=True, text=True)
                if done.returncode:
                    raise BenchmarkError(f"{' '.join(ways[way])}: {done.stderr[-2000:]}")
                found = json.loads(done.stdout)
                times[way].append(found["timing"]["median_ms"])
                scores[way] = [patch["score"] for patch in found["patches"]]
    difference = max(abs(one - other) for one, other in zip(scores["native"], scores["python"], strict=True))
    medians = {way: float(np.median(found)) for way, found in times.items()}
    print(
        f"native   {medians['native']:.1f} ms a call, Python {medians['python']:.1f} ms; scores within {difference:.1e}"
    )
    ratio = round(medians["native"] / medians["python"], 3)
    return {"native_over_python": ratio, "native_ms": medians["native"], "max_difference": difference}


def call_signature(folder: Path, model: Path, repeat: int) -> None:
    """What the process of Python does: the exported model's signature, timed; prints what the client prints."""
    loaded = tf.saved_model.load(str(model / SAVED_MODEL))
    inspect = loaded.signatures["inspect"]
    patches = tf.constant(np.load(folder / "patches.npy"))
    names = json.loads((model / CARD).read_text())["regions"]
    numbers = [names.index(region) for region in json.loads((folder / "regions.json").read_text())]
    takes = {"patches": patches}
    if "regions" in inspect.structured_input_signature[1]:
        takes["regions"] = tf.constant(numbers, tf.int32)
    times, scores = [], np.empty(0, np.float32)
    for number in range(-_WARM_UP, repeat):
        started = time.perf_counter()
        scores = inspect(**takes)["score"].numpy()
        if number >= 0:
            times.append((time.perf_counter() - started) * 1000)
    values = [{"score": score} for score in scores.tolist()]
    print(json.dumps({"timing": {"median_ms": float(np.median(times))}, "patches": values}))


if __name__ == "__main__":
    call_signature(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
