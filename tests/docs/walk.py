"""Follows a page as a reader does: files are written, commands run in one shell's environment, outputs compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks

# A command that must end so, as the page says beside it.
FAILS = re.compile(r"# exit status 1$", re.MULTILINE)
SECONDS = 900
# A section of a YAML file: its name at the beginning of a line, and all lines up to the next one.
SECTION = re.compile(r"^(\w+:)((?:.*\n)(?:(?!\w+:).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A block of a page that ran, and the blocks of output that follow it.

    Attributes:
        block: what ran.
        output: all that it printed.
        status: its exit status.
        shown: the outputs that the page shows.
    """

    block: Block
    output: str
    status: int
    shown: tuple[Block, ...]

    @property
    def problem(self) -> str:
        """What a reader would stumble over; empty where nothing is."""
        place = f"line {self.block.line}:\n{self.block.text}"
        if self.status != (1 if FAILS.search(self.block.text) else 0):
            return f"{place}exit status {self.status}\n{self.output}"
        for block in self.shown:
            if (line := first_absent(block.text, self.output)) is not None:
                return f"{place}the page shows on line {block.line}, and it did not come: {line}\n{self.output}"
        return ""


def walk(page: str, folder: Path) -> list[Step]:
    """Follows a page in a folder until a step fails; returns the steps.

    Args:
        page: its text. Blocks `sh` run, blocks with a file's name above them are written, blocks `text` show output.
        folder: stands for the project's folder.
    """
    found, steps = list(blocks(page)), list[Step]()
    for place, block in enumerate(found):
        if block.file:
            write(folder / block.file, block)
        elif block.kind == "sh":
            shown = tuple(takewhile(lambda other: other.kind == "text", found[place + 1 :]))
            steps.append(run(block, shown, folder))
            if steps[-1].problem:
                break
    return steps


def write(target: Path, block: Block) -> None:
    """Writes a file; of a YAML file that is there the sections of the block are replaced or added, the others stay."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sections = {}
    if block.kind == "yaml" and target.exists():
        sections = dict(SECTION.findall(target.read_text(encoding="utf-8")))
    if block.kind == "yaml":
        sections |= dict(SECTION.findall(block.text))
    target.write_text("".join(name + rest for name, rest in sections.items()) or block.text, encoding="utf-8")


def run(block: Block, shown: tuple[Block, ...], folder: Path) -> Step:
    """Runs a block in a shell that has the variables of those before it."""
    kept = folder / ".shell"
    script = f"set -aeuo pipefail\n[ ! -f .shell ] || source .shell\n{block.text}\nexport -p > .shell\n"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, text=True, errors="replace", timeout=SECONDS, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert kept.exists() or done.returncode != 0
    return Step(block, done.stdout, done.returncode, shown)


def first_absent(shown: str, output: str) -> str | None:
    """The first line of a shown output that did not come, in this order; `...` stands for any text."""
    rest = output.splitlines()
    for line in filter(str.strip, shown.splitlines()):
        pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))))
        place = next((n for n, came in enumerate(rest) if pattern.fullmatch(came.strip())), None)
        if place is None:
            return line
        rest = rest[place + 1 :]
    return None
