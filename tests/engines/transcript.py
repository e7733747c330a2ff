"""What the engines' tests leave for people: a transcript of every step, and a table of rates beside it.

The transcript has no path, host, port or time, so that a second run gives the same bytes. The rates, which differ from
run to run, are a file and a table of their own.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.engines.commands import Outcome
from tests.engines.processes import BASE, HOST, PLACE, ROOT

TRANSCRIPT = BASE / "transcript.md"
RATES = BASE / "rates.json"
_HEAD = """\
# Every engine gives the same dataset

Written by `make test-engines`: clusters started on one machine, the same frames, the same params file. `WORK` is a
folder of the tests; hosts and ports are left out. In-process comes first, and every other engine is held against it.
"""
# In this order, whatever is longer first.
_PLACES = ((str(PLACE), "WORK"), (str(BASE / "data"), "DATA"), (f"{ROOT}/", ""))
_ADDRESS = re.compile(rf"(?:{re.escape(HOST)}|localhost):\d+")


@dataclass(frozen=True)
class Step:
    """A line of the transcript.

    Attributes:
        what: was done, in words.
        command: with placeholders; empty where there was none.
        result: exit status and digest, or why it was left out.
    """

    what: str
    command: str
    result: str


class Transcript:
    """Steps by engine, in the order of the tests."""

    def __init__(self) -> None:
        self._steps: dict[str, list[Step]] = {}
        self._rates: list[dict[str, object]] = []

    def add(self, engine: str, what: str, outcome: Outcome, digest: str) -> None:
        """A step that ended.

        Args:
            engine: in words.
            what: was done.
            outcome: of the command.
            digest: of what it wrote.
        """
        result = f"exit status {outcome.status}, digest {digest}"
        self._steps.setdefault(engine, []).append(Step(what, plain_command(outcome.arguments), result))

    def skip(self, engine: str, reason: str) -> None:
        """An engine that this machine lacks."""
        self._steps.setdefault(engine, []).append(Step("skipped", "", plain(reason)))

    def rate(self, engine: str, outcome: Outcome, patches: int) -> None:
        """How fast an engine built so many patches."""
        usage = outcome.usage
        self._rates.append({
            "engine": engine,
            "patches": patches,
            "seconds": round(usage.seconds, 1),
            "patches_per_second": round(patches / usage.seconds, 1),
            "patches_per_processor_second": round(patches / usage.processor_seconds, 1),
            "worker_megabytes": sorted((round(size) for size in usage.megabytes.values()), reverse=True),
        })  # fmt: skip

    def text(self) -> str:
        """The transcript."""
        blocks = [_HEAD]
        for engine, steps in self._steps.items():
            blocks.append(f"## {engine}\n")
            for step in steps:
                command = f"\n```\n{step.command}\n```\n" if step.command else "\n"
                blocks.append(
                    f"{step.what}:\n{command}\n{step.result}\n" if command.strip() else f"Skipped: {step.result}\n"
                )
        return "\n".join(blocks)

    def table(self) -> str:
        """The rates for people."""
        lines = [f"{'engine':<28} {'patches/s':>10} {'per core':>10} {'s':>8}  MB of each worker"]
        for row in self._rates:
            sizes = row["worker_megabytes"]
            memory = ", ".join(map(str, sizes)) if isinstance(sizes, list) else ""
            lines.append(
                f"{row['engine']!s:<28} {row['patches_per_second']!s:>10} {row['patches_per_processor_second']!s:>10} "
                f"{row['seconds']!s:>8}  {memory}"
            )
        lines.append("patches/s: with all start-up; per core: patches per second of processor time, all processes.")
        return "\n".join(lines)

    def write(self) -> None:
        """Writes both files."""
        BASE.mkdir(parents=True, exist_ok=True)
        TRANSCRIPT.write_text(self.text(), encoding="utf-8")
        RATES.write_text(json.dumps(self._rates, indent=1) + "\n", encoding="utf-8")


def plain_command(arguments: Sequence[str]) -> str:
    """A command as a person would type it, with placeholders for places and addresses."""
    return plain(" ".join(["python", *arguments]))


def plain(text: str) -> str:
    """A text without this machine's folders, hosts and ports."""
    for place, name in _PLACES:
        text = text.replace(place, name)
    return _ADDRESS.sub("HOST:PORT", text)
