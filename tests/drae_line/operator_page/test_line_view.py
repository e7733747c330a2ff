"""What the page says where the line's files do not answer."""

from pathlib import Path

from drae_line.operator_page.line_view import LineView
from drae_line.operator_page.verdict_feed import Reading
from tests.drae_line.operator_page.page_client import page_options


def test_a_disk_that_hangs_is_said(tmp_path: Path) -> None:
    view = LineView(page_options(tmp_path))
    assert view.state(now=100.0)["problem"] == ""  # Not read yet: a long log takes its time.
    view.take_reading(Reading())
    view.looked = 100.0
    assert view.state(now=104.0)["problem"] == ""
    words = "The files of the line have not answered for 7 seconds; what you see is from before."
    assert view.state(now=107.0)["problem"] == words


def test_a_look_that_finds_nothing_new_changes_nothing(tmp_path: Path) -> None:
    view = LineView(page_options(tmp_path))
    view.take_reading(Reading())
    version = view.version
    view.take_reading(Reading())
    view.take_checks([], anew=False)
    view.take_events([], anew=False)
    view.take_lock(None)
    view.take_problem("")
    assert view.version == version
    view.take_reading(Reading(anew=True))
    assert view.version > version
