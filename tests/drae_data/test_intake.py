"""Times in UTC, whatever zone the texts are in; where a local time came twice or never there is no guess."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drae_data.errors import OptionError
from drae_data.intake import AlignOptions, IntakeOptions, SidecarOptions, TimeOptions, utc_time

ROME = TimeOptions("name", "%Y%m%dT%H%M%S", "Europe/Rome")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("20240115T120000", "2024-01-15T11:00:00.000000+00:00"),  # winter: one hour before UTC
        ("20240715T120000", "2024-07-15T10:00:00.000000+00:00"),  # summer: two
        (" 20240715T003000 ", "2024-07-14T22:30:00.000000+00:00"),
        ("20240331T013000", "2024-03-31T00:30:00.000000+00:00"),
        ("20240331T023000", ""),  # clocks went from 2 to 3: never
        ("20240331T030000", "2024-03-31T01:00:00.000000+00:00"),
        ("20241027T013000", "2024-10-26T23:30:00.000000+00:00"),
        ("20241027T023000", ""),  # clocks went from 3 back to 2: twice
        ("20241027T030000", "2024-10-27T02:00:00.000000+00:00"),
        ("20240230T120000", ""),
        ("2024-01-15", ""),
        ("", ""),
    ],
)
def test_a_local_time_in_rome(text: str, utc: str) -> None:
    assert utc_time(text, ROME) == utc


def test_a_zone_in_the_text_goes_before_the_declared_one() -> None:
    options = TimeOptions("sidecar", "%Y-%m-%dT%H:%M:%S%z", "Europe/Rome")
    for text in ("2024-10-27T02:30:00+0200", "2024-10-27T00:30:00Z", "2024-10-26T17:30:00-07:00"):
        assert utc_time(text, options) == "2024-10-27T00:30:00.000000+00:00"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024:07:15 12:00:00", "2024-07-15T10:00:00.000000+00:00"),
        ("2024:07:15 12:00:00.25", "2024-07-15T10:00:00.250000+00:00"),
        ("2024:07:15 12:00:00+09:00", "2024-07-15T03:00:00.000000+00:00"),
        ("2024:07:15 12:00:00.5-01:00", "2024-07-15T13:00:00.500000+00:00"),
        ("0000:00:00 00:00:00", ""),
        ("    :  :     :  :  ", ""),
    ],
)
def test_a_tag_has_its_own_form(text: str, utc: str) -> None:
    assert utc_time(text, TimeOptions("tag", "", "Europe/Rome")) == utc


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("0001:01:01 00:00:00", "Asia/Tokyo", ""),  # In UTC it would be in the year 0.
        ("9999:12:31 23:59:59", "America/New_York", ""),
        ("0001:01:01 00:00:00", "UTC", "0001-01-01T00:00:00.000000+00:00"),
        ("9999:12:31 23:59:59+00:00", "Asia/Tokyo", "9999-12-31T23:59:59.000000+00:00"),
    ],
)
def test_a_clock_that_was_never_set_stops_nothing(text: str, zone: str, utc: str) -> None:
    assert utc_time(text, TimeOptions("tag", "", zone)) == utc


@given(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)))
def test_every_time_but_those_of_the_changing_hours_comes_back(time: datetime) -> None:
    """Rome is UTC+1, and UTC+2 from the last Sunday of March to that of October, 01:00 UTC: the rule since 1996."""
    time = time.replace(microsecond=0)
    found = utc_time(time.strftime("%Y%m%dT%H%M%S"), ROME)
    if time.year < 1996:
        return

    def last_sunday(month: int) -> datetime:
        end = datetime(time.year, month, 31)
        return end - timedelta(days=(end.weekday() + 1) % 7)

    gap, twice = last_sunday(3) + timedelta(hours=2), last_sunday(10) + timedelta(hours=2)
    if gap <= time < gap + timedelta(hours=1) or twice <= time < twice + timedelta(hours=1):
        assert found == ""
    else:
        hours = 2 if gap <= time < twice else 1
        assert datetime.fromisoformat(found) == time.replace(tzinfo=UTC) - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("mtime", "%Y", "UTC"), "acquired_at.from"),
        (("name", "", "UTC"), "acquired_at.format"),
        (("name", "YYYY", "UTC"), "acquired_at.format"),
        (("name", "%Y%Y", "UTC"), "acquired_at.format"),
        (("name", "%Q", "UTC"), "acquired_at.format"),
        (("name", "%Y%", "UTC"), "acquired_at.format"),
        (("name", "%Y", "Rome"), "acquired_at.zone"),
        (("name", "%Y", ""), "acquired_at.zone"),
        (("tag", "", "../etc/passwd"), "acquired_at.zone"),
        (("tag", "", "\0"), "acquired_at.zone"),
        (("tag", "", "Europe"), "acquired_at.zone"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(values: tuple[str, str, str], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        TimeOptions(*values)
    assert caught.value.key == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reacquired": "first"}, "reacquired"),
        ({"marker": "a/DONE"}, "complete.marker"),
        ({"marker": ".."}, "complete.marker"),
        ({"settle_seconds": -1}, "complete.settle_seconds"),
        ({"links": "no"}, "links"),
    ],
)
def test_intake_that_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    values: dict[str, Any] = {"reacquired": "refuse", "marker": "", "settle_seconds": 0, "links": "inside"}
    with pytest.raises(OptionError) as caught:
        IntakeOptions(**{**values, **changes})
    assert caught.value.key == said


def test_a_sidecar_gives_known_values_alone() -> None:
    with pytest.raises(OptionError, match="iso"):
        SidecarOptions("info.json", {"iso": "camera.iso"})


def test_alignment_allows_a_pixel_at_least() -> None:
    with pytest.raises(OptionError, match="max_shift"):
        AlignOptions(b"", "r.png", 0)
