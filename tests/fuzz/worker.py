"""One target in a process of its own: `python -m tests.fuzz.worker NAME`; the last line it prints is JSON.

What crashes this process, or keeps it busy, concerns nobody else. Each input of a target that draws has a number and is
drawn from the seed, the name and that number alone, so that one input comes back without those before it:

    python -m tests.fuzz.worker "frames tiff" --seed 1 --only 4711
"""

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import frames, line, records, texts, versions
from tests.fuzz.target import Feeder, Target

TARGETS = {
    target.name: target
    for target in (*frames.TARGETS, *records.TARGETS, *versions.TARGETS, *texts.TARGETS, *line.TARGETS)
}
# What the process may address, libraries and all, and how long one input may take.
ADDRESS_SPACE = 2 << 30
SECONDS = 10.0
_MOST_CRASHES = 5


class TooSlow(BaseException):
    """An input took longer than `SECONDS`; nothing between the reader and here may take it for a refusal."""


class Run:
    """Feeds inputs and counts what became of them.

    Attributes:
        counts: inputs, accepted, refused, crashes.
        crashes: the first ones, in words.
    """

    def __init__(self, feeder: Feeder) -> None:
        self.counts = dict.fromkeys(("inputs", "accepted", "refused", "crashes"), 0)
        self.crashes: list[str] = []
        self._feeder = feeder

    def one(self, what: str, case: Any) -> None:
        """Feeds one input."""
        self.counts["inputs"] += 1
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            self._feeder.feed(case)
            outcome = "accepted"
        except self._feeder.refusals:
            outcome = "refused"
        except (Exception, TooSlow):  # noqa: BLE001  # Whatever it is, it is what is looked for.
            outcome = "crashes"
            if len(self.crashes) < _MOST_CRASHES:
                self.crashes.append(f"{what}: {traceback.format_exc(limit=-6)}input: {case!r:.600}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.counts[outcome] += 1

    def drawn(self, name: str, number: int, first_seed: int) -> None:
        """Feeds the input of a number."""
        draw = random.Random(f"{first_seed}/{name}/{number}")
        assert callable(self._feeder.source), name
        self.one(f"{name}, input {number} of seed {first_seed}", self._feeder.source(draw))

    def by_hypothesis(self, name: str, count: int, first_seed: int) -> None:
        """Feeds so many inputs that Hypothesis makes of a strategy; crashes are counted, not shrunk."""
        quiet = settings(
            max_examples=count, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), print_blob=False,
        )  # fmt: skip

        @seed(first_seed)
        @quiet
        @given(self._feeder.source)  # type: ignore[arg-type]
        def feed(case: Any) -> None:
            self.one(name, case)

        feed()


def _too_slow(_: int, __: FrameType | None) -> None:
    raise TooSlow


def run_target(target: Target, count: int, first_seed: int, only: int | None = None) -> dict[str, Any]:
    """Feeds a target in this process; returns what is printed."""
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory() as folder:
        feeder = target.prepare(Path(folder))
        run, started = Run(feeder), time.monotonic()
        if not callable(feeder.source):
            run.by_hypothesis(target.name, count, first_seed)
        for number in [only] if only is not None else range(count) if callable(feeder.source) else ():
            run.drawn(target.name, number, first_seed)
    return {**run.counts, "seconds": round(time.monotonic() - started, 1), "said": run.crashes}


def main(argv: Sequence[str] | None = None) -> int:
    """Feeds one target; returns 1 where an input crashed it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.worker", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS), metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--count", type=int, help="inputs to feed (default: those of make test-fuzz)")
    parser.add_argument("--seed", type=int, default=1, help="chooses other inputs")
    parser.add_argument("--only", type=int, help="the number of one input")
    known = parser.parse_args(argv)
    target = TARGETS[known.target]
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    found = run_target(target, known.count or target.inputs, known.seed, known.only)
    sys.stdout.write(json.dumps(found) + "\n")
    return int(found["crashes"] > 0)


if __name__ == "__main__":
    sys.exit(main())
