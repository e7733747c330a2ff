"""The documents hold together: every place that a page links to is there, and nothing was left to be filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.test_committed_text import committed_files

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path for path in committed_files() if path.suffix == ".md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|TRIAL|[A-Z]+_LINE)\b")


def anchors(page: str) -> set[str]:
    """The names that a page's headings can be linked by."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page)}


def broken_links(place: Path, page: str) -> list[str]:
    """Links of a page that lead nowhere; those to other hosts are not followed."""
    broken = []
    for link in LINK.findall(page):
        path, _, anchor = link.partition("#")
        target = (place.parent / path).resolve() if path else place
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("place", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(place: Path) -> None:
    assert broken_links(place, place.read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = "# One two\n[a](absent.md) [b](README.md#no-such) [c](#one-two) [d](https://example.com/x)"
    assert broken_links(ROOT / "README.md", page.replace("#one-two", "README.md")) == ["absent.md", "README.md#no-such"]


@pytest.mark.parametrize("place", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_left_to_be_filled_in(place: Path) -> None:
    assert UNFINISHED.findall(place.read_text(encoding="utf-8")) == []
