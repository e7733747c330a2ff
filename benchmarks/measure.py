"""Commands as whole processes: wall time, output, peak memory of the process tree."""

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.05
# A look at many gigabytes takes long and holds the process up: the watcher rests this many times as long.
_REST = 10
_TAIL = 4000


class BenchmarkError(Exception):
    """A measured command failed, or its result is not what it must be; there is nothing to compare."""


@dataclass(frozen=True)
class Measurement:
    """One run of a command.

    Attributes:
        seconds: wall time of the whole command, start of the interpreter included.
        peak_mb: largest memory of the command and its child processes together, in 10^6 bytes.
        output: what it wrote to standard output.
    """

    seconds: float
    peak_mb: float
    output: str


def run_measured(command: Sequence[str], folder: Path, bytecode: Path | None = None) -> Measurement:
    """Runs a command in a fresh process and watches it.

    Args:
        command: program and arguments.
        folder: to run it in.
        bytecode: Python keeps compiled modules here and finds them again in the next run, whatever the environment
            says about it; None leaves that to the environment.

    Raises:
        BenchmarkError: it ended with another status than 0; the message holds the end of what it wrote.
    """
    environment = dict(os.environ)
    if bytecode is not None:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    # What earlier runs left to be written back would otherwise be written at this run's expense.
    os.sync()
    peak = 0
    # Files, not pipes: nobody reads while the command runs, and a full pipe would hold it up.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=errors) as process:
            root = psutil.Process(process.pid)
            rest = _SAMPLE_SECONDS
            while True:
                try:
                    process.wait(rest)
                    break
                except subprocess.TimeoutExpired:
                    looked = time.perf_counter()
                    peak = max(peak, tree_bytes(root))
                    rest = max(_SAMPLE_SECONDS, _REST * (time.perf_counter() - looked))
            seconds = time.perf_counter() - started
        for stream in (output, errors):
            stream.seek(0)
        said = output.read()
        if process.returncode:
            words = said[-_TAIL:] + errors.read()[-_TAIL:]
            raise BenchmarkError(f"{' '.join(command)}\nended with status {process.returncode}:\n{words}")
    return Measurement(seconds, peak / 1e6, said)


def tree_bytes(root: psutil.Process) -> int:
    """Memory of a process and its descendants.

    A page that several of them share counts once (proportional set size); where the system does not tell that, private
    pages alone are counted (unique set size).
    """
    total = 0
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            memory = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total += int(getattr(memory, "pss", memory.uss))
    return total


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return (
        f"{os.cpu_count()} cores ({model}), {psutil.virtual_memory().total / 1e9:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
