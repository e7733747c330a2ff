"""DVC and git as a user runs them in a project's folder."""

import subprocess
import sys
from pathlib import Path

from tests.campaigns.small_project import environment


def dvc(folder: Path, *arguments: str) -> str:
    """Runs DVC; returns its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder, env=environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(folder: Path, *arguments: str) -> str:
    """Runs git; returns its standard output."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def ran(output: str) -> list[str]:
    """The stages that `dvc repro` ran."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
