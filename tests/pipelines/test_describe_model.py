"""The command's tables against networks that were really built, and its picture."""

import os
import re
import resource
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from ruamel.yaml import YAML

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from drae_model.networks import build_autoencoder, build_discriminator, build_encoder
from pipelines.describe_model import main
from pipelines.params import load_params

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "input_size": 32,
    "widths": [2, 4],
    "discriminator_widths": [4],
    "blocks": 3,
    "bottleneck": 5,
    "merge": "add",
    "activation": "pre",
    "normalization": {"kind": "batch", "momentum": 0.9, "groups": 1},
    "linear_path": {"components": 6, "per_region": True, "fit_patches": 10, "join": "sum"},
    "lateral": False,
}


def write_params(folder: Path, **train: Any) -> Path:
    """The demo profile with a small network."""
    values = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    values["train"] |= {"network": SMALL, "batch_size": 10, "precision": "float32"} | train
    with (folder / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(values, file)
    return folder / "params.yaml"


def test_the_tables_say_what_the_networks_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_params(tmp_path)
    assert main(["--params", str(path)]) == 0
    text = capsys.readouterr().out
    options = load_params(path).training_options().network
    # The demo's strip has four regions.
    autoencoder = build_autoencoder(options, 4, 1, "float32")
    expected = {
        "encoder": autoencoder.get_layer("encoder").count_params(),
        "decoder": autoencoder.get_layer("decoder").count_params(),
        "linear path": 4 * (1024 + 2 * 1024 * 6) + 1,
        "second encoder": build_encoder(options, 1, "float32", "second_encoder").count_params(),
        "discriminator": build_discriminator(options, 1, "float32").count_params(),
    }
    expected["all"] = sum(expected.values())
    rows = re.findall(r"^(\w[\w ]*?) +\d+ +([\d,]+) +([\d,]+) +([\d,]+)$", text, re.MULTILINE)
    assert {name: int(count.replace(",", "")) for name, count, _, _ in rows} == expected

    cost = {name: int(products.replace(",", "")) for name, _, products, _ in rows}
    generator = cost["encoder"] + cost["decoder"] + cost["linear path"]
    trained = 3 * (generator + cost["second encoder"]) + 7 * cost["discriminator"]
    assert f"a patch scored   {2 * generator / 1e9:,.3f} GFLOP\n" in text
    assert f"a patch trained  {2 * trained / 1e9:,.3f} GFLOP\n" in text
    outputs = {name: int(count.replace(",", "")) for name, _, _, count in rows}
    numbers = outputs["all"] + outputs["discriminator"]
    assert f"training batch of 10, float32: {numbers * 4 * 10 / 1e9:.2f} GB" in text


def test_16_bit_outputs_take_half_the_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for precision in ("float32", "mixed_bfloat16"):
        path = write_params(tmp_path, precision=precision, batch_size=100_000)
        assert main(["--params", str(path)]) == 0
        found += [
            float(text.replace(",", "")) for text in re.findall(rf"{precision}: ([\d,.]+) GB", capsys.readouterr().out)
        ]
    assert len(found) == 2
    assert found[0] == pytest.approx(2 * found[1], rel=1e-3)


def test_layers_are_listed_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--params", str(write_params(tmp_path)), "--layers"]) == 0
    text = capsys.readouterr().out
    # 2 to 4 channels, 9 weights for each pair, at 16 x 16 pixels.
    assert re.search(r"^second_encoder +stage2_a/conv1 +Conv2D +16 x 16 x 4 +72 +18,432$", text, re.MULTILINE)
    assert re.search(r"^autoencoder +linear_path +SubspaceProjection +32 x 32 x 1 ", text, re.MULTILINE)


def test_the_papers_networks_are_described_within_a_small_machines_memory(capsys: pytest.CaptureFixture[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert main(["--params", str(ROOT / "params.paper.yaml")]) == 0
    # KiB; the weights alone would be 1.9 GB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000
    text = capsys.readouterr().out
    # See the derivation in tests/drae_model/test_networks.py.
    for count in (123_999_040, 134_750_849, 107_483_905):
        assert f" {count:,} " in text


def test_the_picture_shows_all_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_params(tmp_path)
    out = tmp_path / "new/network.png"
    status = main(["--params", str(path), "--out", str(out)])
    captured = capsys.readouterr()
    if "dot` was not found" in captured.err:
        pytest.skip("needs package: graphviz")
    assert status == 0
    assert captured.out.endswith(f"drawn: {out}\n")
    picture = cv2.imdecode(np.frombuffer(out.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    # Four networks in a row, and four blocks below: dark title bars in every quarter of the width, top and bottom.
    height, width = picture.shape
    assert min(height, width) > 1000
    dark = np.asarray(picture < 64)
    for half in (dark[: height // 2], dark[height // 2 :]):
        assert all(quarter.mean() > 0.01 for quarter in np.array_split(half, 4, axis=1))


def test_without_graphviz_the_tables_are_printed_and_the_way_out_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_params(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--params", str(path), "--out", str(tmp_path / "network.png")]) == 1
    captured = capsys.readouterr()
    assert "a patch trained" in captured.out
    assert "install the package graphviz" in captured.err
    assert not (tmp_path / "network.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "network.jpg"], "a file name that ends in .png"),
        (["--params", "absent.yaml"], "absent.yaml: expected a params file"),
    ],
)
def test_wrong_arguments_end_in_one_message(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert words in capsys.readouterr().err


def test_networks_that_cannot_be_built_end_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = SMALL | {"linear_path": {"components": 1025, "per_region": False, "fit_patches": 2000, "join": "sum"}}
    assert main(["--params", str(write_params(tmp_path, network=network))]) == 1
    assert "train.network.linear_path.components: expected at most input_size^2 = 1024" in capsys.readouterr().err
