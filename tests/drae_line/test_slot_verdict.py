"""A verdict as a value and as a line of the log: what cannot be said, what comes back, what is refused."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_acceptance.verdict import Deciding
from drae_line.errors import LogError
from drae_line.slot_verdict import LoggedVerdict, SlotVerdict
from tests.drae_line.small_verdicts import accepted, not_inspected, rejected

GIVEN = "2024-07-01T08:30:00.125+00:00"
# Every character that JSON, a terminal or a line-wise reader may stumble over, among all others.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\r\t\0\x1f\x7f\x85\u2028é漢🧪'), max_size=12
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "pass"}, "expected the verdict accept or reject, got 'pass'"),
        ({"inspected": False, "reason": "failed"}, "expected reject for what was not inspected, got accept"),
        ({"verdict": "reject", "inspected": False}, "expected a reason where it was not inspected, and only there"),
        ({"reason": "failed"}, "expected a reason where it was not inspected, and only there"),
    ],
)
def test_what_no_verdict_can_say_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(LogError, match=f"A/r0: {words}"):
        accepted(**change)


def test_the_rejected_patches_are_those_over_the_threshold_of_their_region() -> None:
    above = math.nextafter(0.25, 1)
    scores = {
        "f00": {"R0": (0.5, math.nextafter(0.5, 1)), "R1": (above, None)},
        "max": {"R0": (None, 0.3), "R1": (0.25, 0.9)},
    }
    assert rejected(scores=scores).rejected == (("f00", 1, "R0"), ("f00", 0, "R1"), ("max", 1, "R1"))
    assert not_inspected().rejected == accepted().rejected == ()


def test_a_line_is_one_line_of_json_with_all_that_the_verdict_says() -> None:
    line = LoggedVerdict(7, GIVEN, rejected()).line()
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    values = json.loads(line)
    assert (values["format_version"], values["sequence"], values["given"]) == (1, 7, GIVEN)
    assert values["scores"] == {"f00": {"R0": [0.25, 0.125], "R1": [0.5, 0.25]}}
    assert values["deciding"] == {
        "patch": "A/r0/f00/v0/R1",
        "region": "R1",
        "score": 0.5,
        "threshold": 0.25,
        "ratio": 2,
    }
    assert values["milliseconds"]["slot"] == 9.5


def test_an_infinite_ratio_is_written_as_json_knows_it() -> None:
    logged = LoggedVerdict(1, GIVEN, rejected(deciding=Deciding("A/r0/f00/v0/R1", "R1", 0.5, 0.0, math.inf)))
    assert b'"ratio":null' in logged.line()
    assert b"Infinity" not in logged.line()
    assert LoggedVerdict.parse(logged.line()) == logged


def test_numbers_that_json_does_not_know_are_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        LoggedVerdict(1, GIVEN, rejected(scores={"f00": {"R0": (math.nan,)}})).line()


@st.composite
def verdicts(draw: st.DrawFn) -> SlotVerdict:
    regions = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    rows = st.lists(st.none() | NUMBERS, max_size=3).map(tuple)
    scores = draw(st.dictionaries(TEXT, st.fixed_dictionaries(dict.fromkeys(regions, rows)), max_size=3))
    ratio = draw(NUMBERS | st.just(math.inf))
    deciding = Deciding(draw(TEXT), regions[0], draw(NUMBERS), draw(NUMBERS), ratio)
    changes: dict[str, Any] = {
        "folder": draw(TEXT), "detail": draw(TEXT), "thresholds": {region: draw(NUMBERS) for region in regions},
        "frames_sha256": draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        "milliseconds": draw(st.dictionaries(TEXT, NUMBERS, max_size=3)),
    }  # fmt: skip
    if draw(st.booleans()):
        return not_inspected(draw(TEXT), draw(TEXT.filter(bool)), **changes)
    return rejected(draw(TEXT), scores=scores, deciding=draw(st.none() | st.just(deciding)), **changes)


@given(verdicts(), st.integers(1, 10**9), TEXT)
def test_what_is_written_comes_back(slot: SlotVerdict, sequence: int, given_at: str) -> None:
    logged = LoggedVerdict(sequence, given_at, slot)
    line = logged.line()
    assert line.count(b"\n") == 1
    assert LoggedVerdict.parse(line) == logged
    assert LoggedVerdict.parse(line).line() == line


# Python reads a name that is no UTF-8 with lone surrogates (PEP 383), and `missing_frame` quotes it.
def test_a_detail_that_quotes_a_name_of_another_encoding_can_be_written() -> None:
    logged = LoggedVerdict(
        1, GIVEN, not_inspected(detail=b"in the folder: Pr\xfcfung.bmp".decode(errors="surrogateescape"))
    )
    assert LoggedVerdict.parse(logged.line()) == logged


def values(**changes: Any) -> dict[str, Any]:
    """The entries of a line, some of them changed."""
    found: dict[str, Any] = json.loads(LoggedVerdict(1, GIVEN, rejected()).line())
    return {**found, **changes}


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"{", b"\xff\xfe\n", b"null\n", b"3\n", b"[]\n", b'"text"\n', b"{}\n", b"\0" * 40 + b"\n",
        LoggedVerdict(1, GIVEN, rejected()).line()[:-2] + b"\n", LoggedVerdict(1, GIVEN, rejected()).line() * 2,
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(LogError):
        LoggedVerdict.parse(line)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_of_the_format_is_refused(version: object) -> None:
    with pytest.raises(LogError, match="expected format_version 1"):
        LoggedVerdict.parse(json.dumps(values(format_version=version)).encode())


@pytest.mark.parametrize("entry", sorted({*asdict(rejected()), "format_version", "sequence", "given"}))
def test_a_line_without_one_of_its_entries_is_refused(entry: str) -> None:
    found = values()
    del found[entry]
    with pytest.raises(LogError, match=entry):
        LoggedVerdict.parse(json.dumps(found).encode())


def test_a_line_with_one_entry_more_is_refused() -> None:
    with pytest.raises(LogError, match="operator"):
        LoggedVerdict.parse(json.dumps(values(operator="me")).encode())
    with pytest.raises(LogError, match="weight"):
        LoggedVerdict.parse(json.dumps(values(deciding={**values()["deciding"], "weight": 1})).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": "1"}, {"sequence": 1.0}, {"sequence": True}, {"sequence": None}, {"verdict": ["accept"]},
        {"verdict": None}, {"inspected": False}, {"reason": "failed"}, {"scores": None}, {"scores": [1]},
        {"scores": {"f00": None}}, {"scores": {"f00": {"R0": None}}}, {"deciding": 3}, {"deciding": {}},
        {"deciding": ["patch"]},
        {"given": 5}, {"acquisition": 5}, {"acquisition": None}, {"folder": None}, {"inspected": "yes"},
        {"thresholds": None}, {"thresholds": [0.5]}, {"thresholds": {"R0": "0.5", "R1": 0.25}},
        {"scores": {"f00": {"R0": "ab"}}}, {"scores": {"f00": {"R0": ["0.5"]}}}, {"frames_sha256": None},
        {"milliseconds": None}, {"milliseconds": {"slot": "9"}}, {"slot_ms": "500"},
        {"deciding": {"patch": 1, "region": "R1", "score": "high", "threshold": None, "ratio": []}},
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LogError):
        LoggedVerdict.parse(json.dumps(values(**changes)).encode())


@pytest.mark.parametrize("make", [accepted, rejected, not_inspected])
def test_each_kind_of_verdict_comes_back(make: Callable[[], SlotVerdict]) -> None:
    logged = LoggedVerdict(3, GIVEN, make())
    assert LoggedVerdict.parse(logged.line()) == logged


def test_where_there_is_no_patch_none_comes_back() -> None:
    slot = accepted(scores={"f00": {"R0": (None, 0.125), "R1": (0.125, None)}})
    back = LoggedVerdict.parse(LoggedVerdict(1, GIVEN, slot).line()).slot
    assert back.scores["f00"] == {"R0": (None, 0.125), "R1": (0.125, None)}
