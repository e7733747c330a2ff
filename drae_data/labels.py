"""Labels: codes of a table or of the path to good, defective, excluded or unknown; what is odd about them is a finding.

Unknown is never good: whatever a label does not say for certain ends as unknown, and is built only where a set asks for
unknown by name.
"""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from drae_data.acquisition import AcquisitionKey
from drae_data.errors import LabelError, OptionError
from drae_data.manifest import FindingRow, LabelRow

GOOD, DEFECTIVE, EXCLUDED, UNKNOWN = "good", "defective", "excluded", "unknown"
LABELS = (GOOD, DEFECTIVE, EXCLUDED)
# The columns that say what a label holds for; the column `label` says which.
PLACE_COLUMNS = ("strip", "run", "batch", "recipe", "station", "vial", "region")
# What a table may say of a defect beside its place: its type, and its size in pixels of the frame. They are read only
# where labels.columns names them: a column `size` of somebody's own may hold anything.
DEFECT_COLUMNS = ("defect", "size")
_COLUMNS = (*PLACE_COLUMNS, "label", *DEFECT_COLUMNS)
PATH_FIELDS = ("label", "strip", "batch", "recipe", "station")


@dataclass(frozen=True)
class LabelOptions:
    """Where labels come from and which of them are built.

    Attributes:
        table: a CSV file in the set's folder of tables; empty where the path says it.
        columns: names in the table of the columns strip, run, batch, recipe, station, vial, region, label; those that a
            table has under their own names need not stand here. And of defect and size, which are read only where they
            stand here.
        vial_columns: where the table has a column of codes per vial: their names, in order of vials.
        field: the path template's field whose text is the code: label, strip, batch, recipe, station; empty where the
            table says it.
        codes: code to label (good, defective, excluded).
        select: labels whose acquisitions are built: any of those and unknown; empty for all.
    """

    table: str
    columns: Mapping[str, str]
    vial_columns: tuple[str, ...]
    field: str
    codes: Mapping[str, str]
    select: tuple[str, ...]

    def __post_init__(self) -> None:
        if bool(self.table) == bool(self.field):
            raise OptionError("labels", {"table": self.table, "field": self.field}, "either a table or a field")
        if self.field and (self.columns or self.vial_columns):
            raise OptionError("labels.field", self.field, "no columns beside it: the path says the label")
        if len(set(self.vial_columns)) < len(self.vial_columns):
            raise OptionError("labels.vial_columns", list(self.vial_columns), "a column for each vial, each once")
        if self.vial_columns and (spare := sorted({"vial", "region", "label"} & set(self.columns))):
            raise OptionError("labels.columns", spare, "none of vial, region, label beside labels.vial_columns")
        if self.field and self.field not in PATH_FIELDS:
            raise OptionError("labels.field", self.field, f"one of {', '.join(PATH_FIELDS)}")
        if unknown := sorted(set(self.columns) - set(_COLUMNS)):
            raise OptionError("labels.columns", unknown, f"names among {', '.join(_COLUMNS)}")
        if not self.codes or any(label not in LABELS for label in self.codes.values()):
            raise OptionError("labels.codes", dict(self.codes), f"codes, each with one of {', '.join(LABELS)}")
        if any(label not in (*LABELS, UNKNOWN) for label in self.select):
            raise OptionError("labels.select", list(self.select), f"any of {', '.join((*LABELS, UNKNOWN))}")


@dataclass(frozen=True)
class Labelling:
    """What the labels say.

    Attributes:
        of: label of each acquisition: good, defective, excluded or unknown.
        rows: every label with what it holds for, sorted.
        findings: sorted.
    """

    of: Mapping[AcquisitionKey, str]
    rows: tuple[LabelRow, ...]
    findings: tuple[FindingRow, ...]


