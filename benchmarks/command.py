"""What the commands of the benchmarks share: lists as arguments, and how a result or a failure is reported."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.measure import BenchmarkError


def counts(text: str) -> tuple[int, ...]:
    """The argparse type of numbers such as `20,80,200`."""
    return tuple(int(part) for part in text.split(","))


def some_of(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """The argparse type of a list such as `bare,tfds`; gives the known names in their own order."""
    allowed = tuple(known)

    def parse(text: str) -> tuple[str, ...]:
        unknown = sorted(set(text.split(",")) - set(allowed))
        if unknown:
            raise argparse.ArgumentTypeError(f"expected any of {','.join(allowed)}, got {','.join(unknown)}")
        return tuple(name for name in allowed if name in text.split(","))

    return parse


def report(measure: Callable[[], dict[str, Any]]) -> int:
    """Measures and prints the result as the last line, JSON; a failure is one line. Returns the exit status."""
    try:
        result = measure()
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n" + json.dumps(result))
    return 0


def frame_size(text: str) -> tuple[int, int]:
    """The argparse type of frame sizes, WIDTHxHEIGHT in pixels: width and height."""
    width, height = text.split("x")
    return int(width), int(height)
