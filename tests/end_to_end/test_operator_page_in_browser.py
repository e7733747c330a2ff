"""The operator's page in a real browser: the command serves it, a line that a test drives writes the log."""

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drae_line.pictures_index import INDEX, pictures_folder
from drae_line.slot_verdict import LoggedVerdict
from drae_line.verdict_log import VERDICTS
from tests.drae_line.operator_page.fake_line import THRESHOLDS, FakeLine, good_scores, slot_verdict
from tests.drae_line.operator_page.page_client import TOKEN
from tests.drae_line.operator_page.page_process import PageProcess, write_model, write_params

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("needs package: chromium", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")

HOSTILE = '<script>window.broken=1</script>"\'&<img src=x onerror="window.broken=1">\u202e'
SIZES = {"desktop": (1280, 800), "large": (1920, 1080), "narrow": (800, 900)}
# Of each element with text of its own: its words, its contrast with what lies behind it, and whether it is large.
CONTRASTS = """
() => {
  const rgb = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => {
    const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("svg, script, noscript, .unseen") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(rgb(style.color)), light(behind(element))];
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push([element.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), large]);
  }
  return found;
}
"""


@dataclass
class Scene:
    """A line, the page that follows it, and a browser's window on the page.

    Attributes:
        folder: of the params file.
        line: that a test drives.
        server: the page's process.
        window: of the browser.
        said: what the browser's console said, and errors of the page's scripts.
        asked: every address that the browser asked for.
    """

    folder: Path
    line: FakeLine
    server: PageProcess
    window: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def wait(self, selector: str, seconds: float = 10.0, **more: Any) -> Any:
        return self.window.wait_for_selector(selector, timeout=1000 * seconds, **more)

    def until(self, script: str, seconds: float = 10.0) -> None:
        """Until a script says true; asked from outside, since the page lets nothing evaluate text inside."""
        until(self.window, script, seconds)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.window.keyboard.press(key)

    def names(self) -> list[str]:
        """Acquisitions of the tiles, as they are shown."""
        return [tile.inner_text() for tile in self.window.query_selector_all(".tile .name")]

    def text(self, selector: str) -> str:
        return str(self.window.inner_text(selector))


def until(window: Any, script: str, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not window.evaluate(script):
        assert time.monotonic() < end, f"not within {seconds} s: {script}"
        window.wait_for_timeout(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
        yield launched
        launched.close()


def listen(window: Any, scene: Scene) -> None:
    window.on("console", lambda message: scene.said.append(message.text))
    window.on("pageerror", lambda error: scene.said.append(str(error)))
    window.on("request", lambda request: scene.asked.append(request.url))


@pytest.fixture
def opened(tmp_path: Path, browser: Any) -> Iterator[Callable[..., Scene]]:
    """Starts the page on a line with the strips that a function logs, and opens it in the browser."""
    ends: list[Callable[[], None]] = []

    def start(log: Callable[[FakeLine], None], size: str = "desktop", **context: Any) -> Scene:
        write_params(tmp_path)
        line = FakeLine(tmp_path / "line")
        log(line)
        server = PageProcess(tmp_path)
        ends.append(server.process.kill)
        width, height = SIZES[size]
        around = browser.new_context(viewport={"width": width, "height": height}, **context)
        ends.append(around.close)
        scene = Scene(tmp_path, line, server, around.new_page())
        listen(scene.window, scene)
        scene.window.goto(server.address)
        scene.until("document.querySelector('#counts table')")
        return scene

    yield start
    for end in reversed(ends):
        end()


def three_kinds(line: FakeLine) -> None:
    line.say("started", "model a1, thresholds b2")
    line.accept("A1/r0")
    line.reject("B2/r0", "R2", 3, 1.42)
    line.miss("C3/r0")


def test_verdicts_in_words_shapes_and_large_type(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    assert scene.names() == ["C3/r0", "B2/r0", "A1/r0"]
    tiles = scene.window.query_selector_all(".tile")
    words = [" ".join(tile.query_selector(".word").inner_text().split()) for tile in tiles]
    assert words == ["REJECT: NOT INSPECTED", "REJECT", "ACCEPT"]
    shapes = [tile.query_selector(".word use").get_attribute("href") for tile in tiles]
    assert shapes == ["#shape-not_inspected", "#shape-rejected", "#shape-accepted"]
    sizes = scene.window.eval_on_selector_all(
        ".word", "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert len(sizes) == 4
    assert min(sizes) >= 48
    assert "R2" in tiles[1].query_selector(".region.over").inner_text()
    assert "1.42" in tiles[1].query_selector(".region.over").inner_text()
    banner = " ".join(scene.text("#last").split())
    assert banner.startswith("REJECT: NOT INSPECTED C3/r0")
    assert "Not all frames of the strip came in time. Check that the camera took all frames" in banner
    scene.until("document.querySelector('#line').innerText.includes('The line is running')")
    assert "The line was started: model a1, thresholds b2" in scene.text("#line")
    assert scene.said == []


def test_a_reject_appears_within_two_seconds(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    began = time.monotonic()
    scene.line.reject("D4/r0", "R0", 1, 2.5)
    scene.until("document.querySelector('#last .word').innerText == 'REJECT'", 2)
    scene.until("document.querySelector('.tile .name').innerText == 'D4/r0'", 2)
    assert time.monotonic() - began < 2
    # Who does not see it hears it.
    assert scene.window.get_attribute("#said", "aria-live") == "assertive"
    assert scene.window.text_content("#said") == "REJECT, strip D4/r0, R0 of vial 1, 2.50 times its threshold"
    scene.line.accept("E5/r0")
    scene.until("document.querySelector('#last .word').innerText == 'ACCEPT'", 2)
    assert "D4/r0" in scene.window.text_content("#said")
    assert scene.window.title() == "ACCEPT E5/r0"
    scene.until("document.querySelector('#counts tbody').innerText.replace(/\\s+/g, ' ').includes('inspected 4 4')", 2)


def test_a_heatmap_opens_on_click_and_by_keyboard(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    scene.window.click(".tile.rejected")
    scene.wait("#opened .heat")
    scene.until("[...document.querySelectorAll('#opened img')].every(one => one.complete && one.naturalWidth > 0)")
    # The heatmap of R2 lies over the third quarter of the vial's picture.
    place = scene.window.eval_on_selector(
        "#opened .over-picture", "one => [one.querySelector('.heat').offsetTop / one.offsetHeight, one.offsetHeight]"
    )
    assert place[0] == pytest.approx(0.5, abs=0.01)
    assert place[1] >= 240
    over = [cell.inner_text() for cell in scene.window.query_selector_all("#opened td.over")]
    assert [cell.split()[:2] for cell in over] == [["✕", "1.42"]]
    assert len(scene.window.query_selector_all("#opened .grid td")) == 21
    scene.press("h")
    scene.wait("#opened .heat", state="hidden")
    scene.press("h")
    scene.wait("#opened .heat", state="visible")
    scene.window.fill("#opened input", "20")
    assert scene.window.eval_on_selector("#opened .heat", "one => getComputedStyle(one).opacity") == "0.2"
    scene.press("Escape")
    scene.wait("#opened", state="hidden")
    # Without a mouse: the newest strip, one to the right, open; then through the opened strips.
    scene.window.reload()
    scene.wait(".tile")
    scene.press("ArrowRight", "ArrowRight", "Enter")
    scene.wait("#opened .heat")
    assert scene.text("#opened-title") == "B2/r0"
    scene.press("ArrowRight")
    scene.until("document.querySelector('#opened-title').innerText == 'A1/r0'")
    assert "Pictures are kept of rejected strips only" in scene.text("#opened")
    scene.press("ArrowLeft", "ArrowLeft")
    scene.until("document.querySelector('#opened .scores').innerText.includes('expected frame 7, got frames 0 and 15')")
    assert "Check that the camera took all frames" in scene.text("#opened .todo")
    scene.press("Escape")
    scene.wait("#opened", state="hidden")
    # The browser first goes back to where the keyboard opened, B2; the page hears of the end a moment later.
    scene.until("document.activeElement.closest('.tile')?.querySelector('.name').innerText == 'C3/r0'")
    assert scene.window.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 3
    assert scene.said == []


def test_pictures_that_come_later_are_waited_for(opened: Callable[..., Scene]) -> None:
    logged = list[LoggedVerdict]()

    def log(line: FakeLine) -> None:
        logged.append(line.reject("A/r0", pictures=False))

    scene = opened(log)
    scene.window.click(".tile")
    scene.until("document.querySelector('#opened .shown').innerText.includes('Pictures are being written')")
    scene.line.draw(logged[0])
    scene.wait("#opened .heat", 5)
    (pictures_folder(scene.folder / "line", 1) / INDEX).write_text("damaged")
    scene.press("Escape")
    scene.window.click(".tile")
    scene.until("document.querySelector('#opened .shown').innerText.includes('index is damaged')")


def test_a_server_that_is_killed_and_comes_back(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    scene.window.evaluate("window.same = true")
    port = scene.server.port
    scene.server.end(signal.SIGKILL)
    scene.wait("#lost:not([hidden])", 5)
    assert scene.text("#lost").startswith("Connection lost, trying again")
    assert scene.window.eval_on_selector("#lost", "one => parseFloat(getComputedStyle(one).fontSize)") >= 40
    scene.line.reject("D4/r0", "R1", 0, 1.2)
    scene.line.accept("E5/r0")
    with PageProcess(scene.folder, "--port", port):
        scene.wait("#lost", 10, state="hidden")
        assert scene.names() == ["E5/r0", "D4/r0", "C3/r0", "B2/r0", "A1/r0"]
        assert scene.window.text_content("#said").startswith("Missed: REJECT, strip D4/r0")
        assert scene.window.evaluate("window.same") is True
        assert not scene.window.evaluate("document.body.classList.contains('stale')")
        # And it goes on.
        scene.line.accept("F6/r0")
        scene.until("document.querySelector('.tile .name').innerText == 'F6/r0'", 2)
    scene.wait("#lost:not([hidden])", 5)


@pytest.mark.slow
def test_a_server_that_falls_silent(opened: Callable[..., Scene]) -> None:
    """As where a cable is pulled: the connection stands, and nothing comes."""
    scene = opened(three_kinds)
    scene.server.process.send_signal(signal.SIGSTOP)
    scene.wait("#lost:not([hidden])", 12)
    scene.line.accept("D4/r0")
    scene.server.process.send_signal(signal.SIGCONT)
    scene.wait("#lost", 12, state="hidden")
    assert scene.names() == ["D4/r0", "C3/r0", "B2/r0", "A1/r0"]


def test_a_line_that_ends_and_begins_again(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    scene.until("document.querySelector('#line').innerText.includes('The line is running')")
    scene.line.close()
    with (scene.folder / "line" / VERDICTS).open("ab") as stream:
        stream.write(b'{"format_version":1,"sequ')
    scene.until("document.querySelector('#line').innerText.includes('The line is not running')")
    assert "did not say that it was stopped" in scene.text("#line")
    again = FakeLine(scene.folder / "line")
    again.say("log_repaired", "24 bytes of an unfinished line were taken off")
    again.accept("D4/r0")
    scene.until("document.querySelector('.tile .name').innerText == 'D4/r0'", 2)
    scene.until("document.querySelector('#line').innerText.includes('The line is running')")
    assert "The log was repaired after an interruption: 24 bytes" in scene.text("#line .warning")
    assert scene.names() == ["D4/r0", "C3/r0", "B2/r0", "A1/r0"]
    # Another log in its place: nothing of the first one is left.
    again.close()
    (scene.folder / "line" / VERDICTS).unlink()
    scene.until("document.querySelector('#last').innerText == 'No strip yet'")
    other = FakeLine(scene.folder / "line")
    other.reject("Z9/r0")
    scene.until("document.querySelector('.tile .name')?.innerText == 'Z9/r0'", 2)
    assert scene.names() == ["Z9/r0"]
    other.say("stopped", "end of the shift")
    other.close()
    scene.until("document.querySelector('#line').innerText.includes('The line was stopped: end of the shift')")
    scene.until("document.querySelector('#line').innerText.includes('The line is not running')")
    assert scene.said == []


def test_names_from_outside_are_text_and_nothing_is_fetched_elsewhere(opened: Callable[..., Scene]) -> None:
    def log(line: FakeLine) -> None:
        line.accept(f"{HOSTILE}/r0")
        line.reject(f"{HOSTILE}/r1", folder=HOSTILE)
        line.miss(f"{HOSTILE}/r2", reason=HOSTILE, detail=HOSTILE)
        line.say("swapped", HOSTILE)
        line.say(HOSTILE)

    scene = opened(log)
    assert scene.names() == [f"{HOSTILE}/r{number}" for number in (2, 1, 0)]
    assert HOSTILE in scene.text("#last")
    assert HOSTILE in scene.text("#line")
    scene.window.click(".tile.rejected")
    scene.wait("#opened .heat")
    scene.press("g")
    scene.until("document.querySelector('#told').innerText.includes('checked: good')")
    scene.window.click("#opened summary")
    assert scene.text("#opened dl").count(HOSTILE) >= 2
    scene.press("ArrowLeft")
    scene.until("document.querySelector('#opened .scores').innerText.includes('onerror')")
    assert scene.window.evaluate("window.broken") is None
    assert scene.window.evaluate("document.querySelectorAll('main script, main img, dialog script').length") == 0
    assert len(scene.asked) > 10
    assert all(address.startswith(scene.server.address) for address in scene.asked)
    assert scene.said == []


def test_the_browser_itself_refuses_what_is_foreign(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    scene.window.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.broken = 1';"
        " document.body.append(script); const image = new Image(); image.src = 'http://127.0.0.2:9/x.png';"
        " document.body.append(image); }"
    )
    scene.window.wait_for_timeout(300)
    assert scene.window.evaluate("window.broken") is None
    assert sum("Content Security Policy" in text for text in scene.said) == 2


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(opened: Callable[..., Scene], size: str) -> None:
    def log(line: FakeLine) -> None:
        for number in range(12):
            line.accept(f"S{number:04d}/r0")
        line.reject(f"batch={'B' * 60}/station=5/{'long' * 20}/r7")
        line.miss("very long " * 12 + "/r1", detail="x" * 600)
        line.say("strange_file", "y" * 300)
        with (line.folder / VERDICTS).open("ab") as stream:
            stream.write(b"z" * 300 + b"\n")

    scene = opened(log, size)
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    scene.wait("#problem:not([hidden])")
    wide, seen = scene.window.evaluate(widths)
    assert wide <= seen
    # No word is cut off or runs out of its tile.
    spilt = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
    assert scene.window.eval_on_selector_all(".tile .word, .tile .foot, .tile, .last .word, aside section", spilt) == []
    for kind in ("rejected", "not_inspected", "accepted"):
        scene.window.click(f".tile.{kind}")
        if kind == "rejected":
            scene.wait("#opened .heat")
        scene.until("!document.querySelector('#opened .scores').innerText.includes('Reading')")
        for selector in ("#opened", "#opened .body", "#opened .bottom"):
            wide, seen = scene.window.eval_on_selector(selector, "one => [one.scrollWidth, one.clientWidth]")
            assert wide <= seen, (kind, selector)
        assert scene.window.is_visible("#opened [data-does='close']")
        scene.press("Escape")


def test_every_text_has_contrast(opened: Callable[..., Scene]) -> None:
    def log(line: FakeLine) -> None:
        three_kinds(line)
        line.reject("D4/r0", milliseconds={"slot": 700.0})
        line.say("swap_refused", "of another model")

    scene = opened(log)
    seen = scene.window.evaluate(CONTRASTS)
    scene.window.click(".tile.rejected")
    scene.wait("#opened .heat")
    seen += scene.window.evaluate(CONTRASTS)
    scene.press("Escape", "?")
    seen += scene.window.evaluate(CONTRASTS)
    scene.press("Escape", "p")
    seen += scene.window.evaluate(CONTRASTS)
    scene.server.end()
    scene.wait("#lost:not([hidden])")
    seen += [entry for entry in scene.window.evaluate(CONTRASTS) if "Connection lost" in entry[0]]
    assert len(seen) > 200
    assert [entry for entry in seen if entry[1] < (3 if entry[2] else 4.5)] == []


def test_checks_by_key_and_button_are_kept_and_seen_by_all(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    other = scene.window.context.new_page()
    other.goto(scene.server.address)
    scene.window.bring_to_front()
    scene.press("g")
    scene.until("document.querySelector('#told').innerText.includes('Choose a strip first')")
    scene.window.focus(".tile.accepted")
    scene.press("g")
    scene.until("document.querySelector('#told').innerText.includes('Only rejected strips are checked')")
    scene.window.focus(".tile.rejected")
    scene.press("d")
    scene.until("document.querySelector('.tile.rejected .check').innerText == 'checked: defective'")
    scene.press("Enter")
    scene.until("document.querySelector('#opened .check').innerText == 'checked: defective'")
    scene.window.click("#opened [data-does='good']")
    scene.until("document.querySelector('#opened .check').innerText == 'checked: good'")
    assert scene.window.get_attribute("#opened [data-does='good']", "aria-pressed") == "true"
    until(other, "document.querySelector('.tile.rejected .check').innerText == 'checked: good'")
    scene.until("document.querySelector('#trend').innerText.includes('Checked again: 1 good, so false rejects')")
    scene.press("u")
    scene.until("document.querySelector('#opened .check').innerText == 'not checked yet'")
    lines = (scene.folder / "line" / "checks.jsonl").read_text().splitlines()
    assert [json.loads(line)["found"] for line in lines] == ["defective", "good", "open"]
    assert scene.window.query_selector("#trend .chart .part-unchecked") is not None
    assert scene.said == []


def test_pause_freezes_the_strips_while_counting_goes_on(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds)
    scene.press("p")
    before = scene.names()
    for number in range(4):
        scene.line.accept(f"N{number}/r0")
    scene.line.reject("R/r0")
    scene.until(
        "document.querySelector('#paused').innerText == 'Paused. 5 new strips since, 1 rejected. Press P to follow.'"
    )
    assert scene.names() == before
    scene.until("document.querySelector('#counts tbody').innerText.replace(/\\s+/g, ' ').includes('accepted 5 5')")
    assert scene.window.get_attribute("#pause", "aria-pressed") == "true"
    # The banner is never frozen: nobody takes an old verdict for the newest.
    assert "R/r0" in scene.text("#last")
    scene.press("p")
    assert scene.names() == ["R/r0", "N3/r0", "N2/r0", "N1/r0", "N0/r0", *before]
    assert not scene.window.is_visible("#paused")


def test_many_strips_the_oldest_go_and_focus_stays(opened: Callable[..., Scene]) -> None:
    def log(line: FakeLine) -> None:
        for number in range(12):
            line.accept(f"A{number}/r0")

    scene = opened(log)
    scene.press("ArrowDown", "End")
    focused = "document.activeElement.querySelector('.name').innerText"
    assert scene.window.evaluate(focused) == "A0/r0"
    scene.press("Home", "ArrowRight")
    assert scene.window.evaluate(focused) == "A10/r0"
    scene.press("ArrowDown")
    assert scene.window.evaluate(focused) == "A7/r0"  # three in a row at this width
    scene.press("ArrowUp", "ArrowLeft", "ArrowLeft")
    assert scene.window.evaluate(focused) == "A11/r0"
    scene.press("End")
    for number in range(3):
        scene.line.accept(f"B{number}/r0")
    scene.until("document.querySelector('.tile .name').innerText == 'B2/r0'", 3)
    assert len(scene.names()) == 12
    assert scene.window.evaluate(focused) == "A3/r0"
    assert len(scene.window.query_selector_all(".tile[tabindex='0']")) == 1


def test_scores_that_have_moved_are_said(tmp_path: Path, browser: Any, opened: Callable[..., Scene]) -> None:
    digest = write_model(tmp_path)

    def log(line: FakeLine) -> None:
        for number in range(100):
            scores = good_scores(number)
            scores["max"]["R3"] = tuple(min(0.95 * THRESHOLDS["R3"], 1.3 * score) for score in scores["max"]["R3"])
            line.append(slot_verdict(f"A{number}/r0", scores, model_digest=digest))

    scene = opened(log)
    scene.wait("#moved:not([hidden])")
    words = (
        "Scores of region R3 have moved up. Light, focus or position seem to have changed there: check lamp, lens and"
    )
    assert scene.text("#moved").startswith(words)
    assert scene.text("#drift .said").startswith(words)
    rows = [row.inner_text().split() for row in scene.window.query_selector_all("#drift tbody tr")]
    assert [row[:3] for row in rows] == [
        ["R0", "as", "trained"], ["R1", "as", "trained"], ["R2", "as", "trained"], ["R3", "moved", "up"],
    ]  # fmt: skip


def test_who_wants_no_motion_gets_none(opened: Callable[..., Scene]) -> None:
    scene = opened(three_kinds, reduced_motion="reduce")
    scene.line.accept("D4/r0")
    scene.until("document.querySelector('.tile .name').innerText == 'D4/r0'", 2)
    assert scene.window.eval_on_selector(".tile.fresh", "one => getComputedStyle(one).animationName") == "none"


def test_a_browser_signs_in_with_the_token(tmp_path: Path, browser: Any) -> None:
    write_params(tmp_path)
    line = FakeLine(tmp_path / "line")
    line.reject("A/r0")
    (tmp_path / "token").write_text(TOKEN)
    with PageProcess(tmp_path, "--token-file", "token") as server:
        window = browser.new_page()
        window.goto(server.address)
        assert "This page needs its token" in window.inner_text("h1")
        window.fill("input", "wrong")
        window.click("button")
        window.wait_for_selector("h1")
        window.fill("input", TOKEN)
        window.click("button")
        window.wait_for_selector(".tile.rejected", timeout=5000)
        assert window.url == server.address
        window.click(".tile")
        window.wait_for_selector("#opened .heat", timeout=5000)
        port = server.port
        server.end(signal.SIGKILL)
        # Back with another token: the page says so, and does not try for ever.
        (tmp_path / "token").write_text(TOKEN[::-1])
        with PageProcess(tmp_path, "--token-file", "token", "--port", port):
            until(window, "document.querySelector('#lost').innerText.startsWith('The token is needed')")
        window.close()
