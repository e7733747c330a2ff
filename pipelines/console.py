"""What people see: lines on standard output, one message for an error, progress of long work."""

import argparse
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tqdm import tqdm

from drae_data.errors import DraeError, OptionError

# A terminal is redrawn often; a log file gets a line now and then.
_TERMINAL_SECONDS = 0.5
_LOG_SECONDS = 10.0


def say(text: str) -> None:
    """Writes lines for people."""
    sys.stdout.write(harmless(text) + "\n")
    sys.stdout.flush()


def harmless(text: str) -> str:
    """Lines for a terminal: what is no printable character stands as an escape.

    Names and messages come with data from anywhere, and control characters in them could hide or fake what a terminal
    shows.
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)


def positive(text: str) -> int:
    """The argparse type of counts: a whole number, 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, got {text!r}")
    return int(text)


def png_name(text: str) -> str:
    """The argparse type of `--out` where a picture is written; raises `OptionError`."""
    if not text.endswith(".png"):
        raise OptionError("--out", text, "a file name that ends in .png")
    return text


def run_command(command: Callable[[list[str]], int | None], argv: Sequence[str] | None) -> int:
    """Runs a stage's command; what a user did or gave wrong ends as one message, exit status 1, never a traceback.

    Args:
        command: takes the arguments; returns an exit status or None for 0.
        argv: arguments without the program's name; None means the process's own.
    """
    for stream in (sys.stdout, sys.stderr):
        # A strip's name may hold letters that the terminal's encoding lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return command(list(sys.argv[1:] if argv is None else argv)) or 0
    except DraeError as error:
        sys.stderr.write(harmless(f"error: {error}\n"))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(harmless(f"error: {place}{error.strerror or error}\n"))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; finished work is kept, run the same command again to go on\n")
        return 130
    return 1


@contextmanager
def progress(what: str, total: int, unit: str, done: Callable[[], int]) -> Iterator[None]:
    """Shows count, rate and time left of work that happens elsewhere: a bar on a terminal, lines now and then in a log.

    Args:
        what: is being done.
        total: how many units it is.
        unit: what is counted.
        done: called now and then, from a thread of its own; how many units are done.
    """
    show = _bar if sys.stderr.isatty() else _log
    stop = threading.Event()
    thread = threading.Thread(target=show, args=(what, total, unit, done, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _bar(what: str, total: int, unit: str, done: Callable[[], int], stop: threading.Event) -> None:
    with tqdm(total=total, desc=what, unit=f" {unit}", dynamic_ncols=True) as bar:
        while not stop.wait(_TERMINAL_SECONDS):
            bar.update(count_done(done, int(bar.n)) - bar.n)
        bar.update(count_done(done, int(bar.n)) - bar.n)


def _log(what: str, total: int, unit: str, done: Callable[[], int], stop: threading.Event) -> None:
    started, count = time.monotonic(), 0
    while not stop.wait(_LOG_SECONDS):
        count, seconds = count_done(done, count), time.monotonic() - started
        left = f"{(total - count) * seconds / count:,.0f} s left" if count else "time left not known yet"
        sys.stderr.write(
            f"{what}: {count:,} of {total:,} {unit} ({count / max(total, 1):.0%}), {count / seconds:,.0f}/s, {left}\n"
        )


def count_done(done: Callable[[], int], before: int) -> int:
    """How much is done; as much as before where the place that says so does not answer, which may be why work fails."""
    try:
        return done()
    except OSError:
        return before
