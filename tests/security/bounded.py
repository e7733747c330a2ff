"""Code in a process of its own, whose memory and time have bounds: what an attack would use up."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_bounded(code: str, *arguments: str, address_space: int = 2 << 30, seconds: float = 60) -> str:
    """Runs Python code; returns what it prints. A bound that it reaches is a failure.

    Args:
        code: to run.
        arguments: its `sys.argv[1:]`.
        address_space: what the process may address, libraries and all.
        seconds: that it may take, imports and all, on a machine that is busy.
    """
    command = ["prlimit", f"--as={address_space}", sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout
