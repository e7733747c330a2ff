"""Select: which of the listed acquisitions are built, by label and by the list of sides; the others are left out."""

import csv
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import LabelError
from drae_data.labels import UNKNOWN, Labelling, label_by_path, label_by_table, read_label_table
from drae_data.listing import ListedAcquisition, Listing
from drae_data.manifest import FindingRow, QuarantineRow
from drae_data.options import SPLITS, DatasetOptions


@dataclass(frozen=True)
class Selection:
    """What is built, and what is known of it beside its frames.

    Attributes:
        listing: its acquisitions are those that are built; the others stand in its `left_out`.
        labelling: of everything that was listed; without labels every acquisition is unknown and nothing is odd.
        sides: split by strip id, where a list gives it; empty otherwise.
    """

    listing: Listing
    labelling: Labelling
    sides: Mapping[str, str]


def select(listing: Listing, options: DatasetOptions, tables: Mapping[str, bytes]) -> Selection:
    """Labels the listed acquisitions and leaves out those that are not asked for.

    Args:
        listing: what was listed.
        options: of the dataset.
        tables: content of the files that `options` names: the table of labels, the list of sides.

    Raises:
        LabelError: a table cannot be used, or nothing is left to build.
    """
    labelling = _labelling(listing, options, tables)
    kept, left_out = list[ListedAcquisition](), list(listing.left_out)
    sides = read_sides(tables[options.split.file], options.split.file) if options.split.file else {}
    findings = _spare_sides(listing, sides, options.split.file)
    labelling = replace(labelling, findings=tuple(sorted({*labelling.findings, *findings})))
    wanted = options.labels.select if options.labels else ()
    for item in listing.acquisitions:
        label = labelling.of[item.key]
        if wanted and label not in wanted:
            left_out.append(_left_out(item, "label", f"its label is {label}, selected are {', '.join(wanted)}"))
        elif options.split.file and _side_of(item.key, sides) is None:
            left_out.append(_left_out(item, "not_in_list", f"{item.key.strip_id} is not in {options.split.file}"))
        else:
            kept.append(item)
    if not kept:
        reasons = sorted({row.reason for row in left_out})
        raise LabelError(
            f"nothing to build: all {listing.listed} listed acquisitions are left out or refused "
            f"({', '.join(reasons)}); compare labels.codes and labels.select with the labels, "
            "and the list of sides with the strips"
        )
    chosen = {}
    if sides:
        chosen = {item.key.strip_id: side for item in kept if (side := _side_of(item.key, sides)) is not None}
    return Selection(replace(listing, acquisitions=tuple(kept), left_out=tuple(sorted(left_out))), labelling, chosen)


def _labelling(listing: Listing, options: DatasetOptions, tables: Mapping[str, bytes]) -> Labelling:
    keys = [item.key for item in listing.acquisitions]
    if options.labels is None:
        return Labelling(dict.fromkeys(keys, UNKNOWN), (), ())
    if options.labels.table:
        rows = read_label_table(tables[options.labels.table], options.labels, options.labels.table)
        vials, regions = options.layouts.vials, options.layouts.regions
        if strange := [row for row in rows if row.vial >= vials or row.region not in ("", *regions)]:
            raise LabelError(
                f"{options.labels.table}: expected vials 0 to {vials - 1} (they count from 0) and the regions "
                f"{', '.join(regions)}, got vial {strange[0].vial} {strange[0].region} of {strange[0].strip}"
            )
        others = [row.key for row in (*listing.refused, *listing.left_out) if row.run >= 0]
        return label_by_table(keys, rows, options.layouts.vials, others)
    field = options.labels.field
    codes = {item.key: item.label if field == "label" else getattr(item.key, field) for item in listing.acquisitions}
    return label_by_path(codes, options.labels)


def _spare_sides(listing: Listing, sides: Mapping[str, str], place: str) -> list[FindingRow]:
    """Strips of the list of sides that are not listed."""
    keys = {item.key for item in listing.acquisitions}
    keys |= {row.key for row in (*listing.refused, *listing.left_out) if row.run >= 0}
    known = {name for key in keys for name in _names_of(key)}
    return [
        FindingRow("side_without_acquisition", name, f"in {place}, in {side}") for name, side in sides.items()
        if name not in known
    ]  # fmt: skip


def _left_out(item: ListedAcquisition, reason: str, detail: str) -> QuarantineRow:
    return QuarantineRow.of_key(item.key, item.folder, reason, detail, item.files[0] if item.files else "")


def read_sides(content: bytes, place: str) -> dict[str, str]:
    """Reads a list of sides: CSV with the columns strip and split, and where IDs come back batch and recipe.

    Returns:
        Split by strip id, see `AcquisitionKey.strip_id`; a strip without batch and recipe holds for all of them.

    Raises:
        LabelError: not such a list, or a strip on two sides; names the line.
    """
    sides: dict[str, str] = {}
    try:
        text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if not {"strip", "split"} <= set(reader.fieldnames or []):
            got = list(reader.fieldnames or [])
            raise LabelError(f"{place}: expected columns strip and split, separated by commas, got {got}")
        for line in reader:
            strip, split = (line["strip"] or "").strip(), (line["split"] or "").strip()
            if not strip or split not in SPLITS:
                raise LabelError(
                    f"{place} line {reader.line_num}: expected a strip and one of {', '.join(SPLITS)}, "
                    f"got {strip!r} and {split!r}"
                )
            key = AcquisitionKey(strip, 0, (line.get("batch") or "").strip(), (line.get("recipe") or "").strip())
            if sides.setdefault(key.strip_id, split) != split:
                raise LabelError(f"{place} line {reader.line_num}: {key.strip_id} is in {sides[key.strip_id]} already")
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{place}: expected a CSV table in UTF-8: {error}") from error
    return sides


def _side_of(key: AcquisitionKey, sides: Mapping[str, str]) -> str | None:
    """The side of a strip: by its whole id, else by its batch, its recipe or its strip alone."""
    return next((sides[name] for name in _names_of(key) if name in sides), None)


def _names_of(key: AcquisitionKey) -> tuple[str, ...]:
    """The names under which a list of sides may have a strip, the fullest first."""
    parts = ((key.batch, key.recipe), (key.batch, ""), ("", key.recipe), ("", ""))
    return tuple(AcquisitionKey(key.strip, 0, batch, recipe).strip_id for batch, recipe in parts)
