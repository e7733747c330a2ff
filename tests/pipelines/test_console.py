"""Progress says count, share, rate and time left; what a command raises becomes one message and an exit status."""

import argparse
import time

import pytest

from drae_data.errors import DraeError, OptionError
from pipelines import console


def test_a_log_gets_lines_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "_LOG_SECONDS", 0.05)
    with console.progress("build kit", 2000, "patches", lambda: 500):
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("build kit: 500 of 2,000 patches (25%), ")
    assert lines[0].endswith(" s left")


def test_progress_before_the_first_unit_and_of_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "_LOG_SECONDS", 0.05)
    with console.progress("build kit", 0, "patches", lambda: 0):
        time.sleep(0.08)
    assert "time left not known yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (DraeError("expected this, got that"), 1, "error: expected this, got that\n"),
        (FileNotFoundError(2, "No such file or directory", "frames"), 1, "error: frames: No such file or directory\n"),
        (KeyboardInterrupt(), 130, "interrupted; finished work is kept"),
    ],
)
def test_what_a_command_raises_is_a_message(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(_: list[str]) -> None:
        raise error

    assert console.run_command(command, []) == status
    assert capsys.readouterr().err.startswith(said)


def test_the_status_of_a_command_is_passed_on() -> None:
    assert console.run_command(lambda _: 3, []) == 3
    assert console.run_command(lambda _: None, []) == 0


def test_a_count_is_a_positive_whole_number() -> None:
    assert console.positive("12") == 12
    for text in ["0", "-1", "1.5", "two", "", "\u0663"]:
        with pytest.raises(argparse.ArgumentTypeError, match="1 or more"):
            console.positive(text)


def test_a_picture_is_named_as_one() -> None:
    assert console.png_name("a/b.png") == "a/b.png"
    with pytest.raises(OptionError, match=r"--out: expected a file name that ends in \.png"):
        console.png_name("b.jpg")
