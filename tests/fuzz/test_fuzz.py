"""`make test-fuzz`: each target in a process of its own, with bounds on its memory and time; no input may crash it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.conftest import COUNTED
from tests.fuzz.worker import TARGETS

ROOT = Path(__file__).resolve().parents[2]
# For all inputs of a target; one input has bounds of its own.
SECONDS = 900


def run_worker(name: str, *arguments: str) -> dict[str, Any]:
    """Feeds a target in a process of its own; returns what that process says at its end."""
    command = [sys.executable, "-m", "tests.fuzz.worker", name, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode in (0, 1), f"the process ended with {done.returncode}: {done.stderr[-3000:]}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.fuzz
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_crashes_a_reader(name: str, record_property) -> None:
    target = TARGETS[name]
    found = run_worker(name, "--seed", os.environ.get("SEED", "1"))
    record_property("fuzz", (name, {word: found[word] for word in (*COUNTED, "seconds")}))
    assert found["crashes"] == 0, "\n\n".join(found["said"])
    assert found["inputs"] >= target.inputs
    # Some damage leaves a good input: the test would show nothing if all were refused at the door, or none.
    least = found["inputs"] * target.least / 100
    assert min(found["accepted"], found["refused"]) >= least
