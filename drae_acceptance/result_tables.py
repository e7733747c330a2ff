"""Tables of the report as plain values, whatever draws them: a cell has a text, its counts and the paper's value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One figure.

    Attributes:
        text: as people read it, `0.9659` or `not measured`.
        detail: counts and interval behind it, `425 of 440; 0.944 to 0.981`; empty where there are none.
        paper: what the paper reports in its place; empty where it reports nothing.
    """

    text: str
    detail: str = ""
    paper: str = ""


@dataclass(frozen=True)
class ResultRow:
    """A named row of cells, one for each column."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ResultTable:
    """A table of the report.

    Attributes:
        key: short name for files and anchors, such as `table1`.
        title: what it shows.
        columns: names of the cells' columns.
        rows: in the order in which they are read.
        notes: what a reader must know, a sentence each.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[ResultRow, ...]
    notes: tuple[str, ...] = ()
