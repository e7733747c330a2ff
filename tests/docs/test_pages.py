"""A reader who begins at the README finds every page, every command and every target of make."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.test_help import ENTRIES
from tests.docs.pages import ROOT, code_texts

README = ROOT / "README.md"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
# What a person calls; the parts of `make check` and of the benches stand in the help that `make` prints.
TARGETS = re.compile(r"^([a-z][a-z-]*):.*##", re.MULTILINE)
PARTS = {"help", "env", "format-check", "lint", "types", "floors", "format", "clean"}


def reached(start: Path) -> set[Path]:
    """The pages, drawings and notebooks that links lead to, one after the other."""
    found, waiting = set[Path](), [start]
    while waiting:
        page = waiting.pop()
        if page in found or not page.is_file():
            continue
        found.add(page)
        if page.suffix == ".md":
            links = LINK.findall(page.read_text(encoding="utf-8"))
            waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    return found


def test_every_page_is_reached_from_the_readme() -> None:
    files = {path for path in (ROOT / "docs").rglob("*") if path.is_file() and "decisions" not in path.parts}
    assert len(files) > 20
    assert [path.relative_to(ROOT).as_posix() for path in sorted(files - reached(README))] == []


def test_a_page_that_nothing_links_to_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[a](a.md) [far](https://example.com/c.md)")
    (tmp_path / "a.md").write_text("back to [the start](README.md#top)")
    (tmp_path / "b.md").write_text("[a](a.md)")
    assert reached(tmp_path / "README.md") == {tmp_path / "README.md", tmp_path / "a.md"}


def test_every_command_stands_in_the_readme() -> None:
    named = set(re.findall(r"pipelines\.(\w+)", README.read_text(encoding="utf-8")))
    assert sorted({path.stem for path in ENTRIES} - named) == []


def test_every_target_of_make_stands_in_the_readme() -> None:
    page = README.read_text(encoding="utf-8")
    named = {name for text in code_texts(page) for name in re.findall(r"make ([a-z][a-z-]*)", text)}
    targets = set(TARGETS.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {"repro", "test"} <= targets
    assert sorted(targets - named - PARTS) == []
