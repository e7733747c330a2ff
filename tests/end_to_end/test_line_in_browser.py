"""Camera, line and page together: a defective strip is seen at once, rejected, with its heatmap."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.verdict_log import VERDICTS, read_verdicts
from tests.campaigns.killing import Command
from tests.drae_line.operator_page.page_process import PageProcess
from tests.line_scene import make_line_scene

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("needs package: chromium", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")

INCOMING, LOG = Path("line/incoming"), Path("line/log")
# From the verdict to the heatmap in the browser.
MOST_SECONDS = 2.0

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_line_scene(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    return tmp_path


@pytest.fixture
def window() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def drop(strip: str, run: int) -> None:
    """As a camera's computer does: a file after the other, each under its name from the beginning."""
    source = Path(f"frames/kit/{strip}/run_{run:02d}")
    target = INCOMING / strip / source.name
    target.mkdir(parents=True)
    for frame in sorted(source.iterdir(), reverse=True):
        with (target / frame.name).open("wb") as stream:
            stream.write(frame.read_bytes())


def until(window: Any, script: str) -> None:
    """Asked from outside: the page lets nothing evaluate text inside."""
    end = time.monotonic() + 60
    while not window.evaluate(script):
        assert time.monotonic() < end, script
        window.wait_for_timeout(10)


def test_a_defective_strip_is_seen_rejected_with_its_heatmap_within_two_seconds(place: Path, window: Any) -> None:
    line = Command([sys.executable, "-m", "pipelines.inspect_line"], place, place / "line.txt")
    try:
        assert line.until(lambda: "line: ready" in line.said(), 0.05), line.tail()
        with PageProcess(place) as page:
            window.goto(page.address)
            drop("K03", 0)
            window.wait_for_selector(".tile.accepted", timeout=10_000)
            drop("K04", 1)
            window.wait_for_selector(".tile.rejected", timeout=10_000)
            window.click(".tile.rejected")
            window.wait_for_selector("#opened .heat", timeout=10_000)
            images = "[...document.querySelectorAll('#opened img')]"
            until(window, f"{images}.every(one => one.complete && one.naturalWidth > 0)")
            seen = datetime.now(UTC)
            assert "K04/r1" in window.inner_text("#opened")
            window.screenshot(path=str(place / "seen.png"))
            accepted, rejected = read_verdicts(LOG / VERDICTS)
            assert (accepted.slot.verdict, rejected.slot.verdict) == ("accept", "reject")
            assert (seen - datetime.fromisoformat(rejected.given)).total_seconds() < MOST_SECONDS
            assert (pictures_folder(LOG, rejected.sequence) / INDEX).is_file()

            # The line is killed and begun again; the page goes on by itself.
            line.kill()
            drop("K05", 0)
            line = Command([sys.executable, "-m", "pipelines.inspect_line"], place, place / "again.txt")
            window.keyboard.press("Escape")
            until(window, "document.querySelectorAll('.tile').length == 3")
    finally:
        line.kill()


def test_the_demo_runs_all_three_and_ends_them(place: Path, window: Any) -> None:
    command = [
        sys.executable,
        "-m",
        "pipelines.line_demo",
        "--rate",
        "5",
        "--count",
        "8",
        "--faults",
        "0",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        try:
            address = next(word for line in demo.stdout for word in line.split() if word.startswith("http://"))
            window.goto(address)
            window.wait_for_selector(".tile", timeout=60_000)
            end = time.monotonic() + 60
            while len(list(read_verdicts(Path("line/demo/log") / VERDICTS))) < 8:
                assert time.monotonic() < end
                time.sleep(0.1)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 130
            with pytest.raises(sync_api.Error):
                window.goto(address)
        finally:
            demo.kill()
