"""A comparison of two versions, for people and for programs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from drae_data.comparison import Change, Comparison, FileChange
from drae_data.version_content import VersionContent

_MOST = 12
_LONGEST = 48
_MOST_PLACES = 24
# How the compared statistics are written.
_FORMS = {"mean": ".1f", "std": ".1f", "sharpness": ".1f", "saturated": ".2%", "black": ".2%", "motion": ".2f"}
_INDENT = "    "


def comparison_text(found: Comparison) -> str:
    """The comparison, the most important first; long lists are cut, `comparison_values` has all."""
    return "\n".join([
        *_heading(found),
        *_section("parameters that decide bytes", _changes([one for one in found.parameters if one.decisive])),
        *_section("other parameters", _changes([one for one in found.parameters if not one.decisive])),
        *_section("strips", _strips(found)),
        *_section("acquisitions of strips that are in both", _acquisitions(found)),
        *_section("table of labels, by place", _changes(found.label_rows)),
        *_section("in quarantine or left out", _changes(found.refused, "built or absent")),
        *_section("patches", _records(found)),
        *_section("shards", [
            f"{found.shards_kept:,} the same byte by byte, {found.shards_new:,} new, {found.shards_gone:,} gone"
        ]),
        *_section("statistics, means over patches: before, and by how much they moved", _moves(found)),
        *_section("files that the digest covers", _files(found.files)),
    ])  # fmt: skip


def comparison_values(found: Comparison) -> dict[str, Any]:
    """Everything that differs, as plain JSON values."""
    return {
        "same": found.same,
        **{
            side: {"name": one.name, "version": one.version, "digest": one.digest, "patches": one.records()}
            for side, one in (("before", found.before), ("after", found.after))
        },
        **{
            name: [asdict(one) for one in getattr(found, name)]
            for name in ("parameters", "sides", "labels", "label_rows", "refused", "files")
        },
        **{
            name: list(getattr(found, name))
            for name in ("strips_added", "strips_removed", "acquisitions_added", "acquisitions_removed", "rebuilt")
        },
        "shards": {"kept": found.shards_kept, "new": found.shards_new, "gone": found.shards_gone},
        "statistics": [asdict(move) for move in found.moves],
    }  # fmt: skip


def _heading(found: Comparison) -> Iterator[str]:
    yield f"{_title(found.before)} and {_title(found.after)}: " + ("the same content" if found.same else "they differ")
    digests = found.before.digest, found.after.digest
    if digests[0] == digests[1]:
        yield f"  digest  {digests[0]}, of both"
    else:
        yield from (f"  digest  {digest}" for digest in digests)


def _title(one: VersionContent) -> str:
    return f"{one.name} {one.version}"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"  {title}"
        yield from (f"{_INDENT}{line}" for line in lines)


def _changes(changes: Sequence[Change], absent: str = "absent") -> list[str]:
    return _cut([
        f"{one.what}: {_short(one.before) or absent} -> {_short(one.after) or absent}" for one in changes
    ])  # fmt: skip


def _strips(found: Comparison) -> list[str]:
    counts = [len({key.strip_id for key in one.acquisitions}) for one in (found.before, found.after)]
    lines = [
        f"{counts[0]:,} -> {counts[1]:,}: {len(found.strips_added):,} added, {len(found.strips_removed):,} removed"
    ]
    lines += _names("added", found.strips_added) + _names("removed", found.strips_removed)
    lines += _cut([f"other side: {one.what}: {one.before} -> {one.after}" for one in found.sides])
    return lines + _cut([f"other label: {one.what}: {one.before} -> {one.after}" for one in found.labels])


def _acquisitions(found: Comparison) -> list[str]:
    return [
        *_names("added", found.acquisitions_added), *_names("removed", found.acquisitions_removed),
        *_names("from other frames", found.rebuilt),
    ]  # fmt: skip


def _records(found: Comparison) -> list[str]:
    before, after = found.before.records(), found.after.records()
    splits = sorted(before.keys() | after.keys())
    rows = [(split, before.get(split, 0), after.get(split, 0)) for split in splits]
    return _columns([(split, f"{was:,}", "->", f"{now:,}", f"({now - was:+,})") for split, was, now in rows])


def _moves(found: Comparison) -> list[str]:
    """A line for each split, region and kind of image in which something moved, the most moved means first."""
    places = {(move.split, move.region, move.image): 0.0 for move in found.moves}
    for move in found.moves:
        if move.deviations is not None:
            places[move.split, move.region, move.image] = move.deviations
    ranked = sorted(places, key=lambda place: (-abs(places[place]), place))
    rows = []
    for place in ranked[:_MOST_PLACES]:
        one, other = found.before.statistics[place], found.after.statistics[place]
        cells = [_moved(getattr(one, name), getattr(other, name), form) for name, form in _FORMS.items()]
        deviations = f"{places[place]:+.2f} sd"
        rows.append((*place, *cells[0], deviations, *(cell for pair in cells[1:] for cell in pair)))
    names = ("mean grey", "", "", "spread", "", "sharpness", "", "at 255", "", "at 0", "", "motion", "")
    header = ("split", "region", "image", *names)
    more = len(ranked) - len(rows)
    note = ["sd: standard deviations of the patches' means in the first version"]
    return [*_columns([header, *rows]), *([f"... and {more:,} more"] if more > 0 else []), *note] if rows else []


def _moved(before: float, after: float, form: str) -> tuple[str, str]:
    """A value and by how much it moved; that is empty where no digit shows it."""
    moved = f"{after - before:+{form}}"
    return f"{before:{form}}", moved if re.search(r"[1-9]", moved) else ""


def _names(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return [f"{what}, {len(names):,}: {', '.join(names[:_MOST])}{more}"]


def _files(files: Sequence[FileChange]) -> list[str]:
    return _cut([
        f"{one.what}: {one.removed:,} rows only before, {one.added:,} only after"
        if one.removed or one.added
        else f"{one.what}: not the same bytes"
        for one in files
    ])  # fmt: skip


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns: where a cell begins like a number all stand at the right."""
    columns = []
    for cells in zip(*rows, strict=True):
        width = max(map(len, cells))
        right = any(re.match(r"[+-]?[0-9]", cell) for cell in cells)
        columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in cells])
    return [" ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _MOST else [*lines[:_MOST], f"... and {len(lines) - _MOST:,} more"]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."
