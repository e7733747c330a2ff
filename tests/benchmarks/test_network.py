"""The networks' benchmark at its smallest: the JSON line has its keys, a training step trains, faults are one line.

What is measured is not judged here: times on a test machine say nothing.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from benchmarks.network import main, network_options
from benchmarks.network_steps import build, steps_of
from drae_model.loss_options import LossOptions, ScoreOptions

TRAIN: dict[str, Any] = {
    "network": {
        "input_size": 16, "widths": [2, 4], "discriminator_widths": [2], "blocks": 2, "bottleneck": 3, "merge": "add",
        "activation": "pre", "normalization": {"kind": "batch", "momentum": 0.9, "groups": 1}, "linear_path": None,
        "lateral": False,
    },
    "losses": {
        "adversarial": 1.0, "contextual": 50.0, "huber": 2.0, "ssim": 1.0, "encoder": 1.0, "noise": 3.0,
        "noise_target": "blend", "huber_delta": 1.0,
    },
    "score": {"aggregate": "mean", "percentile": 99.0, "window": 3},
}  # fmt: skip


def params(folder: Path) -> str:
    path = folder / "params.json"
    path.write_text(json.dumps({"train": TRAIN}))
    return str(path)


@pytest.mark.slow
def test_a_tiny_run_ends_with_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--params", params(tmp_path), "--batch", "2", "--rounds", "1", "--training"]
    assert main([*arguments, "--precision", "mixed_bfloat16,float32"]) == 0

    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    for precision in ("mixed_bfloat16", "float32"):
        assert result[precision]["inference_ms"] > 0
        assert result[precision]["training_ms"] > 0


@pytest.mark.slow
def test_a_training_step_moves_both_networks() -> None:
    networks = build(
        network_options(TRAIN["network"]), LossOptions(**TRAIN["losses"]), ScoreOptions(**TRAIN["score"]), "float32"
    )
    clean, perturbed, noise = np.random.default_rng(1).random((3, 2, 16, 16, 1), np.float32)
    weights = [
        networks.autoencoder.get_layer("decoder").trainable_variables,
        networks.discriminator.trainable_variables,
    ]
    before = [[convert_to_numpy(weight).copy() for weight in group] for group in weights]

    steps_of(networks, (clean, perturbed, noise), training=True)()

    for group, old in zip(weights, before, strict=True):
        assert any(
            not np.array_equal(convert_to_numpy(weight), value) for weight, value in zip(group, old, strict=True)
        )


@pytest.mark.parametrize(("text", "message"), [(None, "no such file"), ("{}", "expected a section train")])
def test_bad_params_are_one_line(
    text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_text(text)

    assert main(["--params", str(path)]) == 1

    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
