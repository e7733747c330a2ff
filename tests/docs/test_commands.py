"""Commands in documents and in help texts exist and take what is written there; make's targets exist; nothing runs."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from drae_data.errors import DraeError
from pipelines.runner import beam_options
from tests.architecture.test_help import ENTRIES
from tests.docs.pages import ROOT, Command, code_texts, commands, commands_of_line, joined

# The transcript is what a test wrote, with names put in; decision records speak of their day.
PAGES = [
    path
    for path in (
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs/how-to").glob("*.md")),
    )
    if path.name != "engines_transcript.md"
]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
MAKE = re.compile(r"(?:^|[\s;&(])make ([a-z][a-z-]*)")
# A place to put a name of one's own.
OPEN = re.compile(r"pipelines\.NAME")


class Parsed(BaseException):
    """A command took its arguments; no command may catch it."""


def problem(command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is wrong with a command as it is written; empty where nothing is."""
    if importlib.util.find_spec(command.module) is None:
        return f"{command}: there is no such module"
    module = importlib.import_module(command.module)
    parse = argparse.ArgumentParser.parse_known_args

    def parse_and_stop(parser: argparse.ArgumentParser, *values: Any, **named: Any) -> None:
        raise Parsed(*parse(parser, *values, **named))

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_known_args", parse_and_stop)
        patch.setattr(sys, "argv", [command.module, *command.arguments])
        try:
            module.main()
        except Parsed as parsed:
            known, unknown = parsed.args
        except SystemExit:
            return f"{command}: its arguments are refused"
        else:
            return f"{command}: it ended without reading its arguments"
    if unknown and "Apache Beam" not in help_of(command.module, monkeypatch):
        return f"{command}: {unknown} are no flags of it"
    try:
        beam_options(unknown, getattr(known, "engine", None))
    except DraeError as error:
        return f"{command}: {error}"
    return ""


def help_of(module: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The help text of a command."""
    shown: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "print_help", lambda parser: shown.append(parser.format_help()))
        with pytest.raises(SystemExit):
            importlib.import_module(module).main(["--help"])
    return "".join(shown)


def named_only(command: Command) -> bool:
    """Whether a text speaks of a command and does not show how it is called."""
    return not command.arguments or bool(OPEN.match(command.module))


@pytest.mark.parametrize("place", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_of_a_page_can_be_called_as_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = dict.fromkeys(commands(place.read_text(encoding="utf-8")))
    spoken_of = {command.module for command in found if named_only(command) and not OPEN.match(command.module)}
    assert [name for name in sorted(spoken_of) if importlib.util.find_spec(name) is None] == []
    assert [wrong for command in found if not named_only(command) and (wrong := problem(command, monkeypatch))] == []


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_examples_of_a_help_text_can_be_called_as_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"pipelines.{path.stem}"
    text = help_of(name, monkeypatch)
    examples = text.partition("\nexample")[2]
    found = [command for line in joined(examples).splitlines() for command in commands_of_line(line)]
    assert name in [command.module for command in found] or "make " in examples, "a help text shows how it is called"
    assert [wrong for command in found if (wrong := problem(command, monkeypatch))] == []


@pytest.mark.parametrize("place", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_targets_of_make_that_a_page_names_are_there(place: Path) -> None:
    page = place.read_text(encoding="utf-8")
    named = {target for text in code_texts(page) for target in MAKE.findall(text)}
    assert sorted(named - TARGETS) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("python -m pipelines.preview --set kit --out P.png", ""),
        ("python -m pipelines.preview --set kit --picture P.png", "--picture"),
        ("python -m pipelines.train --set kit", "are no flags"),
        ("python -m pipelines.preview --out P.png", "refused"),
        ("python -m pipelines.forecast --set kit", "no such module"),
        ("python -m pipelines.explain K0021/r3    the verdict on strip K0021", ""),
        ("python -m pipelines.calibrate kit", "are no flags"),
        ("python -m pipelines.build --set kit --engine local-processes --direct_num_workers=2   # all of it", ""),
    ],
)
def test_a_command_that_cannot_be_called_is_found(
    line: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = commands_of_line(line)
    found = problem(command, monkeypatch)
    assert (wrong in found) if wrong else found == ""
