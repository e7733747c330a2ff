"""What holds for every test: how skips are judged in CI, and that property tests repeat exactly there."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# Says which kernels TensorFlow takes, before any test imports TensorFlow.
import drae_model  # noqa: F401

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# A test that lacks a program or a package says "needs package: NAME"; importorskip has words of its own.
# A test that lacks data which a checkout may be without says "needs data: NAME" and may skip anywhere.
MISSING_PACKAGE = ("needs package:", "could not import")

settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if IN_CI else "local")


def _fail_missing_package(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip for a missing package into a failure: CI must install what the tests need."""
    if not (IN_CI and report.skipped) or hasattr(report, "wasxfail"):
        return
    if not isinstance(report.longrepr, tuple):
        return
    path, line, message = report.longrepr
    reason = message.removeprefix("Skipped: ")
    if reason.startswith(MISSING_PACKAGE):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: in CI every package must be installed, but the test {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judges the skips of tests."""
    report = yield
    _fail_missing_package(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judges the skips of whole files."""
    report = yield
    _fail_missing_package(report)
    return report


@pytest.fixture(autouse=True)
def run_log(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sends the logs of what a test runs in its own process to a folder of its own."""
    path = tmp_path_factory.mktemp("logs") / "runs.jsonl"
    monkeypatch.setattr("pipelines.run_log.LOG", path)
    monkeypatch.setattr("pipelines.runner.LOG", path.with_name("pipeline.log"))
    monkeypatch.setattr("pipelines.build.FRAME_LOGS", str(path.with_name("frames")))
    return path
