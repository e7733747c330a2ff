"""The run log: what a dataset's digest must not cover. One JSON line per finished build in `logs/runs.jsonl`.

It is neither an output of DVC nor part of a version: time, host, commit and paths live here and nowhere else.
"""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG = Path("logs/runs.jsonl")


def log_run(**values: Any) -> None:
    """Appends a line with time (UTC), host, git commit and the given JSON values.

    The dataset is committed by then: a log that cannot be written is a warning, not a failure.
    """
    line = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "commit": _commit(),
        **values,
    }
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, sort_keys=True) + "\n")
    except OSError as error:
        sys.stderr.write(f"warning: {LOG}: the run could not be logged ({error.strerror}); the dataset is whole\n")


def _commit() -> str:
    """The commit of the working folder, with `+` where tracked files differ; empty where there is none to ask."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()