def read_label_table(content: bytes, options: LabelOptions, place: str) -> tuple[LabelRow, ...]:
    """Reads a table of labels.

    Args:
        content: CSV, UTF-8 with or without byte order mark; the first line names the columns.
        options: names of columns, and codes.
        place: of the table, for messages.

    Raises:
        LabelError: not such a table; names the line and column.
    """
    try:
        # Names of folders are composed (NFC) too.
        text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        header = reader.fieldnames or []
        lines = [(reader.line_num, line) for line in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{place}: expected a CSV table in UTF-8: {error}") from error
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise LabelError(f"{place}: expected each column once, got {twice} more than once")
    columns = {name: options.columns.get(name, "" if name in DEFECT_COLUMNS else name) for name in _COLUMNS}
    needed = [columns["strip"], *(options.vial_columns or [columns["label"]]), *options.columns.values()]
    if absent := sorted(set(needed) - set(header)):
        raise LabelError(f"{place}: expected columns {absent}, got {list(header)} (labels.columns names them)")
    return tuple(row for number, line in lines for row in _label_rows(line, columns, options, f"{place} line {number}"))


def _label_rows(
    line: Mapping[str | None, str | list[str] | None], columns: Mapping[str, str], options: LabelOptions, place: str
) -> Iterator[LabelRow]:
    def text(column: str) -> str:
        value = line.get(column) if column else None
        return value.strip() if isinstance(value, str) else ""

    def number(name: str) -> int:
        value = text(columns[name])
        if not value:
            return -1
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise LabelError(f"{place}: column {columns[name]!r}: expected a whole number or nothing, got {value!r}")
        return int(value)

    if None in line:
        raise LabelError(f"{place}: expected {len(line) - 1} values as the first line has, got more")

    def pixels(name: str) -> float:
        value = text(columns[name])
        if not value:
            return 0.0
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
            raise LabelError(
                f"{place}: column {columns[name]!r}: expected pixels such as 12.5, or nothing, got {value!r}"
            )
        return float(value)

    strip, run = text(columns["strip"]), number("run")
    if not strip:
        raise LabelError(f"{place}: column {columns['strip']!r}: expected the strip, got nothing")
    batch, recipe, station = (text(columns[name]) for name in ("batch", "recipe", "station"))
    defect, size = text(columns["defect"]), pixels("size")
    if options.vial_columns:
        places = [(vial, "", text(column)) for vial, column in enumerate(options.vial_columns)]
    else:
        places = [(number("vial"), text(columns["region"]), text(columns["label"]))]
    for vial, region, code in places:
        if code:
            label = options.codes.get(code, UNKNOWN)
            yield LabelRow(strip, run, batch, recipe, station, vial, region, label, code, defect, size)


def label_by_table(
    keys: Iterable[AcquisitionKey], rows: Iterable[LabelRow], vials: int, others: Iterable[AcquisitionKey] = ()
) -> Labelling:
    """The label of each acquisition from the rows that hold for it.

    A row holds for an acquisition where strip and every part that the row gives (run, batch, recipe, station) agree.
    An acquisition is excluded where any part of it is, else defective where any part is, else good where the whole is
    called good or every vial is; otherwise unknown.

    Args:
        keys: of the acquisitions to label.
        rows: of the table.
        vials: of a strip.
        others: of acquisitions that were listed but are refused or left out: no labels without acquisition.
    """
    distinct = sorted(set(rows))
    by_strip: defaultdict[str, list[LabelRow]] = defaultdict(list)
    for row in distinct:
        by_strip[row.strip].append(row)
    labels: dict[AcquisitionKey, str] = {}
    findings = {
        FindingRow("unknown_code", _place(row), f"code {row.code!r}") for row in distinct if row.label == UNKNOWN
    }
    used: defaultdict[LabelRow, set[tuple[str, str]]] = defaultdict(set)
    holding: dict[AcquisitionKey, list[LabelRow]] = {}
    for key in sorted(keys):
        holding[key] = [row for row in by_strip[key.strip] if holds(row, key)]
        for row in holding[key]:
            used[row].add((row.batch or key.batch, row.recipe or key.recipe))
    ambiguous = {row for row, places in used.items() if len(places) > 1}
    for row in ambiguous:
        detail = f"it fits the batches and recipes {sorted(used[row])}; the table needs a column that tells them apart"
        findings.add(FindingRow("ambiguous_label", _place(row), detail))
    spare = {row for key in others for row in by_strip[key.strip] if holds(row, key)}
    for row in set(distinct) - set(used) - spare:
        findings.add(FindingRow("label_without_acquisition", _place(row), f"label {row.label}, code {row.code!r}"))
    for key, found in holding.items():
        labels[key], finding = _combined(key, [row for row in found if row not in ambiguous], vials)
        if finding:
            findings.add(finding)
    return Labelling(labels, tuple(distinct), tuple(sorted(findings)))


def holds(row: LabelRow, key: AcquisitionKey) -> bool:
    """Whether a label is meant for an acquisition of its strip: every part of the key that it gives agrees."""
    return row.run in (-1, key.run) and all(
        getattr(row, name) in ("", getattr(key, name)) for name in ("batch", "recipe", "station")
    )


def _combined(key: AcquisitionKey, rows: Sequence[LabelRow], vials: int) -> tuple[str, FindingRow | None]:
    """The label of an acquisition and what is odd about it."""
    if not rows:
        return UNKNOWN, FindingRow("unlabelled", str(key), "no label holds for it")
    labels = {row.label for row in rows}
    places: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for row in rows:
        places[row.vial, row.region].add(row.label)
    whole = places.pop((-1, ""), set())
    clashes = [f"{_where(place)}: {', '.join(sorted(found))}" for place, found in places.items() if len(found) > 1]
    if len(whole) > 1 or (whole == {GOOD} and labels - {GOOD}):
        clashes.append(f"strip: {', '.join(sorted(whole))}; its parts: {', '.join(sorted(labels))}")
    if clashes:
        return UNKNOWN, FindingRow("conflicting_labels", str(key), "; ".join(sorted(clashes)))
    for label in (UNKNOWN, EXCLUDED, DEFECTIVE):
        if label in labels:
            return label, None
    missing = sorted(set(range(vials)) - {vial for vial, region in places if not region})
    if whole or not missing:
        return GOOD, None
    return UNKNOWN, FindingRow("partial_labels", str(key), f"no label for vials {missing}")


def label_by_path(codes: Mapping[AcquisitionKey, str], options: LabelOptions) -> Labelling:
    """The label of each acquisition from the code in its path.

    Args:
        codes: of each acquisition.
        options: the map of codes.
    """
    labels = {key: options.codes.get(code, UNKNOWN) for key, code in codes.items()}
    rows = (
        LabelRow(key.strip, key.run, key.batch, key.recipe, key.station, -1, "", labels[key], code, "", 0.0)
        for key, code in codes.items()
    )
    findings = (
        FindingRow("unknown_code", str(key), f"code {code!r}") for key, code in codes.items() if labels[key] == UNKNOWN
    )
    return Labelling(labels, tuple(sorted(rows)), tuple(sorted(findings)))


def _place(row: LabelRow) -> str:
    key = AcquisitionKey(row.strip, max(row.run, 0), row.batch, row.recipe, row.station)
    name = key.strip_id if row.run < 0 else str(key)
    return name if (row.vial, row.region) == (-1, "") else f"{name} {_where((row.vial, row.region))}"


def _where(place: tuple[int, str]) -> str:
    vial, region = place
    return " ".join(part for part in (f"vial {vial}" if vial >= 0 else "", region) if part) or "strip"
