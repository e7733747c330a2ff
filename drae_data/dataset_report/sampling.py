"""Which patches and acquisitions the report shows of many: by SHA-256 of their names, so the same ones each time.

A later version shows the same strips again where it still has them.
"""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from drae_data.dataset_report.tiles import IndexRow
from drae_data.files import sha256_hex
from drae_data.quality.measured import Ints, Measured


def sampled(measured: Measured, split: str, salt: str, most: int) -> list[tuple[int, int]]:
    """Acquisitions with patches in a split, as many strips as there is room for, and again where there are fewer.

    Args:
        measured: of the version.
        split: its name.
        salt: another one gives another choice.
        most: how many to choose.

    Returns:
        (the acquisition's place in `measured`, how often it came before), at most `most` of them.
    """
    by_strip: dict[int, list[int]] = {}
    for n, row in enumerate(measured.rows):
        if split in row["splits"]:
            by_strip.setdefault(int(measured.strips[n]), []).append(n)
    strips = sorted(by_strip, key=lambda strip: _rank(salt, measured.strip_names[strip]))
    chosen = [sorted(by_strip[strip], key=lambda n: _rank(salt, str(measured.keys[n]))) for strip in strips]
    return [place for place, _ in zip(_rounds(chosen), range(most), strict=False)]


def _rounds(chosen: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """One acquisition of each strip after the other, then their next ones, without end."""
    for turn in count():
        if not chosen:
            return
        for own in chosen:
            yield own[turn % len(own)], turn // len(own)


def sampled_row(rows: Sequence[IndexRow], split: str, region: str, before: int) -> IndexRow | None:
    """One of an acquisition's patches in a split and region; None where there are no more than `before`."""
    own = [row for row in rows if (row["split"], row["region"]) == (split, region)]
    ranked = sorted(own, key=lambda row: _rank("", row["key"]))
    return ranked[before] if before < len(ranked) else None


def usual(measured: Measured, members: Ints, without: int = -1) -> int:
    """Of acquisitions the one whose brightness is the median: its place in `measured`.

    Args:
        measured: of the version.
        members: their places; one at least.
        without: is passed over where there are others.
    """
    others = members[members != without]
    others = others if len(others) else members
    ranked = others[np.argsort(measured.brightness[others], kind="stable")]
    return int(ranked[(len(ranked) - 1) // 2])


def _rank(salt: str, text: str) -> str:
    return sha256_hex(f"{salt}/{text}".encode())
