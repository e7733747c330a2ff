"""What documents show: fenced blocks in order, the files that they are, and the commands in blocks and in texts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The line above a block that is a file: "`tutorial/params.yaml`:".
_FILE = re.compile(r"^`([^`\s]+)`:\s*\Z", re.MULTILINE)
_INDENTED = re.compile(r"^(?: {4}.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_STARTS = re.compile(r"(?:python(?:3\.11)? -m )((?:pipelines|benchmarks|tests)\.[\w.]*\w)")
# A command of a table or a help text ends where its explanation begins.
_GAP = re.compile(r" {2,}(?=[^ -])")
_ENDS = ("|", "||", "&&", ";", "&", ">", ">>", "<")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        kind: its language: sh, yaml, csv, text ...
        text: its lines.
        file: the file that it is; empty where the line above names none.
        line: of the page, from 1.
    """

    kind: str
    text: str
    file: str
    line: int


@dataclass(frozen=True)
class Command:
    """`python -m MODULE ARGUMENTS` in a document."""

    module: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join((self.module, *self.arguments))


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in _FENCE.finditer(page):
        before = page[: match.start()]
        named = _FILE.search(before)
        yield Block(match[1], match[2], named[1] if named else "", before.count("\n") + 1)


def code_texts(page: str) -> Iterator[str]:
    """Fenced and indented blocks, with lines that go on joined, then code within lines."""
    fenced = [match[2] for match in _FENCE.finditer(page)]
    rest = _FENCE.sub("", page)
    for text in (*fenced, *_INDENTED.findall(rest)):
        yield joined(text)
    yield from _INLINE.findall(_INDENTED.sub("", rest))


def joined(text: str) -> str:
    """A text whose lines that go on, at a backslash, are one line each."""
    return re.sub(r"\s*\\\n\s*", " ", text)


def commands(page: str) -> Iterator[Command]:
    """Every command of this project that a page shows; one that a text only names has no arguments."""
    for text in code_texts(page):
        for line in text.splitlines():
            yield from commands_of_line(line)


def commands_of_line(line: str) -> Iterator[Command]:
    """The commands of this project in a line of a shell, of a table, or of a help text."""
    for match in _STARTS.finditer(line):
        yield Command(match[1], _arguments(line[match.end() :]))
    if short := re.match(r"(pipelines\.\w+) (.+)", line.strip()):  # the README's table leaves `python -m` away
        yield Command(short[1], _arguments(" " + short[2]))


def _arguments(text: str) -> tuple[str, ...]:
    shown = _GAP.split(text, maxsplit=1)[0]
    words: list[str] = []
    for word in shlex.split(shown, comments=True):
        if word in _ENDS:
            break
        words.append(word.rstrip(";"))
        if word.endswith(";"):
            break
    return tuple(words)
