"""What is fuzzed: a target draws inputs, or has a strategy for them, and feeds each to one reader of the project."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from drae_data.errors import DraeError


class PromiseError(Exception):
    """A reader returned or refused, but not as it promises."""


@dataclass(frozen=True)
class Feeder:
    """A target at work in one process.

    Attributes:
        source: gives the next input from a generator of random numbers; or Hypothesis' strategy for inputs.
        feed: hands an input to the reader. It returns where the reader took it, raises one of `refusals` where the
            reader refused it, and anything else is a crash.
        refusals: the exceptions that the reader promises.
    """

    source: Callable[[random.Random], Any] | SearchStrategy[Any]
    feed: Callable[[Any], None]
    refusals: tuple[type[Exception], ...] = (DraeError,)


@dataclass(frozen=True)
class Target:
    """A reader under attack.

    Attributes:
        name: for people and for the command line.
        inputs: how many `make test-fuzz` feeds.
        prepare: makes the feeder, in a folder for its files.
        least: so many of a hundred inputs, at least, are taken, and as many refused: else it would show nothing.
    """

    name: str
    inputs: int
    prepare: Callable[[Path], Feeder]
    least: float = 0.2


def promise(kept: bool, what: str) -> None:
    """Raises `PromiseError` where a reader did not keep its word."""
    if not kept:
        raise PromiseError(what)
