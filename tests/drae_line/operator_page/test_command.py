"""`python -m pipelines.operator_page`: it starts quickly and without TensorFlow, and says in one line what is wrong."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from drae_line.judge_choice import JudgeChoice, write_choice
from drae_line.operator_page.drift_watch import Reference
from drae_line.operator_page.line_view import LineView
from drae_line.operator_page.server import serve_page
from pipelines import operator_page
from tests.drae_line.operator_page.fake_line import FakeLine
from tests.drae_line.operator_page.page_client import TOKEN, page_options
from tests.drae_line.operator_page.page_process import ROOT, PageProcess, write_model, write_params


def state_of(address: str, seconds: float = 10.0) -> dict[str, Any]:
    """The newest state within some seconds, the first that has compared scores."""
    with urlopen(f"{address}live", timeout=seconds) as answer:
        for line in answer:
            if line.startswith(b"data: ") and b'"drift"' in line:
                state: dict[str, Any] = json.loads(line[6:])
                if state["loaded"] and state["drift"]["text"] != "Not compared yet.":
                    return state
    raise AssertionError


def refused(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert operator_page.main(["--params", str(folder / "params.yaml"), *arguments]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


def test_neither_tensorflow_nor_beam_is_loaded() -> None:
    program = "import sys, pipelines.operator_page; print(sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "aiohttp" in loaded
    assert not any(f"'{name}'" in loaded for name in ("tensorflow", "keras", "apache_beam", "matplotlib"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    write_params(tmp_path)
    with PageProcess(tmp_path) as page:
        assert page.address.startswith("http://127.0.0.1:")
        with urlopen(page.address, timeout=10) as answer:
            assert b"<title>Line inspection</title>" in answer.read()
            began = time.monotonic()
        with urlopen(f"{page.address}live", timeout=10):  # A browser that stays does not hold it up.
            assert page.end(number) == 0
            assert time.monotonic() - began < 5


def test_drift_against_the_scores_beside_the_model(tmp_path: Path) -> None:
    write_params(tmp_path)
    digest = write_model(tmp_path)
    line = FakeLine(tmp_path / "line")
    for number in range(100):
        line.accept(f"A{number}/r0", model_digest=digest)
    with PageProcess(tmp_path) as page:
        drift = state_of(page.address)["drift"]
        assert (drift["state"], drift["text"]) == ("as_trained", "Scores are as in training.")
        assert [one["reference"] for one in drift["regions"]] == [500] * 4


def test_the_model_that_was_chosen_for_the_line_counts(tmp_path: Path) -> None:
    write_params(tmp_path)
    digest = write_model(tmp_path, "chosen")
    line = FakeLine(tmp_path / "demo" / "log")
    write_choice(line.folder, JudgeChoice("chosen", digest, "thresholds.json", "b2" * 32), None)
    for number in range(100):
        line.accept(f"A{number}/r0", model_digest=digest)
    with PageProcess(tmp_path, "--folder", "demo") as page:
        assert state_of(page.address)["drift"]["state"] == "as_trained"


def test_a_model_without_validation_scores_is_said(tmp_path: Path) -> None:
    write_params(tmp_path)
    line = FakeLine(tmp_path / "line")
    line.accept("A/r0")
    with PageProcess(tmp_path) as page:
        drift = state_of(page.address)["drift"]
        assert drift["state"] == "not_available"
        assert drift["text"].startswith("Not available: model/model.json: expected the card of a trained model")


def test_with_a_token_it_asks_for_it(tmp_path: Path) -> None:
    write_params(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    with PageProcess(tmp_path, "--token-file", "token") as page:
        assert page.process.stdout is not None
        assert page.process.stdout.readline() == "Each browser is asked for the token once.\n"
        with pytest.raises(HTTPError, match="401"):
            urlopen(page.address, timeout=10)
        assert page.end() == 0


def test_a_page_that_cannot_follow_any_more_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect must not leave a page that looks alive and shows old verdicts."""

    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(LineView, "take_reading", fail)
    said = list[str]()
    with pytest.raises(RuntimeError, match="a defect"):
        serve_page(page_options(tmp_path), lambda: Reference(why="none"), said.append, open_browser=False)
    assert said[0].startswith("http://127.0.0.1:")


def test_a_port_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert refused(tmp_path, "--port", port, capsys=capsys) == (
            f"error: port {port} of 127.0.0.1 is in use: perhaps this page is open already; end that, or choose "
            "another with --port\n"
        )


def test_an_address_that_is_not_this_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    arguments = "--host", "192.0.2.1", "--token-file", str(tmp_path / "token")
    message = refused(tmp_path, *arguments, capsys=capsys)
    assert message.endswith("line.page.host or --host must be an address of this machine\n")


def test_another_host_without_a_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_params(tmp_path)
    monkeypatch.delenv("DRAE_PAGE_TOKEN", raising=False)
    message = refused(tmp_path, "--host", "0.0.0.0", capsys=capsys)
    assert "--token-file FILE, or set DRAE_PAGE_TOKEN" in message


def test_params_without_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_params(tmp_path)
    path.write_text(path.read_text().partition("line:\n")[0])
    assert refused(tmp_path, capsys=capsys).startswith("error: line: missing")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none(tmp_path: Path, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        operator_page.main([f"--port={port}"])
    assert "a whole number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.slow
def test_a_log_of_a_hundred_thousand_verdicts_is_shown_within_seconds(tmp_path: Path) -> None:
    write_params(tmp_path)
    line = FakeLine(tmp_path / "line")
    line.accept("first/r0")
    line.close()
    place = tmp_path / "line" / "verdicts.jsonl"
    one = place.read_bytes()
    with place.open("wb") as stream:
        for number in range(1, 100_001):
            stream.write(one.replace(b'"sequence":1,', b'"sequence":%d,' % number).replace(b"first", b"S%06d" % number))
    with PageProcess(tmp_path) as page:
        began = time.monotonic()
        state = state_of(page.address, 30)
        # A quarter of a second on two idle cores; reading every line in full takes several seconds.
        assert time.monotonic() - began < 4
        assert state["counts"]["total"]["accepted"] == 100_000
        status = Path(f"/proc/{page.process.pid}/status")
        if status.exists():
            peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            assert int(peak.split()[1]) < 400_000
    place.unlink()
