"""The real sample, built once for each encoding and exported once for each format; readers that reach no network."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pipelines.export import main as export
from tests.interop.sample import build_sample


@pytest.fixture(scope="session", params=["png", "raw"])
def encoding(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory, encoding: str) -> Path:
    return build_sample(tmp_path_factory.mktemp(f"built_{encoding}"), encoding)


@pytest.fixture(scope="session")
def parquet(tmp_path_factory: pytest.TempPathFactory, version: Path) -> Path:
    """Its export as Parquet."""
    out = tmp_path_factory.mktemp("exports") / "parquet"
    assert export([str(version), "--format", "parquet", "--license", "cc-by-4.0", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def array_records(tmp_path_factory: pytest.TempPathFactory, version: Path) -> Path:
    """Its export as ArrayRecord."""
    out = tmp_path_factory.mktemp("exports") / "array_records"
    assert export([str(version), "--format", "arrayrecord", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where `datasets` and mlcroissant keep what they download or convert; set before a test imports them."""
    home = tmp_path_factory.mktemp("caches")
    os.environ.update(
        HF_HOME=str(home / "huggingface"),
        HF_DATASETS_CACHE=str(home / "huggingface/datasets"),
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        CROISSANT_CACHE=str(home / "croissant"),
    )


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads a dataset connects to nothing."""

    def refuse(*address: Any) -> None:
        raise AssertionError(f"a reader connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
