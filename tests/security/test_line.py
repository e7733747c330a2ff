"""Lines of logs from strangers do not end the operator's page; its token is in no list of processes."""

import json
from pathlib import Path

import pytest

from drae_acceptance.errors import CalibrationError, ScoreError
from drae_acceptance.score_files import read_score_card
from drae_acceptance.threshold_file import read_thresholds
from drae_acceptance.threshold_history import read_history
from drae_line.errors import JudgeError, LogError
from drae_line.judge_choice import read_choice
from drae_line.operator_page.checks import Check
from drae_line.operator_page.figures import Brief
from drae_line.operator_page.line_events import parse_event
from drae_line.operator_page.pictures import PicturesError, read_index
from drae_line.operator_page.verdict_feed import parse_verdict
from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VERDICTS
from drae_model.errors import ModelError
from drae_model.model_card import read_card
from pipelines import operator_page
from tests.drae_line.operator_page.fake_line import FakeLine
from tests.drae_line.operator_page.page_client import Client, state_when, with_page
from tests.drae_line.small_verdicts import rejected

# Deeper than Python goes; json says so by an error that is none of JSON's.
DEEP = b"[" * 100_000 + b"]" * 100_000 + b"\n"
GIVEN = "2024-02-29T23:59:58+00:00"


def test_brackets_in_brackets_are_no_line_of_a_log() -> None:
    assert parse_event(DEEP) is None
    for parse in (parse_verdict, LoggedVerdict.parse, Check.parse):
        with pytest.raises(LogError):
            parse(DEEP)


@pytest.mark.parametrize("given", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_at_the_end_of_time_is_no_crash(given: str) -> None:
    event = parse_event(json.dumps({"given": given, "event": "started"}).encode())
    assert event is None or event.event == "started"
    Brief.of(parse_verdict(LoggedVerdict(1, given, rejected()).line()))


def test_the_page_goes_on_after_such_lines(tmp_path: Path) -> None:
    """A follower that an exception ends would end the page."""
    line = FakeLine(tmp_path)
    line.reject("A/r0", pictures=False)
    line.close()
    with (tmp_path / VERDICTS).open("ab") as stream:
        stream.write(DEEP)
    (tmp_path / "events.jsonl").write_bytes(DEEP)
    (tmp_path / "checks.jsonl").write_bytes(DEEP)

    async def use(client: Client) -> None:
        state = await state_when(client, lambda state: bool(state["loaded"]))
        assert state["newest"] == 1
        assert (await client.get("/alive")).status == 204

    with_page(tmp_path, use)


def test_brackets_in_brackets_are_no_file_of_ours(tmp_path: Path) -> None:
    brief = Brief.of(LoggedVerdict(1, GIVEN, rejected()))
    place = pictures_folder(tmp_path, 1)
    place.mkdir(parents=True)
    for name in (
        f"{place.relative_to(tmp_path)}/{INDEX}",
        "thresholds.json",
        "scores.json",
        "model.json",
        "judge.json",
    ):
        (tmp_path / name).write_bytes(DEEP)
    for error, read in (
        (PicturesError, lambda: read_index(tmp_path, brief)),
        (CalibrationError, lambda: read_thresholds(tmp_path / "thresholds.json")),
        (CalibrationError, lambda: read_history(DEEP)),
        (ScoreError, lambda: read_score_card(tmp_path)),
        (ModelError, lambda: read_card(tmp_path)),
        (JudgeError, lambda: read_choice(tmp_path)),
    ):
        with pytest.raises(error):
            read()


def test_the_token_is_no_argument_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody on a machine sees the arguments of its processes."""
    with pytest.raises(SystemExit):
        operator_page.main(["--help"])
    options = [word.rstrip(",]") for word in capsys.readouterr().out.split() if word.startswith(("--", "[--"))]
    assert [word for word in options if "token" in word and not word.endswith("--token-file")] == []
    assert any(word.endswith("--token-file") for word in options)
