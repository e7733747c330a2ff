"""A model from strangers: the `.keras` file is data, and nothing in it runs; what is a program is named one."""

import base64
import json
import marshal
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from drae_model.errors import ModelError
from drae_model.model_card import CARD, KERAS_FILE
from drae_model.model_folder import load_inspector


def write_folder(folder: Path, config: Any) -> Path:
    """A model folder whose `.keras` file has a configuration of the attacker's making."""
    folder.mkdir()
    model = keras.Sequential([keras.layers.Input((16, 16, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    model.save(folder / "honest.keras")
    with zipfile.ZipFile(folder / "honest.keras") as source, zipfile.ZipFile(folder / KERAS_FILE, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                values = json.loads(content)
                content = json.dumps(config(values)).encode()
            target.writestr(name, content)
    card = {
        "score": {"options": {"aggregate": "mean", "percentile": 99, "window": 3}},
        "patch_size": 32,
        "regions": ["R0"],
    }
    (folder / CARD).write_text(json.dumps(card))
    return folder


def lambda_layer(place: Path) -> dict[str, Any]:
    """A layer that is Python bytecode."""
    names: dict[str, Any] = {}
    exec(f"def call(x):\n    __import__('pathlib').Path({str(place)!r}).mkdir(exist_ok=True)\n    return x", names)
    layer = keras.layers.Lambda(lambda x: x, output_shape=(16, 16, 1))
    values: dict[str, Any] = keras.saving.serialize_keras_object(layer)
    values["config"]["function"]["config"]["code"] = _marshalled(names["call"].__code__)
    return values


def _marshalled(code: Any) -> str:
    return base64.b64encode(marshal.dumps(code)).decode()


def foreign(module: str, name: str, place: Path) -> dict[str, Any]:
    """A layer that is no layer but a function of Python's."""
    return {
        "module": module,
        "class_name": name,
        "config": {"path": str(place), "name": str(place)},
        "registered_name": name,
    }


ATTACKS: dict[str, Any] = {
    "lambda": lambda_layer,
    "os": lambda place: foreign("os", "mkdir", place),
    "subprocess": lambda place: foreign("subprocess", "run", place),
    "builtins": lambda place: foreign("builtins", "exec", place),
    "function": lambda _: {"module": "os", "class_name": "function", "config": "mkdir", "registered_name": "mkdir"},
    "download": lambda place: foreign("keras.utils", "get_file", place),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_keras_file_runs(tmp_path: Path, attack: str) -> None:
    place = tmp_path / "made"

    def config(values: dict[str, Any]) -> dict[str, Any]:
        values["config"]["layers"].append(ATTACKS[attack](place))
        return values

    with pytest.raises(ModelError, match="expected a trained model"):
        load_inspector(write_folder(tmp_path / "model", config))
    assert not place.exists()


def test_the_layer_of_bytecode_would_run_if_it_were_let(tmp_path: Path) -> None:
    place = tmp_path / "made"

    def config(values: dict[str, Any]) -> dict[str, Any]:
        values["config"]["layers"].append(lambda_layer(place))
        return values

    place_of_model = write_folder(tmp_path / "model", config) / KERAS_FILE
    model = keras.models.load_model(place_of_model, safe_mode=False, compile=False)
    model(np.zeros((1, 16, 16, 1), np.float32))
    assert place.exists()
