"""The labels table of a set: which strip is good, which is defective, where, why and how large."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from drae_data.synthetic.strips import StripSpec

COLUMNS = ("strip", "vial", "region", "defect", "size", "label")


def label_rows(strips: Iterable[StripSpec]) -> list[tuple[str, ...]]:
    """Make the rows of the table, sorted.

    Args:
        strips: of one set.

    Returns:
        Rows of COLUMNS: one for each defect of a defective strip, one with empty vial, region, defect
        and size for a good strip. Sizes are pixels at 1400 x 1100.
    """
    rows: list[tuple[str, ...]] = []
    for spec in strips:
        if not spec.defects:
            rows.append((spec.name, "", "", "", "", "good"))
        rows.extend(
            (spec.name, str(one.vial), one.region, one.kind, f"{one.size:.1f}", "defective") for one in spec.defects
        )
    return sorted(rows)


def write_labels(path: Path, strips: Iterable[StripSpec]) -> None:
    """Write the table as CSV, UTF-8, one line feed per row; the file is whole or absent.

    Args:
        path: of the table, beside the folder of its set.
        strips: of the set.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(label_rows(strips))
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}.incomplete")
    staged.write_bytes(text.getvalue().encode())
    staged.replace(path)
