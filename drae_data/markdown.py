"""Markdown of the cards: text from outside that stays text, tables, and sections."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from drae_data.manifest import printable

# What Markdown or HTML inside it would take as more than itself; an underscore only at the edge of a word.
_SPECIAL = re.compile(r"[\\`*{}\[\]<>#|!~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# At the beginning of a line these begin a list, a rule or a numbered list.
_BEGINNING = re.compile(r"^(\s*)([-+=])|^(\s*\d+)([.)])(?=\s|$)")


def plain(text: object) -> str:
    """Text that shows as it is, on one line: a name cannot become a heading, a link, a cell's end or HTML."""
    escaped = _SPECIAL.sub(lambda match: f"\\{match[0]}", printable(str(text)))
    return _BEGINNING.sub(lambda match: f"{match[1] or match[3] or ''}\\{match[2] or match[4]}", escaped)


def code(text: object) -> str:
    """Text in letters of one width, between as many backticks as it takes; also in a cell of a table."""
    words = printable(str(text)) or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", words)), default=0) + 1)
    pad = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{pad}{words}{pad}{fence}".replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """The lines of a table, with an empty one before and after.

    Args:
        header: its columns.
        rows: cells, which must be Markdown already.
        numbers: how many of the last columns hold numbers, which stand at the right.
    """
    rule = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    yield ""
    for cells in (header, rule, *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def document(title: str, sections: Mapping[str, Iterable[str]]) -> str:
    """A whole document: its title, what comes before the first section (under the empty name), and the sections."""
    lines = [f"# {title}"]
    for name, body in sections.items():
        lines += ["", *([f"## {name}", ""] if name else []), *body]
    # Tables bring empty lines of their own.
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"
