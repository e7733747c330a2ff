"""The client, built once for all tests, and the models that it is tried with."""

from pathlib import Path

import pytest

from tests.native.client import Client, build, export_models, once


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(once(tmp_path_factory, "native_build", build))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `regions` and `plain`; no test changes them."""
    return once(tmp_path_factory, "native_models", export_models)
