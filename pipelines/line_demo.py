"""The line to look at: a simulated camera, the inspection and the operator's page together. `make line-demo`."""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from drae_data.errors import OptionError
from drae_line.errors import LineError
from pipelines.console import positive, run_command, say
from pipelines.params import load_params

_MARK = ".line_demo"
_EPILOG = """\
examples:
  make line-demo
  python -m pipelines.line_demo --rate 1 --faults 0.05 --port 8765

Empties its folder first, so that every demo begins with a new line. Ends with Ctrl-C, or when all were delivered and
--linger seconds have passed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.line_demo",
        description="Runs a simulated camera, the inspection and the operator's page together on synthetic strips.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--folder", type=Path, default=Path("line/demo"), help="of this demo (default: line/demo)")
    parser.add_argument("--rate", type=float, default=1.0, help="strips a second (default: 1)")
    parser.add_argument("--count", type=positive, default=600, help="of strips (default: 600)")
    parser.add_argument("--faults", type=float, default=0.05, help="share of deliveries with a fault (default: 0.05)")
    parser.add_argument("--port", type=int, help="of the page (default: line.page.port)")
    parser.add_argument("--linger", type=float, default=600.0, help="seconds after the last strip (default: 600)")
    known = parser.parse_args(argv)
    load_params(known.params).line_params()
    _clear(known.folder)
    common = ["--params", str(known.params), "--folder", str(known.folder)]
    port = [] if known.port is None else ["--port", str(known.port)]
    delivery = ["--rate", str(known.rate), "--count", str(known.count), "--faults", str(known.faults)]
    running: list[subprocess.Popen[bytes]] = []
    # The others must not outlive this one, also where a shell has it ignore Ctrl-C, as in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        running.append(_start("operator_page", [*common, *port]))
        running.append(_start("inspect_line", common))
        camera = _start("simulate_line", [*common, *delivery])
        running.append(camera)
        while camera.poll() is None:
            _check(running[:2])
            time.sleep(0.2)
        if camera.returncode:
            raise LineError("expected the camera to deliver all strips, it failed; its message stands above")
        say(f"demo: all strips were delivered; the page stays for {known.linger:g} s, Ctrl-C ends it")
        end = time.monotonic() + known.linger
        while time.monotonic() < end:
            _check(running[:2])
            time.sleep(0.2)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait()


def _start(name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", f"pipelines.{name}", *arguments])


def _check(processes: list[subprocess.Popen[bytes]]) -> None:
    """Whether page and line still run; what they said of it stands on the terminal."""
    if any(process.poll() is not None for process in processes):
        raise LineError("expected the page and the line to run on, one of them ended; its message stands above")


def _clear(folder: Path) -> None:
    """Empties the folder of an earlier demo, and no other."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise OptionError("--folder", str(folder), "an empty folder, or one of an earlier demo")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("A demo of the line; the next one empties this folder.\n")


if __name__ == "__main__":
    sys.exit(main())
