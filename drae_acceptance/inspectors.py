"""The human inspectors' results: a CSV table, one line for each inspection of a strip, or one for each strip."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from drae_acceptance.errors import InspectorsError
from drae_acceptance.names import first_names
from drae_acceptance.verdict import ACCEPT, REJECT

# One line per inspection: who looked at which strip for the how-manieth time, and what they said.
SINGLE_COLUMNS = ("strip", "inspector", "inspection", "verdict")
# One line per strip: how often all inspectors together looked at it and rejected it.
SUMMED_COLUMNS = ("strip", "inspections", "rejects")

_Line = Mapping[str | None, str | list[str] | None]


@dataclass(frozen=True)
class Inspected:
    """What human inspectors found.

    Attributes:
        counts: for each strip of the kit, sorted: (rejects, inspections), whole numbers, inspections 1 or more.
        inspectors: their names, sorted; empty where the table has sums only.
        spare: strips of the table that take no part since their label is neither good nor defective, sorted.
    """

    counts: Mapping[str, tuple[int, int]]
    inspectors: tuple[str, ...]
    spare: tuple[str, ...]


@dataclass(frozen=True)
class _Result:
    """One line's share of a strip's counts."""

    line: int
    strip: str
    rejects: int
    inspections: int
    inspector: str
    inspection: int


def read_inspectors(content: bytes, place: str, kit: Collection[str], spare: Collection[str]) -> Inspected:
    """Reads the table of the human inspectors' results.

    The header decides between two forms: `strip, inspector, inspection, verdict` with one line for each time that an
    inspector looked at a strip, verdict `accept` or `reject`; or `strip, inspections, rejects` with one line for each
    strip. Other columns are passed over. Columns stand in any order, separated by commas.

    Args:
        content: CSV, UTF-8 with or without byte order mark; the first line names the columns.
        place: of the table, for messages.
        kit: names of the strips that the kit judges, as in the table of scores; each must have a result.
        spare: names of strips that the kit knows and does not judge: excluded, or of unknown label.

    Raises:
        InspectorsError: not such a table; counts that cannot be; a strip, or an inspection, twice; a strip that the kit
            does not know; a strip of the kit without result.
    """
    header, lines = _lines(content, place)
    results = list(_results(header, lines, place))
    _refuse_doubles(results, place)
    _refuse_strangers(results, place, kit, spare)
    rejects: Counter[str] = Counter()
    inspections: Counter[str] = Counter()
    for result in results:
        rejects[result.strip] += result.rejects
        inspections[result.strip] += result.inspections
    if missing := sorted(set(kit) - set(inspections)):
        raise InspectorsError(
            f"{place}: column 'strip': expected a result for each of the {len(set(kit)):,} good and defective strips "
            f"of the kit, got none for {first_names(missing)}; add theirs, or label these strips excluded"
        )
    return Inspected(
        counts={strip: (rejects[strip], inspections[strip]) for strip in sorted(set(kit))},
        inspectors=tuple(sorted({result.inspector for result in results if result.inspector})),
        spare=tuple(sorted(set(inspections) - set(kit))),
    )


def _lines(content: bytes, place: str) -> tuple[list[str], list[tuple[int, _Line]]]:
    """The names of the columns, and every further line with its number."""
    try:
        # The kit's names are composed (NFC) too.
        text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        header = list(reader.fieldnames or [])
        lines: list[tuple[int, _Line]] = [(reader.line_num, line) for line in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InspectorsError(
            f"{place}: expected a CSV table in UTF-8, got: {error}; save it as CSV UTF-8, separated by commas"
        ) from error
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise InspectorsError(
            f"{place} line 1: expected each column once, got {twice} more than once; rename the others"
        )
    return header, lines


def _results(header: list[str], lines: list[tuple[int, _Line]], place: str) -> Iterator[_Result]:
    forms = [form for form in (SINGLE_COLUMNS, SUMMED_COLUMNS) if set(form) <= set(header)]
    if len(forms) != 1:
        raise InspectorsError(
            f"{place} line 1: expected the columns of one form, {', '.join(SINGLE_COLUMNS)} or "
            f"{', '.join(SUMMED_COLUMNS)}, separated by commas, got {header}; name the columns so, and keep one form"
        )
    for number, line in lines:
        where = f"{place} line {number}"
        if None in line:
            raise InspectorsError(f"{where}: expected {len(header)} values as line 1 has names, got more")
        strip = _text(line, "strip", where)
        if forms[0] is SINGLE_COLUMNS:
            inspector, inspection = _text(line, "inspector", where), _whole(line, "inspection", where)
            verdict = _text(line, "verdict", where)
            if verdict not in (ACCEPT, REJECT):
                raise InspectorsError(f"{where}: column 'verdict': expected {ACCEPT} or {REJECT}, got {verdict!r}")
            yield _Result(number, strip, int(verdict == REJECT), 1, inspector, inspection)
            continue
        inspections, rejects = _whole(line, "inspections", where), _whole(line, "rejects", where)
        if not inspections:
            raise InspectorsError(f"{where}: column 'inspections': expected 1 or more, got 0; drop the line")
        if rejects > inspections:
            raise InspectorsError(
                f"{where}: column 'rejects': expected at most the {inspections} inspections of the strip, got {rejects}"
            )
        yield _Result(number, strip, rejects, inspections, "", 0)


def _refuse_doubles(results: list[_Result], place: str) -> None:
    first: dict[tuple[str, str, int], int] = {}
    for result in results:
        key = (result.strip, result.inspector, result.inspection)
        if key in first:
            what = f"strip {result.strip!r}"
            if result.inspector:
                what = f"inspection {result.inspection} of {what} by {result.inspector!r}"
            raise InspectorsError(
                f"{place} line {result.line}: column {'inspection' if result.inspector else 'strip'!r}: expected "
                f"{what} once, got it in line {first[key]} too; number repeated inspections on, or sum them up"
            )
        first[key] = result.line


def _refuse_strangers(results: list[_Result], place: str, kit: Collection[str], spare: Collection[str]) -> None:
    known = {*kit, *spare}
    strangers: dict[str, int] = {}
    for result in results:
        if result.strip not in known:
            strangers.setdefault(result.strip, result.line)
    if strangers:
        strip, line = next(iter(strangers.items()))
        raise InspectorsError(
            f"{place} line {line}: column 'strip': expected a strip of the kit, such as {min(known, default='')!r}, "
            f"got {strip!r}; strips that the kit does not know: {first_names(strangers)}"
        )


def _text(line: _Line, column: str, where: str) -> str:
    value = line.get(column)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise InspectorsError(f"{where}: column {column!r}: expected a value, got nothing")
    return text


def _whole(line: _Line, column: str, where: str) -> int:
    text = _text(line, column, where)
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InspectorsError(f"{where}: column {column!r}: expected a whole number, 0 or more, got {text!r}")
    return int(text)
